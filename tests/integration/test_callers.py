"""Who may call, and what: certificates, tokens and sockets decide, never the request."""

import grp
import os
import pathlib
import stat
from typing import Any

import configs
import grpc
import pytest
from certs import CertificateAuthority
from client import Client, Connect, check_ours, fails, failure_of_status, request
from credcached import Credcached, Serve
from grpc_health.v1 import health_pb2, health_pb2_grpc
from stubs import ACCEPTED, BACKEND, CACHE, authenticate_pb2, invalidate_pb2

DENIED = grpc.StatusCode.PERMISSION_DENIED
UNKNOWN = grpc.StatusCode.UNAUTHENTICATED

TOKEN = "token-of-the-web-front-0123456789"


@pytest.fixture
def config(tmp_path: pathlib.Path, authority: CertificateAuthority) -> dict[str, Any]:
    """TLS, two realms, and callers of each kind."""
    server = authority.issue("credcached")
    users = configs.write_users(tmp_path / "users", alice="password-of-alice", bob="password-of-bob")
    token = tmp_path / "web.token"
    token.write_text(TOKEN + "\n")
    token.chmod(0o600)
    files = configs.users_file(users)
    return configs.config(
        configs.realm(files),
        configs.realm(files, name="other.example"),
        listen={"unix": [{"path": str(tmp_path / "c.sock"), "mode": "0600", "caller": "local"}]},
        tls={
            "certificate": str(server.certificate),
            "private_key": str(server.private_key),
            "client_ca": str(authority.certificate),
        },
        callers=[
            {"name": "imap", "certificate": "spiffe://example.org/imap", "allow": ["authenticate"]},
            {"name": "corp-only", "certificate": "corp.front.example", "allow": ["authenticate", "invalidate"],
             "realms": ["corp.example"], "audiences": ["web", "mail"]},
            {"name": "operator", "certificate": "spiffe://example.org/operator",
             "allow": ["authenticate", "invalidate", "invalidate_all", "stats"]},
            {"name": "web", "token_file": str(token), "allow": ["authenticate", "stats"]},
            {"name": "local", "allow": ["authenticate", "stats"]},
            {"name": "fresh", "certificate": "spiffe://example.org/fresh", "allow": ["authenticate"], "max_age": "1ms"},
        ],
    )  # fmt: skip


@pytest.fixture
def server(serve: Serve, config: dict[str, Any]) -> Credcached:
    """credcached with them."""
    return serve(config)


@pytest.fixture
def as_caller(server: Credcached, connect: Connect, authority: CertificateAuthority) -> Connect:
    """Connects with a certificate of these names; without any, with none."""

    def make(*names: str, signer: CertificateAuthority = authority, token: str | None = None) -> Client:
        key = chain = None
        if names:
            own = signer.issue("client", *names)
            key, chain = own.private_key.read_bytes(), own.certificate.read_bytes()
        return connect(
            server,
            credentials=grpc.ssl_channel_credentials(authority.certificate.read_bytes(), key, chain),
            token=token,
        )

    return make


def test_a_certificates_uri_or_dns_name_says_who_calls(as_caller: Connect) -> None:
    for names in (
        ["URI:spiffe://example.org/imap"],
        ["DNS:corp.front.example"],
        ["DNS:unknown.example", "URI:spiffe://example.org/imap"],
    ):
        assert as_caller(*names).authenticate("alice", "password-of-alice").outcome == ACCEPTED


@pytest.mark.parametrize(
    "names",
    [[], ["URI:spiffe://example.org/stranger"], ["DNS:imap"], ["URI:spiffe://example.org/imap/more"], ["DNS:web"]],
    ids=lambda names: ",".join(names) or "none",
)
def test_who_is_nobody_is_refused(as_caller: Connect, names: list[str]) -> None:
    client = as_caller(*names)
    with fails(UNKNOWN):
        client.authenticate("alice", "password-of-alice")
    with fails(UNKNOWN):
        client.batch([request("alice", "password-of-alice")])
    with fails(UNKNOWN):
        client.invalidate(all=True)
    with fails(UNKNOWN):
        client.stats()
    with fails(UNKNOWN):
        list(client.stream([authenticate_pb2.AuthenticateStreamRequest()]))


