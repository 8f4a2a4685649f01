"""credcache-peer-load against small servers that speak each peer's protocol, and against a real slapd."""

import base64
import contextlib
import json
import pathlib
import socketserver
import struct
import subprocess
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import slapd
import waiting
from certs import Certificate, CertificateAuthority
from credcached import BUILD

PEER_LOAD = BUILD / "bin" / "credcache-peer-load"
DONE, REJECTED, USAGE, UNAVAILABLE = 0, 1, 2, 4
USERS = 5
FOREVER = 10**9


def name(number: int) -> str:
    return f"user-{number:07}.example"


def password(number: int) -> str:
    return f"secret-{number:07}-word"


PASSWORDS = {name(number): password(number) for number in range(USERS)}


class Handler(socketserver.StreamRequestHandler):
    """One connection. The server counts answers, and hangs up where it shall."""

    def answer(self, username: str, given: str) -> bool:
        self.server.answers += 1
        if self.server.answers > self.server.dies_after:
            raise ConnectionAbortedError
        return PASSWORDS.get(username) == given

    def handle(self) -> None:
        with contextlib.suppress(ConnectionError, EOFError):
            self.talk()


class Saslauthd(Handler):
    def field(self) -> str:
        (length,) = struct.unpack("!H", self.exactly(2))
        return self.exactly(length).decode()

    def exactly(self, size: int) -> bytes:
        data = self.rfile.read(size)
        if len(data) < size:
            raise EOFError
        return data

    def talk(self) -> None:
        login, given, service, realm = (self.field() for _ in range(4))
        reply = b"OK" if self.answer(login, given) and (service, realm) == ("imap", "corp.example") else b"NO bad"
        self.wfile.write(struct.pack("!H", len(reply)) + reply)


class Dovecot(Handler):
    def talk(self) -> None:
        self.wfile.write(b"VERSION\t1\t2\nMECH\tPLAIN\tplaintext\nSPID\t7\nCUID\t1\nCOOKIE\t" + b"a" * 32 + b"\nDONE\n")
        for line in self.rfile:
            command, *fields = line.decode().rstrip("\n").split("\t")
            if command == "AUTH":
                _, username, given = base64.b64decode(fields[-1].removeprefix("resp=")).decode().split("\0")
                word = "OK" if self.answer(username, given) else "FAIL"
                self.wfile.write(f"{word}\t{fields[0]}\tuser={username}\n".encode())


class Http(Handler):
    def talk(self) -> None:
        for line in self.rfile:
            if line.lower().startswith(b"authorization: basic "):
                username, given = base64.b64decode(line.split()[2]).decode().split(":")
                status = "200 OK" if self.answer(username, given) else "401 Unauthorized"
                self.wfile.write(f"HTTP/1.1 {status}\r\nContent-Length: 3\r\n\r\nabc".encode())


class Rude(Handler):
    """Speaks another protocol."""

    def talk(self) -> None:
        self.wfile.write(b"\0\x10220 mail.example ESMTP\r\n\r\n")


PEERS: dict[str, type[Handler]] = {"saslauthd": Saslauthd, "dovecot": Dovecot, "http": Http}

Serve = Callable[..., str]


@pytest.fixture
def serve(tmp_path: pathlib.Path) -> Iterator[Serve]:
    """Starts one, and returns its address."""
    with contextlib.ExitStack() as stack:

        def start(handler: type[Handler], dies_after: int = FOREVER) -> str:
            path = tmp_path / "socket"
            server = stack.enter_context(socketserver.ThreadingUnixStreamServer(str(path), handler))
            server.daemon_threads = True
            server.answers, server.dies_after = 0, dies_after
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
            stack.callback(server.shutdown)
            return f"unix:{path}"

        yield start


def run(
    kind: str, address: str, *arguments: object, users: int = USERS, duration: str = "200ms"
) -> subprocess.CompletedProcess[str]:
    command = [PEER_LOAD, kind, "--address", address, "--users", users, "--warm-up", "0s", "--duration", duration]
    return subprocess.run(
        [*map(str, command), *map(str, arguments)], capture_output=True, text=True, check=False, timeout=30
    )


def figures(result: subprocess.CompletedProcess[str], code: int = DONE) -> dict[str, Any]:
    assert result.returncode == code, result
    (line,) = result.stdout.splitlines()
    return json.loads(line)


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory, server_certificate: Certificate) -> Iterator[slapd.Slapd]:
    users = [slapd.User(username, given) for username, given in PASSWORDS.items()]
    one = slapd.Slapd(tmp_path_factory.mktemp("slapd"), users, server_certificate)
    try:
        yield one.start()
    finally:
        one.kill()


