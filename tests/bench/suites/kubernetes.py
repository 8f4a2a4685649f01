"""the Kubernetes token cache, on its published workload (842-byte tokens) and on 51-byte credentials, beside ours"""

import functools
import re
import subprocess

from harness import in_process, load
from harness.bench import Bench, MissingError
from harness.figures import Figure, Measure, Spread, Value
from harness.load import BUILD, REPOSITORY

PROGRAM = BUILD / "tools" / "kubernetes-token-cache"
SOURCE = REPOSITORY / "tests" / "bench" / "kubernetes"

# (threads, tokens, bytes of a token) -> log-ons answered a second.
Case = tuple[int, int, int]
Rates = dict[Case, float]

OWN_TOKEN, CREDENTIAL = 842, 51
FEW, MANY = 100, 12_500
CASES: dict[str, Case] = {
    "kubernetes.own_tokens": (1, FEW, OWN_TOKEN),
    "kubernetes.own_tokens_2_threads": (2, FEW, OWN_TOKEN),
    "kubernetes.credentials": (1, FEW, CREDENTIAL),
    "kubernetes.credentials_2_threads": (2, FEW, CREDENTIAL),
    "kubernetes.own_tokens_many": (1, MANY, OWN_TOKEN),
}
_OURS = re.compile(r"BM_Kubernetes.*tokens:(?P<tokens>\d+).*bytes:(?P<bytes>\d+).*threads:(?P<threads>\d+)")


def run(bench: Bench) -> None:
    seconds = bench.effort.seconds
    try:
        build(bench)
    except MissingError as why:
        bench.lacks("the Kubernetes token cache", str(why), *CASES)
        return
    theirs = functools.partial(measure_theirs, seconds)
    try:
        ours = functools.partial(measure_ours, seconds)
        ours()
    except MissingError as why:
        bench.lacks("credcache-bench's side", str(why), *CASES, "kubernetes.no_stall")
        show_theirs(bench, theirs())
        return
    rounds = bench.alternate("all cases", {"credcached": ours, "Kubernetes": theirs}, bench.effort.fewer(7))
    for name, case in CASES.items():
        threads, tokens, size = case
        what = f"{tokens} tokens of {size} bytes, {threads} thread{'s' * (threads > 1)}"
        bench.add(rounds.compare(name, what, "credcached", "Kubernetes", rate_of(case)))
    slowed = [result[1, FEW, OWN_TOKEN] / result[1, MANY, OWN_TOKEN] for result in rounds.results["credcached"]]
    what = f"our time for one of {MANY} tokens / for one of {FEW}, 1 thread"
    bench.add(Figure("kubernetes.no_stall", what, Spread.of(slowed)))
    slowed = [result[1, FEW, OWN_TOKEN] / result[1, MANY, OWN_TOKEN] for result in rounds.results["Kubernetes"]]
    bench.add(Figure("kubernetes.its_stall", f"the same of Kubernetes: it waits on misses; {what}", Spread.of(slowed)))


def rate_of(case: Case) -> Measure[Rates]:
    return Measure("rate", "log-ons/s", lambda rates: rates[case])


def build(bench: Bench) -> None:
    """With a Go of the machine's or from PyPI; modules come from the Go proxy."""
    bench.say("building the Kubernetes token cache's program (a minute, once)")
    script = (
        'go=$(tests/tools/find_go.sh) && GOTOOLCHAIN=local GOFLAGS=-mod=readonly "$go" -C "$1" build -p 2 -o "$2" .'
    )
    result = subprocess.run(
        ["bash", "-c", script, "bash", SOURCE, PROGRAM],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )
    if result.returncode != 0:
        raise MissingError(f"it does not build: {result.stderr.strip()[-500:]}")


def measure_theirs(seconds: float) -> Rates:
    warm_up = seconds / 2
    cases = ["x".join(map(str, case)) for case in CASES.values()]
    command = [PROGRAM, f"-warm-up={warm_up:g}s", f"-duration={seconds:g}s", *cases]
    results = load.run_json(command, 60 + len(cases) * 2 * seconds)
    return {
        (result["threads"], result["tokens"], result["token_bytes"]): result["authentications_per_second"]
        for result in results
    }


def measure_ours(seconds: float) -> Rates:
    rates: Rates = {}
    for name, repetitions in in_process.run("^BM_Kubernetes", seconds=seconds).items():
        if found := _OURS.match(name):
            rates[int(found["threads"]), int(found["tokens"]), int(found["bytes"])] = repetitions[0].items_per_second
    if absent := [case for case in CASES.values() if case not in rates]:
        raise MissingError(f"it has no BM_Kubernetes for (threads, tokens, bytes) {absent}")
    return rates


def show_theirs(bench: Bench, rates: Rates) -> None:
    """What there is without our side: absolute values."""
    bench.details["Kubernetes"] = {str(case): rate for case, rate in rates.items()}
    stall = rates[1, FEW, OWN_TOKEN] / rates[1, MANY, OWN_TOKEN]
    values = tuple(Value(str(case), rate, "log-ons/s") for case, rate in rates.items())
    what = f"Kubernetes' time for one of {MANY} tokens / for one of {FEW}, 1 thread: it waits on misses"
    bench.add(Figure("kubernetes.its_stall", what, Spread.of([stall]), values=values))
