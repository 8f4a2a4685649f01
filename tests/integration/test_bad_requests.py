"""Each bad input gets a precise error, lets nobody in, and harms nobody else."""

import os
import pathlib
import socket
import ssl

import configs
import grpc
import pytest
import slapd
import waiting
from client import Client, Connect, check_ours, fails, failure_of_status, request, seconds
from credcached import Credcached, Serve
from slapd import Slapd
from stubs import (
    ACCEPTED,
    BACKEND,
    CACHE,
    NO_SOURCE,
    REJECTED,
    authenticate_pb2,
    delegate_pb2,
    invalidate_pb2,
    negotiate_pb2,
)

INVALID = grpc.StatusCode.INVALID_ARGUMENT

NO_NAMES = {
    "empty": "",
    "NUL": "alice\0",
    "newline": "ali\nce",
    "escape": "ali\x1bce",
    "delete": "alice\x7f",
    "C1 control": "ali\u0085ce",
    "zero width": "ali\u200bce",
    "right to left": "ali\u202ece",
    "leading space": " alice",
    "trailing space": "alice ",
    "257 bytes": "a" * 257,
    "10 KB": "a" * 10_240,
}
HOSTILE_NAMES = [
    "*)(uid=*",
    "*",
    "user000*",
    "user00042)(uid=*",
    "user00042)(|(uid=*",
    "user00042)(!(uid=x",
    "\\2a",
    "user00042\\",
    "user00042,ou=people",
    "user00042+cn=user00042",
    "user00042,ou=people,dc=corp,dc=example",
    "user00042\\,ou=people",
    "user00042#",
    "#04024869",
    "user00042;",
    '"user00042"',
    "<user00042>",
    "user00042=",
    "cn=admin,dc=corp,dc=example",
    "(uid=user00042)",
    "&",
    "%s%n",
    "a" * 256,
    "$(id)",
    "../../etc/passwd",
]


@pytest.mark.parametrize("name", NO_NAMES.values(), ids=NO_NAMES)
def test_what_is_no_name_is_an_invalid_argument(on_file: Credcached, connect: Connect, name: str) -> None:
    client = connect(on_file)
    with fails(INVALID, "password.username"):
        client.authenticate(name, "password-of-alice")
    with fails(INVALID, "user.username"):
        client.invalidate(user=invalidate_pb2.UserTarget(username=name))


@pytest.mark.parametrize("search", [True, False], ids=["search", "direct"])
def test_a_name_is_nothing_but_a_name_to_the_directory(
    many: Slapd, serve: Serve, connect: Connect, tmp_path: pathlib.Path, search: bool
) -> None:
    client = connect(serve(configs.config(configs.realm(configs.ldap(many, folder=tmp_path, search=search)))))
    before = many.binds()
    for name in HOSTILE_NAMES:
        for password in ("password-00042", slapd.ADMIN_PASSWORD):
            answer = client.authenticate(name, password)
            assert (answer.outcome, answer.HasField("identity")) == (REJECTED, False), name
    binds = many.binds() - before
    for dn in (many.users["user00042"].dn, slapd.ADMIN):
        assert binds[dn] == 0, "a made-up name was bound as somebody else"
    assert client.authenticate("user00042", "password-00042").outcome == ACCEPTED


def test_text_that_is_not_utf_8_is_refused_cleanly(on_file: Credcached, connect: Connect) -> None:
    good = request("alice", "password-of-alice").SerializeToString()
    client = connect(on_file)
    for name in (b"ali\xffe", b"al\xc0\x80e", b"a\xed\xa0\x80e"):
        raw = good.replace(b"alice", name)
        assert raw != good
        call = client.channel.unary_unary(
            "/credcache.v1.AuthService/Authenticate",
            request_serializer=None,
            response_deserializer=authenticate_pb2.AuthenticateResponse.FromString,
        )
        with pytest.raises(grpc.RpcError) as info:
            call(raw, timeout=10)
        assert info.value.code() in (INVALID, grpc.StatusCode.INTERNAL), info.value
    assert client.authenticate("alice", "password-of-alice").outcome == ACCEPTED


@pytest.mark.parametrize("raw", [b"\xff\xff\xff\xff", b"\x0a\x7fshort", os.urandom(1000)], ids=["tag", "cut", "noise"])
def test_what_is_no_message_is_refused_cleanly(on_file: Credcached, connect: Connect, raw: bytes) -> None:
    client = connect(on_file)
    for method in ("Authenticate", "BatchAuthenticate", "Invalidate", "Stats"):
        with pytest.raises(grpc.RpcError) as info:
            client.channel.unary_unary(f"/credcache.v1.AuthService/{method}")(raw, timeout=10)
        assert info.value.code() in (INVALID, grpc.StatusCode.INTERNAL), info.value
    assert client.authenticate("alice", "password-of-alice").outcome == ACCEPTED


