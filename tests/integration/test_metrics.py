"""Metrics, Stats and audit tell the truth after a known sequence, and nothing that is nobody's business."""

import datetime
import subprocess
from typing import Any

import configs
import pytest
import secrets_used
import waiting
from client import Client, Connect, request
from credcached import Credcached, Metrics
from slapd import Slapd
from stubs import ACCEPTED, stats_pb2

ALWAYS_THERE = {
    "credcache_authentications_total",
    "credcache_authentication_duration_seconds_bucket",
    "credcache_cache_entries",
    "credcache_cache_bytes",
    "credcache_cache_hits_total",
    "credcache_cache_misses_total",
    "credcache_cache_evictions_total",
    "credcache_coalesced_total",
    "credcache_backend_requests_total",
    "credcache_backend_duration_seconds_bucket",
    "credcache_backend_in_flight",
    "credcache_invalidations_total",
    "credcache_invalidation_duration_seconds_bucket",
    "credcache_journal_revision",
    "credcache_journal_lease_valid",
    "grpc_server_call_duration_seconds_bucket",
    "credcache_build_info",
    "process_cpu_seconds_total",
    "process_resident_memory_bytes",
    "process_open_fds",
    "process_start_time_seconds",
}


def known_sequence(client: Client) -> None:
    """Four accepted (one by the backend), four rejected (three by the backend), one without either, one forgotten."""
    for _ in range(3):
        client.authenticate("alice", "password-of-alice", protocol="imap")
    client.batch([request("alice", "password-of-alice", protocol="SMTP")])
    for _ in range(2):
        client.authenticate("alice", "not-the-password", protocol="imap")
    client.authenticate("nobody-of-that-name", "password-of-alice", protocol="gopher")
    client.authenticate("bob", "not-the-password")
    client.authenticate("bob", "")
    client.invalidate(user="nobody-of-that-name")


@pytest.fixture
def after_sequence(on_few: Credcached, connect: Connect) -> Credcached:
    """What has counted exactly that."""
    known_sequence(connect(on_few))
    return on_few


def test_numbers_are_true_after_a_known_sequence(after_sequence: Credcached) -> None:
    metrics = after_sequence.metrics()
    realm = configs.REALM
    for labels, count in (
        ({"protocol": "imap", "outcome": "accepted", "source": "backend"}, 1),
        ({"protocol": "imap", "outcome": "accepted", "source": "cache"}, 2),
        ({"protocol": "smtp", "outcome": "accepted", "source": "cache"}, 1),
        ({"protocol": "imap", "outcome": "rejected", "source": "backend"}, 1),
        ({"protocol": "imap", "outcome": "rejected", "source": "cache"}, 1),
        ({"protocol": "other", "outcome": "rejected", "source": "backend"}, 2),
        ({"protocol": "other", "outcome": "rejected", "source": "none"}, 1),
        ({}, 9),
    ):
        assert metrics.total("credcache_authentications_total", realm=realm, **labels) == count, labels
    assert metrics.total("credcache_authentication_duration_seconds_count", source="backend") == 4
    assert metrics.total("credcache_authentication_duration_seconds_count", source="cache") == 4
    assert metrics.total("credcache_cache_hits_total", realm=realm) == 4
    assert metrics.total("credcache_cache_misses_total", realm=realm) == 4
    assert metrics.total("credcache_cache_misses_total", realm=realm, reason="absent") == 3
    assert metrics.total("credcache_cache_misses_total", realm=realm, reason="digest") == 1
    assert metrics.total("credcache_cache_entries", kind="positive") == 1
    # Alice's and Bob's wrong one; that of nobody was forgotten.
    assert metrics.total("credcache_cache_entries", kind="negative") == 2
    assert metrics.total("credcache_cache_bytes") > 0
    assert metrics.total("credcache_backend_requests_total", realm=realm, backend="ldap", result="accepted") == 1
    assert metrics.total("credcache_backend_requests_total", realm=realm, backend="ldap", result="error") == 0
    assert metrics.total("credcache_backend_in_flight") == 0
    assert metrics.total("credcache_invalidations_total", target="user", origin="caller") == 1
    assert metrics.total("credcache_invalidation_duration_seconds_count") == 1
    assert metrics.total("credcache_journal_lease_valid") == 1
    calls = {"Authenticate": 8, "BatchAuthenticate": 1, "Invalidate": 1}
    for method, count in calls.items():
        assert count == sum(
            value
            for name, labels, value in metrics.samples
            if name == "grpc_server_call_duration_seconds_count" and labels["grpc_method"].endswith(f"/{method}")
        )
    assert metrics.total("credcache_build_info") == 1


