"""The main path on a real directory of 10,000: validated once, answered from memory after that, as the right person."""

import itertools
import pathlib
from collections.abc import Iterator

import configs
import grpc
import pytest
import slapd
from certs import CertificateAuthority
from client import Connect, fails, request
from credcached import Credcached, Serve, is_about
from google.protobuf import duration_pb2
from slapd import Slapd
from stubs import ACCEPTED, BACKEND, CACHE, NO_SOURCE, REJECTED, authenticate_pb2

# Each test takes users of its own from the shared directory.
_numbers = itertools.count(100)


@pytest.fixture
def user(many: Slapd) -> slapd.User:
    """One whom no other test logs on."""
    return many.users[f"user{next(_numbers):05}"]


@pytest.fixture
def users(many: Slapd) -> Iterator[slapd.User]:
    """As many of those as wanted."""
    return (many.users[f"user{number:05}"] for number in _numbers)


@pytest.mark.parametrize("transport", ["plain", "start_tls", "ldaps"])
@pytest.mark.parametrize("search", [True, False], ids=["search", "direct"])
def test_a_log_on_is_validated_once_and_then_answered_from_memory(
    many: Slapd,
    serve: Serve,
    connect: Connect,
    authority: CertificateAuthority,
    tmp_path: pathlib.Path,
    user: slapd.User,
    search: bool,
    transport: str,
) -> None:
    ca = None if transport == "plain" else authority.certificate
    validator = configs.ldap(many, folder=tmp_path, search=search, transport=transport, ca=ca)
    client = connect(serve(configs.config(configs.realm(validator))))
    encrypted = many.log_text().count("TLS established")

    first = client.authenticate(user.uid, user.password)
    assert (first.outcome, first.source) == (ACCEPTED, BACKEND)
    second = client.authenticate(user.uid, user.password)
    assert (second.outcome, second.source) == (ACCEPTED, CACHE)
    assert second.identity == first.identity
    assert abs(second.validated_at.ToNanoseconds() - first.validated_at.ToNanoseconds()) < 1e6
    assert many.binds_as(user.dn) == 1

    wrong = [client.authenticate(user.uid, "not-the-password") for _ in range(2)]
    assert [(answer.outcome, answer.source) for answer in wrong] == [(REJECTED, BACKEND), (REJECTED, CACHE)]
    assert not any(answer.HasField("identity") for answer in wrong)
    assert many.binds_as(user.dn) == 2

    still = client.authenticate(user.uid, user.password)
    assert (still.outcome, still.source) == (ACCEPTED, CACHE), "a wrong password drove out the right one"
    assert (many.log_text().count("TLS established") > encrypted) == (transport != "plain")


@pytest.mark.parametrize("search", [True, False], ids=["search", "direct"])
def test_the_identity_is_the_directorys(
    many: Slapd,
    serve: Serve,
    connect: Connect,
    tmp_path: pathlib.Path,
    user: slapd.User,
    search: bool,
) -> None:
    client = connect(serve(configs.config(configs.realm(configs.ldap(many, folder=tmp_path, search=search)))))
    for source in (BACKEND, CACHE):
        answer = client.authenticate(user.uid.upper(), user.password)
        assert answer.source == source
        assert answer.identity.subject == user.entry_uuid
        assert answer.identity.realm == configs.REALM
        assert answer.identity.username == user.uid
        assert sorted(answer.identity.groups) == sorted(f"cn={group},{slapd.GROUPS}" for group in user.groups)
        assert dict(answer.identity.attributes) == {"mail": user.mail}


def test_an_answer_says_when_it_was_validated_and_when_it_stops_counting(
    on_many: Credcached, connect: Connect, user: slapd.User
) -> None:
    answer = connect(on_many).authenticate(user.uid, user.password)
    left = answer.expires_at.ToNanoseconds() - answer.validated_at.ToNanoseconds()
    # The idle limit of 15 minutes comes before the age limit of 120.
    assert 14 * 60e9 < left <= 15 * 60e9 + 10e9


