"""other authentication servers with the same users, each at its best: throughput, and latency of one at a time"""

import functools

from harness import contest, load, plots, servers
from harness.bench import Bench
from harness.load import MEDIAN_LATENCY, THROUGHPUT

# How we are driven: unary calls, as peers are; and what only we have.
WAYS = {
    "unary": {"in_flight": 64},
    "stream": {"method": "stream", "in_flight": 64, "batch": 16},
    "batch": {"method": "batch", "in_flight": 4, "batch": 128},
}


def run(bench: Bench) -> None:
    users, seconds = contest.users_of(bench), bench.effort.seconds
    ours = servers.start_credcached(bench).endpoint
    there: dict[contest.Peer, str] = {}
    for peer in contest.everyone(bench):
        address = contest.start(bench, peer, *(f"peers.{peer.name}.{figure}" for figure in (*WAYS, "latency")))
        if address is not None:
            there[peer] = address
    ways = {peer: contest.best_way(bench, peer, address) for peer, address in there.items()}

    many = {
        f"credcached {way}": functools.partial(load.hits, ours, seconds=seconds, users=users, **options)
        for way, options in WAYS.items()
    }
    # The echo is there for the plot.
    ends = {"credcached": ours, "bare gRPC echo": servers.start_echo(bench)}
    one = load.hit_sides(ends, seconds=seconds, users=users, in_flight=1)
    for peer, address in there.items():
        many[peer.title] = functools.partial(contest.drive, bench, peer, address, ways[peer], seconds)
        one[peer.title] = functools.partial(contest.drive, bench, peer, address, peer.ways[0], seconds)
    effort = bench.effort.fewer(5)
    throughput = bench.alternate("throughput", many, effort)
    latency = bench.alternate("one at a time", one, effort)

    for peer in there:
        for way in WAYS:
            name = f"peers.{peer.name}.{way}"
            bench.add(throughput.compare(name, "log-ons known", f"credcached {way}", peer.title, THROUGHPUT))
        name = f"peers.{peer.name}.latency"
        bench.add(latency.compare(name, "one at a time", "credcached", peer.title, MEDIAN_LATENCY))
    for side in one:
        bench.plot(plots.LATENCY, side, plots.tail_of(load.merged_histogram(latency.results[side])))
    bench.details["ways"] = {peer.title: ways[peer] for peer in there}
