"""A real PostgreSQL: accounts by a query, hashes verified here, outages that are no verdicts."""

import base64
import contextlib
import hashlib
import hmac
import pathlib
import socket
from collections.abc import Iterator

import configs
import grpc
import pytest
import waiting
from client import Client, Connect, fails, failure
from credcached import Credcached, Serve, is_about, run_ctl
from postgres import ROLE, Postgres, Psql, insert, quote
from stubs import ACCEPTED, ACCOUNT_DISABLED, BACKEND, CACHE, PASSWORD_EXPIRED, REJECTED, stats_pb2

PASSWORD = "password-of-all"
NO_CACHE = {"quarantine": "0s", "negative": {"longest": "0s"}}


@pytest.fixture(scope="module")
def running() -> Iterator[Postgres]:
    """One server for all tests here; each has the database for itself."""
    with Postgres() as server:
        yield server


@pytest.fixture
def database(running: Postgres) -> Postgres:
    running.reset()
    return running


@pytest.fixture
def sql(database: Postgres) -> Psql:
    return database.session()


@pytest.fixture(scope="module")
def hashed() -> str:
    """Of `PASSWORD`, cheap."""
    return configs.hashed(PASSWORD)


@pytest.fixture
def server(database: Postgres, serve: Serve, sql: Psql, hashed: str, tmp_path: pathlib.Path) -> Credcached:
    """With alice and bob, and a timeout of a second. Each answer is the database's, unless it is an acceptance."""
    sql.run(insert("alice", hashed, id="'a-1'", groups="array['staff', 'two words']", mail="'alice@mail.example'"))
    sql.run(insert("bob", hashed))
    validator = configs.postgres(database, tmp_path, timeout="1s")
    return serve(configs.config(configs.realm(validator), cache=NO_CACHE, throttle=configs.UNTHROTTLED))


def outcome(client: Client, name: str, password: str = PASSWORD) -> int:
    """As the database says now."""
    return client.authenticate(name, password, max_age_seconds=0).outcome


def accepted_again(client: Client, name: str = "bob") -> None:
    """Service is back without anybody's help."""

    def try_once() -> bool:
        try:
            return outcome(client, name) == ACCEPTED
        except grpc.RpcError as error:
            assert error.code() == grpc.StatusCode.UNAVAILABLE, error
            return False

    waiting.until(try_once, "the database is asked again", every_seconds=0.05)


def test_a_log_on_is_validated_once_and_then_answered_from_memory_as_the_right_person(
    server: Credcached, connect: Connect
) -> None:
    client = connect(server)
    first = client.authenticate("Alice", PASSWORD)
    assert (first.outcome, first.source) == (ACCEPTED, BACKEND)
    identity = first.identity
    assert (identity.subject, identity.username) == ("a-1", "alice")
    assert list(identity.groups) == ["staff", "two words"]
    assert dict(identity.attributes) == {"mail": "alice@mail.example"}
    assert client.authenticate("alice", PASSWORD).source == CACHE
    assert client.authenticate("alice", "not-the-password").outcome == REJECTED
    assert client.authenticate("nobody", PASSWORD).outcome == REJECTED
    plain = client.authenticate("bob", PASSWORD).identity
    assert (plain.subject, list(plain.groups), dict(plain.attributes)) == ("corp.example/bob", [], {})


def test_what_the_row_says_of_an_account_is_told_only_to_who_knows_the_password(
    server: Credcached, connect: Connect, sql: Psql, hashed: str
) -> None:
    sql.run(insert("disabled", hashed, disabled="true"))
    sql.run(insert("locked", hashed, locked="true"))
    sql.run(insert("expired", hashed, expires="now() - interval '1 minute'"))
    sql.run(insert("later", hashed, expires="now() + interval '1 hour'"))
    sql.run(insert("never", hashed, expires="'infinity'"))
    sql.run(insert("no-hash", None))
    sql.run(insert("bad-hash", "$1$weak$hash"))
    client = connect(server)
    wanted = {
        "disabled": ACCOUNT_DISABLED,
        "locked": REJECTED,
        "expired": PASSWORD_EXPIRED,
        "later": ACCEPTED,
        "never": ACCEPTED,
        "no-hash": REJECTED,
        "bad-hash": REJECTED,
    }
    assert {name: outcome(client, name) for name in wanted} == wanted
    assert {outcome(client, name, "not-the-password") for name in wanted} == {REJECTED}
    server.wait_for_decisions(1, username="locked", reason="locked")
    told = server.wait_for_log(lambda line: line["kind"] == "postgres_bad_hash", "a hash that is none")
    assert "bad-hash" in str(told)
    # At the database again, and not from a negative entry: whoever is unlocked is in.
    sql.run("update account set locked = false where name = 'locked'")
    assert outcome(client, "locked") == ACCEPTED


