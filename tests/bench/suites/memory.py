"""bytes an entry from 1e3 to 1e7 entries, as the kernel counts them, and what a hit costs in caches so large"""

import re

from harness import in_process, plots
from harness.bench import Bench, MissingError
from harness.figures import Figure, Spread, Value

PATTERN = r"BM_Hit/users:[0-9]+/zipf:0/manual_time/threads:1$"
RESIDENT, COUNTED = "resident_bytes_per_entry", "bytes_per_entry"
ENTRIES = {"memory.entry_1e6": 1_000_000, "memory.entry_1e7": 10_000_000}
BASE, LARGEST = 100_000, 10_000_000


def run(bench: Bench) -> None:
    rounds = bench.effort.fewer(5).rounds
    bench.say(f"hits in caches of 1e3 to 1e7 entries, {rounds} times each, mixed; the largest take a minute to fill")
    try:
        found = in_process.run(PATTERN, seconds=bench.effort.seconds / 2, repetitions=rounds)
    except MissingError as why:
        bench.lacks("credcache-bench", str(why), *ENTRIES, "memory.hit_1e7")
        return
    results = {int(re.search(r"users:(\d+)", name)[1]): repetitions for name, repetitions in found.items()}
    for name, entries in ENTRIES.items():
        one = results[entries][0].counters
        counted = (Value("as the cache itself counts", one[COUNTED], "B"),)
        bench.add(
            Figure(name, f"resident bytes an entry, {entries:,} entries", Spread.of([one[RESIDENT]]), "B", counted)
        )
    ratios = [large.each_ns / base.each_ns for large, base in zip(results[LARGEST], results[BASE], strict=True)]
    values = tuple(
        Value(f"{entries:,} entries", Spread.of([one.each_ns for one in results[entries]]).median, "ns")
        for entries in (LARGEST, BASE)
    )
    bench.add(Figure("memory.hit_1e7", "time of a hit, 1 thread: 1e7 / 1e5 entries", Spread.of(ratios), values=values))
    for label, counter in {"resident": RESIDENT, "as the cache counts": COUNTED}.items():
        points = [(entries, repetitions[0].counters[counter]) for entries, repetitions in sorted(results.items())]
        bench.plot(plots.MEMORY, label, points)
