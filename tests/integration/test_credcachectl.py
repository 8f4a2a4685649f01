"""credcachectl for people and scripts: answers, exit codes and JSON."""

import json
import os
import pathlib
import signal
import subprocess
from typing import Any

import configs
import pytest
import secrets_used
import waiting
from certs import CertificateAuthority
from client import Connect
from credcached import CREDCACHECTL, Credcached, Serve, run_ctl
from google.protobuf import json_format
from slapd import Slapd
from stubs import ACCEPTED, BACKEND, CACHE, authenticate_pb2, invalidate_pb2, stats_pb2

DONE, REJECTED, USAGE, REFUSED, UNAVAILABLE = range(5)


def ctl(server: Credcached | str, *arguments: object, password: str | None = None) -> subprocess.CompletedProcess[str]:
    """A command at this server, with a password on stdin."""
    address = server if isinstance(server, str) else server.grpc
    stdin = None if password is None else secrets_used.note(password)
    result = run_ctl("--address", address, *arguments, stdin=stdin)
    if password:
        assert password not in result.stdout + result.stderr
    return result


@pytest.fixture
def accounts(serve: Serve, tmp_path: pathlib.Path) -> Credcached:
    """Users of each kind."""
    users = configs.write_users(tmp_path / "users", alice="password-of-alice")
    hashed = configs.hashed("password-of-all")
    with users.open("a") as file:
        file.write(f"disabled:{hashed}:disabled\nexpired:{hashed}:expires=2001-01-01\n")
    other = configs.realm(configs.users_file(users), name="other.example")
    return serve(configs.config(configs.realm(configs.users_file(users)), other))


def test_a_log_on_is_shown_with_its_source(accounts: Credcached) -> None:
    for source in ("BACKEND", "CACHE"):
        result = ctl(accounts, "authenticate", "alice", password="password-of-alice\n")
        assert result.returncode == DONE, result.stderr
        assert "ACCEPTED" in result.stdout
        assert source in result.stdout
        assert "alice" in result.stdout


@pytest.mark.parametrize(
    ("user", "password", "code", "word"),
    [
        ("alice", "password-of-alice", DONE, "ACCEPTED"),
        ("alice", "not-the-password", REJECTED, "REJECTED"),
        ("nobody", "password-of-alice", REJECTED, "REJECTED"),
        ("disabled", "password-of-all", REFUSED, "DISABLED"),
        ("expired", "password-of-all", REFUSED, "EXPIRED"),
    ],
)
def test_the_exit_code_tells_the_outcome(accounts: Credcached, user: str, password: str, code: int, word: str) -> None:
    result = ctl(accounts, "authenticate", user, password=password)
    assert (result.returncode, word in result.stdout) == (code, True), result


def test_json_is_the_answer_itself(accounts: Credcached) -> None:
    (line,) = ctl(accounts, "--json", "authenticate", "alice", password="password-of-alice").stdout.splitlines()
    answer = json_format.Parse(line, authenticate_pb2.AuthenticateResponse())
    assert (answer.outcome, answer.source, answer.identity.username) == (ACCEPTED, BACKEND, "alice")
    (line,) = ctl(accounts, "invalidate", "--user", "alice", "--json").stdout.splitlines()
    assert json_format.Parse(line, invalidate_pb2.InvalidateResponse()).entries_removed == 1
    (line,) = ctl(accounts, "--json", "stats").stdout.splitlines()
    assert json_format.Parse(line, stats_pb2.StatsResponse()).cache.invalidations == 1


def test_realm_protocol_and_password_file(accounts: Credcached, tmp_path: pathlib.Path) -> None:
    file = tmp_path / "password"
    file.write_bytes(secrets_used.note("password-of-alice") + b"\n")
    file.chmod(0o600)
    arguments = ("authenticate", "alice", "--realm", "other.example", "--protocol", "imap", "--password-file", file)
    result = ctl(accounts, "--json", *arguments)
    assert result.returncode == DONE, result.stderr
    assert json.loads(result.stdout)["identity"]["realm"] == "other.example"
    counted = accounts.metrics().total("credcache_authentications_total", realm="other.example", protocol="imap")
    assert counted == 1


def test_invalidate_by_user_realm_and_all(accounts: Credcached, connect: Connect) -> None:
    client = connect(accounts)
    for arguments in (("--user", "alice"), ("--realm", "corp.example"), ("--all",)):
        client.authenticate("alice", "password-of-alice")
        result = ctl(accounts, "invalidate", *arguments)
        assert result.returncode == DONE, result.stderr
        assert client.stats().cache.entries == 0


def test_stats_and_health_for_people(accounts: Credcached) -> None:
    result = ctl(accounts, "stats")
    assert result.returncode == DONE
    assert "entries" in result.stdout.lower()
    result = ctl(accounts, "health")
    assert (result.returncode, "SERVING" in result.stdout) == (DONE, True)


def test_stats_watch_goes_on_until_it_is_interrupted(accounts: Credcached) -> None:
    with subprocess.Popen(
        [CREDCACHECTL, "--address", accounts.grpc, "--json", "stats", "--watch"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        try:
            for _ in range(2):
                json_format.Parse(process.stdout.readline(), stats_pb2.StatsResponse())
            process.send_signal(signal.SIGINT)
            process.wait(10)
        finally:
            process.kill()


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["authenticate"],
        ["invalidate"],
        ["invalidate", "--user", "a", "--all"],
        ["no-such-command"],
        ["stats", "--no-such-flag"],
        ["authenticate", "alice", "--password-file", "/nowhere/password"],
        ["--ca", "/nowhere/ca.pem", "stats"],
        ["--certificate", "/nowhere/c.pem", "stats"],
        ["authenticate", "", "--password-file", "/dev/null"],
    ],
    ids=lambda arguments: " ".join(arguments) or "nothing",
)
def test_what_makes_no_sense_ends_with_2_and_says_why(accounts: Credcached, arguments: list[str]) -> None:
    result = ctl(accounts, *arguments)
    assert result.returncode == USAGE, result
    assert result.stderr.strip()


