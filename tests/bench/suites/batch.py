"""batches of 128 hits, beside the bare gRPC echo with the same batches, and beside Dovecot auth's best"""

from harness import contest, load, servers
from harness.bench import Bench
from harness.load import THROUGHPUT

SIZE = 128
IN_FLIGHT = 16


def run(bench: Bench) -> None:
    ends = {"credcached": servers.start_credcached(bench).endpoint, "echo": servers.start_echo(bench)}
    seconds = bench.effort.seconds
    options = {"method": "batch", "batch": SIZE, "in_flight": IN_FLIGHT}
    sides = load.hit_sides(ends, seconds=seconds, **options)
    dovecot = contest.best_dovecot(bench)
    if dovecot:
        sides["Dovecot auth"] = dovecot
    rounds = bench.alternate(f"batches of {SIZE}, {IN_FLIGHT} in flight", sides)
    what = f"hits in batches of {SIZE}"
    bench.add(rounds.compare("batch.throughput", what, "credcached", "echo", THROUGHPUT))
    if dovecot:
        bench.add(rounds.compare("batch.over_dovecot", what, "credcached", "Dovecot auth", THROUGHPUT))
    else:
        bench.lacks("Dovecot auth", "neither of the two can be had", "batch.over_dovecot")
