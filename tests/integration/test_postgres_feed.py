"""PostgreSQL's change feed: the trigger that credcachectl prints, and what is felt of changes, and when."""

import pathlib
import random
import time
from collections.abc import Callable, Iterator

import configs
import pytest
import waiting
from client import Client, Connect
from credcached import Credcached, Serve, is_about, run_ctl
from postgres import Postgres, Psql, insert, quote
from stubs import ACCEPTED, ACCOUNT_DISABLED, BACKEND, CACHE, REJECTED, stats_pb2

PASSWORD = "password-of-all"


@pytest.fixture(scope="module")
def running() -> Iterator[Postgres]:
    """One server for all tests here; each has the database for itself."""
    with Postgres() as server:
        yield server


@pytest.fixture
def database(running: Postgres) -> Postgres:
    running.reset()
    return running


@pytest.fixture(scope="module")
def hashed() -> str:
    """Of `PASSWORD`, cheap."""
    return configs.hashed(PASSWORD)


def install(sql: Psql, *options: str) -> None:
    """What an operator does: credcachectl sql | psql."""
    script = run_ctl("sql", *options)
    assert script.returncode == 0, script.stderr
    sql.run(script.stdout)


@pytest.fixture
def sql(database: Postgres, hashed: str) -> Psql:
    """With the trigger, and a few users."""
    session = database.session()
    install(session)
    for name in ("alice", "bob", "carol", "dave"):
        session.run(insert(name, hashed, groups="'{staff}'"))
    return session


def feed_state(client: Client) -> int:
    return client.stats().backends[0].feed


def is_up(client: Client) -> bool:
    return feed_state(client) == stats_pb2.BackendStats.FEED_STATE_UP


@pytest.fixture
def server(
    database: Postgres,
    sql: Psql,  # noqa: ARG001 (the table comes before the service)
    serve: Serve,
    connect: Connect,
    tmp_path: pathlib.Path,
) -> Credcached:
    """Listening. No quarantine: what is forgotten may be cached again at once."""
    validator = configs.postgres(database, tmp_path, feed=True)
    started = serve(configs.config(configs.realm(validator), cache={"quarantine": "0s"}))
    client = connect(started)
    waiting.until(lambda: is_up(client), "the feed is up")
    return started


def cached(client: Client, *names: str, password: str = PASSWORD) -> None:
    """They are answered from memory from now on."""
    for name in names:
        assert client.authenticate(name, password).outcome == ACCEPTED, name
        assert client.authenticate(name, password).source == CACHE, name


def forgotten(client: Client, name: str, password: str = PASSWORD) -> None:
    """Soon, the name is asked for at the database again; and then cached anew."""
    waiting.until(
        lambda: client.authenticate(name, password).source == BACKEND, f"{name} is forgotten", every_seconds=0.002
    )


def test_a_change_is_felt_within_milliseconds_and_by_nobody_else(
    server: Credcached, connect: Connect, sql: Psql, record_property: Callable
) -> None:
    """1,000 changes of a password, no Invalidate: how long the old one is still taken, and that each new one is."""
    hashes = [configs.hashed(f"password-{number}") for number in range(2)]
    sql.run(f"update account set hash = {quote(hashes[0])} where name in ('alice', 'bob')")
    client = connect(server)
    waiting.until(lambda: client.authenticate("bob", "password-0").outcome == ACCEPTED, "the first change is felt")
    cached(client, "bob", password="password-0")
    before = server.metrics().total("credcache_invalidations_total", origin="feed")
    seconds = []
    for number in range(1, 1_001):
        old, new = f"password-{(number - 1) % 2}", f"password-{number % 2}"
        assert client.authenticate("alice", old).outcome == ACCEPTED
        assert client.authenticate("alice", old).source == CACHE
        sql.run(f"update account set hash = {quote(hashes[number % 2])} where name = 'alice'")
        with waiting.Stopwatch() as watch:
            waiting.until(
                lambda old=old: client.authenticate("alice", old).outcome == REJECTED,
                f"change {number} is felt",
                every_seconds=0,
            )
        seconds.append(watch.seconds)
        assert client.authenticate("alice", new).outcome == ACCEPTED, number
    assert client.authenticate("bob", "password-0").source == CACHE
    record_property("from_commit_to_refusal", waiting.percentiles(seconds))
    print(f"from the commit to the refusal: {waiting.percentiles(seconds)}")
    assert sorted(seconds)[990] <= 0.1
    assert server.metrics().total("credcache_invalidations_total", origin="feed") - before == 1_000