@pytest.mark.parametrize("transport", ["start_tls", "ldaps"])
def test_a_directory_that_another_authority_vouches_for_gets_no_password(
    many: Slapd,
    serve: Serve,
    connect: Connect,
    tmp_path: pathlib.Path,
    user: slapd.User,
    transport: str,
) -> None:
    stranger = CertificateAuthority(tmp_path / "stranger", "Another Authority")
    validator = configs.ldap(many, folder=tmp_path, search=False, transport=transport, ca=stranger.certificate)
    server = serve(configs.config(configs.realm(validator)))
    with fails(grpc.StatusCode.UNAVAILABLE):
        connect(server).authenticate(user.uid, user.password)
    server.wait_for_log(
        lambda line: is_about(line, "certificate", str(many.tls_port if transport == "ldaps" else many.port)),
        "that the directory's certificate was not accepted",
    )
    assert many.binds_as(user.dn) == 0


def test_a_directory_whose_certificate_names_another_host_gets_no_password(
    serve: Serve,
    connect: Connect,
    authority: CertificateAuthority,
    tmp_path: pathlib.Path,
) -> None:
    certificate = authority.issue("elsewhere", "DNS:ldap.elsewhere.example")
    directory = Slapd(tmp_path / "elsewhere", slapd.many_users(1), certificate).start()
    try:
        validator = configs.ldap(directory, folder=tmp_path, transport="ldaps", ca=authority.certificate)
        server = serve(configs.config(configs.realm(validator)))
        with fails(grpc.StatusCode.UNAVAILABLE):
            connect(server).authenticate("user00000", "password-00000")
        server.wait_for_log(lambda line: is_about(line, str(directory.tls_port)), "which directory it was")
        assert set(directory.binds()) == {slapd.ADMIN}, "nobody's but the harness's own"
    finally:
        directory.stop()


def test_a_reader_whom_the_directory_refuses_is_the_operators_business_not_the_users(
    many: Slapd,
    serve: Serve,
    connect: Connect,
    tmp_path: pathlib.Path,
    user: slapd.User,
) -> None:
    validator = configs.ldap(many, folder=tmp_path, bind_dn=f"cn=nobody,{slapd.SUFFIX}")
    server = serve(configs.config(configs.realm(validator)))
    with fails(grpc.StatusCode.UNAVAILABLE):
        connect(server).authenticate(user.uid, user.password)
    server.wait_for_log(lambda line: is_about(line, many.url, "bind_dn"), "whom the directory refused")


def test_upper_and_lower_case_are_one_account(
    on_many: Credcached, connect: Connect, many: Slapd, user: slapd.User
) -> None:
    client = connect(on_many)
    sources = [
        client.authenticate(name, user.password).source for name in (user.uid.title(), user.uid, user.uid.upper())
    ]
    assert sources == [BACKEND, CACHE, CACHE]
    assert client.stats().cache.entries == 1
    assert many.binds_as(user.dn) == 1


@pytest.mark.parametrize(
    ("uid", "forms"),
    [("rémi", ["r\u00e9mi", "re\u0301mi", "RE\u0301MI"]), ("strasse", ["STRASSE", "straße", "strasse"])],
)
def test_all_unicode_forms_of_a_name_are_one_account(
    on_many: Credcached, connect: Connect, many: Slapd, uid: str, forms: list[str]
) -> None:
    client = connect(on_many)
    answers = [client.authenticate(name, many.users[uid].password) for name in forms]
    assert [(answer.outcome, answer.source) for answer in answers] == [
        (ACCEPTED, BACKEND),
        (ACCEPTED, CACHE),
        (ACCEPTED, CACHE),
    ]
    assert {answer.identity.username for answer in answers} == {uid}


