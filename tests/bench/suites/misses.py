"""misses through credcached to a slapd whose hashes are slow ({CRYPT}$6$), beside the same binds by libldap itself"""

import functools
import itertools
from collections.abc import Iterator

import configs
import slapd
from harness import load, peers, servers, workload
from harness.bench import Bench, BenchError
from harness.load import THROUGHPUT, Endpoint, Load

# Connections to slapd, of each side; it has as many threads. With twice as many log-ons in flight none is ever unused.
CONNECTIONS = 8
IN_FLIGHT = 2 * CONNECTIONS
SEARCHED = "searched.example"
# More than any two cores check in a second, hashes of 5,000 rounds.
MOST_A_SECOND = 1_200
WARM_UP = 0.1


def run(bench: Bench) -> None:
    effort = bench.effort.fewer(5)
    most_a_run = int((effort.seconds + WARM_UP) * MOST_A_SECOND)
    users = 1 + most_a_run * effort.rounds  # user 0 is nobody's: the load generator wants one to be known
    bench.say(f"hashing the passwords of {users} users")
    directory = peers.slow_directory(bench, users)
    server = servers.start_credcached(bench, realms=realms(bench, directory)).endpoint
    bench.details["users"] = users

    def through_us(realm: str) -> functools.partial[Load]:
        return functools.partial(misses, server, realm, itertools.count(1, most_a_run), most_a_run, effort.seconds)

    rounds = bench.alternate(
        f"{CONNECTIONS} connections",
        {
            "credcached, direct bind": through_us(workload.REALM),
            "credcached, search and bind": through_us(SEARCHED),
            "libldap, binds": functools.partial(
                load.peer,
                "ldap",
                directory.url,
                seconds=effort.seconds,
                users=users,
                connections=CONNECTIONS,
            ),
        },
        effort,
    )
    for name, side in (("throughput", "credcached, direct bind"), ("searched", "credcached, search and bind")):
        bench.add(rounds.compare(f"misses.{name}", "validated at slapd", side, "libldap, binds", THROUGHPUT))


def realms(bench: Bench, directory: slapd.Slapd) -> list[dict]:
    """Two over one directory, each with its connections: users bound at once, and after a search."""

    def one(name: str, search: bool) -> dict:
        validator = configs.ldap(directory, folder=bench.folder / "secrets", search=search, connections=CONNECTIONS)
        return configs.realm(validator, name=name)

    return [one(workload.REALM, search=False), one(SEARCHED, search=True)]


def misses(server: Endpoint, realm: str, first: Iterator[int], most: int, seconds: float) -> Load:
    """Each log-on by a user who was not seen before, validated and accepted."""
    result = load.grpc(
        server,
        seconds=seconds,
        warm_up=f"{WARM_UP:g}s",
        realm=realm,
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