def test_no_change_is_missed_while_the_feed_is_cut_again_and_again(
    server: Credcached, database: Postgres, connect: Connect, sql: Psql, record_property: Callable
) -> None:
    hashes = [configs.hashed(f"password-{number}") for number in range(2)]
    sql.run(f"update account set hash = {quote(hashes[0])} where name = 'alice'")
    client = connect(server)
    waiting.until(lambda: client.authenticate("alice", "password-0").outcome == ACCEPTED, "the first change is felt")
    chance = random.Random(20261124)
    cuts = 0
    seconds = []
    for number in range(1, 81):
        old, new = f"password-{(number - 1) % 2}", f"password-{number % 2}"
        assert client.authenticate("alice", old).outcome == ACCEPTED
        before, after = chance.random() < 0.25, chance.random() < 0.25
        if before:
            cuts += database.cut(sql)
        sql.run(f"update account set hash = {quote(hashes[number % 2])} where name = 'alice'")
        with waiting.Stopwatch() as watch:
            if after:
                cuts += database.cut(sql)
            waiting.until(
                lambda old=old: client.authenticate("alice", old).outcome == REJECTED,
                f"change {number} is felt",
                every_seconds=0.001,
            )
        seconds.append(watch.seconds)
        assert client.authenticate("alice", new).outcome == ACCEPTED, number
    assert cuts >= 10, "the feed was hardly ever cut"
    record_property("from_commit_to_refusal_while_cut", waiting.percentiles(seconds))
    print(f"{cuts} cuts; from the commit to the refusal: {waiting.percentiles(seconds)}")


def test_who_is_disabled_deleted_renamed_or_put_into_another_group_is_so_at_once(
    server: Credcached, connect: Connect, sql: Psql, hashed: str
) -> None:
    client = connect(server)
    cached(client, "alice", "bob", "carol", "dave")
    assert client.authenticate("erin", PASSWORD).outcome == REJECTED
    sql.run("delete from account where name = 'alice'")
    waiting.until(lambda: client.authenticate("alice", PASSWORD).outcome == REJECTED, "alice is gone")
    sql.run("update account set disabled = true where name = 'bob'")
    waiting.until(lambda: client.authenticate("bob", PASSWORD).outcome == ACCOUNT_DISABLED, "bob is disabled")
    sql.run("update account set groups = '{admins}' where name = 'carol'")
    waiting.until(
        lambda: list(client.authenticate("carol", PASSWORD).identity.groups) == ["admins"], "carol is an admin"
    )
    assert client.authenticate("dave", PASSWORD).source == CACHE
    sql.run(insert("erin", hashed))
    waiting.until(lambda: client.authenticate("erin", PASSWORD).outcome == ACCEPTED, "erin is there")
    cached(client, "erin")
    sql.run("update account set name = 'frank' where name = 'erin'")
    waiting.until(lambda: client.authenticate("erin", PASSWORD).outcome == REJECTED, "erin is no more")
    assert client.authenticate("frank", PASSWORD).outcome == ACCEPTED
    sql.run("update account set mail = null, disabled = disabled")  # nothing that makes a difference
    sql.run("begin; update account set disabled = true where name = 'dave'; rollback")
    assert client.authenticate("dave", PASSWORD).source == CACHE
    sql.run("truncate account")
    waiting.until(lambda: client.authenticate("dave", PASSWORD).outcome == REJECTED, "nobody is there")