def test_a_name_in_the_subject_says_nothing(
    server: Credcached, connect: Connect, authority: CertificateAuthority
) -> None:
    own = authority.issue("spiffe%3a", "DNS:unknown.example")
    named = authority.issue("corp.front.example", "DNS:unknown.example")
    for files in (own, named):
        credentials = grpc.ssl_channel_credentials(
            authority.certificate.read_bytes(), files.private_key.read_bytes(), files.certificate.read_bytes()
        )
        with fails(UNKNOWN):
            connect(server, credentials=credentials).stats()


def test_a_certificate_of_another_authority_opens_nothing(as_caller: Connect, tmp_path: pathlib.Path) -> None:
    stranger = CertificateAuthority(tmp_path / "stranger")
    client = as_caller("URI:spiffe://example.org/imap", signer=stranger)
    with pytest.raises(grpc.RpcError) as info:
        client.authenticate("alice", "password-of-alice")
    assert info.value.code() in (grpc.StatusCode.UNAVAILABLE, UNKNOWN)


def test_a_token_over_tls_says_who_calls(as_caller: Connect) -> None:
    assert as_caller(token=TOKEN).authenticate("alice", "password-of-alice").outcome == ACCEPTED
    for wrong in ("token-of-nobody-0123456789abcdef", TOKEN[:-1], TOKEN + "x", TOKEN.upper()):
        with fails(UNKNOWN):
            as_caller(token=wrong).authenticate("alice", "password-of-alice")


def test_a_token_in_the_clear_is_refused_even_on_loopback(
    serve: Serve, connect: Connect, config: dict[str, Any]
) -> None:
    web, local = (next(c for c in config["callers"] if c["name"] == name) for name in ("web", "local"))
    in_the_clear = {**config, "callers": [web, local]}
    del in_the_clear["tls"]
    server = serve(in_the_clear)
    with fails(UNKNOWN) as caught:
        connect(server, token=TOKEN).stats()
    assert "clear" in caught[0].message.lower() or "tls" in caught[0].message.lower()
    socket_path = config["listen"]["unix"][0]["path"]
    assert connect(f"unix:{socket_path}").stats().replica.name


def test_each_does_what_it_may_and_nothing_else(as_caller: Connect) -> None:
    user = invalidate_pb2.UserTarget(username="alice")
    imap, corp, operator = (
        as_caller(name)
        for name in ("URI:spiffe://example.org/imap", "DNS:corp.front.example", "URI:spiffe://example.org/operator")
    )
    assert operator.authenticate("alice", "password-of-alice").outcome == ACCEPTED
    for attempt in (lambda: imap.invalidate(user=user), imap.stats, corp.stats):
        with fails(DENIED):
            attempt()
    for target in ({"all": True}, {"realm": "corp.example"}):
        for client in (imap, corp):
            with fails(DENIED):
                client.invalidate(**target)
    assert imap.authenticate("alice", "password-of-alice").source == CACHE, "nothing was forgotten"
    assert corp.invalidate(user=user).entries_removed == 1
    assert operator.stats().cache.entries == 0
    assert operator.invalidate(realm="corp.example").revision
    assert operator.invalidate(all=True).revision


