"""A validator plug-in in another language, over a unix socket and over TLS, and its change feed."""

import hashlib
import json
import pathlib
import random
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import certs
import configs
import grpc
import pytest
import secrets_used
import stubs
import waiting
from certs import Certificate, CertificateAuthority
from client import Client, Connect, fails, request
from credcached import Credcached, Serve, is_about
from plugin import MakePlugin, Plugin
from stubs import ACCEPTED, ACCOUNT_DISABLED, BACKEND, CACHE, PASSWORD_EXPIRED, REJECTED, stats_pb2

UNAVAILABLE = grpc.StatusCode.UNAVAILABLE

ALICE = {
    "password": "password-of-alice",
    "identity": {"subject": "id-1", "groups": ["staff", "admins"], "attributes": {"mail": "alice@mail.example"}},
}
USERS = {
    "alice": ALICE,
    "bob": {"password": "password-of-bob"},
    "carol": {"password": "password-of-carol"},
    "locked": {"password": "password-of-locked", "decision": "DECISION_LOCKED"},
    "disabled": {"password": "password-of-disabled", "decision": "DECISION_ACCOUNT_DISABLED"},
    "expired": {"password": "password-of-expired", "decision": "DECISION_PASSWORD_EXPIRED"},
    "rémi ☃": {"password": "password-of-remi"},
    "quote'\"; drop table": {"password": "password-of-quote"},
    "${jndi:x}%s\\": {"password": "password-of-jndi"},
}


@pytest.fixture
def plugin(make_plugin: MakePlugin) -> Plugin:
    return make_plugin(USERS).start()


def feed_state(server: Credcached) -> float:
    return server.metrics().total("credcache_backend_feed_up", realm="corp.example", backend="remote")


def wait_for_feed(server: Credcached) -> None:
    waiting.until(lambda: feed_state(server) == 1, "the feed is up")


def serving(serve: Serve, plugin: Plugin, cache: dict[str, Any] | None = None, **more: Any) -> Credcached:
    """One on the plug-in, its feed up. No quarantine: what is forgotten may be cached again at once."""
    realm = configs.realm(configs.remote(plugin.address, **more))
    server = serve(configs.config(realm, cache={"quarantine": "0s", **(cache or {})}, throttle=configs.UNTHROTTLED))
    wait_for_feed(server)
    return server


@pytest.fixture
def server(serve: Serve, plugin: Plugin) -> Credcached:
    return serving(serve, plugin)


def check_decisions(client: Client) -> None:
    """Each decision of the plug-in's, as callers see it."""
    for name in ("alice", "bob", "rémi ☃", "quote'\"; drop table", "${jndi:x}%s\\"):
        password = USERS[name]["password"]
        first = client.authenticate(name, password)
        assert (first.outcome, first.source, first.identity.username) == (ACCEPTED, BACKEND, name)
        again = client.authenticate(name, password)
        assert (again.outcome, again.source, again.identity) == (ACCEPTED, CACHE, first.identity)
        assert client.authenticate(name, "not-the-password").outcome == REJECTED
    identity = client.authenticate("alice", ALICE["password"]).identity
    assert (identity.subject, list(identity.groups)) == ("id-1", ["staff", "admins"])
    assert dict(identity.attributes) == {"mail": "alice@mail.example"}
    assert client.authenticate("bob", "password-of-bob").identity.subject == "corp.example/bob"
    wanted = {"disabled": ACCOUNT_DISABLED, "expired": PASSWORD_EXPIRED, "locked": REJECTED}
    assert {name: client.authenticate(name, f"password-of-{name}").outcome for name in wanted} == wanted
    assert {client.authenticate(name, "not-the-password").outcome for name in wanted} == {REJECTED, REJECTED}
    assert client.authenticate("nobody", "password-of-nobody").outcome == REJECTED


