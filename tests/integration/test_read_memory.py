"""The tool that shows a person where a secret stands."""

import pathlib
import secrets
import subprocess
import sys
from collections.abc import Iterator

import pytest
import read_memory

TOOL = pathlib.Path(__file__).with_name("read_memory.py")


@pytest.fixture
def secret() -> bytes:
    return secrets.token_hex(12).encode()


@pytest.fixture
def keeper(secret: bytes) -> Iterator[subprocess.Popen[bytes]]:
    """A process that has the secret, between two words, in its memory."""
    program = (
        "import sys; s = sys.stdin.readline().strip().encode();"
        "kept = b'left-of-it ' + s + b' right-of-it'; print('ready', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdin.write(secret + b"\n")
        process.stdin.flush()
        assert process.stdout.readline() == b"ready\n"
        yield process
        process.stdin.close()


def look(pid: int, wanted: bytes) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, TOOL, str(pid)], input=wanted.decode() + "\n", capture_output=True, text=True, check=False
    )


def test_what_is_there_is_shown_with_its_place_and_without_itself(
    keeper: subprocess.Popen[bytes], secret: bytes
) -> None:
    result = look(keeper.pid, secret)
    assert result.returncode == 1, result.stderr
    (line,) = [line for line in result.stdout.splitlines() if f"left-of-it [{len(secret)} bytes] right-of-it" in line]
    assert " rw-p +0x" in line
    assert secret.decode() not in result.stdout + result.stderr


def test_what_is_not_there_is_not_found(keeper: subprocess.Popen[bytes]) -> None:
    result = look(keeper.pid, secrets.token_hex(12).encode())
    assert (result.returncode, result.stdout) == (0, "none found\n"), result.stderr


def test_no_process_and_no_secret_are_usage(keeper: subprocess.Popen[bytes]) -> None:
    assert look(2**22 + 1, b"something").returncode == 2
    assert look(keeper.pid, b"").returncode == 2


@pytest.mark.parametrize(
    ("context", "shown"),
    [
        (b"a SECRET b", b"a ****** b"),
        (b"CRET then", b"**** then"),
        (b"then SECRE", b"then *****"),
        (b"ET then", b"ET then"),
    ],
)
def test_pieces_at_the_edges_are_masked(context: bytes, shown: bytes) -> None:
    assert read_memory.masked(context, b"SECRET") == shown
