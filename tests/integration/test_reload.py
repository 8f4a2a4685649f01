"""SIGHUP: limits, realms, validators and certificates change under load, and no request or entry is lost by it."""

import pathlib
import re
import socket
import ssl
import threading

import certs
import configs
import grpc
import pytest
import waiting
from certs import CertificateAuthority
from client import Client, Connect
from credcached import Credcached, Serve, is_about
from slapd import Slapd
from stubs import ACCEPTED, BACKEND, CACHE, REJECTED


@pytest.fixture
def users(tmp_path: pathlib.Path) -> pathlib.Path:
    """A users file."""
    names = ["alice", "bob", *(f"user{number}" for number in range(10))]
    return configs.write_users(tmp_path / "users", **{name: f"password-of-{name}" for name in names})


@pytest.fixture
def server(serve: Serve, users: pathlib.Path) -> Credcached:
    """credcached on it."""
    return serve(configs.config(configs.realm(configs.users_file(users))))


def test_under_load_no_request_fails_and_no_entry_goes(
    server: Credcached, connect: Connect, users: pathlib.Path
) -> None:
    """Ten reloads, with realms that come and go, while four clients log on all the time."""
    stop = threading.Event()
    problems: list[str] = []
    counts: list[int] = []

    def load(client: Client, name: str) -> None:
        count = 0
        while not stop.is_set():
            try:
                answer = client.authenticate(name, f"password-of-{name}")
                if (answer.outcome, answer.source) != (ACCEPTED, CACHE):
                    problems.append(str(answer))
            except grpc.RpcError as error:
                problems.append(str(error))
            count += 1
        counts.append(count)

    names = [f"user{number}" for number in range(4)]
    for name in names:
        connect(server).authenticate(name, f"password-of-{name}")
    threads = [threading.Thread(target=load, args=(connect(server), name)) for name in names]
    for thread in threads:
        thread.start()
    try:
        realm = configs.realm(configs.users_file(users))
        extra = configs.realm(configs.users_file(users), name="extra.example")
        for number in range(10):
            realms = [realm, extra] if number % 2 == 0 else [realm]
            server.reload(realms=realms, cache={"age_limit": f"{100 + number}m", "idle_limit": "16m"})
    finally:
        stop.set()
        for thread in threads:
            thread.join(30)
    assert not problems, problems[:3]
    assert min(counts) > 10
    stats = connect(server).stats()
    assert stats.cache.entries == 4


def test_changed_limits_count_at_once(server: Credcached, connect: Connect) -> None:
    client = connect(server)
    assert client.authenticate("alice", "password-of-alice").source == BACKEND
    server.reload(cache={"age_limit": "1ms", "refresh_ahead": False})
    assert client.authenticate("alice", "password-of-alice").source == BACKEND
    server.reload(cache={})
    assert client.authenticate("alice", "password-of-alice").source == CACHE


def test_realms_come_and_go(server: Credcached, connect: Connect, users: pathlib.Path) -> None:
    client = connect(server)
    realm = configs.realm(configs.users_file(users))
    new = configs.realm(configs.users_file(users), name="new.example", aliases=["NEW"])
    assert client.authenticate("alice", "password-of-alice", realm="new.example").outcome == REJECTED
    server.reload(realms=[realm, new])
    assert client.authenticate("alice", "password-of-alice", realm="new.example").outcome == ACCEPTED
    assert client.authenticate("NEW\\alice", "password-of-alice").source == CACHE
    server.reload(realms=[realm])
    assert client.authenticate("alice", "password-of-alice", realm="new.example").outcome == REJECTED
    server.reload(realms=[realm, new])
    assert client.authenticate("alice", "password-of-alice", realm="new.example").source == BACKEND, "it began anew"


def test_a_realm_that_gets_other_validators_forgets_what_the_old_ones_said(
    server: Credcached, connect: Connect, tmp_path: pathlib.Path
) -> None:
    client = connect(server)
    assert client.authenticate("alice", "password-of-alice").outcome == ACCEPTED
    others = configs.write_users(tmp_path / "others", alice="another-password-of-alice")
    server.reload(realms=[configs.realm(configs.users_file(others))])
    assert client.authenticate("alice", "password-of-alice").outcome == REJECTED
    assert client.authenticate("alice", "another-password-of-alice").outcome == ACCEPTED


