"""hits on a stream against unary hits, 64 in flight, messages of up to 16; beside it what a bare gRPC echo gains"""

import functools

from harness import load, servers
from harness.bench import Bench
from harness.load import THROUGHPUT


def run(bench: Bench) -> None:
    ends = {"credcached": servers.start_credcached(bench).endpoint, "echo": servers.start_echo(bench)}
    seconds = bench.effort.seconds
    sides = {}
    for name, end in ends.items():
        sides[f"{name} stream"] = functools.partial(
            load.hits, end, seconds=seconds, method="stream", in_flight=64, batch=16
        )
        sides[f"{name} unary"] = functools.partial(load.hits, end, seconds=seconds, in_flight=64)
    rounds = bench.alternate("64 in flight", sides)
    what = "hit, 64 in flight"
    bench.add(
        rounds.compare("stream.over_unary", what, "credcached stream", "credcached unary", THROUGHPUT),
        rounds.compare("stream.over_unary_echo", what, "echo stream", "echo unary", THROUGHPUT),
        rounds.compare("stream.throughput", what, "credcached stream", "echo stream", THROUGHPUT),
    )
