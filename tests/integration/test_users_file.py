"""The password file: bad lines cost only their users, and a new file counts while the service runs."""

import pathlib
from collections.abc import Callable

import configs
import grpc
import pytest
import waiting
from client import Client, Connect, fails
from credcached import Credcached, Serve, is_about
from stubs import ACCEPTED, ACCOUNT_DISABLED, BACKEND, CACHE, PASSWORD_EXPIRED, REJECTED, stats_pb2


@pytest.fixture
def users(tmp_path: pathlib.Path) -> pathlib.Path:
    """The file, with alice and bob."""
    return configs.write_users(tmp_path / "users", alice="password-of-alice", bob="password-of-bob")


@pytest.fixture
def server(serve: Serve, users: pathlib.Path) -> Credcached:
    """No quarantine and no negative entries: each answer is the file's."""
    realm = configs.realm(configs.users_file(users))
    return serve(configs.config(realm, cache={"quarantine": "0s", "negative": {"longest": "0s"}}))


def outcome(client: Client, name: str, password: str) -> int | None:
    """As the file says now; None: it cannot be read."""
    try:
        return client.authenticate(name, password, max_age_seconds=0).outcome
    except grpc.RpcError as error:
        assert error.code() == grpc.StatusCode.UNAVAILABLE, error
        return None


def test_bad_lines_are_named_and_cost_only_their_users(serve: Serve, connect: Connect, tmp_path: pathlib.Path) -> None:
    users = tmp_path / "users"
    good = configs.hashed("password-of-alice")
    lines = [
        "# a comment",
        f"alice:{good}",
        "no-colon",
        "unknown-hash:$9$salt$hash",
        "clear:password-of-clear",
        f"bad-key:{good}:colour=blue",
        f"bad-date:{good}:expires=2027-13-41",
        f"twice:{good}",
        "",
        f"twice:{configs.hashed('password-of-twice')}",
        f"bob:{configs.hashed('password-of-bob')}",
    ]
    users.write_text("\n".join(lines) + "\n")
    server = serve(configs.config(configs.realm(configs.users_file(users)), throttle=configs.UNTHROTTLED))
    for number in (3, 4, 5, 6, 7, 10):
        line = server.wait_for_log(
            lambda line, number=number: is_about(line, f"{users}:{number}"), f"what is wrong with line {number}"
        )
        assert good not in str(line)
    client = connect(server)
    for name in ("no-colon", "unknown-hash", "clear", "bad-key", "bad-date", "twice"):
        for password in ("password-of-alice", "password-of-clear", "password-of-twice", "$9$salt$hash"):
            assert client.authenticate(name, password).outcome == REJECTED, name
    for name in ("alice", "bob"):
        assert client.authenticate(name, f"password-of-{name}").outcome == ACCEPTED


def test_what_the_file_says_of_an_account_is_told_only_to_who_knows_the_password(
    serve: Serve, connect: Connect, tmp_path: pathlib.Path
) -> None:
    users = tmp_path / "users"
    hashed = configs.hashed("password-of-all")
    users.write_text(
        f"disabled:{hashed}:disabled\nexpired:{hashed}:expires=2001-01-01\n"
        f"later:{hashed}:expires=2999-12-31\nmember:{{SHA256-CRYPT}}{hashed}:groups=staff;admins\n"
    )
    client = connect(serve(configs.config(configs.realm(configs.users_file(users)))))
    wanted = {"disabled": ACCOUNT_DISABLED, "expired": PASSWORD_EXPIRED, "later": ACCEPTED, "member": ACCEPTED}
    assert {name: client.authenticate(name, "password-of-all").outcome for name in wanted} == wanted
    assert {client.authenticate(name, "not-the-password").outcome for name in wanted} == {REJECTED}
    identity = client.authenticate("member", "password-of-all").identity
    assert (identity.subject, sorted(identity.groups)) == ("corp.example/member", ["admins", "staff"])


