"""the Kubernetes token cache, on its published workload (842-byte tokens) and on 51-byte credentials, beside ours"""

import dataclasses
import functools
import subprocess

from harness import in_process, load
from harness.bench import Bench, Effort, MissingError
from harness.figures import Figure, Measure
from harness.load import BUILD, REPOSITORY

PROGRAM = BUILD / "tools" / "kubernetes-token-cache"
SOURCE = REPOSITORY / "tests" / "bench" / "kubernetes"

OWN_TOKEN, CREDENTIAL = 842, 51
FEW, MANY = 100, 12_500


@dataclasses.dataclass(frozen=True)
class Case:
    threads: int
    tokens: int
    size: int  # bytes of a token

    def __str__(self) -> str:
        return f"{self.tokens} tokens of {self.size} bytes, {self.threads} thread{'s' * (self.threads > 1)}"


CASES = {
    "kubernetes.own_tokens": Case(1, FEW, OWN_TOKEN),
    "kubernetes.own_tokens_2_threads": Case(2, FEW, OWN_TOKEN),
    "kubernetes.credentials": Case(1, FEW, CREDENTIAL),
    "kubernetes.credentials_2_threads": Case(2, FEW, CREDENTIAL),
    "kubernetes.own_tokens_many": Case(1, MANY, OWN_TOKEN),
}
FEW_CASE, MANY_CASE = CASES["kubernetes.own_tokens"], CASES["kubernetes.own_tokens_many"]
RATE = Measure[float]("rate", "log-ons/s", lambda rate: rate)
EACH = Measure[float]("time of one", "ns", lambda rate: 1e9 / rate)
OURS, THEIRS = "credcached", "Kubernetes"


def run(bench: Bench) -> None:
    seconds = bench.effort.seconds
    try:
        build(bench)
    except MissingError as why:
        bench.lacks("the Kubernetes token cache", str(why), *CASES)
        return
    effort = bench.effort.fewer(5)
    try:
        for name, case in CASES.items():
            sides = {side: functools.partial(measure, case, seconds) for side, measure in SIDES.items()}
            bench.add(bench.alternate(str(case), sides, effort).compare(name, str(case), OURS, THEIRS, RATE))
    except MissingError as why:
        absent = set(CASES) - {figure.name for figure in bench.figures}
        bench.lacks("credcache-bench's side", str(why), *sorted(absent), "kubernetes.no_stall")
    else:
        bench.add(stall(bench, "kubernetes.no_stall", OURS, effort))
    bench.add(stall(bench, "kubernetes.its_stall", THEIRS, effort.fewer(3)))


def stall(bench: Bench, name: str, side: str, effort: Effort) -> Figure:
    """How much longer one log-on takes where tokens outlive their entries: a cache that waits on misses stalls."""
    many, few = f"{side}, {MANY} tokens", f"{side}, {FEW} tokens"
    sides = {
        title: functools.partial(SIDES[side], case, bench.effort.seconds)
        for title, case in {many: MANY_CASE, few: FEW_CASE}.items()
    }
    rounds = bench.alternate(f"few and many tokens, {side}", sides, effort)
    return rounds.compare(name, "842 bytes, 1 thread", many, few, EACH)


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


def measure_theirs(case: Case, seconds: float) -> float:
    name = f"{case.threads}x{case.tokens}x{case.size}"
    command = [PROGRAM, f"-warm-up={seconds / 2:g}s", f"-duration={seconds:g}s", name]
    return load.run_json(command, 60 + 2 * seconds)[0]["authentications_per_second"]


def measure_ours(case: Case, seconds: float) -> float:
    name = f"^BM_Kubernetes/tokens:{case.tokens}/bytes:{case.size}/real_time/threads:{case.threads}$"
    ((repetition,),) = in_process.run(name, seconds=seconds).values()
    return repetition.items_per_second


SIDES = {OURS: measure_ours, THEIRS: measure_theirs}
