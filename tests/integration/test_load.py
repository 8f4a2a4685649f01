"""credcache-load against a real credcached, and against what is none."""

import json
import os
import pathlib
import signal
import socket
import subprocess
from typing import Any

import configs
import pytest
import secrets_used
from certs import CertificateAuthority
from credcached import BUILD, Credcached, Serve

LOAD = BUILD / "bin" / "credcache-load"
ECHO = BUILD / "bin" / "credcache-echo"

DONE, FAILED, USAGE, UNAVAILABLE, INTERRUPTED = 0, 1, 2, 4, 130
USERS = 20


def start(target: Credcached | str, *arguments: object) -> subprocess.Popen[str]:
    address = target if isinstance(target, str) else target.grpc
    return subprocess.Popen(
        [LOAD, "--address", address, "--users", str(USERS), "--warm-up", "100ms", *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(target: Credcached | str, *arguments: object) -> subprocess.CompletedProcess[str]:
    with start(target, "--duration", "300ms", *arguments) as process:
        try:
            out, error = process.communicate(timeout=30)
        finally:
            process.kill()
    return subprocess.CompletedProcess(process.args, process.returncode, out, error)


def figures(result: subprocess.CompletedProcess[str], code: int = DONE) -> dict[str, Any]:
    """The one JSON object that it printed."""
    assert result.returncode == code, result
    (line,) = result.stdout.splitlines()
    return json.loads(line)


@pytest.fixture(scope="module")
def users(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """The first of the users that the benchmarks know."""
    passwords = {f"user-{i:07}.example": f"secret-{i:07}-word" for i in range(USERS)}
    for password in passwords.values():
        secrets_used.note(password)
    return configs.write_users(tmp_path_factory.mktemp("load") / "users", **passwords)


@pytest.fixture
def server(serve: Serve, users: pathlib.Path) -> Credcached:
    return serve(configs.config(configs.realm(configs.users_file(users)), throttle=configs.UNTHROTTLED))


@pytest.mark.parametrize("method", ["unary", "batch", "stream"])
def test_primed_users_are_hits(server: Credcached, method: str) -> None:
    shape = ("--connections", 2, "--in-flight", 8, "--batch", 4, "--zipf", 0.99)
    found = figures(run(server, "--json", "--prime", "--method", method, *shape))
    assert (found["partial"], found["error"], found["unexpected"], found["errors"]) == (False, None, 0, 0)
    assert found["requests"] > 0
    assert found["outcomes"] == {"accepted": found["requests"]}
    assert found["sources"] == {"cache": found["requests"]}
    assert found["requests"] == sum(count for _, count in found["histogram_us"])
    assert 0 < found["latency_us"]["min"] <= found["latency_us"]["p50"] <= found["latency_us"]["max"]
    assert found["messages"] <= found["requests"]
    counted = server.metrics().total("credcache_authentications_total", protocol="imap", outcome="accepted")
    assert counted >= found["requests"] + USERS


def test_misses_and_wrong_passwords_are_expected(server: Credcached) -> None:
    found = figures(run(server, "--json", "--prime", "--mix", "hit=80,miss=10,wrong=10", "--invalidate-every", "100ms"))
    assert found["outcomes"].keys() == {"accepted", "rejected"}
    assert found["sources"]["backend"] > 0
    assert found["invalidations"] > 0
    assert found["unexpected"] == 0


def test_an_open_loop_keeps_its_rate(server: Credcached) -> None:
    found = figures(run(server, "--json", "--prime", "--rate", 500))
    assert found["rate"] == 500
    assert found["requests"] + found["never_started"] == 150


def test_people_get_a_table(server: Credcached) -> None:
    result = run(server, "--prime")
    assert result.returncode == DONE
    assert "log-ons" in result.stdout
    assert "p99.9" in result.stdout
    assert result.stderr == ""


def test_no_server(server: Credcached) -> None:
    server.stop()
    result = run(server, "--json")
    assert figures(result, UNAVAILABLE)["partial"]
    assert "nothing listens at" in result.stderr


def test_a_realm_that_is_none_makes_wrong_answers(server: Credcached) -> None:
    result = run(server, "--json", "--realm", "other.example")
    assert figures(result, FAILED)["unexpected"] > 0
    assert "a right password was not accepted" in result.stderr
    result = run(server, "--json", "--realm", "other.example", "--prime")
    assert figures(result, FAILED)["partial"]
    assert "while priming" in result.stderr


@pytest.mark.parametrize("method", ["unary", "batch", "stream"])
def test_a_server_that_dies_leaves_partial_figures(server: Credcached, method: str) -> None:
    with start(server, "--json", "--prime", "--duration", "60s", "--method", method) as process:
        try:
            server.wait_for_decisions(USERS, source="backend")
            server.kill()
            out, error = process.communicate(timeout=30)
        finally:
            process.kill()
    found = figures(subprocess.CompletedProcess(process.args, process.returncode, out, error), UNAVAILABLE)
    assert found["partial"]
    assert found["error"]
    assert error.startswith("credcache-load: ")


@pytest.mark.parametrize("method", ["unary", "stream"])
def test_a_server_that_answers_nothing_ends_the_run(method: str) -> None:
    """One that accepts connections and then is silent."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        result = run(f"127.0.0.1:{silent.getsockname()[1]}", "--timeout", "500ms", "--method", method)
    assert result.returncode == UNAVAILABLE
    assert "within 500ms" in result.stderr or "timed out" in result.stderr


@pytest.mark.parametrize("method", ["unary", "stream"])
def test_a_server_that_hangs_ends_the_run(server: Credcached, method: str) -> None:
    with start(server, "--json", "--duration", "60s", "--timeout", "1s", "--method", method) as process:
        try:
            server.wait_for_log(lambda line: line.get("outcome") == "accepted", "a decision")
            os.kill(server.pid, signal.SIGSTOP)
            process.communicate(timeout=30)
        finally:
            os.kill(server.pid, signal.SIGCONT)
            process.kill()
    assert process.returncode == UNAVAILABLE


def test_an_interrupt_leaves_partial_figures(server: Credcached) -> None:
    with start(server, "--json", "--prime", "--duration", "60s") as process:
        try:
            server.wait_for_decisions(USERS, source="backend")
            process.send_signal(signal.SIGINT)
            out, error = process.communicate(timeout=30)
        finally:
            process.kill()
    found = figures(subprocess.CompletedProcess(process.args, process.returncode, out, error), INTERRUPTED)
    assert (found["partial"], found["error"]) == (True, "interrupted")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--method", "telnet"), "--method"),
        (("--mix", "hit=0"), "all weights are zero"),
        (("--duration", "soon"), "--duration"),
        (("--in-flight", 2, "--connections", 3), "--in-flight"),
        (("--first-miss", USERS - 1, "--mix", "hit=1,miss=1"), "--first-miss"),
        (("--ca", "/nowhere/ca.pem"), "/nowhere/ca.pem"),
        (("--no-such-option",), "--no-such-option"),
    ],
)
def test_usage_errors(arguments: tuple[object, ...], words: str) -> None:
    result = run("127.0.0.1:1", *arguments)
    assert result.returncode == USAGE, result
    assert words in result.stderr
    assert result.stdout == ""


def test_tls_and_tokens(
    serve: Serve, users: pathlib.Path, authority: CertificateAuthority, tmp_path: pathlib.Path
) -> None:
    certificate = authority.issue("server")
    front_end = authority.issue("front", "DNS:front.example")
    token = tmp_path / "token"
    token.write_text("a-token-of-the-front-end\n")
    token.chmod(0o600)
    server = serve(
        configs.config(
            configs.realm(configs.users_file(users)),
            tls={
                "certificate": str(certificate.certificate),
                "private_key": str(certificate.private_key),
                "client_ca": str(authority.certificate),
            },
            callers=[
                {"name": "front", "certificate": "front.example", "allow": ["authenticate"]},
                {"name": "token", "token_file": str(token), "allow": ["authenticate"]},
            ],
        )
    )
    trust = ("--ca", authority.certificate)
    ours = ("--certificate", front_end.certificate, "--key", front_end.private_key)
    assert figures(run(server, "--json", "--prime", *trust, *ours))["requests"] > 0
    assert figures(run(server, "--json", *trust, "--token-file", token, "--method", "stream"))["requests"] > 0

    result = run(server, *trust)
    assert result.returncode == FAILED, result
    assert "neither a client certificate nor a bearer token" in result.stderr
    result = run(server)
    assert result.returncode == UNAVAILABLE
    assert "--ca" in result.stderr
    other = CertificateAuthority(tmp_path / "other", "Somebody Else")
    result = run(server, "--ca", other.certificate)
    assert result.returncode == UNAVAILABLE
    assert "not come from an authority that is trusted here" in result.stderr


@pytest.mark.parametrize("method", ["unary", "batch", "stream"])
def test_the_bare_echo_answers_as_a_hit_does(method: str, tmp_path: pathlib.Path) -> None:
    address = f"unix:{tmp_path}/echo"
    with subprocess.Popen([ECHO, "--address", address], stderr=subprocess.PIPE, text=True) as echo:
        try:
            assert echo.stderr.readline() == f"credcache-echo ready grpc={address}\n"
            assert figures(run(address, "--json", "--method", method))["sources"].keys() == {"cache"}
            echo.terminate()
            assert echo.wait(10) == 0
        finally:
            echo.kill()