def test_an_empty_password_is_rejected_and_reaches_no_backend(
    few: Slapd, serve: Serve, connect: Connect, tmp_path: pathlib.Path
) -> None:
    for search in (True, False):
        server = serve(configs.config(configs.realm(configs.ldap(few, folder=tmp_path, search=search))))
        client = connect(server)
        before = few.counts()
        for name in ("alice", "nobody"):
            answer = client.authenticate(name, b"")
            assert (answer.outcome, answer.source) == (REJECTED, NO_SOURCE)
        assert (few.counts() - before).binds == 0
        assert server.metrics().total("credcache_backend_requests_total") == 0


def test_passwords_are_bytes_up_to_1024_of_them(on_many: Credcached, connect: Connect, many: Slapd) -> None:
    client = connect(on_many)
    for uid in ("longest-password", "nul-inside", "not-utf-8"):
        password = many.users[uid].password
        for source in (BACKEND, CACHE):
            answer = client.authenticate(uid, password)
            assert (answer.outcome, answer.source) == (ACCEPTED, source), uid
    assert client.authenticate("nul-inside", b"first-half-of-it").outcome == REJECTED
    assert client.authenticate("nul-inside", b"first-half-of-it\0after").outcome == REJECTED
    assert client.authenticate("not-utf-8", many.users["not-utf-8"].password.rstrip(b"(")).outcome == REJECTED
    with fails(INVALID, "password.password"):
        client.authenticate("longest-password", b"x" * 1025)


def test_a_hash_does_not_end_at_a_nul(on_file: Credcached, connect: Connect) -> None:
    """crypt(3) takes text that ends at a NUL; what comes after it must count all the same."""
    client = connect(on_file)
    assert client.authenticate("alice", b"password-of-alice\0and more").outcome == REJECTED
    assert client.authenticate("alice", b"password-of-alice\0").outcome == REJECTED
    assert client.authenticate("alice", b"password-of-alice").outcome == ACCEPTED


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ("credential", authenticate_pb2.AuthenticateRequest()),
        ("max_age", request("alice", "password-of-alice", max_age_seconds=-1)),
        ("max_age", authenticate_pb2.AuthenticateRequest(
            password={"username": "alice", "password": b"password-of-alice"}, max_age={"seconds": 1, "nanos": -1}
        )),
        ("context.client_address", request("alice", "password-of-alice", client_address="not-an-address")),
        ("context.request_id", request("alice", "password-of-alice", request_id="x" * 129)),
        ("password.realm", request("alice", "password-of-alice", realm="r" * 257)),
    ],
    ids=["no credential", "negative max_age", "malformed max_age", "client_address", "request_id", "realm"],
)  # fmt: skip
def test_a_bad_field_is_named(on_file: Credcached, connect: Connect, field: str, message: object) -> None:
    with fails(INVALID, field):
        connect(on_file).send(message)


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ("target", {}),
        ("all", {"all": False}),
        ("reason", {"all": True, "reason": "r" * 257}),
        ("realm", {"realm": "nowhere.example"}),
        ("user.realm", {"user": invalidate_pb2.UserTarget(realm="nowhere.example", username="alice")}),
    ],
)
def test_a_bad_invalidation_is_refused_and_forgets_nothing(
    on_file: Credcached, connect: Connect, field: str, message: dict
) -> None:
    client = connect(on_file)
    client.authenticate("alice", "password-of-alice")
    with fails(INVALID, field):
        client.invalidate(**message)
    assert client.authenticate("alice", "password-of-alice").source == CACHE


def test_what_is_not_built_yet_says_so(on_file: Credcached, connect: Connect) -> None:
    client = connect(on_file)
    unimplemented = grpc.StatusCode.UNIMPLEMENTED
    with fails(unimplemented):
        client.send(authenticate_pb2.AuthenticateRequest(session_token="token"))
    with fails(unimplemented):
        client.authenticate("alice", "password-of-alice", open_session=True)
    with fails(unimplemented):
        client.stub.Delegate(delegate_pb2.DelegateRequest(session_token="token", audience="web"), timeout=10)
    with fails(unimplemented):
        list(client.stub.Negotiate(iter([negotiate_pb2.NegotiateRequest()]), timeout=10))
    with fails(unimplemented):
        client.invalidate(session_token="token")
    assert client.stats().cache.entries == 0
    with pytest.raises(grpc.RpcError) as info:
        client.channel.unary_unary("/credcache.v1.AuthService/NoSuchMethod")(b"", timeout=10)
    assert info.value.code() == unimplemented