def test_a_password_is_never_taken_from_the_command_line(accounts: Credcached) -> None:
    result = ctl(accounts, "authenticate", "alice", "password-of-alice")
    assert result.returncode == USAGE
    assert "password-of-alice" not in result.stdout + result.stderr


@pytest.mark.parametrize("command", [["authenticate", "alice"], ["stats"], ["health"], ["invalidate", "--all"]])
def test_a_service_that_is_not_there_is_unavailable(command: list[str]) -> None:
    with waiting.Stopwatch() as watch:
        result = ctl(f"127.0.0.1:{waiting.free_port()}", *command, password="password-of-alice")
    assert result.returncode == UNAVAILABLE, result
    assert "127.0.0.1" in result.stderr
    assert watch.seconds < 15


def test_a_directory_that_is_not_there_is_unavailable(on_few: Credcached, few: Slapd) -> None:
    few.kill()
    result = ctl(on_few, "authenticate", "alice", password="password-of-alice")
    assert result.returncode == UNAVAILABLE, result


def test_tls_certificates_and_tokens(serve: Serve, authority: CertificateAuthority, tmp_path: pathlib.Path) -> None:
    users = configs.write_users(tmp_path / "users", alice="password-of-alice")
    server_files, own = authority.issue("server"), authority.issue("operator", "URI:spiffe://example.org/operator")
    token = tmp_path / "token"
    token.write_text("token-of-a-front-end-0123456789\n")
    token.chmod(0o600)
    config: dict[str, Any] = configs.config(
        configs.realm(configs.users_file(users)),
        tls={
            "certificate": str(server_files.certificate),
            "private_key": str(server_files.private_key),
            "client_ca": str(authority.certificate),
        },
        callers=[
            {"name": "operator", "certificate": "spiffe://example.org/operator", "allow": ["authenticate", "stats"]},
            {"name": "front", "token_file": str(token), "allow": ["authenticate"]},
        ],
    )
    server = serve(config)
    tls = ("--ca", authority.certificate)
    by_certificate = (*tls, "--certificate", own.certificate, "--key", own.private_key)
    by_token = (*tls, "--token-file", token)
    assert ctl(server, *by_certificate, "authenticate", "alice", password="password-of-alice").returncode == DONE
    assert ctl(server, *by_certificate, "stats").returncode == DONE
    assert ctl(server, *by_token, "authenticate", "alice", password="password-of-alice").returncode == DONE
    denied = ctl(server, *by_token, "stats")
    assert denied.returncode == UNAVAILABLE
    assert "stats" in denied.stderr
    assert ctl(server, *tls, "stats").returncode == UNAVAILABLE, "nobody"
    assert ctl(server, *tls, "health").returncode == DONE
    assert ctl(server, "health").returncode == UNAVAILABLE, "in the clear"
    stranger = CertificateAuthority(tmp_path / "stranger")
    assert ctl(server, "--ca", stranger.certificate, "health").returncode == UNAVAILABLE


def test_hash_writes_lines_that_log_on(serve: Serve, tmp_path: pathlib.Path) -> None:
    users = tmp_path / "users"
    lines = []
    for kind in ("yescrypt", "argon2id", "sha512", "bcrypt"):
        result = run_ctl("hash", "--kind", kind, "--user", kind, stdin=secrets_used.note(f"password-by-{kind}"))
        assert result.returncode == DONE, result.stderr
        lines.append(result.stdout)
    users.write_text("".join(lines))
    server = serve(configs.config(configs.realm(configs.users_file(users))))
    for line in lines:
        name = line.split(":")[0]
        assert ctl(server, "authenticate", name, password=f"password-by-{name}").returncode == DONE
        assert ctl(server, "authenticate", name, password="not-the-password").returncode == REJECTED


def test_it_asks_at_a_terminal_without_showing_the_password(accounts: Credcached) -> None:
    leader, follower = os.openpty()
    with subprocess.Popen(
        [CREDCACHECTL, "--address", accounts.grpc, "authenticate", "alice"],
        stdin=follower,
        stdout=follower,
        stderr=follower,
        start_new_session=True,
    ) as process:
        os.close(follower)
        try:
            shown = b""
            while b"assword" not in shown:
                shown += os.read(leader, 1024)
            os.write(leader, secrets_used.note("password-of-alice") + b"\n")
            try:
                while block := os.read(leader, 1024):
                    shown += block
            except OSError:
                pass  # the terminal's end
            assert process.wait(10) == DONE, shown
        finally:
            process.kill()
            os.close(leader)
    assert b"password-of-alice" not in shown
    assert b"ACCEPTED" in shown


def test_a_cache_hit_shows_after_another_front_end_asked(accounts: Credcached, connect: Connect) -> None:
    assert connect(accounts).authenticate("alice", "password-of-alice").source == BACKEND
    answer = json.loads(ctl(accounts, "--json", "authenticate", "ALICE", password="password-of-alice").stdout)
    assert answer["source"] == authenticate_pb2.Source.Name(CACHE)
