"""misses through credcached to a slapd whose hashes are slow ({CRYPT}$6$), beside the same binds by libldap itself"""

import contextlib
import dataclasses
import functools
import itertools
import os
import pathlib
from collections.abc import Callable, Iterator

import configs
import slapd
from harness import load, peers, process, servers, workload
from harness.bench import Bench, BenchError
from harness.figures import Figure, Measure, Spread
from harness.load import Endpoint, Load

# Connections to slapd, of each side; it has as many threads. With twice as many log-ons in flight none is ever unused.
CONNECTIONS = 8
IN_FLIGHT = 2 * CONNECTIONS
DIRECT, SEARCH, BINDS = "credcached, direct bind", "credcached, search and bind", "libldap, binds"
STREAM = "credcached, direct bind, over a stream"
SEARCHED = "searched.example"  # the realm whose users are searched for
# More than any two cores check in a second, hashes of 5,000 rounds.
MOST_A_SECOND = 1_200
WARM_UP = 0.1


@dataclasses.dataclass(frozen=True)
class Run:
    """Times in microseconds of a core, for each log-on."""

    load: Load
    slapd_time: float
    our_time: float


THROUGHPUT = Measure[Run]("throughput", "requests/s", lambda run: run.load.requests_per_second)
SLAPD_TIME = Measure[Run]("slapd's processor time", "us a log-on", lambda run: run.slapd_time)
OUR_TIME = Measure[Run]("credcached's processor time", "us a log-on", lambda run: run.our_time)


def run(bench: Bench) -> None:
    effort = bench.effort.fewer(5)
    most_a_run = int((effort.seconds + WARM_UP) * MOST_A_SECOND)
    # Over a stream and a call each; once with all cores for all, once with the directory apart. The load generator
    # wants a known user: number 0.
    users = 1 + 2 * 2 * most_a_run * effort.rounds
    bench.say(f"hashing the passwords of {users} users")
    directory = peers.slow_directory(bench, users)
    server = servers.start_credcached(bench, realms=realms(bench, directory))
    first = {realm: itertools.count(1, most_a_run) for realm in (workload.REALM, SEARCHED)}

    def through_us(realm: str, method: str = "unary") -> functools.partial[Load]:
        return functools.partial(misses, server.endpoint, realm, method, first[realm], most_a_run, effort.seconds)

    binds = functools.partial(
        load.peer, "ldap", directory.url, seconds=effort.seconds, users=users, connections=CONNECTIONS
    )
    sides = {
        DIRECT: through_us(workload.REALM),
        STREAM: through_us(workload.REALM, "stream"),
        SEARCH: through_us(SEARCHED),
        BINDS: binds,
    }
    sides = {side: timed(measure, directory.pid, server.process.pid) for side, measure in sides.items()}
    together = bench.alternate(f"{CONNECTIONS} connections", sides, effort)
    what = "validated at slapd"
    bench.add(together.compare("misses.throughput", what, DIRECT, BINDS, THROUGHPUT))
    bench.add(together.compare("misses.stream", what, STREAM, BINDS, THROUGHPUT))
    bench.add(together.compare("misses.searched", what, SEARCH, BINDS, THROUGHPUT))

    # A log-on through us is a bind and a search, which brings the identity.
    bench.add(together.compare("misses.slapd_time", what, STREAM, BINDS, SLAPD_TIME))
    for name, side in (("misses.our_time", DIRECT), ("misses.our_time_stream", STREAM)):
        spread = Spread.of(together.values(side, OUR_TIME))
        bench.add(Figure(name, f"{what}: {OUR_TIME.name}, {side}", spread, OUR_TIME.unit))

    # The directory of a site is another machine. Its core is busy with hashes then, and what we need is had elsewhere.
    with cores_apart(directory.pid, server.process.pid):
        apart = bench.alternate("slapd on a core of its own", sides, effort)
    what = "validated at slapd on a core of its own"
    bench.add(apart.compare("misses.throughput_apart", what, DIRECT, BINDS, THROUGHPUT))
    bench.add(apart.compare("misses.stream_apart", what, STREAM, BINDS, THROUGHPUT))
    bench.add(apart.compare("misses.searched_apart", what, SEARCH, BINDS, THROUGHPUT))


def timed(measure: Callable[[], Load], slapd_pid: int, our_pid: int) -> Callable[[], Run]:
    def run() -> Run:
        before = [process.processor_seconds(pid) for pid in (slapd_pid, our_pid)]
        result = measure()
        used = [process.processor_seconds(pid) - was for pid, was in zip((slapd_pid, our_pid), before, strict=True)]
        log_ons = result.requests_per_second * (result.document["seconds"] + WARM_UP)
        return Run(result, *(seconds / log_ons * 1e6 for seconds in used))

    return run


@contextlib.contextmanager
def cores_apart(directory: int, server: int) -> Iterator[None]:
    """The first core for the directory alone; the others for the server, and for us and what we start."""
    cores = os.sched_getaffinity(0)
    if len(cores) < 2:
        raise BenchError("one core cannot be shared out")
    others = set(sorted(cores)[1:])
    try:
        pin(directory, cores - others)
        pin(server, others)
        os.sched_setaffinity(0, others)
        yield
    finally:
        os.sched_setaffinity(0, cores)


def pin(process: int, cores: set[int]) -> None:
    """All threads that it has; those that come later do as the one that makes them."""
    for task in pathlib.Path(f"/proc/{process}/task").iterdir():
        os.sched_setaffinity(int(task.name), cores)


def realms(bench: Bench, directory: slapd.Slapd) -> list[dict]:
    """Two over one directory, each with its connections: users bound at once, and after a search."""

    def one(name: str, search: bool) -> dict:
        validator = configs.ldap(directory, folder=bench.folder / "secrets", search=search, connections=CONNECTIONS)
        return configs.realm(validator, name=name)

    return [one(workload.REALM, search=False), one(SEARCHED, search=True)]


def misses(server: Endpoint, realm: str, method: str, first: Iterator[int], most: int, seconds: float) -> Load:
    """Each log-on by a user who was not seen before, validated and accepted."""
    result = load.grpc(
        server,
        seconds=seconds,
        warm_up=f"{WARM_UP:g}s",
        realm=realm,
        method=method,
        users=1,
        in_flight=IN_FLIGHT,
        mix="miss=100",
        first_miss=next(first),
    )
    document = result.document
    if set(document["outcomes"]) != {"accepted"} or set(result.sources) != {"backend"}:
        raise BenchError(f"{document['requests']} misses: {document['outcomes']} from {result.sources}")
    if document["requests"] > most:
        raise BenchError(f"{document['requests']} misses are more than the {most} users that there are for a run")
    return result
