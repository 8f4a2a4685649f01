"""10,000 callers at once, cold, with one credential: one bind, counted at slapd, however they call."""

import asyncio
import pathlib
from collections.abc import Callable, Sequence

import configs
import grpc
import grpc.aio
import pytest
import secrets_used
import waiting
from client import Client, Connect, request
from credcached import Credcached, Serve
from slapd import READER, Slapd
from stubs import ACCEPTED, BACKEND, CACHE, COALESCED, REJECTED, auth_service_pb2_grpc, authenticate_pb2

CALLERS = 10_000
CHANNELS = 100
PASSWORDS = {"good": ("password-of-alice", ACCEPTED), "wrong": ("not-the-password-of-alice", REJECTED)}


@pytest.fixture(params=[True, False], ids=["search", "direct"])
def server(request: pytest.FixtureRequest, few: Slapd, serve: Serve, tmp_path: pathlib.Path) -> Credcached:
    """credcached on the test's own directory, patient enough for a directory that is frozen for a while."""
    validator = configs.ldap(few, folder=tmp_path, search=request.param, timeout="50s")
    return serve(configs.config(configs.realm(validator)))


def arrived(server: Credcached) -> int:
    """How many log-ons the service has looked up without an answer yet."""
    return int(server.metrics().total("credcache_cache_misses_total"))


def unary(server: Credcached, password: str, when_all_arrived: Callable[[], None]) -> Sequence[object]:
    """10,000 calls over 100 connections; the directory is frozen until all have arrived."""

    async def run() -> Sequence[object]:
        options = [("grpc.use_local_subchannel_pool", 1)]
        channels = [grpc.aio.insecure_channel(server.grpc, options) for _ in range(CHANNELS)]
        message = request("alice", password)
        calls = [
            auth_service_pb2_grpc.AuthServiceStub(channels[number % CHANNELS]).Authenticate(message, timeout=60)
            for number in range(CALLERS)
        ]
        thaw = asyncio.create_task(asyncio.to_thread(when_all_arrived))
        answers = await asyncio.gather(*calls)
        await thaw
        for channel in channels:
            await channel.close()
        return answers

    return asyncio.run(run())


def batches(server: Credcached, password: str, when_all_arrived: Callable[[], None]) -> Sequence[object]:
    """10,000 in three batches."""
    secrets_used.note(password)
    with Client(server.grpc) as client:
        calls = [
            client.stub.BatchAuthenticate.future(
                authenticate_pb2.BatchAuthenticateRequest(requests=[request("alice", password)] * size), timeout=60
            )
            for size in (4096, 4096, CALLERS - 2 * 4096)
        ]
        when_all_arrived()
        return [result.response for call in calls for result in call.result().results]


def streams(server: Credcached, password: str, when_all_arrived: Callable[[], None]) -> Sequence[object]:
    """10,000 in ten streams, which is within what each may have unanswered."""
    with Client(server.grpc) as client:
        message = authenticate_pb2.AuthenticateStreamRequest(
            requests=[
                authenticate_pb2.NumberedRequest(id=number, request=request("alice", password), timeout={"seconds": 60})
                for number in range(CALLERS // 10)
            ]
        )
        calls = [client.stream([message], deadline_seconds=60) for _ in range(10)]
        when_all_arrived()
        return [result.result.response for call in calls for answer in call for result in answer.results]


@pytest.mark.parametrize("ask", [unary, batches, streams], ids=["unary", "batch", "stream"])
@pytest.mark.parametrize("credential", PASSWORDS)
def test_ten_thousand_at_once_are_one_bind(server: Credcached, few: Slapd, credential: str, ask: Callable) -> None:
    password, outcome = PASSWORDS[credential]
    few.freeze()

    def when_all_arrived() -> None:
        try:
            waiting.until(
                lambda: arrived(server) >= CALLERS, "all have arrived", deadline_seconds=40, every_seconds=0.1
            )
        finally:
            few.thaw()

    answers = ask(server, password, when_all_arrived)
    assert len(answers) == CALLERS
    assert {answer.outcome for answer in answers} == {outcome}
    sources = [answer.source for answer in answers]
    assert sources.count(BACKEND) == 1
    assert sources.count(COALESCED) + sources.count(CACHE) == CALLERS - 1
    assert few.binds_as(few.users["alice"].dn) == 1
    # What else bound was the pool, as the reader; and cn=Monitor counts the same as the log.
    binds = few.binds()
    pool = binds[READER]
    waiting.until(lambda: few.counts().binds == 1 + pool, f"1 bind and the pool's {pool} at slapd")


def test_different_passwords_share_nothing(server: Credcached, few: Slapd, connect: Connect) -> None:
    client = connect(server)
    few.freeze()
    calls = [client.begin("alice", password) for password in ("password-of-alice", "wrong-one", "wrong-two")]
    waiting.until(lambda: arrived(server) >= 3, "all have arrived")
    few.thaw()
    assert [call.result().outcome for call in calls] == [ACCEPTED, REJECTED, REJECTED]
    assert few.binds_as(few.users["alice"].dn) == 3


def test_who_asks_for_a_fresh_verdict_joins_nobody(server: Credcached, few: Slapd, connect: Connect) -> None:
    client = connect(server)
    few.freeze()
    calls = [client.begin("alice", "password-of-alice", max_age_seconds=0) for _ in range(3)]
    waiting.until(lambda: arrived(server) >= 3, "all have arrived")
    few.thaw()
    assert [(call.result().outcome, call.result().source) for call in calls] == [(ACCEPTED, BACKEND)] * 3
    assert few.binds_as(few.users["alice"].dn) == 3


def test_who_leaves_in_the_middle_leaves_the_answer_to_the_others(
    server: Credcached, few: Slapd, connect: Connect
) -> None:
    client = connect(server)
    few.freeze()
    first = client.begin("alice", "password-of-alice")
    waiting.until(lambda: arrived(server) >= 1, "the first has arrived")
    second = client.begin("alice", "password-of-alice")
    waiting.until(lambda: arrived(server) >= 2, "the second has arrived")
    first.cancel()
    few.thaw()
    assert (second.result().outcome, second.result().source) == (ACCEPTED, COALESCED)
    assert few.binds_as(few.users["alice"].dn) == 1


def test_a_validation_that_nobody_waits_for_any_more_fills_the_cache(
    server: Credcached, few: Slapd, connect: Connect
) -> None:
    client = connect(server)
    few.freeze()
    call = client.begin("alice", "password-of-alice")
    waiting.until(lambda: server.metrics().total("credcache_backend_in_flight") >= 1, "the backend is being asked")
    call.cancel()
    few.thaw()
    waiting.until(lambda: client.stats().cache.entries == 1, "the entry is there")
    answer = client.authenticate("alice", "password-of-alice")
    assert (answer.outcome, answer.source) == (ACCEPTED, CACHE)
    assert few.binds_as(few.users["alice"].dn) == 1


def test_a_deadline_is_the_callers_own(server: Credcached, few: Slapd, connect: Connect) -> None:
    client = connect(server)
    few.freeze()
    patient = client.begin("alice", "password-of-alice")
    hasty = client.begin("alice", "password-of-alice", deadline_seconds=0.3)
    assert hasty.exception().code() == grpc.StatusCode.DEADLINE_EXCEEDED
    few.thaw()
    assert patient.result().outcome == ACCEPTED