def test_a_file_that_is_replaced_counts_while_the_service_runs(
    server: Credcached, connect: Connect, users: pathlib.Path
) -> None:
    client = connect(server)
    assert outcome(client, "alice", "password-of-alice") == ACCEPTED
    configs.write_users(users, alice="new-password-of-alice", carol="password-of-carol")
    waiting.until(lambda: outcome(client, "carol", "password-of-carol") == ACCEPTED, "the new file counts")
    assert outcome(client, "alice", "new-password-of-alice") == ACCEPTED
    assert outcome(client, "alice", "password-of-alice") == REJECTED
    assert outcome(client, "bob", "password-of-bob") == REJECTED


def test_a_file_that_cannot_be_read_is_an_outage_and_no_verdict(
    server: Credcached, connect: Connect, users: pathlib.Path
) -> None:
    client = connect(server)
    assert client.authenticate("alice", "password-of-alice").source == BACKEND
    aside = users.rename(users.with_name("aside"))
    waiting.until(lambda: outcome(client, "bob", "password-of-bob") is None, "that the file is gone is noticed")
    with fails(grpc.StatusCode.UNAVAILABLE):
        client.authenticate("bob", "not-the-password")
    assert client.authenticate("alice", "password-of-alice").source == CACHE
    server.wait_for_log(lambda line: is_about(line, str(users)), "which file cannot be read")
    users.mkdir()
    assert outcome(client, "bob", "password-of-bob") is None
    users.rmdir()
    aside.rename(users)
    waiting.until(lambda: outcome(client, "bob", "password-of-bob") == ACCEPTED, "the file counts again")


def test_while_the_file_is_away_its_feed_is_down_and_all_say_so(
    serve: Serve, connect: Connect, tmp_path: pathlib.Path
) -> None:
    users = configs.write_users(tmp_path / "users", alice="password-of-alice")
    server = serve(configs.config(configs.realm(configs.users_file(users)), cache={"feed_down_age_limit": "300ms"}))
    client = connect(server)
    assert client.stats().backends[0].feed == stats_pb2.BackendStats.FEED_STATE_UP
    assert client.authenticate("alice", "password-of-alice").source == BACKEND
    aside = users.rename(users.with_name("aside"))
    waiting.until(
        lambda: "[!] feed corp.example/file: down" in server.get("/readyz")[1], "the feed is known to be down"
    )
    assert server.get("/readyz")[0] == 200
    assert server.metrics().total("credcache_backend_feed_up", realm="corp.example", backend="file") == 0
    assert client.stats().backends[0].feed == stats_pb2.BackendStats.FEED_STATE_DOWN
    waiting.until(lambda: outcome(client, "alice", "password-of-alice") is None, "nothing old is trusted")
    aside.rename(users)
    waiting.until(lambda: outcome(client, "alice", "password-of-alice") == ACCEPTED, "the file counts again")
    assert server.metrics().total("credcache_backend_feed_up", realm="corp.example", backend="file") == 1
    assert server.get("/readyz?verbose")[1] == "[+] grpc: ok\n[+] feed corp.example/file: ok\nok\n"
    for event in ("feed_down", "feed_up"):
        server.wait_for_log(lambda line, event=event: line["kind"] == event, event)


def test_a_file_under_constant_replacement_never_answers_wrongly(
    server: Credcached, connect: Connect, users: pathlib.Path
) -> None:
    client = connect(server)
    for number in range(30):
        configs.write_users(users, alice="password-of-alice", **{f"extra{number}": "password-of-extra"})
        assert outcome(client, "alice", "password-of-alice") == ACCEPTED
        assert outcome(client, "alice", "not-the-password") == REJECTED