def dovecot_scram(password: bytes) -> str:
    """As Dovecot's `doveadm pw -s SCRAM-SHA-256` writes it."""
    salt = b"0123456789abcdef"
    salted = hashlib.pbkdf2_hmac("sha256", password, salt, 4096)
    client_key, server_key = (hmac.digest(salted, text, "sha256") for text in (b"Client Key", b"Server Key"))
    parts = (salt, hashlib.sha256(client_key).digest(), server_key)
    return "{SCRAM-SHA-256}4096," + ",".join(base64.b64encode(part).decode() for part in parts)


def test_every_kind_of_hash_is_verified(server: Credcached, connect: Connect, sql: Psql) -> None:
    client = connect(server)
    for kind in ("yescrypt", "argon2id", "sha512", "bcrypt"):
        made = run_ctl("hash", "--kind", kind, stdin=PASSWORD.encode()).stdout.strip()
        sql.run(insert(kind, made))
    sql.run(insert("dovecot", dovecot_scram(PASSWORD.encode())))
    # PostgreSQL's own verifier, made by PostgreSQL.
    sql.run(f"create role scram password {quote(PASSWORD)}")
    sql.run("insert into account (name, hash) select 'scram', rolpassword from pg_authid where rolname = 'scram'")
    for name in ("yescrypt", "argon2id", "sha512", "bcrypt", "dovecot", "scram"):
        assert outcome(client, name) == ACCEPTED, name
        assert outcome(client, name, PASSWORD + "x") == REJECTED, name
    sql.run("drop role scram")


@pytest.mark.parametrize("password", ["\u2168", "I\u00adX", "pass\u00a0word", "caf\u00e9", "cafe\u0301", "\U0001f600"])
def test_scram_takes_passwords_in_the_form_that_postgresql_gives_them(
    server: Credcached, connect: Connect, sql: Psql, password: str
) -> None:
    sql.run(f"create role scram password {quote(password)}")
    sql.run("insert into account (name, hash) select 'scram', rolpassword from pg_authid where rolname = 'scram'")
    sql.run("drop role scram")
    client = connect(server)
    assert outcome(client, "scram", password) == ACCEPTED
    assert outcome(client, "scram", password + "x") == REJECTED


INJECTIONS = [
    "' or 1=1 --",
    "' or '1'='1",
    '"; drop table account; --',
    "'; drop table account; --",
    "alice'; update account set hash = null; --",
    "$1",
    "%",
    "_lice",
    "alice\\",
    "alice%00",
    "\\x61",
    "\uff21lice",
    "alic\u0435",
    "a" * 256,
]


def test_names_are_data_and_never_sql(server: Credcached, connect: Connect, sql: Psql) -> None:
    before = sql.run("select * from account order by name")
    client = connect(server)
    for name in INJECTIONS:
        assert outcome(client, name) == REJECTED, name
    for name in ("alice\0", "alice\0bob", "ali\u200bce", "\u202ealice", "a" * 257):
        with fails(grpc.StatusCode.INVALID_ARGUMENT):
            client.authenticate(name, PASSWORD)
    assert sql.run("select * from account order by name") == before
    assert outcome(client, "alice") == ACCEPTED


def test_a_canonical_name_makes_one_account_of_many_names(
    database: Postgres, serve: Serve, connect: Connect, sql: Psql, hashed: str, tmp_path: pathlib.Path
) -> None:
    sql.run(insert("Alice", hashed, mail="'alice@mail.example'"))
    query = "select hash, name as username from account where lower(name) = $1 or mail = $1"
    server = serve(configs.config(configs.realm(configs.postgres(database, tmp_path, query=query))))
    client = connect(server)
    first = client.authenticate("alice@mail.example", PASSWORD)
    assert (first.outcome, first.identity.username, first.source) == (ACCEPTED, "alice", BACKEND)
    assert client.authenticate("alice", PASSWORD).source == CACHE
    assert client.authenticate("alice@mail.example", PASSWORD).source == CACHE
    assert client.authenticate("nobody", PASSWORD).outcome == REJECTED
    client.invalidate(user="alice@mail.example")
    assert client.authenticate("alice", PASSWORD).source == BACKEND


