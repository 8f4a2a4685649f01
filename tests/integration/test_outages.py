"""A directory that is frozen, killed or away: UNAVAILABLE in time, nothing concluded, and service by itself again."""

import concurrent.futures
import pathlib
import time

import configs
import grpc
import pytest
import waiting
from certs import CertificateAuthority
from client import Client, Connect, fails, failure
from credcached import Credcached, Serve, is_about
from slapd import MakeDirectory, Slapd
from stubs import ACCEPTED, BACKEND, CACHE, REJECTED, STALE, stats_pb2

TIMEOUT_SECONDS = 1.0
# What a busy machine may add.
MARGIN_SECONDS = 2.0


@pytest.fixture(params=[True, False], ids=["search", "direct"])
def search(request: pytest.FixtureRequest) -> bool:
    """Both ways to ask a directory."""
    return request.param


@pytest.fixture
def server(few: Slapd, serve: Serve, tmp_path: pathlib.Path, search: bool) -> Credcached:
    """credcached on one directory, with a timeout of a second."""
    validator = configs.ldap(few, folder=tmp_path, search=search, timeout=f"{TIMEOUT_SECONDS:g}s")
    return serve(configs.config(configs.realm(validator)))


def nothing_was_concluded(client: Client, entries: int = 0) -> None:
    cache = client.stats().cache
    assert (cache.entries, cache.negative_entries) == (entries, 0)


def accepted_again(client: Client, name: str = "bob") -> None:
    """Service is back without anybody's help, and the verdict is the directory's own."""

    def try_once() -> object:
        try:
            return client.authenticate(name, f"password-of-{name}")
        except grpc.RpcError as error:
            assert error.code() == grpc.StatusCode.UNAVAILABLE, error
            return None

    answer = waiting.until(try_once, "the directory is asked again", every_seconds=0.05)
    assert (answer.outcome, answer.source) == (ACCEPTED, BACKEND)


def test_a_frozen_directory_is_unavailable_in_time_and_cached_users_notice_nothing(
    server: Credcached, few: Slapd, connect: Connect
) -> None:
    client = connect(server)
    assert client.authenticate("alice", "password-of-alice").outcome == ACCEPTED
    few.freeze()
    with waiting.Stopwatch() as watch:
        waiting_ones = [client.begin("bob", "password-of-bob"), client.begin("carol", "not-the-password")]
        for _ in range(20):
            answer = client.authenticate("alice", "password-of-alice", deadline_seconds=0.5)
            assert (answer.outcome, answer.source) == (ACCEPTED, CACHE)
        for call in waiting_ones:
            assert failure(call.exception()).code == grpc.StatusCode.UNAVAILABLE
            assert failure(call.exception()).domain == "credcache"
    assert watch.seconds < TIMEOUT_SECONDS + MARGIN_SECONDS
    nothing_was_concluded(client, entries=1)
    assert [backend.state for backend in client.stats().backends] == [stats_pb2.BackendStats.STATE_DOWN]
    server.wait_for_log(lambda line: is_about(line, few.url), "which directory does not answer")

    few.thaw()
    accepted_again(client)
    assert client.authenticate("carol", "not-the-password").source == BACKEND
    assert [backend.state for backend in client.stats().backends] == [stats_pb2.BackendStats.STATE_UP]


@pytest.mark.parametrize("transport", ["start_tls", "ldaps"])
def test_a_directory_that_freezes_before_the_tls_handshake_is_unavailable_in_time(
    few: Slapd,
    serve: Serve,
    connect: Connect,
    authority: CertificateAuthority,
    tmp_path: pathlib.Path,
    search: bool,
    transport: str,
) -> None:
    validator = configs.ldap(
        few,
        folder=tmp_path,
        search=search,
        transport=transport,
        ca=authority.certificate,
        timeout=f"{TIMEOUT_SECONDS:g}s",
    )
    client = connect(serve(configs.config(configs.realm(validator))))
    few.freeze()
    with waiting.Stopwatch() as watch, fails(grpc.StatusCode.UNAVAILABLE):
        client.authenticate("bob", "password-of-bob")
    assert watch.seconds < TIMEOUT_SECONDS + MARGIN_SECONDS
    few.thaw()
    accepted_again(client)


def test_a_crowd_before_a_frozen_directory_is_told_in_time(server: Credcached, few: Slapd, connect: Connect) -> None:
    client = connect(server)
    few.freeze()
    with waiting.Stopwatch() as watch:
        calls = [client.begin(f"user{number:05}", f"password-{number:05}") for number in range(200)]
        codes = {call.exception().code() for call in calls}
    # With 4 connections, what waits behind them must not wait for 50 timeouts.
    assert codes <= {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED}, codes
    assert watch.seconds < 2 * TIMEOUT_SECONDS + MARGIN_SECONDS
    nothing_was_concluded(client)
    few.thaw()
    accepted_again(client)