def test_each_decision_over_a_unix_socket(server: Credcached, plugin: Plugin, connect: Connect) -> None:
    client = connect(server)
    check_decisions(client)
    # Twice the right one, once the wrong one: the second time the cache knew.
    assert plugin.asked("alice") == 2
    assert client.authenticate("alice", "").outcome == REJECTED
    assert plugin.asked("alice") == 2


def test_each_decision_over_tls(
    serve: Serve,
    connect: Connect,
    make_plugin: MakePlugin,
    authority: CertificateAuthority,
    server_certificate: Certificate,
) -> None:
    plugin = make_plugin(USERS, f"localhost:{waiting.free_port()}").with_tls(server_certificate, authority).start()
    ours = authority.issue("credcached")
    tls = {"ca": str(authority.certificate), "certificate": str(ours.certificate), "private_key": str(ours.private_key)}
    check_decisions(connect(serving(serve, plugin, tls=tls)))


def test_a_certificate_that_is_not_the_plug_ins_gets_no_password(
    serve: Serve,
    connect: Connect,
    make_plugin: MakePlugin,
    authority: CertificateAuthority,
    server_certificate: Certificate,
    tmp_path: pathlib.Path,
) -> None:
    """Another authority's, another host's, none of ours where the plug-in wants one, none that the system knows."""
    other = CertificateAuthority(tmp_path / "other", "Somebody Else")
    elsewhere = authority.issue("elsewhere", "DNS:elsewhere.example")
    ours = authority.issue("credcached")
    pair = {"certificate": str(ours.certificate), "private_key": str(ours.private_key)}
    realms, plugins = [], []
    for name, certificate, tls in (
        ("ca.example", server_certificate, {"ca": str(other.certificate), **pair}),
        ("host.example", elsewhere, {"ca": str(authority.certificate), **pair}),
        ("ours.example", server_certificate, {"ca": str(authority.certificate)}),
        ("system.example", server_certificate, pair),
    ):
        plugins.append(make_plugin(USERS, f"localhost:{waiting.free_port()}").with_tls(certificate, authority).start())
        realms.append(configs.realm(configs.remote(plugins[-1].address, tls=tls), name=name))
    realms[0]["default"] = True
    server = serve(configs.config(*realms))
    client = connect(server)
    for realm in ("ca.example", "host.example", "ours.example", "system.example"):
        with fails(UNAVAILABLE) as failures:
            client.authenticate("alice", ALICE["password"], realm=realm)
        assert "certificate" not in failures[0].message.lower()
    server.wait_for_log(
        lambda line: is_about(line, plugins[0].address, "certificate verify failed"), "that the authority is not ours"
    )
    assert [plugin.asked("alice") for plugin in plugins] == [0] * 4


def test_certificates_are_replaced_without_a_restart(
    serve: Serve, connect: Connect, make_plugin: MakePlugin, authority: CertificateAuthority, tmp_path: pathlib.Path
) -> None:
    ours, root = authority.issue("before"), tmp_path / "root.pem"
    root.write_bytes(authority.certificate.read_bytes())
    tls = {"ca": str(root), "certificate": str(ours.certificate), "private_key": str(ours.private_key)}
    plugin = (
        make_plugin(USERS, f"localhost:{waiting.free_port()}").with_tls(authority.issue("plugin"), authority).start()
    )
    server = serving(serve, plugin, tls=tls)
    client = connect(server)
    assert client.authenticate("bob", "password-of-bob").outcome == ACCEPTED
    plugin.kill()
    other = CertificateAuthority(tmp_path / "other", "The Next One")
    certs.install(other.issue("after"), ours)
    configs.replace(root, other.certificate.read_text())
    plugin.with_tls(other.issue("plugin"), other).start()
    wait_for_feed(server)
    assert client.authenticate("alice", ALICE["password"]).outcome == ACCEPTED