def test_only_what_is_watched_is_told(
    database: Postgres, serve: Serve, connect: Connect, hashed: str, tmp_path: pathlib.Path
) -> None:
    """A column that changes with each log-on must not make the cache useless."""
    sql = database.session()
    sql.run('create schema "Auth"; alter table account set schema "Auth"; alter table "Auth".account rename to users')
    sql.run('alter table "Auth".users rename column name to "Log\'in"; grant usage on schema "Auth" to credcache')
    options = ("--table", "Auth.users", "--column", "Log'in", "--channel", 'it\'s "x" \\', "--watch", "hash")
    install(sql, *options)
    install(sql, *options)
    sql.run(f'insert into "Auth".users ("Log\'in", hash) values (\'Alice\', {quote(hashed)})')
    query = 'select hash from "Auth".users where lower("Log\'in") = $1'
    validator = configs.postgres(database, tmp_path, query=query, feed=True, channel='it\'s "x" \\')
    server = serve(configs.config(configs.realm(validator), cache={"quarantine": "0s"}))
    client = connect(server)
    waiting.until(lambda: is_up(client), "the feed is up")
    cached(client, "alice")
    before = server.metrics().total("credcache_invalidations_total", origin="feed")
    sql.run('update "Auth".users set seen = now()')
    sql.run('update "Auth".users set hash = null')
    waiting.until(lambda: client.authenticate("alice", PASSWORD).outcome == REJECTED, "the change is felt")
    assert server.metrics().total("credcache_invalidations_total", origin="feed") - before == 1


@pytest.mark.parametrize("name", ["*", "", " alice", "x" * 257, "x" * 9000, "a\tb"])
def test_names_that_nobody_can_have_make_all_forgotten_and_break_no_change(
    server: Credcached, connect: Connect, sql: Psql, hashed: str, name: str
) -> None:
    client = connect(server)
    cached(client, "alice")
    sql.run(insert(name, hashed))
    forgotten(client, "alice")
    assert not any(line["kind"] == "postgres_bad_payload" for line in server.logs())


def test_rubbish_on_the_channel_does_no_harm(server: Credcached, connect: Connect, sql: Psql) -> None:
    client = connect(server)
    cached(client, "alice", "bob")
    before = server.metrics().total("credcache_invalidations_total", origin="feed")
    rubbish = ["x" * 300, " alice", "a\tb", "\u202ealice", "x" * 7999]
    with waiting.Stopwatch() as watch:
        for number in range(1_000):
            sql.run(f"select pg_notify('credcache', {quote(rubbish[number % len(rubbish)])})")
    forgotten(client, "alice")
    server.wait_for_log(lambda line: line["kind"] == "postgres_bad_payload", "that somebody writes rubbish")
    # Once a second at most, and once behind the last; reported once a minute.
    told = server.metrics().total("credcache_invalidations_total", origin="feed") - before
    assert 1 <= told <= watch.seconds + 2
    assert sum(line["kind"] == "postgres_bad_payload" for line in server.logs()) == 1
    sql.run("update account set hash = null where name = 'bob'")
    waiting.until(lambda: client.authenticate("bob", PASSWORD).outcome == REJECTED, "changes are heard of as before")
    # On other channels anybody may say anything.
    waiting.until(lambda: client.authenticate("alice", PASSWORD).source == CACHE, "the flood is over")
    sql.run("select pg_notify('other', '*')")
    cached(client, "alice")


def test_a_name_for_every_user_and_an_empty_payload_are_heard(server: Credcached, connect: Connect, sql: Psql) -> None:
    client = connect(server)
    for notification in ("notify credcache, 'ALICE'", "notify credcache, '*'", "notify credcache"):
        cached(client, "alice")
        sql.run(notification)
        forgotten(client, "alice")


@pytest.mark.usefixtures("sql")
def test_a_feed_that_is_down_is_told_everywhere_and_comes_back_by_itself(
    database: Postgres, serve: Serve, connect: Connect, tmp_path: pathlib.Path
) -> None:
    validator = configs.postgres(database, tmp_path, feed=True)
    server = serve(configs.config(configs.realm(validator), cache={"quarantine": "0s", "feed_down_age_limit": "300ms"}))
    client = connect(server)
    waiting.until(lambda: is_up(client), "the feed is up")
    cached(client, "alice")
    assert server.metrics().total("credcache_backend_feed_up", realm="corp.example", backend="postgres") == 1
    database.stop()
    try:
        waiting.until(
            lambda: "[!] feed corp.example/postgres: down" in server.get("/readyz")[1], "the feed is known to be down"
        )
        assert server.get("/readyz")[0] == 200
        assert server.metrics().total("credcache_backend_feed_up", realm="corp.example", backend="postgres") == 0
        assert feed_state(client) == stats_pb2.BackendStats.FEED_STATE_DOWN
    finally:
        database.start()
    waiting.until(lambda: is_up(client), "the feed is up again")
    waiting.until(lambda: client.authenticate("alice", PASSWORD).source == BACKEND, "all was forgotten")
    for event in ("feed_down", "feed_up"):
        server.wait_for_log(lambda line, event=event: line["kind"] == event, event)
    assert "[+] feed corp.example/postgres: ok" in server.get("/readyz?verbose")[1]


