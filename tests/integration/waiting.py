"""Waiting for what other processes do, always with a deadline and never for a fixed time."""

import contextlib
import socket
import time
from collections.abc import Callable
from typing import Self, TypeVar

T = TypeVar("T")

# Generous, since the machine may be busy: it is what a test takes to fail, not what it takes to pass.
DEADLINE_SECONDS = 20.0


def until(
    condition: Callable[[], T], what: str, deadline_seconds: float = DEADLINE_SECONDS, every_seconds: float = 0.01
) -> T:
    """The condition's first true value. `what` says in the failure what was waited for."""
    deadline = time.monotonic() + deadline_seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {deadline_seconds:g} s: {what} (last seen: {value!r})")
        time.sleep(every_seconds)


def free_port() -> int:
    """A loopback port that nobody listens on. Somebody else may take it before its user does: retry then."""
    with contextlib.closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Stopwatch:
    """How long a block took, in `seconds`."""

    def __enter__(self) -> Self:
        self._start = time.monotonic()
        self.seconds = 0.0
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds = time.monotonic() - self._start


def percentiles(seconds: list[float]) -> str:
    """Of what was measured: p50 0.8 ms, p99 1.4 ms, max 3.0 ms."""
    ordered = sorted(seconds)
    figures = {"p50": ordered[len(ordered) // 2], "p99": ordered[len(ordered) * 99 // 100], "max": ordered[-1]}
    return ", ".join(f"{name} {value * 1000:.1f} ms" for name, value in figures.items())