def test_a_batch_has_1_to_4096_elements(on_file: Credcached, connect: Connect) -> None:
    client = connect(on_file)
    one = request("alice", "password-of-alice")
    for size in (0, 4097):
        with fails(INVALID, "requests"):
            client.batch([one] * size)
    assert client.stats().cache.entries == 0
    results = client.batch([one] * 4096)
    assert [result.response.outcome for result in results] == [ACCEPTED] * 4096


def test_the_largest_batch_of_the_largest_log_ons_is_answered(on_file: Credcached, connect: Connect) -> None:
    """8 MB is the limit. All but one go to no realm: hashing 4,096 passwords is not what is shown."""
    name, password = "ü" * 128, b"0123456789abcdef" * 64
    elements = [request(name, password, realm="nowhere.example", request_id="r" * 128)] * 4095
    results = connect(on_file).batch([*elements, request("alice", "password-of-alice")])
    assert [result.response.outcome for result in results] == [REJECTED] * 4095 + [ACCEPTED]


def test_one_bad_element_fails_nobody_else(on_file: Credcached, connect: Connect) -> None:
    client = connect(on_file)
    elements = [
        request("alice", "password-of-alice"),
        request("ali\nce", "password-of-alice"),
        request("bob", "not-the-password"),
        authenticate_pb2.AuthenticateRequest(session_token="token"),
        authenticate_pb2.AuthenticateRequest(),
        request("bob", b"x" * 1025),
        request("bob", "password-of-bob"),
    ]
    results = client.batch(elements)
    outcomes = {0: ACCEPTED, 2: REJECTED, 6: ACCEPTED}
    assert {i: r.response.outcome for i, r in enumerate(results) if r.HasField("response")} == outcomes
    errors = {i: failure_of_status(r.error) for i, r in enumerate(results) if r.HasField("error")}
    check_ours(errors[1], INVALID, "password.username")
    check_ours(errors[3], grpc.StatusCode.UNIMPLEMENTED)
    check_ours(errors[4], INVALID, "credential")
    check_ours(errors[5], INVALID, "password.password")

    numbered = [authenticate_pb2.NumberedRequest(id=i, request=one) for i, one in enumerate(elements)]
    numbered.append(authenticate_pb2.NumberedRequest(id=7))
    numbered.append(authenticate_pb2.NumberedRequest(id=8, request=elements[0], timeout=seconds(-1)))
    answers = {
        result.id: result.result
        for message in client.stream([authenticate_pb2.AuthenticateStreamRequest(requests=numbered)])
        for result in message.results
    }
    assert sorted(answers) == list(range(9))
    assert {i: a.response.outcome for i, a in answers.items() if a.HasField("response")} == outcomes
    for number, error in errors.items():
        found = failure_of_status(answers[number].error)
        assert (found.code, found.reason, found.fields) == (error.code, error.reason, error.fields)
    check_ours(failure_of_status(answers[7].error), INVALID)
    check_ours(failure_of_status(answers[8].error), INVALID)


def test_a_stream_takes_empty_messages_and_equal_ids_and_refuses_too_large_messages(
    on_file: Credcached, connect: Connect
) -> None:
    client = connect(on_file)
    one = authenticate_pb2.NumberedRequest(id=1, request=request("alice", "password-of-alice"))
    messages = [
        authenticate_pb2.AuthenticateStreamRequest(),
        authenticate_pb2.AuthenticateStreamRequest(requests=[one, one]),
    ]
    assert [result.id for message in client.stream(messages) for result in message.results] == [1, 1]
    with fails(INVALID, "requests"):
        list(client.stream([authenticate_pb2.AuthenticateStreamRequest(requests=[one] * 4097)]))