def of_both(serve: Serve, connect: Connect, folder: pathlib.Path, first: Postgres, second: Postgres) -> Client:
    """Of credcached with both in its connection string, in this order, and a feed that is up."""
    dsn = second.dsn.replace("host=127.0.0.1", "host=127.0.0.1,127.0.0.1")
    dsn = dsn.replace(f"port={second.port}", f"port={first.port},{second.port}")
    validator = configs.postgres(second, folder, dsn=dsn, feed=True)
    client = connect(serve(configs.config(configs.realm(validator))))
    waiting.until(lambda: is_up(client), "the feed is up")
    return client


def test_the_feed_goes_to_the_primary_and_questions_to_the_first_host(
    database: Postgres, sql: Psql, serve: Serve, connect: Connect, tmp_path: pathlib.Path
) -> None:
    with Postgres(standby_of=database) as standby:
        client = of_both(serve, connect, tmp_path, standby, database)
        cached(client, "alice")
        sessions = "select count(*) from pg_stat_activity where usename = 'credcache'"
        assert sql.run(sessions) == "1", "the feed alone"
        assert standby.session().run(sessions) != "0"
        sql.run("delete from account where name = 'alice'")
        waiting.until(lambda: client.authenticate("alice", PASSWORD).outcome == REJECTED, "alice is gone")


def test_a_standby_that_lags_behind_is_not_asked_of_an_account_in_quarantine(
    database: Postgres, sql: Psql, serve: Serve, connect: Connect, tmp_path: pathlib.Path
) -> None:
    with Postgres(standby_of=database, recovery_min_apply_delay="1h") as standby:
        client = of_both(serve, connect, tmp_path, standby, database)
        cached(client, "alice")
        sql.run(f"update account set hash = {quote(configs.hashed('another-one'))} where name = 'alice'")
        waiting.until(lambda: client.authenticate("alice", PASSWORD).outcome == REJECTED, "the change is felt")
        assert client.authenticate("alice", "another-one").outcome == ACCEPTED
        hash_of = "select hash from account where name = 'alice'"
        assert standby.session().run(hash_of) != sql.run(hash_of), "the standby has not heard of it yet"


def test_a_link_that_died_without_a_word_is_noticed(
    database: Postgres, sql: Psql, serve: Serve, connect: Connect, tmp_path: pathlib.Path
) -> None:
    """The feed's own server process is frozen: its connection stays open, and nothing comes over it any more."""
    validator = configs.postgres(database, tmp_path, feed=True, timeout="1s")
    client = connect(serve(configs.config(configs.realm(validator), cache={"quarantine": "0s"})))
    waiting.until(lambda: is_up(client), "the feed is up")
    pid = int(sql.run("select pid from pg_stat_activity where query ilike 'listen%' or query = 'select 1'"))
    database.freeze_session(pid)
    started = time.monotonic()
    try:
        waiting.until(lambda: not is_up(client), "the feed is known to be down")
        # 3 s to the next sign of life, and the timeout.
        assert time.monotonic() - started < 6
        waiting.until(lambda: is_up(client), "the feed is up again")
    finally:
        database.freeze_session(pid, stopped=False)
    cached(client, "alice")


def test_a_reload_that_changes_the_validator_ends_its_feed(
    server: Credcached, database: Postgres, connect: Connect, sql: Psql, tmp_path: pathlib.Path
) -> None:
    client = connect(server)
    listening = "select count(*) from pg_stat_activity where usename = 'credcache' and query ilike 'listen%'"
    server.reload(realms=[configs.realm(configs.postgres(database, tmp_path, feed=False))])
    waiting.until(lambda: sql.run(listening) == "0", "nobody listens any more")
    assert feed_state(client) == stats_pb2.BackendStats.FEED_STATE_UNSPECIFIED
    assert not any(is_about(line, "feed_down") for line in server.logs()[-1:])
