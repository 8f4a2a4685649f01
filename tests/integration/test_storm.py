"""A morning storm: users log on, cold, as fast as they can. What the directory feels, counted there."""

import pathlib
import re
import time
from collections.abc import Callable, Iterator

import configs
import pytest
from client import Connect, request, seconds
from credcached import Serve
from slapd import Slapd, many_users
from stubs import ACCEPTED, BACKEND, authenticate_pb2

CONNECTIONS = 8
IN_A_MESSAGE = 16
# The last wave is far from the first answer: what waits must not time out here.
PATIENCE = "30s"


def log_ons(numbers: range) -> Iterator:
    """Each user's first log-on of the day, in order, as a gateway's stream carries them."""
    for first in range(numbers.start, numbers.stop, IN_A_MESSAGE):
        yield authenticate_pb2.AuthenticateStreamRequest(
            requests=[
                authenticate_pb2.NumberedRequest(
                    id=number,
                    request=request(
                        f"user{number:05}", f"password-{number:05}", client_address=f"2001:db8::{number:x}"
                    ),
                    timeout=seconds(60),
                )
                for number in range(first, min(first + IN_A_MESSAGE, numbers.stop))
            ]
        )


def operations(log: str) -> tuple[list[int], int]:
    """From slapd's log: the users in the order of their binds, and how many operations it had at once at most."""
    order, under_way, most = [], set(), 0
    for line in log.splitlines():
        found = re.search(r"conn=(\d+) op=(\d+) (BIND dn|SRCH base|RESULT|SEARCH RESULT)", line)
        if found is None:
            continue
        operation = (found[1], found[2])
        if "RESULT" in found[3]:
            under_way.discard(operation)
            continue
        under_way.add(operation)
        most = max(most, len(under_way))
        if user := re.search(r'BIND dn="uid=user(\d+),.* method=128', line):
            order.append(int(user[1]))
    return order, most


@pytest.mark.parametrize(
    "users",
    [2_000, pytest.param(50_000, marks=[pytest.mark.long, pytest.mark.timeout(600)])],
)
def test_many_users_at_once_are_bound_once_each_in_order_and_no_more_at_a_time_than_allowed(
    serve: Serve, connect: Connect, tmp_path: pathlib.Path, record_property: Callable, users: int
) -> None:
    directory = Slapd(tmp_path / "slapd", many_users(users)).start()
    try:
        validator = configs.ldap(directory, folder=tmp_path, connections=CONNECTIONS, timeout=PATIENCE)
        client = connect(serve(configs.config(configs.realm(validator))))
        began = time.monotonic()
        answered = 0
        for message in client.stream(log_ons(range(users)), deadline_seconds=480):
            for result in message.results:
                response = result.result.response
                assert (response.outcome, response.source) == (ACCEPTED, BACKEND), result
                answered += 1
        took = time.monotonic() - began
        order, most = operations(directory.log_text())
    finally:
        directory.stop()
    assert answered == users
    assert sorted(order) == list(range(users)), "each once, and only once"
    assert most <= 2 * CONNECTIONS, "one to search and one to bind for each"
    # In the order in which they came. Messages of the stream are taken up on several threads, and a bind comes a search
    # later, so a few messages and workers may pass each other, and more of them one whose thread the kernel lets wait.
    # Were the order another, those who wait (a thousand) would be out of place, not one in a hundred.
    displaced = sorted(abs(place - number) for place, number in enumerate(order))
    assert displaced[len(displaced) * 99 // 100] <= 20 * IN_A_MESSAGE, displaced[-1]
    text = f"{users} cold log-ons in {took:.1f} s, at most {most} operations at once"
    record_property("storm", text)
    print(text)


@pytest.mark.parametrize("count", [6_000, pytest.param(50_000, marks=[pytest.mark.long, pytest.mark.timeout(600)])])
def test_half_of_the_servers_die_in_the_middle(
    serve: Serve, connect: Connect, tmp_path: pathlib.Path, count: int
) -> None:
    users = many_users(count)
    first, second = (Slapd(tmp_path / name, users).start() for name in ("first", "second"))
    try:
        validator = configs.ldap(first, second, folder=tmp_path, connections=CONNECTIONS, timeout=PATIENCE)
        client = connect(serve(configs.config(configs.realm(validator))))
        accepted, errors = 0, 0
        for message in client.stream(log_ons(range(len(users))), deadline_seconds=480):
            for result in message.results:
                if result.result.HasField("response"):
                    assert result.result.response.outcome == ACCEPTED, result
                    accepted += 1
                else:
                    assert result.result.error.code == 14, result  # UNAVAILABLE
                    errors += 1
            if accepted > count // 4 and first is not None:
                first.kill()
                first = None
        # A bind that was sent and not answered is not sent elsewhere: at most one for each connection.
        assert accepted + errors == len(users)
        assert errors <= 2 * CONNECTIONS
        assert len(second.binds()) > count // 6
        users_binds = [count for name, count in second.binds().items() if name.startswith("uid=user")]
        assert max(users_binds) == 1
    finally:
        for directory in (first, second):
            if directory is not None:
                directory.stop()