def test_a_slow_miss_holds_up_no_hit(on_few: Credcached, few: Slapd, connect: Connect) -> None:
    client = connect(on_few)
    client.authenticate("alice", "password-of-alice")
    few.freeze()
    ask = [
        authenticate_pb2.NumberedRequest(id=1, request=request("bob", "password-of-bob")),
        authenticate_pb2.NumberedRequest(id=2, request=request("alice", "password-of-alice")),
        authenticate_pb2.NumberedRequest(id=3, request=request("carol", "password-of-carol"), timeout=seconds(0.2)),
    ]
    answers = client.stream([authenticate_pb2.AuthenticateStreamRequest(requests=ask)])
    order = []

    def next_one() -> None:
        for result in next(answers).results:
            order.append(result)

    next_one()
    assert (order[0].id, order[0].result.response.source) == (2, CACHE)
    while len(order) < 2:
        next_one()
    assert order[1].id == 3
    check_ours(failure_of_status(order[1].result.error), grpc.StatusCode.DEADLINE_EXCEEDED)
    few.thaw()
    while len(order) < 3:
        next_one()
    assert (order[2].id, order[2].result.response.outcome) == (1, ACCEPTED)
    assert list(answers) == []
    assert answers.code() == grpc.StatusCode.OK


def test_what_a_batch_has_not_finished_by_its_deadline_comes_back_as_that(
    on_few: Credcached, few: Slapd, connect: Connect
) -> None:
    client = connect(on_few)
    client.authenticate("alice", "password-of-alice")
    few.freeze()
    elements = [request("alice", "password-of-alice"), request("bob", "password-of-bob"), request("x\n", "y")]
    cached, late, bad = client.batch(elements, deadline_seconds=2)
    assert cached.response.source == CACHE
    check_ours(failure_of_status(late.error), grpc.StatusCode.DEADLINE_EXCEEDED)
    check_ours(failure_of_status(bad.error), INVALID, "password.username")
    few.thaw()
    waiting.until(lambda: client.stats().cache.entries == 2, "the late one fills the cache all the same")


def test_a_message_beyond_the_limit_is_refused(on_file: Credcached, connect: Connect) -> None:
    client = connect(on_file)
    with pytest.raises(grpc.RpcError) as info:
        client.authenticate("alice", b"x" * (9 << 20))
    assert info.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert client.authenticate("alice", "password-of-alice").outcome == ACCEPTED


GARBAGE = {
    "noise": os.urandom(4096),
    "HTTP/1.1": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "preface and noise": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + os.urandom(4096),
    "a frame of 16 MB": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\xff\xff\xff\x00\x00\x00\x00\x00\x01",
    "nothing": b"",
    "half a preface": b"PRI * HT",
}


@pytest.mark.parametrize("garbage", GARBAGE.values(), ids=GARBAGE)
def test_garbage_on_the_port_harms_nobody(on_file: Credcached, connect: Connect, garbage: bytes) -> None:
    client = connect(on_file)
    client.authenticate("alice", "password-of-alice")
    host, port = on_file.grpc.rsplit(":", 1)
    sockets = [socket.create_connection((host, int(port)), timeout=10) for _ in range(20)]
    for raw in sockets:
        raw.sendall(garbage)
    assert client.authenticate("alice", "password-of-alice").source == CACHE
    for raw in sockets[::2]:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    for raw in sockets:
        raw.close()
    assert connect(on_file).authenticate("alice", "password-of-alice").source == CACHE


def test_a_tls_handshake_on_a_port_in_the_clear_harms_nobody(on_file: Credcached, connect: Connect) -> None:
    host, port = on_file.grpc.rsplit(":", 1)
    context = ssl.create_default_context()
    with socket.create_connection((host, int(port)), timeout=10) as raw, pytest.raises((ssl.SSLError, OSError)):
        context.wrap_socket(raw, server_hostname="localhost")
    assert connect(on_file).authenticate("alice", "password-of-alice").outcome == ACCEPTED


def test_clients_that_vanish_in_the_middle_leave_nothing_behind(
    on_few: Credcached, few: Slapd, connect: Connect
) -> None:
    few.freeze()
    calls = []  # what nobody holds is cancelled at once
    for number in range(20):
        client = Client(on_few.grpc)
        calls.append(client.begin(f"user{number:05}", f"password-{number:05}"))
        ask = authenticate_pb2.NumberedRequest(id=1, request=request(f"user{number:05}", f"password-{number:05}"))
        calls.append(client.stream([authenticate_pb2.AuthenticateStreamRequest(requests=[ask])]))
        waiting.until(
            lambda seen=number: on_few.metrics().total("credcache_cache_misses_total") >= 2 * (seen + 1), "both arrived"
        )
        client.close()
    few.thaw()
    client = connect(on_few)
    waiting.until(lambda: client.stats().cache.entries == 20, "all twenty validations ended and filled the cache")
    assert on_few.metrics().total("credcache_backend_in_flight") == 0