def test_a_slow_hash_holds_up_no_hit(serve: Serve, connect: Connect, tmp_path: pathlib.Path) -> None:
    users = configs.write_users(tmp_path / "users", alice="password-of-alice")
    # By the hash's own cost, about a second each.
    slow = "$6$rounds=2000000$salt$" + "x" * 86
    with users.open("a") as file:
        file.writelines(f"slow{number}:{slow}\n" for number in range(4))
    client = connect(serve(configs.config(configs.realm(configs.users_file(users)))))
    client.authenticate("alice", "password-of-alice")
    calls = [client.begin(f"slow{number}", "not-the-password", deadline_seconds=60) for number in range(4)]
    with waiting.Stopwatch() as watch:
        for _ in range(50):
            assert client.authenticate("alice", "password-of-alice").source == CACHE
    assert not all(call.done() for call in calls), "the hashes were not slow enough to show anything"
    assert watch.seconds < 2
    assert {call.result().outcome for call in calls} == {REJECTED}


def test_a_change_is_felt_within_milliseconds_and_by_nobody_else(
    serve: Serve, connect: Connect, tmp_path: pathlib.Path, record_property: Callable
) -> None:
    """1,000 changes of a password, no Invalidate: how long the old one is still taken, and that each new one is."""
    users = tmp_path / "users"
    hashes = [configs.hashed(f"password-{number}") for number in range(2)]
    configs.replace(users, f"alice:{hashes[0]}\nbob:{hashes[0]}\n")
    server = serve(configs.config(configs.realm(configs.users_file(users)), cache={"quarantine": "0s"}))
    client = connect(server)
    assert client.authenticate("bob", "password-0").source == BACKEND
    seconds = []
    for number in range(1, 1_001):
        old, new = f"password-{(number - 1) % 2}", f"password-{number % 2}"
        assert client.authenticate("alice", old).outcome == ACCEPTED
        assert client.authenticate("alice", old).source == CACHE
        configs.replace(users, f"bob:{hashes[0]}\nalice:{hashes[number % 2]}\n")
        with waiting.Stopwatch() as watch:
            waiting.until(
                lambda old=old: client.authenticate("alice", old).outcome == REJECTED,
                f"change {number} is felt",
                every_seconds=0,
            )
        seconds.append(watch.seconds)
        assert client.authenticate("alice", new).outcome == ACCEPTED, number
    assert client.authenticate("bob", "password-0").source == CACHE
    text = waiting.percentiles(seconds)
    record_property("from_change_to_refusal", text)
    print(f"from the change to the refusal: {text}")
    assert server.metrics().total("credcache_invalidations_total", origin="feed") == 1_000


def test_who_is_taken_out_disabled_or_put_into_another_group_is_so_at_once(
    serve: Serve, connect: Connect, tmp_path: pathlib.Path
) -> None:
    users = tmp_path / "users"
    hashed = configs.hashed("password-of-all")
    configs.replace(users, "".join(f"{name}:{hashed}:groups=staff\n" for name in ("alice", "bob", "carol", "dave")))
    client = connect(serve(configs.config(configs.realm(configs.users_file(users)))))
    for name in ("alice", "bob", "carol", "dave"):
        client.authenticate(name, "password-of-all")
        assert client.authenticate(name, "password-of-all").source == CACHE
    assert client.authenticate("erin", "password-of-all").outcome == REJECTED
    configs.replace(
        users,
        f"bob:{hashed}:disabled,groups=staff\ncarol:{hashed}:groups=admins\n"
        f"dave:{hashed}:groups=staff\nerin:{hashed}\n",
    )
    waiting.until(lambda: client.authenticate("alice", "password-of-all").outcome == REJECTED, "alice is gone")
    assert client.authenticate("bob", "password-of-all").outcome == ACCOUNT_DISABLED
    assert list(client.authenticate("carol", "password-of-all").identity.groups) == ["admins"]
    assert client.authenticate("dave", "password-of-all").source == CACHE
    assert client.authenticate("erin", "password-of-all").outcome == ACCEPTED