def test_many_names_of_an_account_share_its_entry(serve: Serve, connect: Connect, make_plugin: MakePlugin) -> None:
    plugin = make_plugin({"alice": {**ALICE, "aliases": ["a.smith", "alice@mail.example"]}}).start()
    client = connect(serving(serve, plugin))
    assert client.authenticate("a.smith", ALICE["password"]).source == BACKEND
    assert client.authenticate("alice", ALICE["password"]).source == CACHE
    assert client.authenticate("alice@mail.example", ALICE["password"]).identity.username == "alice"
    assert plugin.asked("alice") == 1
    assert client.authenticate("nobody", "password-of-nobody").outcome == REJECTED
    assert plugin.asked("nobody") == 1, "it costs what a wrong password costs"
    plugin.set_user("alice", "new-password-of-alice", aliases=["a.smith"])
    waiting.until(
        lambda: client.authenticate("a.smith", ALICE["password"]).outcome == REJECTED, "the change is felt by alias too"
    )


def test_while_the_plug_in_is_away_nothing_is_decided_and_cached_users_go_on(
    server: Credcached, plugin: Plugin, connect: Connect
) -> None:
    client = connect(server)
    client.authenticate("alice", ALICE["password"])
    plugin.kill()
    for _ in range(3):
        with waiting.Stopwatch() as watch, fails(UNAVAILABLE):
            client.authenticate("bob", "password-of-bob")
        assert watch.seconds < 2, "it must not wait for who is not there"
        with fails(UNAVAILABLE):
            client.authenticate("alice", "not-the-password")
        assert client.authenticate("alice", ALICE["password"]).source == CACHE
    waiting.until(lambda: feed_state(server) == 0, "the feed is known to be down")
    assert "[!] feed corp.example/remote: down" in server.get("/readyz")[1]
    assert server.get("/readyz")[0] == 200
    assert client.stats().backends[0].feed == stats_pb2.BackendStats.FEED_STATE_DOWN
    server.wait_for_log(lambda line: is_about(line, "remote_error", plugin.address), "who is not there")
    plugin.start()
    wait_for_feed(server)
    assert client.authenticate("bob", "password-of-bob").outcome == ACCEPTED
    assert client.stats().backends[0].feed == stats_pb2.BackendStats.FEED_STATE_UP
    assert server.get("/readyz?verbose")[1] == "[+] grpc: ok\n[+] feed corp.example/remote: ok\nok\n"


def test_a_call_that_hangs_is_given_up_and_holds_up_nobody(serve: Serve, plugin: Plugin, connect: Connect) -> None:
    client = connect(serving(serve, plugin, timeout="1s"))
    for number in range(20):
        plugin.set_user(f"hangs{number}", "password-of-hangs", hang=True)
    with waiting.Stopwatch() as watch:
        calls = [client.begin(f"hangs{number}", "password-of-hangs") for number in range(20)]
        assert client.authenticate("bob", "password-of-bob").outcome == ACCEPTED
        assert not all(call.done() for call in calls)
        for call in calls:
            assert call.exception().code() == UNAVAILABLE
    assert 1 <= watch.seconds < 3


def test_a_plug_in_that_is_frozen_is_unavailable_and_its_feed_down(
    serve: Serve, plugin: Plugin, connect: Connect
) -> None:
    server = serving(serve, plugin, timeout="1s")
    client = connect(server)
    plugin.freeze()
    with fails(UNAVAILABLE):
        client.authenticate("bob", "password-of-bob")
    waiting.until(lambda: feed_state(server) == 0, "its silence is noticed")
    plugin.freeze(stopped=False)
    wait_for_feed(server)
    assert client.authenticate("bob", "password-of-bob").outcome == ACCEPTED


