"""Programs that run in the background while something is measured, and end with it."""

import contextlib
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable, Sequence

import waiting

from harness.bench import BenchError, MissingError


def need(program: str, package: str) -> str:
    """The program's path; Debian keeps some outside of a user's PATH."""
    path = shutil.which(program) or shutil.which(program, path="/usr/sbin:/sbin:/usr/lib/dovecot")
    if path is None:
        raise MissingError(f"the program {program} is not here (Debian package {package})")
    return path


def processor_seconds(pid: int) -> float:
    """What it has used of all cores so far, all threads together."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")  # proc(5): utime, stime


def run(stack: contextlib.ExitStack, command: Sequence[str], log: pathlib.Path) -> subprocess.Popen[bytes]:
    """Starts it with its output in `log`; when `stack` ends: SIGTERM, and SIGKILL 10 s later."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=log.parent, start_new_session=True
        )
    stack.callback(_end, process)
    return process


def start(stack: contextlib.ExitStack, command: Sequence[str], folder: pathlib.Path, ready: str) -> re.Match[str]:
    """Starts it and waits for a whole line that `ready` matches."""
    name = pathlib.Path(command[0]).name
    log = folder / f"{name}.log"
    process = run(stack, command, log)
    pattern = re.compile(ready)

    def line() -> re.Match[str] | None:
        text = log.read_text(errors="replace")
        return pattern.search(text[: text.rfind("\n") + 1])

    wait(process, log, line)
    return line()


def start_listening(
    stack: contextlib.ExitStack, command: Sequence[str], folder: pathlib.Path, address: pathlib.Path | int
) -> subprocess.Popen[bytes]:
    """Starts it and waits until a unix socket, or a port of loopback, takes connections."""
    name = pathlib.Path(command[0]).name
    log = folder / f"{name}.log"
    process = run(stack, command, log)
    wait(process, log, lambda: connects(address))
    return process


def connects(address: pathlib.Path | int) -> bool:
    family = socket.AF_INET if isinstance(address, int) else socket.AF_UNIX
    with contextlib.closing(socket.socket(family)) as connection:
        return connection.connect_ex(("127.0.0.1", address) if isinstance(address, int) else str(address)) == 0


def wait(process: subprocess.Popen[bytes], log: pathlib.Path, condition: Callable[[], object]) -> None:
    """Until the condition is true; a BenchError with the end of the log when the process ends or takes too long."""
    name = pathlib.Path(process.args[0]).name

    def done() -> bool:
        if process.poll() is not None:
            raise BenchError(f"{name} ended with {process.returncode} and said: {tail(log)}")
        return bool(condition())

    try:
        waiting.until(done, f"{name} is ready")
    except AssertionError as error:
        raise BenchError(f"{error}; it said: {tail(log)}") from error


def tail(log: pathlib.Path) -> str:
    return log.read_text(errors="replace").strip()[-1000:] or "nothing"


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(10)