def test_a_directory_killed_in_the_middle_of_a_bind_is_unavailable_at_once(
    few: Slapd, serve: Serve, connect: Connect, tmp_path: pathlib.Path, search: bool
) -> None:
    validator = configs.ldap(few, folder=tmp_path, search=search, timeout="60s")
    server = serve(configs.config(configs.realm(validator)))
    client = connect(server)
    assert client.authenticate("alice", "password-of-alice").outcome == ACCEPTED
    few.freeze()
    call = client.begin("bob", "password-of-bob")
    waiting.until(lambda: server.metrics().total("credcache_backend_in_flight") >= 1, "the directory is being asked")
    few.kill()
    with waiting.Stopwatch() as watch:
        assert failure(call.exception()).code == grpc.StatusCode.UNAVAILABLE
    assert watch.seconds < 10, "nobody waits for a timeout when the connection is gone"
    nothing_was_concluded(client, entries=1)
    few.start()
    accepted_again(client)


def test_a_restart_between_two_log_ons_is_not_noticed(server: Credcached, few: Slapd, connect: Connect) -> None:
    client = connect(server)
    for name in ("alice", "bob"):
        assert client.authenticate(name, f"password-of-{name}").outcome == ACCEPTED
        few.stop()
        few.start()
    assert client.authenticate("carol", "not-the-password").outcome == REJECTED


def test_a_directory_that_is_away_at_the_start_is_used_when_it_comes(
    few: Slapd, serve: Serve, connect: Connect, tmp_path: pathlib.Path, search: bool
) -> None:
    few.stop()
    server = serve(configs.config(configs.realm(configs.ldap(few, folder=tmp_path, search=search))))
    client = connect(server)
    for password in ("password-of-bob", "not-the-password"):
        with fails(grpc.StatusCode.UNAVAILABLE):
            client.authenticate("bob", password)
    nothing_was_concluded(client)
    assert server.get("/readyz")[0] == 200, "the cache serves without its directory"
    few.start()
    accepted_again(client)


def test_the_second_directory_takes_over_from_a_killed_one(
    make_directory: MakeDirectory,
    serve: Serve,
    connect: Connect,
    tmp_path: pathlib.Path,
    search: bool,
) -> None:
    first, second = make_directory(), make_directory()
    client = connect(serve(configs.config(configs.realm(configs.ldap(first, second, folder=tmp_path, search=search)))))
    assert client.authenticate("alice", "password-of-alice").outcome == ACCEPTED
    assert (first.binds_as(first.users["alice"].dn), second.binds_as(first.users["alice"].dn)) == (1, 0)
    first.kill()
    for name in ("bob", "carol"):
        answer = client.authenticate(name, f"password-of-{name}")
        assert (answer.outcome, answer.source) == (ACCEPTED, BACKEND)
    assert client.authenticate("carol", "not-the-password").outcome == REJECTED
    assert second.binds_as(first.users["bob"].dn) == 1

    second.kill()
    with fails(grpc.StatusCode.UNAVAILABLE):
        client.authenticate("user00001", "password-00001")
    first.start()
    waiting.until(lambda: accepts(client, "user00001", "password-00001"), "the first is used again")


def accepts(client: Client, name: str, password: str) -> bool:
    """Whether a log-on is accepted; UNAVAILABLE is no."""
    try:
        return client.authenticate(name, password).outcome == ACCEPTED
    except grpc.RpcError as error:
        assert error.code() == grpc.StatusCode.UNAVAILABLE, error
        return False


def test_the_second_directory_takes_over_from_a_frozen_one(
    make_directory: MakeDirectory,
    serve: Serve,
    connect: Connect,
    tmp_path: pathlib.Path,
    search: bool,
) -> None:
    first, second = make_directory(), make_directory()
    validator = configs.ldap(first, second, folder=tmp_path, search=search, timeout=f"{TIMEOUT_SECONDS:g}s")
    client = connect(serve(configs.config(configs.realm(validator))))
    assert client.authenticate("alice", "password-of-alice").outcome == ACCEPTED
    first.freeze()
    # Whoever was asking when it froze may be told UNAVAILABLE, in time; the next ones are answered by the second.
    with waiting.Stopwatch() as watch:
        waiting.until(lambda: accepts(client, "bob", "password-of-bob"), "the second answers")
    assert watch.seconds < 4 * TIMEOUT_SECONDS + MARGIN_SECONDS
    with waiting.Stopwatch() as watch, concurrent.futures.ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda n: accepts(client, f"user{n:05}", f"password-{n:05}"), range(20)))
    assert all(answers)
    assert watch.seconds < 2 * TIMEOUT_SECONDS + MARGIN_SECONDS, "each still waits for the frozen one first"
    assert second.binds_as(first.users["bob"].dn) == 1


def test_an_outage_costs_no_entry_and_brings_no_verdict(on_few: Credcached, few: Slapd, connect: Connect) -> None:
    client = connect(on_few)
    client.authenticate("alice", "password-of-alice")
    few.kill()
    for password in ("not-the-password", "password-of-alice"):
        with fails(grpc.StatusCode.UNAVAILABLE):
            client.authenticate("alice", password, max_age_seconds=0)
    assert client.authenticate("alice", "password-of-alice").source == CACHE
    nothing_was_concluded(client, entries=1)