def test_several_rows_are_reported_and_an_unknown_user(
    database: Postgres, serve: Serve, connect: Connect, sql: Psql, hashed: str, tmp_path: pathlib.Path
) -> None:
    sql.run(insert("alice", hashed, mail="'same@mail.example'") + insert("bob", hashed, mail="'same@mail.example'"))
    query = "select hash, id, groups from account where mail = $1"
    server = serve(configs.config(configs.realm(configs.postgres(database, tmp_path, query=query))))
    client = connect(server)
    assert client.authenticate("same@mail.example", PASSWORD).outcome == REJECTED
    server.wait_for_decisions(1, reason="unknown_user")
    server.wait_for_log(lambda line: is_about(line, "2 rows", "same@mail.example"), "that it is ambiguous")


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("select id from account where name = $1", ("no column hash",)),
        ("select hash from account where name = $1 and mail = $2", ("2 parameters",)),
        ("select hash, disabled::text from account where name = $1", ("disabled", "boolean")),
        ("select hash, seen as expires, seen as expires from account where name = $1", ("two columns expires",)),
        ("select hash from account where length(name) = $1", ("no text",)),
        ("select hash from nowhere where name = $1", ("nowhere", "42p01")),
        ("select hash from account where name = $1; select 1", ("multiple commands",)),
    ],
)
def test_a_query_that_is_wrong_is_an_error_and_no_verdict(
    database: Postgres,
    serve: Serve,
    connect: Connect,
    sql: Psql,
    hashed: str,
    tmp_path: pathlib.Path,
    query: str,
    words: tuple[str, ...],
) -> None:
    sql.run(insert("alice", hashed))
    server = serve(configs.config(configs.realm(configs.postgres(database, tmp_path, query=query))))
    client = connect(server)
    with fails(grpc.StatusCode.UNAVAILABLE):
        client.authenticate("alice", PASSWORD)
    with fails(grpc.StatusCode.UNAVAILABLE):
        client.authenticate("alice", PASSWORD)
    server.wait_for_log(lambda line: is_about(line, *words), "what is wrong")
    assert sql.run("select count(*) from account") == "1"


def test_the_session_can_only_read(
    database: Postgres, serve: Serve, connect: Connect, sql: Psql, hashed: str, tmp_path: pathlib.Path
) -> None:
    sql.run(insert("alice", hashed))
    sql.run(f"grant all on account to {ROLE}")
    query = "delete from account where name = $1 returning hash"
    server = serve(configs.config(configs.realm(configs.postgres(database, tmp_path, query=query))))
    with fails(grpc.StatusCode.UNAVAILABLE):
        connect(server).authenticate("alice", PASSWORD)
    server.wait_for_log(lambda line: is_about(line, "25006", "read-only"), "what was refused")
    assert sql.run("select count(*) from account") == "1"


def test_an_error_of_the_data_tells_none_of_it(
    database: Postgres, serve: Serve, connect: Connect, sql: Psql, hashed: str, tmp_path: pathlib.Path
) -> None:
    sql.run(insert("alice", hashed))
    query = "select hash, (hash::int)::text as id from account where name = $1"
    server = serve(configs.config(configs.realm(configs.postgres(database, tmp_path, query=query))))
    with fails(grpc.StatusCode.UNAVAILABLE):
        connect(server).authenticate("alice", PASSWORD)
    server.wait_for_log(lambda line: is_about(line, "22p02"), "what is wrong")
    # PostgreSQL's own message has the hash; the end of the server asserts that no log of ours has.