def test_a_case_sensitive_realm_tells_them_apart(serve: Serve, connect: Connect, tmp_path: pathlib.Path) -> None:
    realm = configs.realm(configs.users_file(configs.write_users(tmp_path / "users", Alice="password-of-Alice")))
    client = connect(serve(configs.config({**realm, "case_sensitive": True})))
    assert client.authenticate("Alice", "password-of-Alice").outcome == ACCEPTED
    assert client.authenticate("alice", "password-of-Alice").outcome == REJECTED


def test_one_account_with_many_names_is_validated_once(
    on_many: Credcached, connect: Connect, many: Slapd, users: Iterator[slapd.User]
) -> None:
    client = connect(on_many)
    for names in (lambda user: (user.uid, user.mail), lambda user: (user.mail, user.uid)):
        user = next(users)
        answers = [client.authenticate(name, user.password) for name in names(user)]
        assert [(answer.outcome, answer.source) for answer in answers] == [(ACCEPTED, BACKEND), (ACCEPTED, CACHE)]
        assert {answer.identity.username for answer in answers} == {user.uid}
        assert many.binds_as(user.dn) == 1
    assert client.stats().cache.entries == 2


@pytest.mark.parametrize("by", ["uid", "mail"])
def test_forgetting_one_name_forgets_the_account(
    on_many: Credcached, connect: Connect, users: Iterator[slapd.User], by: str
) -> None:
    client, user = connect(on_many), next(users)
    for name in (user.uid, user.mail):
        client.authenticate(name, user.password)
    assert client.invalidate(user=getattr(user, by)).entries_removed == 1
    for name in (user.uid, user.mail):
        assert client.authenticate(name, user.password, max_age_seconds=3600).source == BACKEND


def test_the_realm_may_be_named_in_every_way(
    many: Slapd,
    serve: Serve,
    connect: Connect,
    tmp_path: pathlib.Path,
    user: slapd.User,
) -> None:
    realm = configs.realm(configs.ldap(many, folder=tmp_path), aliases=["CORP", "old.example"])
    client = connect(serve(configs.config(realm)))
    assert client.authenticate(user.uid, user.password).source == BACKEND
    for name, named in (
        (user.uid, "corp.example"),
        (user.uid, "Corp.Example"),
        (user.uid, "corp"),
        (f"{user.uid}@corp.example", ""),
        (f"{user.uid}@OLD.example", ""),
        (f"CORP\\{user.uid}", ""),
    ):
        answer = client.authenticate(name, user.password, realm=named)
        assert (answer.outcome, answer.source) == (ACCEPTED, CACHE), (name, named)
        assert answer.identity.realm == configs.REALM
    assert many.binds_as(user.dn) == 1


def test_a_realm_that_does_not_exist_rejects_like_a_user_that_does_not(
    on_many: Credcached, connect: Connect, user: slapd.User
) -> None:
    client = connect(on_many)
    answer = client.authenticate(user.uid, user.password, realm="nowhere.example")
    assert (answer.outcome, answer.source, answer.HasField("identity")) == (REJECTED, NO_SOURCE, False)
    assert client.authenticate(f"{user.uid}@nowhere.example", user.password).outcome == REJECTED
    assert client.authenticate("nobody-of-that-name", user.password).outcome == REJECTED


def test_max_age_decides_what_counts_as_fresh(
    on_many: Credcached, connect: Connect, many: Slapd, user: slapd.User
) -> None:
    client = connect(on_many)
    wanted = [(None, BACKEND), (3600, CACHE), (0, BACKEND), (0, BACKEND), (1e-6, BACKEND), (None, CACHE)]
    assert [client.authenticate(user.uid, user.password, max_age_seconds=age).source for age, _ in wanted] == [
        source for _, source in wanted
    ]
    assert many.binds_as(user.dn) == 4


