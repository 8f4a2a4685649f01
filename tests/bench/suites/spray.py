"""unary hits beside a spray of 100,000 made-up names at the same server, and beside the same at another; what it leaves

The sprayer (Python) and the validation of each name take processor time wherever the names go to, and on shared cores
that comes off the hits. So the side to compare with has all of that too, at an equal server: what the ratio shows is
what one server's hits lose to its own misses. Where the kernel shares time out by session (sched_autogroup), it also
shows that two servers are given two shares, and one server one; the JSON tells whether it does. What everything
together costs is the figure beside it, without target.
"""

import functools
import itertools
import pathlib

import configs
import credcached
from harness import load, servers
from harness.bench import Bench
from harness.figures import Figure, Measure, Spread, Value
from harness.load import THROUGHPUT, Load
from harness.servers import Credcached
from harness.spray import Spray

SPRAYED, BESIDE, ALONE = "sprayed", "another is sprayed", "no spray"
NAMES_A_SECOND = 1_000
# A cache with room for the users and an eighth, and many times less than there are names.
BUCKETS, MAX_ENTRIES, USERS = 16, 16_384, 8_000
MEGABYTE = 1 << 20
AUTOGROUP = pathlib.Path("/proc/sys/kernel/sched_autogroup_enabled")

MEDIAN_LATENCY = Measure[Load]("median latency", "us", lambda result: result.p50)


def run(bench: Bench) -> None:
    names = 10_000 if bench.effort.quick else 100_000
    ours, other = (start(bench, name) for name in ("credcached", "another"))
    hits = functools.partial(load.hits, ours.endpoint, users=USERS, in_flight=64)
    hits(seconds=0.1)
    resident, entries = ours.process.memory_bytes(), ours.process.metrics()
    numbers = itertools.count()
    sprays = {
        SPRAYED: bench.stack.enter_context(Spray(ours.endpoint, numbers)),
        BESIDE: bench.stack.enter_context(Spray(other.endpoint, itertools.count())),
    }
    rates: dict[str, list[float]] = {side: [] for side in sprays}

    def beside(side: str) -> Load:
        with sprays[side].running(NAMES_A_SECOND):
            result = hits(seconds=bench.effort.seconds)
        rates[side].append(sprays[side].rate)
        return result

    rounds = bench.alternate(
        f"64 in flight, {NAMES_A_SECOND} made-up names a second",
        {
            SPRAYED: functools.partial(beside, SPRAYED),
            BESIDE: functools.partial(beside, BESIDE),
            ALONE: functools.partial(hits, seconds=bench.effort.seconds),
        },
    )
    sent = next(numbers)
    bench.say(f"the rest of {names} names")
    sprays[SPRAYED].send(max(names - sent, 0))
    # Each user once more, all of them from the cache, or they are counted as evicted.
    hits(seconds=0.1)
    bench.details.update(rates=rates, autogroup=AUTOGROUP.exists() and AUTOGROUP.read_text().strip() == "1")

    what = "unary hit, 64 in flight"
    kept = rounds.compare("spray.hits_kept", what, SPRAYED, BESIDE, THROUGHPUT)
    spread = tuple(Value(f"names, {side}", Spread.of(found).median, "/s") for side, found in rates.items())
    bench.add(
        Figure(kept.name, f"{kept.what} (its cost is in both)", kept.spread, values=(*kept.values, *spread)),
        rounds.compare("spray.latency", what, SPRAYED, BESIDE, MEDIAN_LATENCY),
        rounds.compare("spray.of_alone", f"{what}; the sprayer's own time counts", SPRAYED, ALONE, THROUGHPUT),
        *left(ours, entries, resident, max(names, sent)),
    )


def start(bench: Bench, name: str) -> Credcached:
    folder = bench.folder / f"users-of-{name}"
    folder.mkdir()
    realm = configs.realm(configs.users_file(servers.write_users(folder / "users", USERS)))
    return servers.start_credcached(
        bench, name=name, realms=[realm], cache={"buckets": BUCKETS, "max_entries": MAX_ENTRIES}
    )


def left(ours: Credcached, before: credcached.Metrics, resident: int, names: int) -> list[Figure]:
    """What the names did to the cache and to memory."""
    after = ours.process.metrics()
    validated = after.total("credcache_authentications_total", outcome="accepted", source="backend")
    again = validated - before.total("credcache_authentications_total", outcome="accepted", source="backend")
    good, bad = (after.total("credcache_cache_entries", kind=kind) for kind in ("positive", "negative"))
    evictions = after.total("credcache_cache_evictions_total")
    grown = (ours.process.memory_bytes() - resident) / MEGABYTE
    return [
        Figure(
            "spray.evicted",
            f"users of {USERS:,} who had to be validated again after {names:,} made-up names",
            Spread.of([again]),
            "",
            (Value("good entries", good, ""), Value("evictions, of bad ones", evictions, "")),
        ),
        Figure(
            "spray.negative",
            f"negative entries / an eighth of {MAX_ENTRIES:,}",
            Spread.of([bad / (MAX_ENTRIES / 8)]),
            values=(Value("negative entries", bad, ""),),
        ),
        Figure("spray.resident", f"the server's resident size: growth by {names:,} names", Spread.of([grown]), "MiB"),
    ]
