#!/usr/bin/env python3
"""From start to ready: how long credcached takes until it says that it serves.

Starts `credcached --config FILE` again and again, each time from fork to the ready line on stderr, and ends it with
SIGTERM, which it must answer with exit 0. With --baseline a bare gRPC server is started in turn with it, so that what
gRPC and the machine cost is seen beside what is ours; its ready line is any line on stderr that contains "ready".

    tests/bench/startup.py CONFIG [--baseline 'PROGRAM ARGUMENT...'] [--runs 50] [--limit 100]

Prints median, minimum and maximum in ms, and writes all runs to build/bench/startup.json. Exit: 0; 1 when a start
failed or the median is over --limit; 2 usage.
"""

import argparse
import dataclasses
import json
import os
import pathlib
import re
import select
import shlex
import signal
import statistics
import subprocess
import sys
import time

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
READY = re.compile(rb"^credcached ready grpc=\S+ admin=\S+$", re.MULTILINE)
BASELINE_READY = re.compile(rb"^.*ready.*$", re.MULTILINE)


class StartError(Exception):
    """A start that does not count, and why."""


@dataclasses.dataclass(frozen=True)
class Program:
    """What is started, and the complete line that says it is ready."""

    name: str
    command: list[str]
    ready: re.Pattern[bytes]


def read_until_ready(process: subprocess.Popen, program: Program, deadline: float) -> float:
    """Reads stderr up to the ready line; the moment of it."""
    stderr = process.stderr.fileno()
    seen = b""
    while True:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([stderr], [], [], left)[0]:
            raise StartError(f"{program.name} did not get ready in time; it said: {tail(seen)}")
        block = os.read(stderr, 65536)
        now = time.monotonic()
        if not block:
            raise StartError(f"{program.name} ended before it was ready; it said: {tail(seen)}")
        seen += block
        # Up to the last newline: half a line says nothing yet.
        if program.ready.search(seen[: seen.rfind(b"\n") + 1]):
            return now


def tail(output: bytes) -> str:
    return output[-2000:].decode(errors="replace") or "nothing"


def end(process: subprocess.Popen, program: Program, timeout: float) -> None:
    """SIGTERM, and exit 0 for an answer. Reads on, so that a program that still logs does not block on a full pipe."""
    process.send_signal(signal.SIGTERM)
    try:
        _, rest = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired as expired:
        raise StartError(f"{program.name} did not end within {timeout:g} s of SIGTERM") from expired
    if process.returncode != 0:
        raise StartError(f"{program.name} answered SIGTERM with {process.returncode}, not 0; it said: {tail(rest)}")


def start_once(program: Program, timeout: float) -> float:
    """One start and end; milliseconds from fork to ready."""
    begin = time.monotonic()
    try:
        process = subprocess.Popen(
            program.command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
    except OSError as error:
        raise StartError(f"{program.name}: {error}") from error
    try:
        ready = read_until_ready(process, program, begin + timeout)
        end(process, program, timeout)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        process.stderr.close()
    return (ready - begin) * 1000


def summarise(runs: list[float]) -> dict[str, object]:
    return {
        "median_ms": round(statistics.median(runs), 3),
        "min_ms": round(min(runs), 3),
        "max_ms": round(max(runs), 3),
        "runs_ms": [round(run, 3) for run in runs],
    }


def measure(programs: list[Program], count: int, timeout: float) -> dict[str, dict[str, object]]:
    """In turn, so that what the machine does meanwhile falls on all alike."""
    runs: dict[str, list[float]] = {program.name: [] for program in programs}
    for program in programs:
        start_once(program, timeout)  # files into the page cache; not counted
    for _ in range(count):
        for program in programs:
            runs[program.name].append(start_once(program, timeout))
    return {name: summarise(times) for name, times in runs.items()}


def write_json(path: pathlib.Path, document: dict[str, object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=2) + "\n")


def positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1 is expected")
    return number


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", type=pathlib.Path, help="the configuration to start with; give it ports 0")
    parser.add_argument("--program", default=str(REPOSITORY / "build" / "bin" / "credcached"))
    parser.add_argument("--baseline", help="a bare server's command line, measured in turn")
    parser.add_argument("--runs", type=positive, default=50)
    parser.add_argument("--timeout", type=float, default=30, help="seconds for one start, and for one end")
    parser.add_argument("--limit", type=float, help="fail when credcached's median is over so many ms")
    parser.add_argument("--output", type=pathlib.Path, default=REPOSITORY / "build" / "bench" / "startup.json")
    options = parser.parse_args(arguments)
    if not options.config.is_file():
        parser.error(f"there is no file {options.config}")
    return options


def main(arguments: list[str] | None = None) -> int:
    options = parse(arguments)
    programs = [Program("credcached", [options.program, "--config", str(options.config)], READY)]
    if options.baseline:
        programs.append(Program("baseline", shlex.split(options.baseline), BASELINE_READY))
    try:
        results = measure(programs, options.runs, options.timeout)
    except StartError as error:
        print(f"startup: {error}", file=sys.stderr)
        return 1
    for name, result in results.items():
        print(
            f"{name:<10}  median {result['median_ms']:>8.1f} ms  min {result['min_ms']:>8.1f} ms"
            f"  max {result['max_ms']:>8.1f} ms  ({options.runs} starts)"
        )
    write_json(options.output, {"runs": options.runs, "limit_ms": options.limit, "programs": results})
    if options.limit is not None and results["credcached"]["median_ms"] > options.limit:
        print(f"startup: credcached's median is over the limit of {options.limit:g} ms", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
