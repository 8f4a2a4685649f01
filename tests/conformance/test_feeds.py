"""What every backend with a change feed does alike. A test's name without `test_` is its case's (Backend.EXCLUDED)."""

import concurrent.futures
import dataclasses
import threading
import time
from collections.abc import Callable

import grpc
import waiting
from backend import Account, Backend
from client import Client
from conftest import TIMEOUT_SECONDS, StartService
from credcached import Credcached
from stubs import ACCEPTED, CACHE, REJECTED, stats_pb2
from test_backends import new_account

CALLERS = 100
# A change is heard of within so long, on a machine that is kept busy by the callers themselves.
BOUND_SECONDS = 1.0


@dataclasses.dataclass(frozen=True)
class LogOn:
    """One of many, with the times around it."""

    password: bytes
    asked_at: float
    answered_at: float
    accepted: bool
    source: int


@dataclasses.dataclass(frozen=True)
class Change:
    """When the directory took a new password: at some moment between the two."""

    began_at: float
    ended_at: float

    def explains(self, one: LogOn, old: bytes) -> bool:
        """Whether the directory would have said so at a moment between the request, less the bound, and its answer."""
        said_before = one.accepted == (one.password == old)
        return one.asked_at - BOUND_SECONDS <= self.ended_at if said_before else one.answered_at >= self.began_at


def test_a_changed_password_never_works_sometimes(
    backend: Backend, service: StartService, connect: Callable[[Credcached], Client]
) -> None:
    """A hundred callers log on with the old and the new password, over and over, while it is changed twice."""
    account = new_account(backend, password=b"password-0")
    server = service(backend.feed_config(TIMEOUT_SECONDS * 10), negative=True)
    clients = [connect(server) for _ in range(4)]
    waiting.until(lambda: clients[0].stats().backends[0].feed == stats_pb2.BackendStats.FEED_STATE_UP, "the feed is up")
    for number in range(2):
        old, new = f"password-{number}".encode(), f"password-{number + 1}".encode()
        assert clients[0].authenticate(account.name, old).outcome == ACCEPTED
        change, log_ons = log_on_during(lambda new=new: backend.set_password(account, new), clients, account, old, new)
        unexplained = [one for one in log_ons if not change.explains(one, old)]
        assert not unexplained, (change, unexplained[:5], len(unexplained))
        # The test has seen what it is about: both passwords, both verdicts, from the cache too.
        seen = {(one.password == old, one.accepted) for one in log_ons}
        assert seen == {(True, True), (True, False), (False, True), (False, False)}, seen
        assert CACHE in {one.source for one in log_ons}
        assert clients[0].authenticate(account.name, old).outcome == REJECTED


def log_on_during(
    change: Callable[[], None], clients: list[Client], account: Account, old: bytes, new: bytes
) -> tuple[Change, list[LogOn]]:
    """Changes the password in the middle of it, and ends when it has been felt for a while."""
    ended = threading.Event()

    def keep_on(number: int) -> list[LogOn]:
        client = clients[number % len(clients)]
        done = []
        while not ended.is_set():
            password = (old, new)[(number + len(done)) % 2]
            asked_at = time.monotonic()
            try:
                answer = client.authenticate(account.name, password)
            except grpc.RpcError as error:
                assert error.code() == grpc.StatusCode.UNAVAILABLE, error  # a change in the middle of it may be one
                continue
            assert answer.outcome in (ACCEPTED, REJECTED), answer
            done.append(LogOn(password, asked_at, time.monotonic(), answer.outcome == ACCEPTED, answer.source))
        return done

    with concurrent.futures.ThreadPoolExecutor(CALLERS) as pool:
        try:
            futures = [pool.submit(keep_on, number) for number in range(CALLERS)]
            waiting.until(lambda: clients[0].stats().cache.hits > 2 * CALLERS, "the callers are at it")
            began_at = time.monotonic()
            change()
            changed = Change(began_at, time.monotonic())
            # As long as an old answer may count, and as long again.
            waiting.until(
                lambda: time.monotonic() > changed.ended_at + 2 * BOUND_SECONDS, "the change is over", every_seconds=0.1
            )
        finally:
            ended.set()
        return changed, [one for future in futures for one in future.result()]
