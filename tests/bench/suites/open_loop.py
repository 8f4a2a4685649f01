"""p99.9 of hits beside misses of 200 ms and invalidations, and of the bare echo, at half of what it holds in open loop

Log-ons that come one by one, at their own times, cost several times the processor time of those of a closed loop, which
come and are answered many at once. So a full load is the greatest rate of an open loop that the echo holds.
"""

import functools
import itertools
import statistics
from collections.abc import Iterator

import configs
from harness import load, peers, process, servers, workload
from harness.bench import Bench, BenchError, Effort
from harness.figures import Figure, Measure, Rounds, Spread
from harness.load import BUILD, Load

PROXY = BUILD / "bin" / "credcache-delay-proxy"
# Of each answer of slapd's. A miss asks it twice: a bind, and the user's entry.
DELAY = "100ms"
MISSES_PERCENT = 2
# What 2 % of 20,000 log-ons a second need at 200 ms each, twice: no miss waits for a connection.
CONNECTIONS = 160
# The first users are known; the misses of all rounds are others.
KNOWN, OTHERS = workload.USERS, 40_000
WARM_UP = 0.5
# An echo that takes longer does not hold the load: its queue grows.
MOST_OF_ECHO_US = 50_000
# Of what closed loops reach.
PARTS_OF_LOAD = (2, 3, 4, 6, 8, 12)

HIT_P99_9 = Measure[Load]("p99.9 of hits", "us", lambda result: result.document["hit_latency_us"]["p99_9"])
# Of all log-ons the slowest are the misses, and this is the middle one of them; far above 200, the machine is too busy.
MISS_MEDIAN = Measure[Load]("median of misses", "ms", lambda result: result.document["latency_us"]["p99"] / 1000)
HIT_P99 = Measure[Load]("p99 of hits", "us", lambda result: result.document["hit_latency_us"]["p99"])


def run(bench: Bench) -> None:
    process.need(str(PROXY), "none: ./dev build makes it")
    directory = peers.directory(bench, KNOWN + OTHERS)
    command = [str(PROXY), "--to", str(directory.port), "--delay", DELAY]
    proxy = process.start(bench.stack, command, bench.folder, ready=r"credcache-delay-proxy ready (\S+)\n")
    validator = configs.ldap(
        directory,
        folder=bench.folder / "secrets",
        search=False,
        connections=CONNECTIONS,
        urls=[f"ldap://{proxy[1]}"],
    )
    ours = servers.start_credcached(bench, realms=[configs.realm(validator)]).endpoint
    echo = servers.start_echo(bench)

    effort, seconds = bench.effort, bench.effort.seconds * 3
    saturated = [load.hits(ours, seconds=effort.seconds, users=KNOWN, in_flight=64) for _ in range(3)]
    full = statistics.median(result.requests_per_second for result in saturated)
    open_loop = functools.partial(
        load.grpc, seconds=seconds, warm_up=f"{WARM_UP:g}s", users=KNOWN, prime=True, in_flight=5_000
    )
    held = held_rate(bench, functools.partial(open_loop, echo), full)
    first = itertools.count(KNOWN)

    def alternate(rate: int, effort: Effort) -> Rounds[Load]:
        at_rate = functools.partial(open_loop, rate=rate)
        most_misses = int(rate * MISSES_PERCENT / 100 * (seconds + WARM_UP) * 1.3)
        sides = {
            "credcached": functools.partial(beside_misses, at_rate, ours, first, most_misses),
            "echo": functools.partial(at_rate, echo),
            "credcached, hits alone": functools.partial(at_rate, ours),
        }
        rounds = bench.alternate(f"open loop, {rate} log-ons a second", sides, effort)
        if (floor := rounds.value("echo", HIT_P99_9).value) > MOST_OF_ECHO_US:
            raise BenchError(f"the echo's own p99.9 is {floor / 1000:.0f} ms: the machine is busy with something else")
        return rounds

    rate = held // 2
    rounds = alternate(rate, effort)
    misses = rounds.values("credcached", MISS_MEDIAN)
    bench.details.update(rate=rate, held=held, misses_ms=misses)
    beside = f"{MISSES_PERCENT} % misses of 200 ms, an Invalidate a second"
    what = f"half load, {rate} a second, {beside}"
    bench.add(
        rounds.compare("open_loop.p99_9", what, "credcached", "echo", HIT_P99_9),
        rounds.compare("open_loop.p99", what, "credcached", "echo", HIT_P99),
        Figure(
            "open_loop.miss",
            "what a miss took, the wait for the load generator's turn included",
            Spread.of(misses),
            "ms",
        ),
        rounds.compare(
            "open_loop.alone_p99_9", f"{rate} hits a second, nothing else", "credcached, hits alone", "echo", HIT_P99_9
        ),
    )
    rounds = alternate(held, effort.fewer(5))
    what = f"the most that the echo holds, {held} a second, {beside}"
    bench.add(rounds.compare("open_loop.held_p99_9", what, "credcached", "echo", HIT_P99_9))


def held_rate(bench: Bench, echo: functools.partial[Load], full: float) -> int:
    """The greatest part of a closed loop's log-ons a second at which the echo has a short tail, three times running."""
    for part in PARTS_OF_LOAD:
        rate = int(full / part)
        worst = max(HIT_P99_9.of(echo(rate=rate)) for _ in range(3))
        bench.say(
            f"{rate} log-ons a second, 1/{part} of a closed loop's: the echo's p99.9 is {worst / 1000:.1f} ms at worst"
        )
        if worst <= MOST_OF_ECHO_US:
            return rate
    raise BenchError("the echo holds no part of the load: the machine is busy with something else")


def beside_misses(at_rate: functools.partial, server: load.Endpoint, users: Iterator[int], most: int) -> Load:
    """`users`: who has not logged on yet, of whom it takes `most`."""
    mix = f"hit={100 - MISSES_PERCENT},miss={MISSES_PERCENT}"
    taken = list(itertools.islice(users, most))
    if taken[-1] >= KNOWN + OTHERS:
        raise BenchError(f"the misses of all rounds are more than the {OTHERS} users that there are for them")
    result = at_rate(server, mix=mix, first_miss=taken[0], invalidate_every="1s")
    document = result.document
    if set(document["outcomes"]) != {"accepted"} or MISS_MEDIAN.of(result) < 190:
        raise BenchError(f"misses: {document['outcomes']}, and they took {MISS_MEDIAN.of(result):.0f} ms")
    if result.sources.get("backend", 0) > most or not document["invalidations"]:
        raise BenchError(f"answers from {result.sources}, and {document['invalidations']} invalidations")
    return result