@pytest.mark.parametrize(
    ("dsn", "words"),
    [
        ("host=127.0.0.1 port={port} dbname=corp user=credcache password=wrong-password", ("password", "failed")),
        ("host=127.0.0.1 port={port} dbname=nowhere user=credcache password=reader-of-the-database", ("nowhere",)),
        ("only-the-password-of-somebody", ("no connection string",)),
    ],
)
def test_a_connection_string_that_is_wrong_is_an_outage_and_stays_secret(
    database: Postgres,
    serve: Serve,
    connect: Connect,
    tmp_path: pathlib.Path,
    dsn: str,
    words: tuple[str, ...],
) -> None:
    validator = configs.postgres(database, tmp_path, dsn=dsn.format(port=database.port), feed=True)
    server = serve(configs.config(configs.realm(validator)))
    with fails(grpc.StatusCode.UNAVAILABLE) as failed:
        connect(server).authenticate("alice", PASSWORD)
    server.wait_for_log(lambda line: line["kind"] == "postgres_down" and is_about(line, *words), "what is wrong")
    for secret in ("wrong-password", "reader-of-the-database", "only-the-password"):
        assert secret not in server.log_text() + failed[0].message
    # The file is read again: a password that is rotated needs no restart.
    configs.postgres(database, tmp_path)
    waiting.until(
        lambda: connect(server).stats().backends[0].feed == stats_pb2.BackendStats.FEED_STATE_UP, "the feed is up"
    )


