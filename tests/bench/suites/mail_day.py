"""24 hours of a site of 50,000 users, replayed: what the directory is spared, and whether every answer was right"""

import json
import subprocess
from typing import Any

from harness.bench import Bench, BenchError
from harness.figures import Figure, Spread, Value
from harness.load import BUILD

PROGRAM = BUILD / "bin" / "credcache-mail-day"
# Not the defaults: what README.md of mail_day finds for phones that poll every 15 minutes.
TUNED = ["--idle-limit", "30m", "--age-limit", "4h"]


def run(bench: Bench) -> None:
    users = 2_000 if bench.effort.quick else 50_000
    bench.say(f"{users} users, one server and three in turn")
    one, three = replay("--users", str(users))
    bench.say(f"{users} users, one server, {' '.join(TUNED)}")
    (tuned,) = replay("--users", str(users), "--servers", "1", *TUNED)
    bench.details.update(one=one, three=three, tuned=tuned)
    bench.add(*figures(one, three, tuned))


def replay(*arguments: str) -> list[dict[str, Any]]:
    """The runs that it prints. A wrong answer (exit 1) is a figure, not a failure."""
    command = [str(PROGRAM), "--json", *arguments]
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=1200, check=False)
    except OSError as error:
        raise BenchError(f"{PROGRAM.name}: {error.strerror}") from error
    if result.returncode not in (0, 1):
        raise BenchError(f"{PROGRAM.name} ended with {result.returncode} and said: {result.stderr.strip()[-600:]}")
    return [json.loads(line) for line in result.stdout.splitlines() if line]


def figures(one: dict[str, Any], three: dict[str, Any], tuned: dict[str, Any]) -> list[Figure]:
    """A run is exact and the same each time: a figure has one round."""

    def figure(name: str, what: str, value: float, *values: Value) -> Figure:
        return Figure(f"mail_day.{name}", what, Spread.of([value]), values=values)

    def saved(name: str, what: str, run: dict[str, Any]) -> Figure:
        return figure(
            name,
            f"log-ons answered without the backend, {what}",
            run["without_backend_ratio"],
            Value("log-ons", run["log_ons"], "a day"),
            Value("backend calls", run["backend_calls"], "a day"),
        )

    peak = one["peak_backend_calls_per_second"]
    calls = [Value(f"{run['servers']} servers", run["backend_calls"], "a day") for run in (one, three)]
    return [
        saved("saved", "one server", one),
        saved("saved_tuned", f"one server, {' '.join(TUNED)}", tuned),
        saved("saved_three", "three servers in turn", three),
        figure("wrong", "wrong answers, all runs", sum(run["wrong_answers"] for run in (one, three, tuned))),
        figure(
            "peak",
            "backend calls in the busiest second: with the cache / without",
            peak["with"] / peak["without"],
            *(Value(side, count, "/s") for side, count in peak.items()),
        ),
        figure("round_robin", "backend calls: three servers in turn / one", calls[1].value / calls[0].value, *calls),
        figure("evictions", "evictions, one server", one["evictions"]),
    ]