def test_an_error_or_nonsense_is_no_verdict(server: Credcached, plugin: Plugin, connect: Connect) -> None:
    client = connect(server)
    nonsense: dict[str, dict[str, Any]] = {
        "unspecified": {"decision": "DECISION_UNSPECIFIED"},
        "unlisted": {"decision": 42},
        "no-name": {"identity": {"username": "line\nbreak"}},
        "long-subject": {"identity": {"subject": "s" * 2000}},
        "many-groups": {"identity": {"groups": ["g"] * 5000}},
        "huge": {"identity": {"groups": ["g" * 2_000_000]}},
        "down": {"error": "UNAVAILABLE"},
        "unauthenticated": {"error": "UNAUTHENTICATED"},
        "exists": {"error": "NOT_FOUND", "text": "no \x1b[31msuch\nuser"},
    }
    for name, fields in nonsense.items():
        plugin.set_user(name, f"password-of-{name}", **fields)
        for _ in range(2):
            with fails(UNAVAILABLE) as failures:
                client.authenticate(name, f"password-of-{name}")
            assert "plug" not in failures[0].message
        assert plugin.asked(name) == 2, "neither cached, nor asked twice for one log-on"
    server.wait_for_log(lambda line: is_about(line, "NOT_FOUND", "such\\\\nuser"), "the plug-in's own words, escaped")
    plugin.set_user("tells", "password-of-tells", error="INTERNAL", text="what? password-of-tells?")
    with fails(UNAVAILABLE):
        client.authenticate("tells", "password-of-tells")
    assert client.authenticate("bob", "password-of-bob").outcome == ACCEPTED


def test_a_plug_in_that_dies_under_a_call_is_asked_once(server: Credcached, plugin: Plugin, connect: Connect) -> None:
    """The password goes to it once: not again when the connection breaks, nor when the plug-in is back."""
    client = connect(server)
    plugin.set_user("hangs", "password-of-hangs", hang=True)
    call = client.begin("hangs", "password-of-hangs")
    waiting.until(lambda: plugin.asked("hangs") == 1, "the call is under way")
    plugin.kill()
    assert call.exception().code() == UNAVAILABLE
    plugin.start()
    wait_for_feed(server)
    assert plugin.asked("hangs") == 0


def outcome_of(client: Client, name: str, password: str) -> int | None:
    """None: unavailable."""
    try:
        return client.authenticate(name, password).outcome
    except grpc.RpcError as error:
        assert error.code() == UNAVAILABLE, error
        return None


def wait_for_refusal(client: Client, name: str, password: str, what: str) -> None:
    waiting.until(lambda: outcome_of(client, name, password) == REJECTED, what, every_seconds=0)


def test_a_change_is_felt_within_milliseconds_and_by_nobody_else(
    server: Credcached, plugin: Plugin, connect: Connect, record_property: Callable
) -> None:
    """1,000 changes of a password, no Invalidate: how long the old one is still taken, and that each new one is."""
    client = connect(server)
    client.authenticate("bob", "password-of-bob")
    plugin.set_user("alice", "password-number-0")
    wait_for_refusal(client, "alice", ALICE["password"], "the first change is felt")
    seconds = []
    for number in range(1, 1_001):
        old, new = f"password-number-{(number - 1) % 2}", f"password-number-{number % 2}"
        assert client.authenticate("alice", old).outcome == ACCEPTED
        assert client.authenticate("alice", old).source == CACHE
        with waiting.Stopwatch() as watch:
            plugin.set_user("alice", new)
            wait_for_refusal(client, "alice", old, f"change {number} is felt")
        seconds.append(watch.seconds)
        assert client.authenticate("alice", new).outcome == ACCEPTED, number
    assert client.authenticate("bob", "password-of-bob").source == CACHE
    text = waiting.percentiles(seconds)
    record_property("from_change_to_refusal", text)
    print(f"from the change to the refusal: {text}")


