"""What was forgotten is not answered from the cache by any request that comes after Invalidate has returned."""

import pathlib
import threading
import time

import configs
import grpc
import pytest
import waiting
from client import Client, Connect, fails
from credcached import Credcached, Serve
from slapd import Slapd
from stubs import ACCEPTED, BACKEND, CACHE, REJECTED, invalidate_pb2, stats_pb2


@pytest.fixture
def two_realms(few: Slapd, serve: Serve, tmp_path: pathlib.Path) -> Credcached:
    """The same directory as two realms."""
    validator = configs.ldap(few, folder=tmp_path)
    realms = (configs.realm(validator), configs.realm(validator, name="other.example"))
    return serve(configs.config(*realms, cache={"quarantine": "0s"}))


def log_on_everywhere(client: Client) -> list[int]:
    """Sources of alice's and bob's log-ons in both realms."""
    return [
        client.authenticate(name, f"password-of-{name}", realm=realm).source
        for realm in (configs.REALM, "other.example")
        for name in ("alice", "bob")
    ]


def test_the_old_password_is_refused_right_after_invalidate_has_returned(
    on_few: Credcached, few: Slapd, connect: Connect
) -> None:
    client = connect(on_few)
    client.authenticate("alice", "password-of-alice")
    few.set_password("alice", "new-password-of-alice")
    assert client.authenticate("alice", "password-of-alice").source == CACHE, "the directory did not tell"
    answer = client.invalidate(user="alice", reason="password changed")
    assert answer.entries_removed == 1
    old = client.authenticate("alice", "password-of-alice")
    assert (old.outcome, old.source) == (REJECTED, BACKEND)
    sources = [client.authenticate("alice", "new-password-of-alice").source for _ in range(2)]
    assert sources == [BACKEND, CACHE]


def test_a_new_password_that_was_tried_too_early_is_forgotten_too(
    on_few: Credcached, few: Slapd, connect: Connect
) -> None:
    client = connect(on_few)
    assert client.authenticate("alice", "new-password-of-alice").outcome == REJECTED
    few.set_password("alice", "new-password-of-alice")
    assert client.authenticate("alice", "new-password-of-alice").source == CACHE
    assert client.invalidate(user="alice").entries_removed == 1
    assert client.authenticate("alice", "new-password-of-alice").outcome == ACCEPTED


@pytest.mark.parametrize(
    ("target", "sources", "removed"),
    [
        ({"user": invalidate_pb2.UserTarget(username="alice")}, [BACKEND, CACHE, CACHE, CACHE], 1),
        ({"user": invalidate_pb2.UserTarget(realm="OTHER.example", username="BOB")}, [CACHE, CACHE, CACHE, BACKEND], 1),
        ({"user": invalidate_pb2.UserTarget(username="bob@other.example")}, [CACHE, CACHE, CACHE, BACKEND], 1),
        ({"user": invalidate_pb2.UserTarget(username="nobody")}, [CACHE, CACHE, CACHE, CACHE], 0),
        ({"realm": "other.example"}, [CACHE, CACHE, BACKEND, BACKEND], 2),
        ({"all": True}, [BACKEND, BACKEND, BACKEND, BACKEND], 4),
    ],
    ids=["user", "user-of-realm", "user-at-realm", "unknown-user", "realm", "all"],
)
def test_what_is_named_goes_and_nothing_else(
    two_realms: Credcached, connect: Connect, target: dict, sources: list[int], removed: int
) -> None:
    client = connect(two_realms)
    assert log_on_everywhere(client) == [BACKEND] * 4
    assert log_on_everywhere(client) == [CACHE] * 4
    answer = client.invalidate(**target)
    assert answer.entries_removed == removed
    assert log_on_everywhere(client) == sources
    assert log_on_everywhere(client) == [CACHE] * 4


def test_revisions_grow_and_the_replica_acknowledges(on_file: Credcached, connect: Connect) -> None:
    client = connect(on_file)
    first, second = client.invalidate(user="alice"), client.invalidate(all=True)
    assert second.revision > first.revision
    replica = client.stats().replica
    assert replica.revision == second.revision
    assert replica.lease_state == stats_pb2.ReplicaStats.LEASE_STATE_NOT_NEEDED
    (acknowledgement,) = second.acknowledgements
    assert acknowledgement.replica == replica.name != ""
    assert acknowledgement.state == invalidate_pb2.ReplicaAcknowledgement.STATE_ACKNOWLEDGED
    assert client.stats().cache.invalidations == 2
    assert on_file.metrics().total("credcache_invalidations_total", target="user", origin="caller") == 1
    assert on_file.metrics().total("credcache_journal_revision") == second.revision


