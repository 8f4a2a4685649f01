"""unary hits with mutual TLS, beside the bare gRPC echo with the same certificates"""

from harness import load, servers
from harness.bench import Bench
from harness.load import MEDIAN_LATENCY, THROUGHPUT


def run(bench: Bench) -> None:
    tls = servers.Tls.make(bench.folder / "ca")
    ends = {"credcached": servers.start_credcached(bench, tls).endpoint, "echo": servers.start_echo(bench, tls)}
    effort = bench.effort.close
    saturated = bench.alternate("64 in flight", load.hit_sides(ends, seconds=effort.seconds, in_flight=64), effort)
    what = "unary hit, mTLS, 64 in flight"
    bench.add(saturated.compare("hits_tls.throughput", what, "credcached", "echo", THROUGHPUT))
    single = bench.alternate("1 in flight", load.hit_sides(ends, seconds=effort.seconds, in_flight=1), effort)
    bench.add(single.compare("hits_tls.latency", "unary hit, mTLS, 1 in flight", "credcached", "echo", MEDIAN_LATENCY))