def test_a_caller_stays_in_its_realms(as_caller: Connect) -> None:
    corp = as_caller("DNS:corp.front.example")
    assert corp.authenticate("alice", "password-of-alice").outcome == ACCEPTED
    elsewhere = [
        request("alice", "password-of-alice", realm="other.example"),
        request("alice@other.example", "password-of-alice"),
        request("OTHER.EXAMPLE\\alice", "password-of-alice"),
    ]
    for message in elsewhere:
        with fails(DENIED):
            corp.send(message)
    with fails(DENIED):
        corp.invalidate(user=invalidate_pb2.UserTarget(realm="other.example", username="alice"))
    results = corp.batch([*elsewhere, request("alice", "password-of-alice")])
    for result in results[:3]:
        check_ours(failure_of_status(result.error), DENIED)
    assert results[3].response.source == CACHE
    numbered = [authenticate_pb2.NumberedRequest(id=i, request=message) for i, message in enumerate(elsewhere)]
    answers = [
        result
        for message in corp.stream([authenticate_pb2.AuthenticateStreamRequest(requests=numbered)])
        for result in message.results
    ]
    assert len(answers) == 3
    for answer in answers:
        check_ours(failure_of_status(answer.result.error), DENIED)


def test_a_caller_names_only_its_own_audiences(as_caller: Connect) -> None:
    corp, imap = as_caller("DNS:corp.front.example"), as_caller("URI:spiffe://example.org/imap")
    for client, audience in ((corp, "web"), (corp, "mail"), (corp, ""), (imap, "imap")):
        assert client.authenticate("alice", "password-of-alice", audience=audience).outcome == ACCEPTED
    for client, audience in ((corp, "imap"), (imap, "web")):
        with fails(DENIED):
            client.authenticate("alice", "password-of-alice", audience=audience)


def test_a_callers_own_age_limit_is_its_own(as_caller: Connect) -> None:
    fresh, imap = as_caller("URI:spiffe://example.org/fresh"), as_caller("URI:spiffe://example.org/imap")
    assert fresh.authenticate("alice", "password-of-alice").source == BACKEND
    assert imap.authenticate("alice", "password-of-alice").source == CACHE
    assert fresh.authenticate("alice", "password-of-alice").source == BACKEND
    assert imap.authenticate("alice", "password-of-alice").source == CACHE


def test_whoever_opens_a_unix_socket_is_its_caller(
    server: Credcached, connect: Connect, config: dict[str, Any]
) -> None:
    path = config["listen"]["unix"][0]["path"]
    assert stat.S_IMODE(pathlib.Path(path).stat().st_mode) == 0o600
    client = connect(f"unix:{path}")
    assert client.authenticate("alice", "password-of-alice", client_address="192.0.2.7").outcome == ACCEPTED
    assert client.stats().cache.entries == 1
    with fails(DENIED):
        client.invalidate(all=True)
    server.stop()
    assert not pathlib.Path(path).exists()


def test_a_unix_socket_without_callers_is_open_to_its_group(
    serve: Serve, connect: Connect, tmp_path: pathlib.Path
) -> None:
    users = configs.write_users(tmp_path / "users", alice="password-of-alice")
    group = grp.getgrgid(os.getgid()).gr_name
    path = tmp_path / "open.sock"
    path_config = {"path": str(path), "mode": "0660", "group": group}
    server = serve(configs.config(configs.realm(configs.users_file(users)), listen={"unix": [path_config]}))
    assert (stat.S_IMODE(path.stat().st_mode), path.stat().st_gid) == (0o660, os.getgid())
    assert connect(f"unix:{path}").invalidate(all=True).revision
    server.kill()
    server.start()
    assert connect(f"unix:{path}").stats().replica.name, "a socket left behind by a crash is in nobody's way"


def test_health_is_for_everybody(as_caller: Connect) -> None:
    stub = health_pb2_grpc.HealthStub(as_caller().channel)
    assert stub.Check(health_pb2.HealthCheckRequest(), timeout=10).status == health_pb2.HealthCheckResponse.SERVING


def test_audit_tells_which_front_end_asked(as_caller: Connect, server: Credcached) -> None:
    as_caller("URI:spiffe://example.org/imap").authenticate("alice", "password-of-alice")
    server.wait_for_decisions(1, username="alice", caller="imap")
