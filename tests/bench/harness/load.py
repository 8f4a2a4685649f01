"""Drives a server with one of the load generators, and reads what it says: one object of JSON, the same for all."""

import dataclasses
import functools
import json
import os
import pathlib
import subprocess
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from harness.bench import BenchError
from harness.figures import Measure
from harness.workload import REALM, USERS

REPOSITORY = pathlib.Path(__file__).resolve().parents[3]
BUILD = pathlib.Path(os.environ.get("CREDCACHE_BUILD", REPOSITORY / "build"))
GRPC_LOAD = BUILD / "bin" / "credcache-load"
PEER_LOAD = BUILD / "bin" / "credcache-peer-load"


@dataclasses.dataclass(frozen=True)
class Endpoint:
    """An address as the load generator takes it, and what else it needs to get in (TLS, a token)."""

    address: str
    arguments: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Load:
    """One run of a load generator. Latencies in microseconds."""

    requests_per_second: float
    p50: float
    p99: float
    p99_9: float
    histogram: tuple[tuple[float, int], ...]  # upper bound -> requests
    sources: Mapping[str, int]
    document: Mapping[str, Any]

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> "Load":
        """Takes whole runs without a wrong answer, and nothing else."""
        tool = document.get("tool", "load generator")
        if document.get("error"):
            raise BenchError(f"{tool}: {document['error']}")
        if document.get("partial"):
            raise BenchError(f"{tool}: its figures are partial")
        for count in ("errors", "unexpected"):
            if document.get(count):
                raise BenchError(f"{tool}: {document[count]} {count} of {document['requests']} requests")
        if not document["requests"]:
            raise BenchError(f"{tool}: no request was answered")
        latency = document["latency_us"]
        return cls(
            requests_per_second=document["requests_per_second"],
            p50=latency["p50"],
            p99=latency["p99"],
            p99_9=latency["p99_9"],
            histogram=tuple((bound, count) for bound, count in document.get("histogram_us", [])),
            sources=document.get("sources", {}),
            document=document,
        )


THROUGHPUT = Measure[Load]("throughput", "requests/s", lambda load: load.requests_per_second)
MEDIAN_LATENCY = Measure[Load]("median latency", "us", lambda load: load.p50)
P99_LATENCY = Measure[Load]("p99 latency", "us", lambda load: load.p99)


def run_program(command: Sequence[object], timeout: float) -> str:
    """What the program prints; anything but exit 0 is an error."""
    command = [str(part) for part in command]
    name = pathlib.Path(command[0]).name
    try:
        result = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout, check=False
        )
    except OSError as error:
        raise BenchError(f"{name}: {error.strerror}") from error
    except subprocess.TimeoutExpired as error:
        raise BenchError(f"{name} did not end within {timeout:g} s") from error
    if result.returncode != 0:
        said = result.stderr.strip() or result.stdout.strip() or "nothing"
        raise BenchError(f"{name} ended with {result.returncode} and said: {said[-600:]}")
    return result.stdout


def run_json(command: Sequence[object], timeout: float) -> Any:
    """What the program prints, as JSON."""
    text = run_program(command, timeout)
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise BenchError(f"{pathlib.Path(str(command[0])).name} printed no JSON: {text[:200]!r}") from error


def options(**values: object) -> list[str]:
    """in_flight=64 as --in-flight 64; True as a bare flag, None and False as nothing."""
    result = []
    for name, value in values.items():
        flag = "--" + name.replace("_", "-")
        if value is True:
            result.append(flag)
        elif value is not None and value is not False:
            result += [flag, str(value)]
    return result


def grpc(endpoint: Endpoint, *, seconds: float, method: str = "unary", **more: object) -> Load:
    """One run of credcache-load. `more`: its options, with underscores."""
    values = {"method": method, "realm": REALM, "duration": f"{seconds:g}s", "warm_up": "100ms", **more}
    command = [GRPC_LOAD, "--address", endpoint.address, *endpoint.arguments, *options(**values), "--json"]
    return Load.read(run_json(command, seconds + 120))


def hits(endpoint: Endpoint, *, seconds: float, users: int = USERS, **more: object) -> Load:
    """As `grpc`, every user logged on once before; an answer that is not from the cache is an error."""
    load = grpc(endpoint, seconds=seconds, users=users, prime=True, **more)
    others = {source: count for source, count in load.sources.items() if source != "cache" and count}
    if others:
        raise BenchError(f"answers that are not from the cache: {others}")
    return load


def hit_sides(
    ends: Mapping[str, Endpoint], *, seconds: float, users: int = USERS, **more: object
) -> dict[str, Callable[[], Load]]:
    """The same load for each end, as Bench.alternate takes it."""
    return {side: functools.partial(hits, end, seconds=seconds, users=users, **more) for side, end in ends.items()}


def peer(kind: str, address: str, *, seconds: float, **more: object) -> Load:
    """One run of credcache-peer-load against another program."""
    values = {"duration": f"{seconds:g}s", "warm_up": "100ms", **more}
    return Load.read(run_json([PEER_LOAD, kind, "--address", address, *options(**values), "--json"], seconds + 120))


def merged_histogram(loads: Sequence[Load]) -> list[tuple[float, int]]:
    """The histograms of several runs as one."""
    counts: dict[float, int] = {}
    for load in loads:
        for bound, count in load.histogram:
            counts[bound] = counts.get(bound, 0) + count
    return sorted(counts.items())
