"""Configuration mistakes: each is named with file, line, key, value and what was expected, all at once, exit 2."""

import pathlib
import re
import socket
import subprocess
from typing import Any

import configs
import pytest
import stubs
import waiting
from credcached import CREDCACHED, check_config


@pytest.fixture
def users(tmp_path: pathlib.Path) -> pathlib.Path:
    """A users file, which will do as a secret too."""
    file = configs.write_users(tmp_path / "users", alice="password-of-alice")
    file.chmod(0o600)
    return file


def check(tmp_path: pathlib.Path, text: str) -> subprocess.CompletedProcess[str]:
    file = tmp_path / "credcached.yaml"
    file.write_text(text)
    return check_config(file)


def run(file: pathlib.Path) -> subprocess.CompletedProcess[str]:
    """The service itself, which must not come up."""
    return subprocess.run([CREDCACHED, "--config", file], capture_output=True, text=True, check=False, timeout=20)


VALID = """\
listen:
  grpc: 127.0.0.1:0
  admin: 127.0.0.1:0
realms:
  - name: corp.example
    validators:
      - file: {path: users}
"""


def test_a_good_configuration_passes(tmp_path: pathlib.Path, users: pathlib.Path) -> None:
    assert users.exists()
    result = check(tmp_path, VALID)
    assert result.returncode == 0, result.stderr


def test_the_documented_sample_passes_but_for_its_files(tmp_path: pathlib.Path) -> None:
    sample = stubs.REPOSITORY / "service" / "docs" / "credcached.yaml"
    result = check(tmp_path, sample.read_text())
    complaints = [line for line in result.stderr.splitlines() if line]
    # What it names (certificates, secrets, sockets' folders) is not on this machine; nothing else may be wrong.
    assert all(re.search(r"file|folder|group", line.split("expected")[-1]) for line in complaints), result.stderr


# With a socket, callers need no TLS.
SOCKET = VALID.replace("realms:", "  unix: [{path: socket, caller: a}]\nrealms:")

LDAP = """\
realms:
  - name: corp.example
    validators:
      - ldap:
          urls: [ldap://127.0.0.1:1]
          user_dn: "uid={username},dc=x"
"""

# What is written, the line it is in, the key that is named, and words of the message.
MISTAKES: dict[str, tuple[str, int, str, tuple[str, ...]]] = {
    "unknown key": (VALID + "cahce: {buckets: 1}\n", 8, "cahce", ("cache",)),
    "unknown key deep": (VALID.replace("admin:", "admni:"), 3, "listen.admni", ("admin",)),
    "no number": (VALID + "cache: {buckets: many}\n", 8, "cache.buckets", ('"many"', "number")),
    "a number out of range": (VALID + "cache:\n  buckets: -1\n", 9, "cache.buckets", ('"-1"',)),
    "no duration": (VALID + "cache:\n  age_limit: 2 hours\n", 9, "cache.age_limit", ('"2 hours"', "120m")),
    "a duration without unit": (VALID + "cache:\n  age_limit: 120\n", 9, "cache.age_limit", ('"120"', "120m")),
    "no truth value": (VALID + "audit: {hits: yes please}\n", 8, "audit.hits", ("true or false",)),
    "no section": (VALID + "cache: 5\n", 8, "cache", ("section",)),
    "no list": (VALID + "callers: imap\n", 8, "callers", ("list",)),
    "a key twice": (VALID + "audit: {hits: true}\naudit: {hits: false}\n", 9, "audit", ("once", "line 8")),
    "no YAML": (VALID + "cache: [\n", 9, "file", ("YAML",)),
    "an address without port": (VALID.replace("grpc: 127.0.0.1:0", "grpc: here"), 2, "listen.grpc", ("host:port",)),
    "a port too large": (VALID.replace("grpc: 127.0.0.1:0", "grpc: 127.0.0.1:65536"), 2, "listen.grpc", ("host:port",)),
    "open to the network": (VALID.replace("grpc: 127.0.0.1:0", "grpc: 0.0.0.0:0"), 2, "listen.grpc", ("insecure",)),
    "a file that is not there": (VALID.replace("path: users", "path: nowhere"), 7, "file.path", ("nowhere",)),
    "a folder for a file": (VALID.replace("path: users", "path: ."), 7, "file.path", ("file",)),
    "no realm": ("listen: {grpc: 127.0.0.1:0}\n", 1, "realms", ("at least one",)),
    "no validator": ("realms:\n  - name: corp.example\n", 2, "validators", ("at least one",)),
    "an unknown validator": (VALID.replace("file:", "flie:"), 7, "flie", ("file",)),
    "two validators in one": (VALID.replace("{path: users}", "{path: users}\n        ldap: {}"), 8, "ldap", ("one",)),
    "a name twice": (
        VALID + "  - name: Corp.example\n    default: true\n    validators: [file: {path: users}]\n",
        8, "name", ("once",),
    ),
    "two defaults": (
        VALID.replace("    validators", "    default: true\n    validators")
        + "  - name: b.example\n    default: true\n    validators: [{file: {path: users}}]\n",
        10, "realms[1].default", ("corp.example",),
    ),
    "no default of two": (
        VALID + "  - name: b.example\n    validators: [{file: {path: users}}]\n", 4, "realms", ("default",),
    ),
    "a caller without identity": (VALID + "callers: [{name: a, allow: [stats]}]\n", 8, "certificate", ("token_file",)),
    "an unknown permission": (
        SOCKET + "callers: [{name: a, allow: [everything]}]\n", 9, "allow", ("invalidate_all",),
    ),
    "a token in the clear": (
        VALID + "callers: [{name: a, token_file: users, allow: [stats]}]\n", 8, "token_file", ("tls",),
    ),
    "a caller in no realm": (
        SOCKET + "callers: [{name: a, allow: [stats], realms: [nowhere.example]}]\n",
        9, "realms[0]", ("nowhere.example",),
    ),
    "half of TLS": (VALID + "tls: {certificate: users}\n", 8, "tls.private_key", ("key",)),
    "a directory without address": (LDAP.replace("[ldap://127.0.0.1:1]", "[]"), 5, "urls", ("at least one",)),
    "no directory's address": (LDAP.replace("ldap://", "http://"), 5, "urls[0]", ("ldap://",)),
    "a directory with no way to the user": (
        LDAP.replace('user_dn: "uid={username},dc=x"', "connections: 2"), 4, "ldap", ("user_dn",),
    ),
    "a name that goes nowhere": (LDAP.replace("uid={username}", "uid=alice"), 6, "user_dn", ("{username}",)),
    "a secret in the file": (LDAP + "          bind_password: hunter2\n", 7, "bind_password", ("bind_password_file",)),
    "journal": (VALID + "journal: {lease: 10s}\n", 8, "journal", ("not built yet",)),
    "sessions": (VALID + "sessions: {keys_file: users}\n", 8, "sessions", ("not built yet",)),
    "a database without query": (
        VALID.replace("file: {path: users}", "postgres: {dsn_file: users}"), 7, "postgres.query", ("$1",),
    ),
    "a PAM service without a file": (
        VALID.replace("file: {path: users}", "pam: {service: users, config_folder: none}"), 7, "pam.service", ("file",),
    ),
    "a Kerberos realm without a keytab": (
        VALID.replace("file: {path: users}", "kerberos: {realm: X, service: host/x}"), 7, "kerberos.keytab", ("file",),
    ),
    "a change feed of what is not searched": (LDAP + "          feed: true\n", 7, "feed", ("base and filter",)),
    "negotiate": (VALID + "    negotiate: {keytab: x}\n", 8, "negotiate", ("not built yet",)),
    "control characters": (VALID.replace("users", '"us\\0ers"'), 7, "file.path", ("control",)),
    "bytes that are no text": (VALID + "# \udcff\n", 8, "file", ("UTF-8",)),
}  # fmt: skip