def test_in_quarantine_a_user_is_served_and_not_cached(
    few: Slapd, serve: Serve, connect: Connect, tmp_path: pathlib.Path
) -> None:
    server = serve(configs.config(configs.realm(configs.ldap(few, folder=tmp_path)), cache={"quarantine": "1h"}))
    client = connect(server)
    client.authenticate("alice", "password-of-alice")
    client.invalidate(user="alice")
    answers = [client.authenticate("alice", "password-of-alice") for _ in range(3)]
    assert [(answer.outcome, answer.source) for answer in answers] == [(ACCEPTED, BACKEND)] * 3
    assert client.stats().cache.entries == 0
    assert server.metrics().total("credcache_cache_misses_total", reason="quarantine") >= 2


def test_a_validation_under_way_fills_nothing_after_invalidate(
    few: Slapd, serve: Serve, connect: Connect, tmp_path: pathlib.Path
) -> None:
    server = serve(
        configs.config(configs.realm(configs.ldap(few, folder=tmp_path, timeout="60s")), cache={"quarantine": "0s"})
    )
    client = connect(server)
    for target in ({"realm": configs.REALM}, {"all": True}):
        few.freeze()
        call = client.begin("alice", "password-of-alice")
        waiting.until(lambda: server.metrics().total("credcache_backend_in_flight") >= 1, "alice is being validated")
        client.invalidate(**target)
        later = client.begin("alice", "password-of-alice")
        waiting.until(
            lambda: server.metrics().total("credcache_backend_in_flight") >= 2, "who comes later joins nobody"
        )
        few.thaw()
        assert call.result().outcome == ACCEPTED
        assert later.result().source == BACKEND
        assert client.authenticate("alice", "password-of-alice").source == CACHE, "what the later one brought"
        client.invalidate(all=True)


def test_without_its_directory_it_forgets_what_it_knows_and_says_that_this_may_not_be_all(
    few: Slapd, serve: Serve, connect: Connect, tmp_path: pathlib.Path
) -> None:
    validator = configs.ldap(few, folder=tmp_path, timeout="1s")
    server = serve(configs.config(configs.realm(validator), cache={"quarantine": "0s"}))
    client = connect(server)
    for name in ("alice", "alice@mail.example"):
        client.authenticate(name, "password-of-alice")
    client.authenticate("bob", "password-of-bob")
    few.kill()
    with fails(grpc.StatusCode.UNAVAILABLE):
        client.invalidate(user="alice@mail.example")
    for name in ("alice", "alice@mail.example"):
        with fails(grpc.StatusCode.UNAVAILABLE):
            client.authenticate(name, "password-of-alice")
    assert client.authenticate("bob", "password-of-bob").source == CACHE


def test_no_log_on_that_starts_after_invalidate_is_let_in_by_an_old_password(
    on_few: Credcached, few: Slapd, connect: Connect
) -> None:
    """Twenty password changes, each under fire of log-ons with the password before it."""
    stop = threading.Event()
    current = ["password-of-alice"]
    # When a password ceased to be good for log-ons: on the clock that the threads read.
    ended: dict[str, float] = {}
    wrong: list[str] = []
    counts = {ACCEPTED: 0, REJECTED: 0}

    def fire(client: Client) -> None:
        while not stop.is_set():
            for password in list(current[-2:]):
                started = time.monotonic()
                answer = client.authenticate("alice", password)
                counts[answer.outcome] += 1
                if answer.outcome == ACCEPTED and started > ended.get(password, float("inf")):
                    wrong.append(f"{password} at {started}, ended at {ended[password]}, source {answer.source}")

    threads = [threading.Thread(target=fire, args=(connect(on_few),)) for _ in range(8)]
    client = connect(on_few)
    for thread in threads:
        thread.start()
    try:
        for number in range(20):
            few.set_password("alice", f"password-of-alice-{number}")
            current.append(f"password-of-alice-{number}")
            client.invalidate(user="alice")
            ended[current[-2]] = time.monotonic()
    finally:
        stop.set()
        for thread in threads:
            thread.join(30)
    assert not wrong, wrong[:5]
    assert counts[ACCEPTED] > 0
    assert counts[REJECTED] > 0
