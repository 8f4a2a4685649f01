"""Runs credcache-bench (Google Benchmark) and reads its JSON."""

import collections
import dataclasses
import json
import pathlib
import tempfile
from collections.abc import Mapping
from typing import Any

from harness.bench import BenchError, MissingError
from harness.load import BUILD, run_program

PROGRAM = BUILD / "bin" / "credcache-bench"
HMAC = "BM_Hmac/real_time/threads:1"


@dataclasses.dataclass(frozen=True)
class Repetition:
    """One measurement of one benchmark. `each_ns`: the time of one iteration, of one thread."""

    each_ns: float
    items_per_second: float
    counters: Mapping[str, Any]


Results = Mapping[str, list[Repetition]]


def run(pattern: str, *, seconds: float, repetitions: int = 1, timeout: float = 1200) -> Results:
    """Every benchmark whose name matches the pattern: its repetitions, in order, mixed with those of the others."""
    if not PROGRAM.exists():
        raise MissingError(f"{PROGRAM.name} is not built")
    with tempfile.TemporaryDirectory(prefix="credcache-bench-") as folder:
        output = pathlib.Path(folder) / "out.json"
        command = [
            *(PROGRAM, f"--benchmark_filter={pattern}", f"--benchmark_min_time={seconds:g}"),
            *(f"--benchmark_repetitions={repetitions}", "--benchmark_enable_random_interleaving=true"),
            *(f"--benchmark_out={output}", "--benchmark_out_format=json"),
        ]
        run_program(command, timeout)
        text = output.read_text() if output.exists() else ""
        if not text:
            raise MissingError(f"{PROGRAM.name} has no benchmark like {pattern}")
        return read(text)


def read(text: str) -> Results:
    results: dict[str, list[Repetition]] = collections.defaultdict(list)
    for one in json.loads(text)["benchmarks"]:
        if one.get("error_occurred"):
            raise BenchError(f"{one['name']}: {one.get('error_message', 'an error')}")
        if one.get("run_type") == "aggregate":
            continue
        scale = {"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9}[one["time_unit"]]
        repetition = Repetition(one["real_time"] * scale, one.get("items_per_second", 0.0), one)
        results[one.get("run_name", one["name"])].append(repetition)
    return dict(results)
