"""A real credcached, started with a configuration of the test's, and what it says of itself."""

import contextlib
import http.client
import json
import os
import pathlib
import re
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from typing import Any, Self

import secrets_used
import stubs
import waiting
import yaml

BUILD = pathlib.Path(os.environ.get("CREDCACHE_BUILD", stubs.REPOSITORY / "build"))
CREDCACHED = BUILD / "bin" / "credcached"
CREDCACHECTL = BUILD / "bin" / "credcachectl"

_READY = re.compile(r"credcached ready grpc=(\S+) admin=(\S+)")
_SANITIZER_REPORT = re.compile(r"ERROR: \w+Sanitizer|WARNING: ThreadSanitizer|runtime error: ")


class Credcached:
    """Use as a context manager, or start() and stop(). Ends no process but its own.

    `stop` asserts a graceful end with exit code 0, no sanitizer report, and no password in anything it wrote.
    """

    def __init__(
        self,
        folder: pathlib.Path,
        config: dict[str, Any],
        binary: pathlib.Path = CREDCACHED,
        environment: dict[str, str] | None = None,
    ):
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.config_file = folder / "credcached.yaml"
        self.config = config
        self.grpc = self.admin = ""
        self._binary = binary
        self._environment = environment or {}
        self._process: subprocess.Popen[bytes] | None = None
        self._lines: list[bytes] = []
        self._start_line = 0  # where what the present process wrote begins
        # Reentrant: who waits for news reads the lines, too.
        self._news = threading.Condition(threading.RLock())
        self._reader: threading.Thread | None = None
        self.write_config()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.stop()
        else:
            self.kill()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def write_config(self) -> None:
        """Writes `config`, in one step, as an editor or a configuration tool would."""
        temporary = self.config_file.with_suffix(".new")
        temporary.write_text(yaml.safe_dump(self.config, sort_keys=False, allow_unicode=True))
        temporary.replace(self.config_file)

    def start(self) -> Self:
        with self._news:
            self._start_line = len(self._lines)
        self._process = subprocess.Popen(
            [self._binary, "--config", self.config_file],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            cwd=self.folder,
            start_new_session=True,
            env={**os.environ, **self._environment},
        )
        self._reader = threading.Thread(target=self._read, args=(self._process.stderr,), daemon=True)
        self._reader.start()
        try:
            ready = self._wait_for_line(lambda line: _READY.search(line), "the ready line")
        except AssertionError:
            self.kill()
            raise
        self.grpc, self.admin = ready[1], ready[2]
        return self

    def terminate(self) -> None:
        """SIGTERM, without waiting."""
        self._process.send_signal(signal.SIGTERM)

    def stop(self) -> None:
        """SIGTERM, and waits for a clean end. Does nothing to one that has ended already."""
        if self._process is None:
            return
        if self.running:
            self.terminate()
        try:
            code = self._process.wait(waiting.DEADLINE_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"credcached did not end after SIGTERM:\n{self.log_text()[-4000:]}") from None
        self._forget_process()
        self.check_log()
        assert code == 0, f"credcached ended with {code}:\n{self.log_text()[-4000:]}"

    def kill(self) -> None:
        """SIGKILL, for the end of a test that has failed already."""
        if self._process is None:
            return
        self._process.kill()
        self._process.wait(10)
        self._forget_process()

    def hang_up(self) -> None:
        """SIGHUP: asks it to read its configuration again."""
        self._process.send_signal(signal.SIGHUP)

    def reload(self, **changes: Any) -> dict[str, Any]:
        """Changes top-level parts of the configuration, asks for a reload, and waits until the log tells of it."""
        self.config = {**self.config, **changes}
        self.write_config()
        seen = len(self.logs())
        self.hang_up()
        told = self.wait_for_log(lambda line: line.get("kind") == "reload", "an event about the reload", since=seen)
        assert told["applied"], told
        return told

    def check_log(self) -> None:
        """No sanitizer report, and no password of any test in what it wrote."""
        log = b"".join(self._lines)
        report = _SANITIZER_REPORT.search(log.decode(errors="replace"))
        assert not report, f"a sanitizer reports:\n{log.decode(errors='replace')[report.start() :][:6000]}"
        assert not secrets_used.found_in(log), f"passwords in the log: {secrets_used.found_in(log)}"

    def log_text(self) -> str:
        with self._news:
            return b"".join(self._lines).decode(errors="replace")

    def logs(self) -> list[dict[str, Any]]:
        """The log so far: its JSON lines, in order."""
        with self._news:
            lines = list(self._lines)
        return [json.loads(line) for line in lines if line.startswith(b"{")]

    def decisions(self, **fields: object) -> list[dict[str, Any]]:
        """The decisions audited so far that have these fields."""
        return [line for line in self.logs() if is_decision(line) and fields.items() <= line.items()]

    def wait_for_decisions(self, count: int, **fields: object) -> list[dict[str, Any]]:
        """Exactly so many of them; waits for them, since they are written behind the answer."""
        with self._news:
            self._news.wait_for(lambda: len(self.decisions(**fields)) >= count, waiting.DEADLINE_SECONDS)
        found = self.decisions(**fields)
        assert len(found) == count, f"{count} wanted with {fields}, found {found}"
        return found

    def wait_for_log(self, condition: Callable[[dict[str, Any]], bool], what: str, since: int = 0) -> dict[str, Any]:
        """The first JSON log line, from number `since` on, that is as wanted; waits for it."""

        def found() -> dict[str, Any] | None:
            return next((line for line in self.logs()[since:] if condition(line)), None)

        with self._news:
            self._news.wait_for(lambda: found() or not self._reader.is_alive(), waiting.DEADLINE_SECONDS)
        line = found()
        assert line is not None, f"not in the log: {what}\n{self.log_text()[-4000:]}"
        return line

    def get(self, path: str) -> tuple[int, str]:
        """Status and body of a path of the admin port."""
        with contextlib.closing(http.client.HTTPConnection(self.admin, timeout=10)) as connection:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read().decode()

    def metrics(self) -> "Metrics":
        status, text = self.get("/metrics")
        assert status == 200, text
        return Metrics(text)

    def memory_bytes(self) -> int:
        """Its resident size."""
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) * 1024

    def _wait_for_line(self, match: Callable[[str], Any], what: str) -> Any:
        def found() -> Any:
            return next(
                (m for m in (match(line.decode(errors="replace")) for line in self._lines[self._start_line :]) if m),
                None,
            )

        with self._news:
            self._news.wait_for(lambda: found() or not self._reader.is_alive(), waiting.DEADLINE_SECONDS)
            result = found()
        assert result, f"{what} did not come:\n{self.log_text()[-4000:]}"
        return result

    def _read(self, pipe: Iterator[bytes]) -> None:
        for line in pipe:
            with self._news:
                self._lines.append(line)
                self._news.notify_all()

    def _forget_process(self) -> None:
        self._reader.join(10)
        self._process.stderr.close()
        self._process = None