@pytest.mark.timeout(300)
def test_no_change_is_missed_while_the_feed_is_cut(server: Credcached, plugin: Plugin, connect: Connect) -> None:
    """The plug-in is killed and started at random, before, during and after changes that nobody is told of."""
    client = connect(server)
    dice = random.Random(20261124)
    old = ALICE["password"]
    assert client.authenticate("alice", old).outcome == ACCEPTED
    kills = 0
    for number in range(40):
        new = f"password-number-{number}"
        kill_before, kill_after = dice.random() < 0.3, dice.random() < 0.3
        if kill_before:
            plugin.kill()
        plugin.set_user("alice", new, tell=not kill_after)
        if kill_before or kill_after:
            plugin.kill()
            kills += 1
            plugin.start()
        wait_for_refusal(client, "alice", old, f"change {number} is felt")
        waiting.until(lambda new=new: outcome_of(client, "alice", new) == ACCEPTED, "the new one is taken")
        assert client.authenticate("alice", new).outcome == ACCEPTED
        old = new
    assert kills > 5


def test_who_is_deleted_disabled_or_put_into_another_group_is_so_at_once(
    server: Credcached, plugin: Plugin, connect: Connect
) -> None:
    client = connect(server)
    for name in ("alice", "bob", "carol"):
        client.authenticate(name, f"password-of-{name}")
        assert client.authenticate(name, f"password-of-{name}").source == CACHE
    assert client.authenticate("erin", "password-of-erin").outcome == REJECTED
    plugin.delete_user("bob")
    wait_for_refusal(client, "bob", "password-of-bob", "bob is gone")
    plugin.set_user("carol", "password-of-carol", decision="DECISION_ACCOUNT_DISABLED")
    waiting.until(
        lambda: client.authenticate("carol", "password-of-carol").outcome == ACCOUNT_DISABLED, "carol is disabled"
    )
    plugin.set_user("alice", ALICE["password"], identity={"groups": ["guests"]})
    waiting.until(
        lambda: list(client.authenticate("alice", ALICE["password"]).identity.groups) == ["guests"], "alice has moved"
    )
    plugin.set_user("erin", "password-of-erin")
    waiting.until(lambda: client.authenticate("erin", "password-of-erin").outcome == ACCEPTED, "erin is there")
    plugin.say(everything=True)
    waiting.until(lambda: client.authenticate("alice", ALICE["password"]).source == BACKEND, "all are forgotten")


def test_names_that_are_none_forget_everybody_and_are_told(
    server: Credcached, plugin: Plugin, connect: Connect
) -> None:
    client = connect(server)
    client.authenticate("bob", "password-of-bob")
    plugin.say(usernames=["line\nbreak"])
    server.wait_for_log(lambda line: is_about(line, "remote_feed_mistake"), "what was wrong")
    waiting.until(lambda: client.authenticate("bob", "password-of-bob").source == BACKEND, "all are forgotten")
    assert feed_state(server) == 1


def test_a_flood_of_changes_is_survived_and_what_comes_after_it_felt(
    server: Credcached, plugin: Plugin, connect: Connect
) -> None:
    client = connect(server)
    client.authenticate("alice", ALICE["password"])
    forgotten = server.metrics().total("credcache_invalidations_total", origin="feed", target="realm")
    with waiting.Stopwatch() as watch:
        plugin.flood("carol", 40_000)
        plugin.set_user("alice", "new-password-of-alice")
        wait_for_refusal(client, "alice", ALICE["password"], "the change behind the flood is felt")
    assert watch.seconds < 10
    server.wait_for_log(lambda line: is_about(line, "remote_feed_flood"), "that there is a flood")
    forgotten = server.metrics().total("credcache_invalidations_total", origin="feed", target="realm") - forgotten
    assert 1 <= forgotten <= watch.seconds + 2
    # Reading goes on until the last of it, and then the feed is as before.
    plugin.set_user("bob", "new-password-of-bob")
    wait_for_refusal(client, "bob", "password-of-bob", "the next change is felt")
    assert feed_state(server) == 1