def test_a_log_on_under_way_survives_a_reload(
    few: Slapd, serve: Serve, connect: Connect, tmp_path: pathlib.Path
) -> None:
    ldap = configs.ldap(few, folder=tmp_path)
    server = serve(configs.config(configs.realm(ldap)))
    client = connect(server)
    few.freeze()
    call = client.begin("alice", "password-of-alice")
    waiting.until(lambda: server.metrics().total("credcache_backend_in_flight") >= 1, "the directory is being asked")
    server.reload(realms=[configs.realm(configs.ldap(few, folder=tmp_path, connections=8))])
    few.thaw()
    assert call.result().outcome == ACCEPTED


@pytest.mark.parametrize("text", ["realms: 5\n", "nonsense: [\n", ""], ids=["mistake", "no YAML", "empty"])
def test_a_bad_new_configuration_changes_nothing_and_is_logged(server: Credcached, connect: Connect, text: str) -> None:
    client = connect(server)
    client.authenticate("alice", "password-of-alice")
    seen = len(server.logs())
    server.config_file.write_text(text)
    server.hang_up()
    told = server.wait_for_log(lambda line: line.get("kind") == "reload", "what is wrong", since=seen)
    assert not told["applied"]
    assert re.match(rf"{re.escape(str(server.config_file))}:\d+: ", told["errors"][0]), told
    assert client.authenticate("alice", "password-of-alice").source == CACHE
    assert client.authenticate("bob", "password-of-bob").outcome == ACCEPTED
    server.reload(cache={"age_limit": "1ms"})
    assert client.authenticate("alice", "password-of-alice").source == BACKEND, "the next good one counts"


def test_what_needs_a_restart_is_named(server: Credcached, connect: Connect) -> None:
    client = connect(server)
    told = server.reload(listen={**server.config["listen"], "grpc": "127.0.0.1:1"}, cache={"buckets": 16})
    assert sorted(told["needs_restart"]) == ["cache.buckets", "listen.grpc"]
    assert client.authenticate("alice", "password-of-alice").outcome == ACCEPTED


def served_certificate(target: str) -> str:
    """PEM, as the server presents it to a new connection."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    host, port = target.rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=10) as raw, context.wrap_socket(raw) as wrapped:
        return ssl.DER_cert_to_PEM_cert(wrapped.getpeercert(binary_form=True))


def test_certificates_rotate_from_their_files_while_clients_connect(
    serve: Serve,
    connect: Connect,
    authority: CertificateAuthority,
    users: pathlib.Path,
) -> None:
    old, new = authority.issue("old"), authority.issue("new")
    server = serve(
        configs.config(
            configs.realm(configs.users_file(users)),
            tls={"certificate": str(old.certificate), "private_key": str(old.private_key)},
        )
    )
    credentials = grpc.ssl_channel_credentials(authority.certificate.read_bytes())
    stays = connect(server, credentials=credentials)
    stays.authenticate("alice", "password-of-alice")
    before = served_certificate(server.grpc)
    certs.install(new, old)

    def rotated() -> bool:
        with Client(server.grpc, credentials=credentials) as client:
            assert client.authenticate("alice", "password-of-alice").source == CACHE
        return served_certificate(server.grpc) != before

    waiting.until(rotated, "the new certificate is served", every_seconds=0.02)
    assert served_certificate(server.grpc).strip() in new.certificate.read_text()
    assert stays.authenticate("alice", "password-of-alice").source == CACHE


def test_a_certificate_that_is_no_certificate_leaves_the_old_one_in_service(
    serve: Serve,
    connect: Connect,
    authority: CertificateAuthority,
    users: pathlib.Path,
) -> None:
    files = authority.issue("broken-later")
    server = serve(
        configs.config(
            configs.realm(configs.users_file(users)),
            tls={"certificate": str(files.certificate), "private_key": str(files.private_key)},
        )
    )
    good = files.certificate.read_bytes()
    files.certificate.write_bytes(b"no certificate\n")
    server.hang_up()
    server.wait_for_log(lambda line: is_about(line, str(files.certificate)), "which file is no certificate")
    credentials = grpc.ssl_channel_credentials(authority.certificate.read_bytes())
    assert connect(server, credentials=credentials).authenticate("alice", "password-of-alice").outcome == ACCEPTED
    files.certificate.write_bytes(good)