def test_without_a_cache_each_log_on_is_validated(
    many: Slapd,
    serve: Serve,
    connect: Connect,
    tmp_path: pathlib.Path,
    user: slapd.User,
) -> None:
    realm = configs.realm(configs.ldap(many, folder=tmp_path))
    client = connect(serve(configs.config(realm, cache={"buckets": 0})))
    for _ in range(3):
        answer = client.authenticate(user.uid, user.password)
        assert (answer.outcome, answer.source) == (ACCEPTED, BACKEND)
        assert client.authenticate(user.uid, "not-the-password").source == BACKEND
    assert many.binds_as(user.dn) == 6
    stats = client.stats().cache
    assert (stats.entries, stats.negative_entries, stats.buckets) == (0, 0, 0)


def test_several_good_passwords_live_side_by_side_where_the_realm_says_so(
    few: Slapd, serve: Serve, connect: Connect, tmp_path: pathlib.Path
) -> None:
    realms = [
        configs.realm(configs.ldap(few, folder=tmp_path), cache={"supersede": False}),
        configs.realm(configs.ldap(few, folder=tmp_path), name="one.example", cache={"supersede": True}),
    ]
    client = connect(serve(configs.config(*realms)))
    few.modify(
        f"dn: {few.users['alice'].dn}\nchangetype: modify\nadd: userPassword\nuserPassword: application-password\n"
    )
    both = ["password-of-alice", "application-password"] * 2
    assert [client.authenticate("alice", password).source for password in both] == [BACKEND, BACKEND, CACHE, CACHE]
    sources = [client.authenticate("alice", password, realm="one.example").source for password in both]
    assert sources == [BACKEND, BACKEND, BACKEND, BACKEND], "the newer one takes the older one's place"


def test_validators_are_asked_in_order_and_only_an_unknown_user_goes_on(
    many: Slapd,
    serve: Serve,
    connect: Connect,
    tmp_path: pathlib.Path,
    user: slapd.User,
) -> None:
    local = configs.write_users(tmp_path / "users", **{user.uid: "password-of-the-file", "local": "password-of-local"})
    realm = configs.realm(configs.users_file(local), configs.ldap(many, folder=tmp_path))
    client = connect(serve(configs.config(realm)))
    assert client.authenticate("local", "password-of-local").outcome == ACCEPTED
    assert client.authenticate(user.uid, "password-of-the-file").outcome == ACCEPTED
    assert client.authenticate(user.uid, user.password).outcome == REJECTED, "the file's rejection is final"
    assert many.binds_as(user.dn) == 0
    other = many.users["user00099"]
    assert client.authenticate(other.uid, other.password).outcome == ACCEPTED
    backends = {backend.backend for backend in client.stats().backends}
    assert backends == {"file", "ldap"}


def test_a_validator_that_cannot_tell_may_pass_rejections_on(
    many: Slapd,
    serve: Serve,
    connect: Connect,
    tmp_path: pathlib.Path,
    user: slapd.User,
) -> None:
    local = configs.write_users(tmp_path / "users", **{user.uid: "password-of-the-file"})
    passing = {**configs.users_file(local), "continue_on_rejected": True}
    client = connect(serve(configs.config(configs.realm(passing, configs.ldap(many, folder=tmp_path)))))
    assert client.authenticate(user.uid, user.password).outcome == ACCEPTED
    assert client.authenticate(user.uid, "password-of-nobody").outcome == REJECTED


def test_the_same_request_means_the_same_alone_in_a_batch_and_in_a_stream(
    on_many: Credcached, connect: Connect, user: slapd.User
) -> None:
    client = connect(on_many)
    alone = client.authenticate(user.uid, user.password)
    (in_batch,) = client.batch([request(user.uid, user.password)])
    numbered = authenticate_pb2.NumberedRequest(
        id=7, request=request(user.uid, user.password), timeout=duration_pb2.Duration(seconds=5)
    )
    (message,) = client.stream([authenticate_pb2.AuthenticateStreamRequest(requests=[numbered])])
    (in_stream,) = message.results
    assert in_stream.id == 7
    for answer in (in_batch.response, in_stream.result.response):
        assert (answer.outcome, answer.source, answer.identity) == (ACCEPTED, CACHE, alone.identity)