@pytest.mark.parametrize("kind", PEERS)
def test_figures_add_up(kind: str, serve: Serve) -> None:
    pipelined = ["--in-flight", 8] if kind == "dovecot" else []
    found = figures(run(kind, serve(PEERS[kind]), "--connections", 2, *pipelined, "--prime", "--json"))
    assert found["tool"] == "credcache-peer-load"
    assert (found["partial"], found["error"], found["errors"], found["unexpected"]) == (False, None, 0, 0)
    assert found["in_flight"] == (16 if pipelined else 2)
    assert found["requests"] == found["outcomes"]["accepted"] == sum(count for _, count in found["histogram_us"]) > 0
    assert found["requests_per_second"] == pytest.approx(found["requests"] / found["seconds"])
    latency = found["latency_us"]
    assert 0 < latency["min"] <= latency["p50"] <= latency["p99"] <= latency["p99_9"] <= latency["max"]


@pytest.mark.parametrize("kind", PEERS)
def test_a_rejected_user_ends_the_run(kind: str, serve: Serve) -> None:
    result = run(kind, serve(PEERS[kind]), "--prime", "--json", users=USERS + 1)
    assert figures(result, REJECTED)["requests"] == 0
    assert name(USERS) in result.stderr


@pytest.mark.parametrize("kind", PEERS)
def test_a_server_that_dies_leaves_partial_figures(kind: str, serve: Serve) -> None:
    result = run(kind, serve(PEERS[kind], dies_after=20), "--json", duration="20s")
    found = figures(result, UNAVAILABLE)
    assert found["partial"] is True
    assert found["error"] in result.stderr
    assert 0 < found["requests"] <= 20


@pytest.mark.parametrize("kind", PEERS)
def test_no_server_is_unavailable(kind: str, tmp_path: pathlib.Path) -> None:
    result = run(kind, f"unix:{tmp_path}/nobody", "--json")
    assert figures(result, UNAVAILABLE)["requests"] == 0
    assert "No such file" in result.stderr


@pytest.mark.parametrize(("kind", "address"), [("http", "127.0.0.1:{port}"), ("ldap", "ldap://127.0.0.1:{port}")])
def test_a_port_without_a_server_is_unavailable(kind: str, address: str) -> None:
    result = run(kind, address.format(port=waiting.free_port()))
    assert result.returncode == UNAVAILABLE
    assert result.stderr.startswith("credcache-peer-load: ")
    assert result.stdout == ""


@pytest.mark.parametrize("kind", PEERS)
def test_what_is_no_peer_is_an_error(kind: str, serve: Serve) -> None:
    assert run(kind, serve(Rude)).returncode == UNAVAILABLE


def test_binds_over_kept_connections(directory: slapd.Slapd, authority: CertificateAuthority) -> None:
    before = directory.counts()
    found = figures(run("ldap", directory.url, "--connections", 2, "--prime", "--json"))
    binds = (directory.counts() - before).binds
    assert found["requests"] > 0
    # Those that were primed, and what was answered when the time was over.
    assert USERS <= binds - found["requests"] <= USERS + 2
    encrypted = run("ldap", directory.url, "--start-tls", "--ca", authority.certificate, "--json")
    assert figures(encrypted)["requests"] > 0


def test_a_bind_that_is_rejected_ends_the_run(directory: slapd.Slapd) -> None:
    assert run("ldap", directory.url, "--prime", users=USERS + 1).returncode == REJECTED
    assert run("ldap", directory.url, "--dn", "uid={username},ou=nowhere").returncode == REJECTED


def test_a_certificate_of_a_stranger_is_refused(directory: slapd.Slapd, tmp_path: pathlib.Path) -> None:
    stranger = CertificateAuthority(tmp_path / "ca", "Somebody Else")
    assert run("ldap", directory.url, "--start-tls", "--ca", stranger.certificate).returncode == UNAVAILABLE


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["ftp", "--address", "unix:/x"],
        ["http"],
        ["http", "--address", "nowhere"],
        ["http", "--address", ":80"],
        ["ldap", "--address", "127.0.0.1:389"],
        ["http", "--address", "127.0.0.1:1", "--connections", "0"],
        ["http", "--address", "127.0.0.1:1", "--in-flight", "4"],
        ["dovecot", "--address", "unix:/x", "--in-flight", "100000"],
        ["dovecot", "--address", "unix:" + "x" * 200],
        ["http", "--address", "127.0.0.1:1", "--users", "0"],
        ["http", "--address", "127.0.0.1:1", "--duration", "soon"],
        ["ldap", "--address", "ldap://127.0.0.1:1", "--ca", "/no/such/file"],
    ],
    ids=" ".join,
)
def test_bad_arguments_are_usage_errors(arguments: list[str]) -> None:
    result = subprocess.run([PEER_LOAD, *arguments], capture_output=True, text=True, check=False, timeout=30)
    assert result.returncode == USAGE
    assert result.stderr
    assert result.stdout == ""