@contextlib.contextmanager
def silent_port() -> Iterator[int]:
    """Whoever connects is not answered: as a machine that is off, whose address still leads somewhere."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):  # more than wait to be accepted
            waiting_one = stack.enter_context(socket.socket())
            waiting_one.setblocking(False)
            waiting_one.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


@pytest.mark.parametrize("first", ["refuses", "is silent"])
def test_several_hosts_are_tried_in_order(
    database: Postgres, serve: Serve, connect: Connect, sql: Psql, hashed: str, tmp_path: pathlib.Path, first: str
) -> None:
    sql.run(insert("alice", hashed))
    with silent_port() as silent:
        port = silent if first == "is silent" else waiting.free_port()
        dsn = database.dsn.replace("host=127.0.0.1", "host=127.0.0.1,127.0.0.1")
        dsn = dsn.replace(f"port={database.port}", f"port={port},{database.port}")
        validator = configs.postgres(database, tmp_path, dsn=dsn, feed=True, timeout="3s")
        client = connect(serve(configs.config(configs.realm(validator), cache=NO_CACHE)))
        waiting.until(lambda: client.stats().backends[0].feed == stats_pb2.BackendStats.FEED_STATE_UP, "the feed is up")
        assert outcome(client, "alice") == ACCEPTED


def test_a_database_that_is_down_is_unavailable_and_cached_users_notice_nothing(
    server: Credcached, database: Postgres, connect: Connect
) -> None:
    client = connect(server)
    assert client.authenticate("alice", PASSWORD).outcome == ACCEPTED
    database.stop()
    try:
        for _ in range(3):
            with fails(grpc.StatusCode.UNAVAILABLE):
                client.authenticate("bob", PASSWORD)
        assert client.authenticate("alice", PASSWORD).source == CACHE
        assert [backend.state for backend in client.stats().backends] == [stats_pb2.BackendStats.STATE_DOWN]
        server.wait_for_log(lambda line: line["kind"] == "postgres_down", "that it is down")
        # Forgetting needs no database where names are as they are asked.
        client.invalidate(user="alice")
        with fails(grpc.StatusCode.UNAVAILABLE):
            client.authenticate("alice", PASSWORD)
    finally:
        database.start()
    accepted_again(client)
    assert outcome(client, "bob", "not-the-password") == REJECTED
    server.wait_for_log(lambda line: line["kind"] == "postgres_up", "that it is back")


def test_connections_that_died_meanwhile_cost_nobody_anything(
    server: Credcached, database: Postgres, connect: Connect, sql: Psql
) -> None:
    client = connect(server)
    for call in [client.begin("bob", PASSWORD, max_age_seconds=0) for _ in range(20)]:
        assert call.result().outcome == ACCEPTED
    assert database.cut(sql, "true") >= 1
    for call in [client.begin("bob", PASSWORD, max_age_seconds=0) for _ in range(20)]:
        assert call.result().outcome == ACCEPTED


def test_a_table_that_changes_its_shape_needs_no_restart(server: Credcached, connect: Connect, sql: Psql) -> None:
    client = connect(server)
    assert outcome(client, "alice") == ACCEPTED
    sql.run("alter table account alter column mail type varchar(100), alter column hash type varchar(500)")
    assert outcome(client, "alice") == ACCEPTED
    assert outcome(client, "alice", "not-the-password") == REJECTED


def test_a_frozen_database_is_unavailable_in_time(
    server: Credcached, database: Postgres, connect: Connect, sql: Psql
) -> None:
    client = connect(server)
    assert client.authenticate("alice", PASSWORD).outcome == ACCEPTED
    # Its sessions are served by processes of their own: without them, each question needs a new connection.
    database.cut(sql, "true")
    waiting.until(
        lambda: sql.run(f"select count(*) from pg_stat_activity where usename = '{ROLE}'") == "0", "no session is left"
    )
    database.freeze()
    try:
        with waiting.Stopwatch() as watch:
            calls = [client.begin("nobody", f"guess-{number}") for number in range(8)]
            assert client.authenticate("alice", PASSWORD).source == CACHE
            assert {failure(call.exception()).code for call in calls} == {grpc.StatusCode.UNAVAILABLE}
        assert watch.seconds < 5
    finally:
        database.freeze(stopped=False)
    accepted_again(client)


def test_a_slow_query_is_unavailable_after_the_timeout_and_holds_up_nobody(
    database: Postgres, serve: Serve, connect: Connect, sql: Psql, hashed: str, tmp_path: pathlib.Path
) -> None:
    sql.run(insert("alice", hashed) + insert("slow", hashed))
    sql.run(
        "create function hash_of(text, text) returns text language plpgsql as $$ begin "
        "if $1 = 'slow' then perform pg_sleep(60); end if; return $2; end $$;"
        "create view slow_account as select name, hash_of(name, hash) as hash from account;"
        f"grant select on slow_account to {ROLE}"
    )
    query = "select hash from slow_account where name = $1"
    validator = configs.postgres(database, tmp_path, query=query, timeout="1s", connections=4)
    client = connect(serve(configs.config(configs.realm(validator))))
    with waiting.Stopwatch() as watch:
        slow = [client.begin("slow", f"guess-{number}") for number in range(3)]
        assert outcome(client, "alice") == ACCEPTED
        assert not any(call.done() for call in slow), "the query was not slow enough to show anything"
        for call in slow:
            assert failure(call.exception()).code == grpc.StatusCode.UNAVAILABLE
    assert watch.seconds < 4
    assert client.stats().cache.negative_entries == 0
    # The server has given them up as well.
    waiting.until(
        lambda: sql.run(f"select count(*) from pg_stat_activity where usename = '{ROLE}' and state = 'active'") == "0",
        "no query of ours runs on",
    )


def test_a_chain_goes_on_for_who_is_unknown_here(
    database: Postgres, serve: Serve, connect: Connect, sql: Psql, hashed: str, tmp_path: pathlib.Path
) -> None:
    sql.run(insert("alice", hashed))
    users = configs.write_users(tmp_path / "users", carol="password-of-carol", alice="another-password")
    server = serve(configs.config(configs.realm(configs.postgres(database, tmp_path), configs.users_file(users))))
    client = connect(server)
    assert client.authenticate("carol", "password-of-carol").outcome == ACCEPTED
    assert client.authenticate("alice", "another-password").outcome == REJECTED
    assert client.authenticate("alice", PASSWORD).outcome == ACCEPTED
    assert client.authenticate("nobody", PASSWORD).outcome == REJECTED


def test_an_unknown_user_costs_the_work_of_a_wrong_password(
    database: Postgres, serve: Serve, connect: Connect, sql: Psql, tmp_path: pathlib.Path
) -> None:
    # By its cost, about a tenth of a second.
    slow = "$6$rounds=200000$salt$" + "x" * 86
    sql.run("".join(insert(f"user{number}", slow) for number in range(8)))
    validator = configs.postgres(database, tmp_path, connections=1)
    client = connect(serve(configs.config(configs.realm(validator), cache=NO_CACHE)))
    outcome(client, "user0", "guess")

    def median(prefix: str) -> float:
        seconds = []
        for number in range(7):
            with waiting.Stopwatch() as watch:
                assert outcome(client, f"{prefix}{number}", "guess") == REJECTED
            seconds.append(watch.seconds)
        return sorted(seconds)[3]

    known, unknown = median("user"), median("nobody")
    assert 0.5 < unknown / known < 2, (known, unknown)