def test_stale_grace_bridges_an_outage_by_age_and_only_that(
    few: Slapd, serve: Serve, connect: Connect, tmp_path: pathlib.Path
) -> None:
    limits = {"age_limit": "500ms", "stale_grace": "1h", "refresh_ahead": False}
    realm = configs.realm(configs.ldap(few, folder=tmp_path), cache=limits)
    strict = configs.realm(
        configs.ldap(few, folder=tmp_path), name="strict.example", cache={**limits, "stale_grace": "0s"}
    )
    server = serve(configs.config(realm, strict))
    client = connect(server)
    for name in ("", "strict.example"):
        assert client.authenticate("alice", "password-of-alice", realm=name).source == BACKEND
    # A hit restarts the idle clock, which ends no later than the age: ask while it counts, and until it does not.
    few.kill()
    answer = waiting.until(
        lambda: (found := client.authenticate("alice", "password-of-alice")).source != CACHE and found,
        "the entry is past its age",
    )
    assert (answer.outcome, answer.source) == (ACCEPTED, STALE)
    with fails(grpc.StatusCode.UNAVAILABLE):
        client.authenticate("alice", "another-password")
    strictly = waiting.until(
        lambda: client.begin("alice", "password-of-alice", realm="strict.example").exception(),
        "the strict realm's entry is past its age, too",
    )
    assert strictly.code() == grpc.StatusCode.UNAVAILABLE
    assert server.metrics().total("credcache_authentications_total", source="stale") >= 1
    few.start()
    accepted_again(client, "alice")


@pytest.mark.parametrize("outage_seconds", [5, pytest.param(600, marks=[pytest.mark.long, pytest.mark.timeout(900)])])
def test_what_each_gets_while_the_directory_is_down(
    few: Slapd, serve: Serve, connect: Connect, tmp_path: pathlib.Path, outage_seconds: int
) -> None:
    """The table of operations.md, "While the directory is down"."""
    graces = ("0s", "15m")
    ages = {"cached": "30m", "expired": "4s"}
    realms = [
        configs.realm(
            configs.ldap(few, folder=tmp_path, timeout=f"{TIMEOUT_SECONDS:g}s"),
            name=f"{kind}-{grace}.example",
            default=(kind, grace) == ("cached", "0s"),
            cache={"age_limit": age, "idle_limit": age, "stale_grace": grace, "refresh_ahead": False},
        )
        for kind, age in ages.items()
        for grace in graces
    ]
    client = connect(serve(configs.config(*realms, throttle=configs.UNTHROTTLED)))

    def ask(kind: str, grace: str, name: str = "alice", password: str = "password-of-alice") -> tuple[int, int] | str:
        try:
            answer = client.authenticate(name, password, realm=f"{kind}-{grace}.example")
        except grpc.RpcError as error:
            return failure(error).code.name
        return answer.outcome, answer.source

    for kind in ages:
        for grace in graces:
            assert ask(kind, grace) == (ACCEPTED, BACKEND)
    few.kill()
    began = time.monotonic()
    waiting.until(
        # Both are asked each time, so that neither is idle.
        lambda: (ACCEPTED, CACHE) not in [ask("expired", grace) for grace in graces],
        "the age limit has passed",
    )
    while time.monotonic() < began + outage_seconds:
        for grace in graces:
            assert ask("cached", grace) == (ACCEPTED, CACHE)
            assert ask("cached", grace, "bob", "password-of-bob") == "UNAVAILABLE"
            assert ask("cached", grace, password="not-the-password") == "UNAVAILABLE"
            assert ask("cached", grace, "nobody") == "UNAVAILABLE"
        assert ask("expired", "0s") == "UNAVAILABLE"
        assert ask("expired", "15m") == (ACCEPTED, STALE)
        assert ask("expired", "15m", password="not-the-password") == "UNAVAILABLE"
        next_look = time.monotonic() + 1
        waiting.until(lambda at=next_look: time.monotonic() >= at, "the next look", every_seconds=0.1)
    few.start()
    for grace in graces:
        waiting.until(lambda grace=grace: ask("expired", grace) == (ACCEPTED, BACKEND), "the directory answers again")
        assert ask("cached", grace) == (ACCEPTED, CACHE)


def test_an_entry_past_its_age_is_validated_anew(
    few: Slapd, serve: Serve, connect: Connect, tmp_path: pathlib.Path
) -> None:
    realm = configs.realm(configs.ldap(few, folder=tmp_path), cache={"age_limit": "300ms", "refresh_ahead": False})
    server = serve(configs.config(realm))
    client = connect(server)
    first = client.authenticate("alice", "password-of-alice")
    assert first.expires_at.ToNanoseconds() - first.validated_at.ToNanoseconds() <= 0.3e9
    again = waiting.until(
        lambda: (found := client.authenticate("alice", "password-of-alice")).source == BACKEND and found,
        "the entry is past its age",
    )
    assert again.validated_at.ToNanoseconds() - first.validated_at.ToNanoseconds() >= 0.3e9
    assert server.metrics().total("credcache_cache_misses_total", reason="age") >= 1
