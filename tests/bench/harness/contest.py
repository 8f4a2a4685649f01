"""The peers as sides of a measurement: each started, primed, and driven in the way that serves it best."""

import dataclasses
import functools
import statistics
from collections.abc import Callable

from harness import load, peers, workload
from harness.bench import Bench, BenchError, MissingError
from harness.load import Load

# Ways to drive a peer: options of credcache-peer-load.
Way = dict[str, int]


@dataclasses.dataclass(frozen=True, eq=False)
class Peer:
    """`title`: as the report names it. `ways`: among them, the first is one log-on in flight; all are tried. `caches`:
    whether it remembers who was logged on, and so has to see each user once before it is measured."""

    name: str
    title: str
    kind: str
    start: Callable[[], str]
    ways: tuple[Way, ...]
    caches: bool = False


_PIPELINED: tuple[Way, ...] = (
    {"connections": 1, "in_flight": 1},
    {"connections": 1, "in_flight": 16},
    {"connections": 1, "in_flight": 64},
    {"connections": 4, "in_flight": 16},
    {"connections": 4, "in_flight": 64},
)
_CONNECTIONS: tuple[Way, ...] = tuple({"connections": count} for count in (1, 2, 4, 8, 16))


def users_of(bench: Bench) -> int:
    return 100 if bench.effort.quick else workload.USERS


def directory(bench: Bench) -> Callable[[], str]:
    """The URL of one slapd, which is started when it is first asked for."""

    @functools.cache
    def start() -> str:
        return peers.directory(bench, users_of(bench)).url

    return start


def dovecots(bench: Bench, url: Callable[[], str]) -> list[Peer]:
    users = users_of(bench)
    return [
        Peer(
            "dovecot_file",
            "Dovecot auth, passwd-file",
            "dovecot",
            lambda: peers.dovecot_file(bench, users),
            _PIPELINED,
        ),
        Peer(
            "dovecot_ldap",
            "Dovecot auth, cache over LDAP",
            "dovecot",
            lambda: peers.dovecot_ldap(bench, url()),
            _PIPELINED,
            caches=True,
        ),
    ]


def everyone(bench: Bench) -> list[Peer]:
    users = users_of(bench)
    url = directory(bench)
    return [
        Peer(
            "saslauthd",
            "saslauthd -c, sasldb",
            "saslauthd",
            lambda: peers.saslauthd(bench, users),
            _CONNECTIONS,
            caches=True,
        ),
        *dovecots(bench, url),
        Peer("slapd", "slapd, binds by libldap", "ldap", url, _CONNECTIONS),
        Peer("nginx", "nginx auth_basic, $6$", "http", lambda: peers.nginx(bench, users), _CONNECTIONS),
    ]


def start(bench: Bench, peer: Peer, *figures: str) -> str | None:
    """Its address, ready to be measured; None when it cannot be had here, which is told with figures that need it."""
    bench.say(f"starting {peer.title}")
    try:
        address = peer.start()
        load.peer(peer.kind, address, seconds=0.1, users=users_of(bench), prime=peer.caches)
    except (MissingError, BenchError, AssertionError) as why:
        bench.lacks(peer.title, str(why), *figures)
        return None
    return address


def drive(bench: Bench, peer: Peer, address: str, way: Way, seconds: float) -> Load:
    return load.peer(peer.kind, address, seconds=seconds, users=users_of(bench), **way)


def best_way(bench: Bench, peer: Peer, address: str) -> Way:
    """What gives it the most throughput: the best median of a few short tries, in turn."""
    passes, seconds = (1, 0.2) if bench.effort.quick else (3, 0.4)
    rates: list[list[float]] = [[] for _ in peer.ways]
    for _ in range(passes):
        for tried, way in zip(rates, peer.ways, strict=True):
            tried.append(drive(bench, peer, address, way, seconds).requests_per_second)
    rate, index = max((statistics.median(tried), index) for index, tried in enumerate(rates))
    bench.say(f"{peer.title}: at its best with {peer.ways[index]}: about {rate:.0f} log-ons/s")
    return peer.ways[index]


def best_dovecot(bench: Bench) -> Callable[[], Load] | None:
    """The fastest way to ask the faster of the two Dovecots; None when neither can be had."""
    found: list[tuple[float, Callable[[], Load]]] = []
    for peer in dovecots(bench, directory(bench)):
        address = start(bench, peer)
        if address is not None:
            side = functools.partial(drive, bench, peer, address, best_way(bench, peer, address), bench.effort.seconds)
            found.append((side().requests_per_second, side))
    return max(found, key=lambda pair: pair[0])[1] if found else None