def test_a_thousand_at_once_are_each_answered(serve: Serve, connect: Connect, make_plugin: MakePlugin) -> None:
    users = {f"user{number}": {"password": f"password-of-{number}"} for number in range(1_000)}
    client = connect(serving(serve, make_plugin(users).start(), timeout="20s"))
    answers = client.batch([request(name, user["password"]) for name, user in users.items()])
    assert [answer.response.identity.username for answer in answers] == list(users)


def test_a_plug_in_without_watch_is_named_and_goes_on(serve: Serve, connect: Connect, make_plugin: MakePlugin) -> None:
    plugin = make_plugin(USERS, feed=False).start()
    server = serve(configs.config(configs.realm(configs.remote(plugin.address))))
    server.wait_for_log(lambda line: is_about(line, "remote_feed", "UNIMPLEMENTED", "feed: true"), "that it has none")
    assert feed_state(server) == 0
    assert connect(server).authenticate("bob", "password-of-bob").outcome == ACCEPTED


def test_where_no_feed_is_wanted_none_is_told_of(serve: Serve, connect: Connect, plugin: Plugin) -> None:
    server = serve(configs.config(configs.realm(configs.remote(plugin.address, feed=False))))
    client = connect(server)
    assert client.authenticate("bob", "password-of-bob").outcome == ACCEPTED
    assert client.stats().backends[0].feed == stats_pb2.BackendStats.FEED_STATE_UNSPECIFIED
    assert "feed" not in server.get("/readyz?verbose")[1]


def test_a_plug_in_can_stand_in_a_chain(serve: Serve, connect: Connect, plugin: Plugin, tmp_path: pathlib.Path) -> None:
    users = configs.write_users(tmp_path / "users", dave="password-of-dave", bob="password-of-another-bob")
    realm = configs.realm(configs.remote(plugin.address), configs.users_file(users))
    server = serve(configs.config(realm, cache={"quarantine": "0s"}))
    wait_for_feed(server)
    client = connect(server)
    assert client.authenticate("dave", "password-of-dave").outcome == ACCEPTED
    assert client.authenticate("bob", "password-of-bob").outcome == ACCEPTED
    assert client.authenticate("bob", "password-of-another-bob").outcome == REJECTED


def test_the_sample_works_as_it_is_told(serve: Serve, connect: Connect, tmp_path: pathlib.Path) -> None:
    def user(password: str, **more: Any) -> dict[str, Any]:
        hashed = hashlib.scrypt(secrets_used.note(password), salt=b"salt", n=2**12, r=8, p=1).hex()
        return {"salt": "salt", "hash": hashed, **more}

    users = {
        "alice": user("password-of-alice", groups=["staff"]),
        "carol": user("password-of-carol", decision="DECISION_ACCOUNT_DISABLED"),
    }
    file = configs.replace(tmp_path / "users.json", json.dumps(users))
    address = f"unix:{tmp_path}/sample.sock"
    sample = stubs.REPOSITORY / "service" / "docs" / "validator_plugin.py"
    with subprocess.Popen([sys.executable, sample, address, file], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout.readline() == "ready\n"
            server = serve(configs.config(configs.realm(configs.remote(address)), cache={"quarantine": "0s"}))
            wait_for_feed(server)
            client = connect(server)
            assert list(client.authenticate("alice", "password-of-alice").identity.groups) == ["staff"]
            assert client.authenticate("alice", "not-the-password").outcome == REJECTED
            assert client.authenticate("nobody", "password-of-nobody").outcome == REJECTED
            assert client.authenticate("carol", "password-of-carol").outcome == ACCOUNT_DISABLED
            configs.replace(file, json.dumps({**users, "alice": user("new-password-of-alice")}))
            wait_for_refusal(client, "alice", "password-of-alice", "the change is felt")
            assert client.authenticate("alice", "new-password-of-alice").outcome == ACCEPTED
            file.write_text("{")
            with fails(UNAVAILABLE):
                client.authenticate("alice", "not-the-password-again")
        finally:
            process.kill()
