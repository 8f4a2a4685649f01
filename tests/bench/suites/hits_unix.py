"""unary hits over a unix socket, beside the bare gRPC echo over one, and beside ourselves over loopback TCP"""

from harness import load, servers
from harness.bench import Bench
from harness.load import MEDIAN_LATENCY, THROUGHPUT

TCP = "credcached over TCP"
CONTROL = "echo again"


def run(bench: Bench) -> None:
    ours = servers.start_credcached(bench)
    ends = {
        "credcached": ours.unix,
        "echo": servers.start_echo(bench, unix=True),
        TCP: ours.endpoint,
        CONTROL: servers.start_echo(bench, unix=True),
    }
    effort = bench.effort.close
    saturated = bench.alternate("64 in flight", load.hit_sides(ends, seconds=effort.seconds, in_flight=64), effort)
    what = "unary hit, unix socket, 64 in flight"
    bench.add(
        saturated.compare("hits_unix.throughput", what, "credcached", "echo", THROUGHPUT),
        saturated.compare("hits_unix.throughput_control", what, CONTROL, "echo", THROUGHPUT),
        saturated.compare("hits_unix.over_tcp", what, "credcached", TCP, THROUGHPUT),
    )
    single = bench.alternate("1 in flight", load.hit_sides(ends, seconds=effort.seconds, in_flight=1), effort)
    what = "unary hit, unix socket, 1 in flight"
    bench.add(
        single.compare("hits_unix.latency", what, "credcached", "echo", MEDIAN_LATENCY),
        single.compare("hits_unix.latency_control", what, CONTROL, "echo", MEDIAN_LATENCY),
        single.compare("hits_unix.latency_over_tcp", what, "credcached", TCP, MEDIAN_LATENCY),
    )