def test_stats_tell_the_same(after_sequence: Credcached, connect: Connect) -> None:
    stats = connect(after_sequence).stats(per_realm=True, per_bucket=True)
    cache = stats.cache
    assert (cache.entries, cache.negative_entries, cache.hits, cache.negative_hits) == (1, 2, 3, 1)
    misses = {stats_pb2.MissReason.Name(miss.reason): miss.count for miss in cache.misses if miss.count}
    assert misses == {"MISS_REASON_ABSENT": 3, "MISS_REASON_DIGEST": 1}
    assert cache.hit_ratio == pytest.approx(0.5)
    assert (cache.invalidations, cache.coalesced, cache.stale, cache.evictions) == (1, 0, 0, 0)
    (realm,) = stats.realms
    assert (realm.entries, realm.negative_entries, realm.hits, realm.negative_hits) == (1, 2, 3, 1)
    assert sum(bucket.entries for bucket in stats.buckets) == 1
    assert sum(bucket.negative_entries for bucket in stats.buckets) == 2
    (backend,) = stats.backends
    assert (backend.realm, backend.backend, backend.errors, backend.in_flight) == (configs.REALM, "ldap", 0, 0)
    assert backend.requests >= 4
    assert backend.latency_median.ToNanoseconds() > 0
    metrics = after_sequence.metrics()
    assert metrics.total("credcache_backend_requests_total", backend="ldap") == backend.requests


def test_an_outage_shows(after_sequence: Credcached, few: Slapd, connect: Connect) -> None:
    few.kill()
    errors = 0
    for _ in range(3):
        call = connect(after_sequence).begin("carol", "password-of-carol")
        errors += call.exception() is not None
    assert errors == 3
    metrics = after_sequence.metrics()
    assert metrics.total("credcache_backend_requests_total", result="error") >= 3
    assert metrics.total("credcache_authentications_total") == 9, "an error is no decision"
    assert metrics.total("grpc_server_call_duration_seconds_count", grpc_status="UNAVAILABLE") == 3


def test_every_metric_is_there_and_well_formed(after_sequence: Credcached) -> None:
    metrics = after_sequence.metrics()
    assert metrics.names() >= ALWAYS_THERE, ALWAYS_THERE - metrics.names()
    result = subprocess.run(
        ["promtool", "check", "metrics"], input=metrics.text, capture_output=True, text=True, check=False, timeout=20
    )
    assert result.returncode == 0, result.stderr + result.stdout


def test_no_label_grows_with_what_callers_send(after_sequence: Credcached, connect: Connect) -> None:
    client = connect(after_sequence)
    before = {(name, tuple(labels.items())) for name, labels, _ in after_sequence.metrics().samples}
    for number in range(50):
        client.authenticate(
            f"made-up-{number}", "password-of-nobody", realm=f"realm-{number}", protocol=f"protocol-{number}"
        )
        client.authenticate(f"made-up-{number}", "password-of-nobody", protocol=f"protocol-{number}")
        client.channel.unary_unary(f"/credcache.v1.AuthService/Method{number}").future(b"", timeout=10).exception()
    text = after_sequence.metrics().text
    for word in ("made-up", "realm-", "protocol-", "Method1", "alice", "nobody"):
        assert word not in text
    after = {(name, tuple(labels.items())) for name, labels, _ in Metrics(text).samples}
    grown = {series for series in after - before if not series[0].startswith("grpc_server_call_duration")}
    assert len(grown) < 40, grown


def test_each_decision_is_audited_once_with_who_where_and_why(on_few: Credcached, connect: Connect) -> None:
    client = connect(on_few)
    began = datetime.datetime.now(datetime.UTC)
    context = {"protocol": "imap", "client_address": "192.0.2.7", "request_id": "request-1"}
    client.authenticate("Alice@mail.example", "password-of-alice", **context)
    client.authenticate("alice", "not-the-password", **{**context, "request_id": "request-2"})
    client.authenticate("nobody-of-that-name", "password-of-alice", **{**context, "client_address": "2001:db8::7"})
    client.authenticate("alice", b"")
    client.authenticate("alice", "password-of-alice", realm="nowhere.example")
    client.authenticate("expired", "password-of-expired")
    first, wrong, nobody, empty, nowhere, expired = on_few.wait_for_decisions(6)
    common = {"realm": configs.REALM, "protocol": "imap", "client_address": "192.0.2.7"}
    assert {
        **common,
        "outcome": "accepted",
        "reason": "ok",
        "source": "backend",
        "request_id": "request-1",
    }.items() <= (first.items())
    assert "alice" in first["username"]
    assert abs(datetime.datetime.fromisoformat(first["ts"]) - began) < datetime.timedelta(seconds=30)
    assert {
        **common,
        "username": "alice",
        "outcome": "rejected",
        "reason": "wrong_password",
        "request_id": "request-2",
    }.items() <= (wrong.items())
    assert (nobody["reason"], nobody["client_address"]) == ("unknown_user", "2001:db8::7")
    assert (empty["reason"], empty["source"]) == ("empty_password", "none")
    assert (nowhere["outcome"], nowhere["reason"]) == ("rejected", "unknown_realm")
    assert (expired["outcome"], expired["reason"]) == ("password_expired", "expired")
    assert len({event["request_id"] for event in (first, wrong, empty, nowhere, expired)}) == 5, "made where not given"


