"""Guessing, sprays and stale phones: what reaches a real directory that locks accounts, and what the owners feel."""

import concurrent.futures
import pathlib
from collections.abc import Iterable

import configs
import pytest
import waiting
from client import Client, Connect, request
from credcached import Credcached, Serve
from slapd import Slapd
from stubs import ACCEPTED, BACKEND, CACHE, REJECTED, THROTTLED

DESK = "192.0.2.20"
PHONE = "192.0.2.10"
GUESSES = 10_000
BATCH = 500
# The user's policy locks at the third wrong password (slapd.py, "lock").
BUDGET = {"rejections": 2, "window": "30m"}


@pytest.fixture
def server(few: Slapd, serve: Serve, tmp_path: pathlib.Path) -> Credcached:
    """credcached with its default limits, and the budget that the directory's threshold of 3 asks for."""
    return serve(configs.config(configs.realm(configs.ldap(few, folder=tmp_path)), throttle={"budget": BUDGET}))


def address(number: int) -> str:
    """One of 500."""
    return f"198.51.{100 + number % 2}.{number // 2 % 250}"


def guesses(first: int, count: int) -> Iterable:
    """Different passwords; the right one is among them, again and again, once many have been tried."""
    for number in range(first, first + count):
        right = number >= GUESSES // 2 and number % 1_000 == 0
        yield request(
            "locks",
            "password-of-locks" if right else f"guess-{number}",
            client_address=address(number),
            protocol="imap",
        )


def test_ten_thousand_guesses_lock_nobody_tell_nothing_and_the_owner_is_never_refused(
    server: Credcached, few: Slapd, connect: Connect
) -> None:
    owner = connect(server)
    assert owner.authenticate("locks", "password-of-locks", client_address=DESK).outcome == ACCEPTED

    def guess(first: int) -> list[int]:
        with Client(server.grpc) as client:
            return [result.response.outcome for result in client.batch(guesses(first, BATCH), deadline_seconds=60)]

    outcomes: list[int] = []
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        batches = [pool.submit(guess, first) for first in range(0, GUESSES, BATCH)]
        while not all(batch.done() for batch in batches):
            answer = owner.authenticate("locks", "password-of-locks", client_address=DESK)
            assert (answer.outcome, answer.source) == (ACCEPTED, CACHE)
        for batch in batches:
            outcomes += batch.result()
    assert set(outcomes) <= {REJECTED, THROTTLED}, "no right guess may be told"
    assert outcomes.count(REJECTED) <= BUDGET["rejections"]
    # The owner's own log-on, and what the budget allows.
    assert few.binds_as(few.users["locks"].dn) <= 1 + BUDGET["rejections"]
    assert few.try_bind(few.users["locks"].dn, "password-of-locks"), "the directory has locked nobody"
    throttled = server.metrics().total("credcache_throttled_total", realm="corp.example")
    assert throttled == outcomes.count(THROTTLED)
    assert owner.stats().cache.throttled == throttled
    server.wait_for_log(
        lambda line: (line.get("reason"), line.get("client_address")) == ("throttled_account", address(GUESSES - 1)),
        "who guessed, and from where",
    )


def test_a_throttled_answer_says_when_to_come_again_and_nothing_else(server: Credcached, connect: Connect) -> None:
    client = connect(server)
    for number in range(12):
        client.authenticate("nobody-of-that-name", f"guess-{number}", client_address=address(number))
        client.authenticate("alice", f"guess-{number}", client_address=address(number))
    answers = [
        client.authenticate(name, password, client_address="203.0.113.9")
        for name, password in (("nobody-of-that-name", "x"), ("alice", "x"), ("alice", "password-of-alice"))
    ]
    for answer in answers:
        assert answer.outcome == THROTTLED
        assert not answer.HasField("identity")
        assert not answer.HasField("expires_at")
        assert 0 < answer.retry_after.ToTimedelta().total_seconds() <= 3_600
    spread = [answer.retry_after.ToTimedelta().total_seconds() for answer in answers]
    assert max(spread) - min(spread) <= 2


def test_a_phone_with_an_old_password_and_its_owner(server: Credcached, few: Slapd, connect: Connect) -> None:
    client = connect(server)
    assert client.authenticate("locks", "password-of-locks", client_address=PHONE).outcome == ACCEPTED
    few.set_password("locks", "the-new-password")
    client.invalidate(user="locks")
    for _ in range(200):
        assert client.authenticate("locks", "password-of-locks", client_address=PHONE).outcome == REJECTED
    for where in (PHONE, DESK, PHONE):
        answer = client.authenticate("locks", "the-new-password", client_address=where, max_age_seconds=0)
        assert (answer.outcome, answer.source) == (ACCEPTED, BACKEND), where
    assert few.try_bind(few.users["locks"].dn, "the-new-password")


def test_a_spray_is_stopped_at_its_address_and_those_who_live_there_get_in(
    server: Credcached, connect: Connect
) -> None:
    client = connect(server)
    office = "192.0.2.99"
    assert client.authenticate("alice", "password-of-alice", client_address=office).outcome == ACCEPTED
    outcomes = [
        client.authenticate(f"made-up-{number}", "Spring2026", client_address=office).outcome for number in range(80)
    ]
    assert outcomes == [REJECTED] * 20 + [THROTTLED] * 60
    assert client.authenticate("bob", "password-of-bob", client_address=office).outcome == THROTTLED
    assert client.authenticate("alice", "password-of-alice", client_address=office).outcome == ACCEPTED
    assert client.authenticate("bob", "password-of-bob", client_address=DESK).outcome == ACCEPTED


def test_limits_change_while_the_service_runs_and_a_dry_run_only_reports(server: Credcached, connect: Connect) -> None:
    client = connect(server)
    server.reload(throttle={"dry_run": True, "account": {"limit": 2}, "budget": {"rejections": 1}})
    outcomes = [client.authenticate("alice", f"guess-{number}").outcome for number in range(6)]
    assert outcomes == [REJECTED] * 6
    metrics = server.metrics()
    assert metrics.total("credcache_throttled_total") == 0
    assert metrics.total("credcache_throttle_dry_run_total", reason="account") == 4
    assert metrics.total("credcache_throttle_dry_run_total", reason="budget") == 5
    server.wait_for_log(lambda line: line["kind"] == "throttle_dry_run", "what would have been throttled")
    server.reload(throttle={"account": {"limit": 2}, "budget": BUDGET})
    assert client.authenticate("alice", "another-guess").outcome == THROTTLED


@pytest.mark.parametrize("outage", ["stopped", "frozen"])
def test_an_outage_spends_no_budget_of_those_who_were_right(
    few: Slapd, serve: Serve, connect: Connect, tmp_path: pathlib.Path, outage: str
) -> None:
    """A bind that was sent and not answered may have been counted; what was not sent cannot have been."""
    validator = configs.ldap(few, folder=tmp_path, search=False, timeout="1s")
    server = serve(configs.config(configs.realm(validator), throttle={"budget": BUDGET}))
    client = connect(server)

    def ask() -> str:
        log_on = request("locks", "password-of-locks", client_address=DESK, max_age_seconds=0)
        result = client.batch([log_on])[0]
        return (
            "error" if result.HasField("error") else "throttled" if result.response.outcome == THROTTLED else "answer"
        )

    assert ask() == "answer"
    if outage == "stopped":
        few.stop()
    else:
        few.freeze()
    assert [ask() for _ in range(4)] == ["error"] * 4
    if outage == "stopped":
        few.start()
    else:
        few.thaw()
    waiting.until(lambda: ask() == "answer", "the directory is back and the budget not spent")
