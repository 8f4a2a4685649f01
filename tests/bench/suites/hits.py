"""unary hits over loopback TCP, beside the bare gRPC echo: saturated, one at a time, and with 1 to 256 in flight

A second echo beside the first shows what a ratio is worth on the machine of the run.
"""

from harness import load, plots, servers
from harness.bench import Bench
from harness.load import MEDIAN_LATENCY, THROUGHPUT

CONTROL = "echo again"
IN_FLIGHT = (1, 2, 4, 8, 16, 32, 64, 128, 256)


def run(bench: Bench) -> None:
    ends = {"credcached": servers.start_credcached(bench).endpoint, "echo": servers.start_echo(bench)}
    controlled = {**ends, CONTROL: servers.start_echo(bench)}
    effort = bench.effort.close

    saturated = bench.alternate(
        "64 in flight", load.hit_sides(controlled, seconds=effort.seconds, in_flight=64), effort
    )
    single = bench.alternate("1 in flight", load.hit_sides(controlled, seconds=effort.seconds, in_flight=1), effort)
    for rounds, figure, measure, what in (
        (saturated, "throughput", THROUGHPUT, "unary hit, 64 in flight"),
        (single, "latency", MEDIAN_LATENCY, "unary hit, 1 in flight"),
    ):
        bench.add(
            rounds.compare(f"hits.{figure}", what, "credcached", "echo", measure),
            rounds.compare(f"hits.{figure}_control", what, CONTROL, "echo", measure),
        )
    for side in ends:
        bench.plot(plots.LATENCY_ECHO, side, plots.tail_of(load.merged_histogram(single.results[side])))

    curves: dict[str, list[tuple[float, float]]] = {side: [] for side in ends}
    for in_flight in IN_FLIGHT:
        sides = load.hit_sides(ends, seconds=bench.effort.seconds / 2, in_flight=in_flight)
        rounds = bench.alternate(f"{in_flight} in flight, for the plot", sides, bench.effort.fewer(3))
        for side, curve in curves.items():
            curve.append((in_flight, rounds.value(side, THROUGHPUT).value))
    for side, curve in curves.items():
        bench.plot(plots.THROUGHPUT, side, curve)