def test_answers_from_the_cache_are_audited_only_on_demand(on_few: Credcached, connect: Connect) -> None:
    client = connect(on_few)
    for _ in range(5):
        client.authenticate("alice", "password-of-alice")
    on_few.reload(audit={"hits": True})
    for _ in range(5):
        client.authenticate("alice", "password-of-alice")
    client.authenticate("bob", "password-of-bob")
    on_few.wait_for_decisions(1, username="bob")
    assert len(on_few.decisions(username="alice", source="backend")) == 1
    assert len(on_few.decisions(username="alice", source="cache")) == 5


def test_invalidations_are_audited_with_their_reason(on_few: Credcached, connect: Connect) -> None:
    client = connect(on_few)
    client.authenticate("alice", "password-of-alice")
    client.invalidate(user="alice", reason="left the company")
    client.invalidate(all=True)
    for wanted in (
        {
            "target": "user",
            "username": "alice",
            "realm": configs.REALM,
            "reason": "left the company",
            "entries_removed": 1,
        },
        {"target": "all", "origin": "caller", "status": "OK"},
    ):
        on_few.wait_for_log(
            lambda line, wanted=wanted: line["kind"] == "invalidation" and wanted.items() <= line.items(), str(wanted)
        )


def test_hostile_names_break_no_line_of_the_log(on_few: Credcached, connect: Connect) -> None:
    client = connect(on_few)
    names = ['a"b', "a\\b", "a{b}", "x" * 256, "ünïcode", "a\u2028b"[:1] + "b"]
    for name in names:
        client.authenticate(name, "password-of-nobody", request_id='"},{"kind":"x"')
    events = on_few.wait_for_decisions(len(names))
    assert [event["username"] for event in events] == names


def test_a_flood_of_one_kind_is_summed_up(few: Slapd, on_few: Credcached, connect: Connect) -> None:
    client = connect(on_few)
    few.kill()
    for number in range(300):
        assert client.begin(f"user{number:05}", f"password-{number:05}").exception()
    service = [line for line in on_few.logs() if line["log"] == "service"]
    assert 0 < len(service) < 150, "a line for each failure"


def test_no_password_is_in_the_log_in_any_form(on_few: Credcached, few: Slapd, connect: Connect) -> None:
    """check_log, which every other server of these tests goes through too, finds what should be found."""
    client = connect(on_few)
    for number in range(20):
        client.authenticate("alice", f"only-in-this-test-{number}")
    client.batch([request("alice\n", "only-in-this-test-bad"), request("bob", "only-in-this-test-batch")])
    few.kill()
    client.begin("carol", "only-in-this-test-down").exception()
    waiting.until(lambda: len(on_few.decisions()) == 21, "all decisions are written")
    on_few.check_log()
    assert secrets_used.found_in(b"x only-in-this-test-down x")


def test_every_line_is_json_but_the_ready_line(on_few: Credcached, connect: Connect) -> None:
    known_sequence(connect(on_few))
    on_few.stop()
    lines = on_few.log_text().splitlines()
    others = [line for line in lines if not line.startswith("{")]
    assert len(others) == 1, others
    assert others[0].startswith("credcached ready grpc=127.0.0.1:")
    for line in on_few.logs():
        check_line(line)
    kinds = [line["kind"] for line in on_few.logs() if line["log"] == "audit"]
    assert (kinds[0], kinds[-1]) == ("start", "stop")


def check_line(line: dict[str, Any]) -> None:
    assert {"ts", "log", "level", "kind", "msg"} <= line.keys(), line
    datetime.datetime.fromisoformat(line["ts"])


def test_accepted_is_what_the_sequence_says(on_few: Credcached, connect: Connect) -> None:
    """The sequence's own first answer, so that the counts above are those of log-ons that worked."""
    assert connect(on_few).authenticate("alice", "password-of-alice").outcome == ACCEPTED