def is_decision(line: dict[str, Any]) -> bool:
    """Whether a log line is the audit event of a decision."""
    return line.get("log") == "audit" and line.get("kind") == "authentication"


def is_about(line: dict[str, Any], *words: str) -> bool:
    """Whether a log line that is no decision says all these words, in whatever field, in whatever case."""
    text = json.dumps(line, ensure_ascii=False).lower()
    return not is_decision(line) and all(word.lower() in text for word in words)


class Metrics:
    """One reading of /metrics."""

    _LINE = re.compile(r"^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$")
    _LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')

    def __init__(self, text: str):
        self.text = text
        self.samples: list[tuple[str, dict[str, str], float]] = []
        for line in text.splitlines():
            if line and not line.startswith("#"):
                name, labels, value = self._LINE.match(line).groups()
                self.samples.append((name, dict(self._LABEL.findall(labels or "")), float(value)))

    def total(self, name: str, **labels: str) -> float:
        """The sum of all samples of that name that have these labels; 0 when there are none."""
        return sum(
            value for n, found, value in self.samples if n == name and all(found.get(k) == v for k, v in labels.items())
        )

    def names(self) -> set[str]:
        return {name for name, _, _ in self.samples}


def check_config(config_file: pathlib.Path) -> subprocess.CompletedProcess[str]:
    """credcached --check-config of a file."""
    return subprocess.run(
        [CREDCACHED, "--config", config_file, "--check-config"], capture_output=True, text=True, timeout=30, check=False
    )


def run_ctl(
    *arguments: object, stdin: bytes | None = None, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """credcachectl with these arguments; what it reads from stdin is a password."""
    result = subprocess.run(
        [CREDCACHECTL, *map(str, arguments)],
        input=stdin if stdin is not None else b"",
        capture_output=True,
        timeout=30,
        check=False,
        env={**os.environ, **(environment or {})},
    )
    return subprocess.CompletedProcess(result.args, result.returncode, result.stdout.decode(), result.stderr.decode())


# What the fixture `serve` is (conftest.py): starts one with a configuration, and what else Credcached takes.
Serve = Callable[..., Credcached]