@pytest.mark.usefixtures("users")
@pytest.mark.parametrize(("text", "line", "key", "words"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_named_with_file_line_key_and_what_was_expected(
    tmp_path: pathlib.Path, text: str, line: int, key: str, words: tuple[str, ...]
) -> None:
    file = tmp_path / "credcached.yaml"
    file.write_bytes(text.encode(errors="surrogateescape"))
    result = check_config(file)
    assert result.returncode == 2, result.stderr
    complaints = result.stderr.splitlines()
    assert len(complaints) == 1, "one mistake, one line"
    found = re.fullmatch(rf"(?:.*: )?{re.escape(str(file))}:(\d+): (\S+): got (.*), expected (.*)", complaints[0])
    assert found, complaints[0]
    assert int(found[1]) == line, complaints[0]
    assert key in found[2], complaints[0]
    for word in words:
        assert word in complaints[0], complaints[0]


@pytest.mark.usefixtures("users")
def test_all_mistakes_are_told_at_once_in_the_order_of_the_file(tmp_path: pathlib.Path) -> None:
    text = (
        VALID.replace("admin: 127.0.0.1:0", "admin: nowhere") + "cache: {buckets: many, age: 1s}\nlog: {level: loud}\n"
    )
    result = check(tmp_path, text)
    assert result.returncode == 2
    assert [int(line) for line in re.findall(r"credcached\.yaml:(\d+): ", result.stderr)] == [3, 8, 8, 9]


@pytest.mark.parametrize(
    "arguments",
    [[], ["--config"], ["--config", "nowhere.yaml"], ["--no-such-flag"], ["--config", "/"], ["extra", "arguments"]],
)
def test_a_command_line_that_makes_no_sense_ends_with_2(tmp_path: pathlib.Path, arguments: list[str]) -> None:
    result = subprocess.run(
        [CREDCACHED, *arguments], capture_output=True, text=True, check=False, timeout=20, cwd=tmp_path
    )
    assert result.returncode == 2, result
    assert result.stderr.strip()
    assert "ready" not in result.stderr


@pytest.mark.usefixtures("users")
def test_a_bad_configuration_starts_nothing(tmp_path: pathlib.Path) -> None:
    file = tmp_path / "credcached.yaml"
    file.write_text(VALID + "cahce: {}\n")
    result = run(file)
    assert result.returncode == 2
    assert f"{file}:8: cahce" in result.stderr
    assert "ready" not in result.stderr


@pytest.mark.usefixtures("users")
def test_an_address_that_is_taken_is_named(tmp_path: pathlib.Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        for key in ("grpc", "admin"):
            file = tmp_path / "credcached.yaml"
            file.write_text(VALID.replace(f"{key}: 127.0.0.1:0", f"{key}: 127.0.0.1:{port}"))
            result = run(file)
            assert result.returncode not in (0, 2), result.stderr
            assert f"127.0.0.1:{port}" in result.stderr


@pytest.mark.usefixtures("users")
def test_checking_opens_no_port_and_asks_no_directory(tmp_path: pathlib.Path) -> None:
    port = waiting.free_port()
    text = VALID.replace("grpc: 127.0.0.1:0", f"grpc: 127.0.0.1:{port}")
    with socket.create_server(("127.0.0.1", port)):
        assert check(tmp_path, text).returncode == 0


def test_mistakes_are_all_different() -> None:
    """A table that says the same twice shows less than it seems to."""
    texts: list[Any] = [text for text, *_ in MISTAKES.values()]
    assert len(set(texts)) == len(texts)
