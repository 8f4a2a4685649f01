"""in-process, without RPC: every step of a hit, as multiples of one HMAC of the same run; 1 and 2 threads"""

import subprocess

from harness import in_process
from harness.bench import Bench, BenchError, MissingError
from harness.figures import Figure, Spread, Value
from harness.load import BUILD

# The targets speak of these.
FIGURES = {
    "cache.hit_1e3": "BM_Hit/users:1000/zipf:0/manual_time/threads:1",
    "cache.hit_1e6": "BM_Hit/users:1000000/zipf:0/manual_time/threads:1",
}
ZIPF = "BM_Hit/users:100000/zipf:1/manual_time/threads:{threads}"
HMAC = "BM_Hmac/real_time/threads:{threads}"
# 1e7 entries take long to make, and are measured by the benchmark `memory`; Kubernetes has a benchmark of its own.
PATTERN = "-(users:10000000|BM_Kubernetes)"


# The test that counts them, and fails when there is one.
ALLOCATIONS = BUILD / "bin" / "cache_allocation_test"


def run(bench: Bench) -> None:
    count_allocations(bench)
    repetitions = bench.effort.rounds
    bench.say(f"all of credcache-bench but the largest, {repetitions} times each, mixed")
    try:
        results = in_process.run(PATTERN, seconds=bench.effort.seconds / 4, repetitions=repetitions)
    except MissingError as why:
        bench.lacks("credcache-bench", str(why), *FIGURES, "cache.two_threads")
        return
    bench.details["ns"] = {name: [one.each_ns for one in found] for name, found in results.items()}
    for name, benchmark in FIGURES.items():
        bench.add(in_hmacs(results, name, benchmark))
    bench.add(two_threads(results))
    for benchmark in sorted(results):
        if benchmark not in FIGURES.values() and benchmark != in_process.HMAC:
            bench.add(in_hmacs(results, f"cache.{benchmark}", benchmark))


def count_allocations(bench: Bench) -> None:
    if not ALLOCATIONS.exists():
        bench.lacks(ALLOCATIONS.name, "it is not built", "cache.allocations")
        return
    bench.say("allocations on a hit")
    result = subprocess.run([ALLOCATIONS], capture_output=True, text=True, check=False, timeout=120)
    if result.returncode != 0:
        raise BenchError(f"{ALLOCATIONS.name} ended with {result.returncode}: {result.stdout[-600:]}")
    bench.add(Figure("cache.allocations", f"allocations on a hit, as {ALLOCATIONS.name} shows", Spread.of([0.0]), ""))


def in_hmacs(results: in_process.Results, name: str, benchmark: str) -> Figure:
    """Its time as a multiple of the calibration's, repetition by repetition."""
    ours, hmac = repetitions(results, benchmark), repetitions(results, in_process.HMAC)
    ratios = [one.each_ns / base.each_ns for one, base in zip(ours, hmac, strict=True)]
    values = (
        Value(benchmark, Spread.of([one.each_ns for one in ours]).median, "ns"),
        Value("HMAC", Spread.of([one.each_ns for one in hmac]).median, "ns"),
    )
    return Figure(name, "time in HMACs of the calibration", Spread.of(ratios), values=values)


def two_threads(results: in_process.Results) -> Figure:
    """What the second thread gains us, of what it gains an HMAC loop that shares nothing."""
    gains = {
        side: [
            two.items_per_second / one.items_per_second
            for one, two in zip(
                repetitions(results, pattern.format(threads=1)),
                repetitions(results, pattern.format(threads=2)),
                strict=True,
            )
        ]
        for side, pattern in {"hits": ZIPF, "HMAC": HMAC}.items()
    }
    ratios = [ours / theirs for ours, theirs in zip(gains["hits"], gains["HMAC"], strict=True)]
    values = tuple(Value(f"gain of {side}", Spread.of(gain).median, "x") for side, gain in gains.items())
    return Figure(
        "cache.two_threads", "gain of a second thread, Zipf keys: hits / HMACs", Spread.of(ratios), values=values
    )


def repetitions(results: in_process.Results, benchmark: str) -> list[in_process.Repetition]:
    if benchmark not in results:
        raise BenchError(f"credcache-bench has no {benchmark}")
    return results[benchmark]
