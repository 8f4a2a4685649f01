"""A real MIT KDC: tickets for passwords, verified with a keytab. False, silent and dead KDCs are no verdicts."""

import contextlib
import pathlib
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import configs
import grpc
import kdc as mit
import pytest
import waiting
from client import Client, Connect, fails
from credcached import Credcached, Serve, is_about
from kdc import Kdc, MakeKdc
from stubs import ACCEPTED, BACKEND, CACHE, PASSWORD_EXPIRED, REJECTED

UNAVAILABLE = grpc.StatusCode.UNAVAILABLE
PASSWORD = "password-of-all"
NO_CACHE = {"quarantine": "0s", "negative": {"longest": "0s"}}
# What a busy machine may add to a timeout.
MARGIN_SECONDS = 1.5


@pytest.fixture
def kdc(make_kdc: MakeKdc) -> Kdc:
    """With alice and bob."""
    one = make_kdc().start()
    for name in ("alice", "bob"):
        one.add(name, PASSWORD)
    return one


def serving(serve: Serve, kdc: Kdc, **more: Any) -> Credcached:
    """Each answer is the KDC's, unless it is an acceptance."""
    validator = configs.kerberos(kdc, **more)
    return serve(configs.config(configs.realm(validator), cache=NO_CACHE, throttle=configs.UNTHROTTLED))


@pytest.fixture
def server(serve: Serve, kdc: Kdc) -> Credcached:
    return serving(serve, kdc)


def outcome(client: Client, name: str, password: str = PASSWORD) -> int:
    """As the KDC says now."""
    return client.authenticate(name, password, max_age_seconds=0).outcome


def refused_as_unavailable(client: Client, name: str = "alice", password: str = PASSWORD) -> None:
    with fails(UNAVAILABLE):
        client.authenticate(name, password, max_age_seconds=0)


def test_a_log_on_is_validated_once_and_then_answered_from_memory(
    server: Credcached, kdc: Kdc, connect: Connect
) -> None:
    client = connect(server)
    first = client.authenticate("Alice", PASSWORD)
    assert (first.outcome, first.source) == (ACCEPTED, BACKEND)
    assert (first.identity.username, first.identity.subject) == ("alice", "alice@CORP.EXAMPLE")
    assert (list(first.identity.groups), dict(first.identity.attributes)) == ([], {})
    assert client.authenticate("alice", PASSWORD).source == CACHE
    # Straight from the password to the service's ticket: two questions, and no ticket-granting one.
    assert kdc.asked(f"alice@CORP.EXAMPLE for {mit.SERVICE}@CORP.EXAMPLE") == ["NEEDED_PREAUTH", "ISSUE"]
    assert client.authenticate("alice", "not-the-password").outcome == REJECTED
    assert client.authenticate("nobody", PASSWORD).outcome == REJECTED
    server.wait_for_decisions(1, username="nobody", reason="unknown_user")
    server.wait_for_decisions(1, username="alice", reason="wrong_password")


def test_a_wrong_password_is_counted_once(server: Credcached, kdc: Kdc, connect: Connect) -> None:
    client = connect(server)
    for count in (1, 2, 3):
        assert outcome(client, "alice", f"wrong-{count}") == REJECTED
        assert kdc.failures("alice") == count
    assert outcome(client, "alice") == ACCEPTED
    assert kdc.failures("alice") == 0


def test_what_the_kdc_says_of_an_account(server: Credcached, kdc: Kdc, connect: Connect) -> None:
    """It says `expired`, `locked` and `disabled` before it looks at the password; we tell `expired` to who knows it."""
    for name in ("locks", "disabled", "gone", "expired", "must-change", "no-preauth"):
        kdc.add(name, PASSWORD)
    kdc.modify("locks", "-policy", "lock")
    kdc.modify("disabled", "-allow_tix")
    kdc.modify("gone", "-expire", "2001-01-01")
    kdc.modify("expired", "-pwexpire", "2001-01-01")
    kdc.modify("must-change", "+needchange")
    kdc.modify("no-preauth", "-requires_preauth")
    client = connect(server)
    assert [outcome(client, "locks", f"wrong-{count}") for count in range(mit.LOCKS_AFTER)] == [
        REJECTED
    ] * mit.LOCKS_AFTER
    wanted = {
        "locks": REJECTED,
        "disabled": REJECTED,
        "gone": REJECTED,
        "expired": PASSWORD_EXPIRED,
        "must-change": PASSWORD_EXPIRED,
        "no-preauth": ACCEPTED,
    }
    assert {name: outcome(client, name) for name in wanted} == wanted
    assert {outcome(client, name, "not-the-password") for name in wanted} == {REJECTED}
    for name in ("locks", "disabled", "gone"):
        server.wait_for_decisions(2, username=name, reason="locked")
    assert kdc.failures("expired") == 1, "asking whether an expired password is right counts once as well"
    kdc.modify("locks", "-unlock")
    assert outcome(client, "locks") == ACCEPTED


def test_names_that_would_be_other_principals_are_nobody(server: Credcached, kdc: Kdc, connect: Connect) -> None:
    kdc.admin("addprinc", "-pw", PASSWORD, "alice/admin")
    kdc.admin("addprinc", "-pw", PASSWORD, "krbtgt/OTHER.EXAMPLE")
    kdc.admin("addprinc", "-pw", PASSWORD, r"alice\/admin@CORP.EXAMPLE")
    client = connect(server)
    for name in (
        "alice/admin",
        r"alice\/admin",
        "krbtgt/other.example",
        r"alice\@other.example",
        "alice@other.example",
        "alice\\",
        "/alice",
        "alice/",
    ):
        assert outcome(client, name) == REJECTED, name
    assert not kdc.asked(), "and the KDC hears of none of them"


def test_other_names_are_taken_as_they_are(server: Credcached, kdc: Kdc, connect: Connect) -> None:
    client = connect(server)
    for name in ("rémi", "two words", "o'brien", "a*b", "%s%n", "$(id)", "a:b", "a#b", '"q"', "a" * 200):
        kdc.add(name, PASSWORD)
        answer = client.authenticate(name, PASSWORD)
        assert (answer.outcome, answer.identity.subject) == (ACCEPTED, f"{name}@CORP.EXAMPLE"), name


def test_a_forged_kdc_lets_nobody_in(serve: Serve, connect: Connect, make_kdc: MakeKdc, kdc: Kdc) -> None:
    """Zanarotti: who answers in the KDC's place knows a password for the user, its own; and even the right one."""
    impostor = make_kdc().start()
    impostor.add("alice", "password-of-the-impostor")
    impostor.add("bob", PASSWORD)
    server = serving(serve, kdc, krb5_conf=str(kdc.name_kdcs(impostor)))
    client = connect(server)
    refused_as_unavailable(client, "alice", "password-of-the-impostor")
    refused_as_unavailable(client, "bob")
    assert "ISSUE" in impostor.asked("alice"), "it did give a ticket"
    told = server.wait_for_log(lambda line: is_about(line, "kerberos_not_verified"), "that somebody else answers")
    assert is_about(told, mit.SERVICE, str(kdc.keytab), "somebody else answers as the KDC")
    assert client.stats().cache.entries == 0


def test_a_keytab_that_is_missing_or_anothers(serve: Serve, connect: Connect, kdc: Kdc, tmp_path: pathlib.Path) -> None:
    keytab = kdc.write_keytab(tmp_path / "moved.keytab")
    server = serving(serve, kdc, keytab=str(keytab))
    client = connect(server)
    assert outcome(client, "alice") == ACCEPTED
    asked = len(kdc.asked())
    keytab.unlink()
    refused_as_unavailable(client)
    server.wait_for_log(lambda line: is_about(line, "kerberos_keytab", str(keytab)), "that it is gone")
    kdc.admin("addprinc", "-randkey", "host/other.corp.example")
    kdc.write_keytab(keytab, "host/other.corp.example")
    refused_as_unavailable(client)
    keytab.write_bytes(b"no keytab at all")
    refused_as_unavailable(client)
    assert len(kdc.asked()) == asked, "no password was sent for nothing"
    kdc.write_keytab(keytab)
    assert outcome(client, "alice") == ACCEPTED, "it is read anew at each log-on"


def test_a_keytab_of_another_number(server: Credcached, kdc: Kdc, connect: Connect) -> None:
    client = connect(server)
    kdc.new_service_key()
    refused_as_unavailable(client)
    assert kdc.failures("alice") == 0
    told = server.wait_for_log(lambda line: is_about(line, "kerberos_not_verified"), "that the keytab is old")
    assert is_about(told, "kvno 2"), told
    kdc.write_keytab()
    assert outcome(client, "alice") == ACCEPTED


def test_a_service_that_the_kdc_does_not_know(server: Credcached, kdc: Kdc, connect: Connect) -> None:
    kdc.admin("delprinc", "-force", mit.SERVICE)
    refused_as_unavailable(connect(server))
    server.wait_for_log(lambda line: is_about(line, "kerberos_error", "server", "not found"), "whom it does not know")


def test_a_krb5_conf_that_names_no_kdc_is_read_again(serve: Serve, connect: Connect, kdc: Kdc) -> None:
    kdc.name_kdcs()
    server = serving(serve, kdc)
    client = connect(server)
    refused_as_unavailable(client)
    server.wait_for_log(lambda line: is_about(line, "kerberos_error", "names no kdc", mit.REALM), "what is missing")
    kdc.name_kdcs("https://proxy.example/KdcProxy")
    refused_as_unavailable(client)
    kdc.name_kdcs(kdc)
    assert outcome(client, "alice") == ACCEPTED


@pytest.mark.parametrize("minutes", [-10, 10, -24 * 60])
def test_clocks_that_differ_are_no_verdict(serve: Serve, connect: Connect, kdc: Kdc, minutes: int) -> None:
    """Nor is ours set after a KDC's: a false one would set it to when an old ticket was good."""
    server = serving(serve, kdc)
    client = connect(server)
    kdc.stop()
    kdc.start(clock_seconds=minutes * 60)
    for _ in range(2):
        refused_as_unavailable(client)
    server.wait_for_log(lambda line: is_about(line, "kerberos_error", "clock"), "that clocks differ")
    kdc.stop()
    kdc.start(clock_seconds=60 if minutes > 0 else -60)
    waiting.until(lambda: accepted(client), "a minute is nothing")
    kdc.stop()
    kdc.start()
    waiting.until(lambda: accepted(client), "nor is it kept in mind")


@contextlib.contextmanager
def listener(answer: Callable[[socket.socket], None] | None = None) -> Iterator[int]:
    """Takes connections on a port, and answers as it is told, by default never."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(128)
        taken: list[socket.socket] = []

        def take() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listening.accept()
                    taken.append(connection)
                    if answer is not None:
                        answer(connection)

        thread = threading.Thread(target=take, daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()
        for connection in taken:
            connection.close()


def test_a_kdc_that_is_silent_is_unavailable_within_the_timeout(
    serve: Serve, connect: Connect, kdc: Kdc, record_property: Callable
) -> None:
    with listener() as silent:
        server = serving(serve, kdc, krb5_conf=str(kdc.name_kdcs(silent)), timeout="1s")
        client = connect(server)
        for name in ("alice", "nobody"):
            with waiting.Stopwatch() as watch:
                refused_as_unavailable(client, name)
            record_property("seconds", watch.seconds)
            assert 0.9 <= watch.seconds < 1 + MARGIN_SECONDS
    server.wait_for_log(lambda line: is_about(line, "kerberos_server_down", "no answer in time"), "who is silent")


def test_a_kdc_that_falls_silent_after_its_first_answer(kdc: Kdc, serve: Serve, connect: Connect) -> None:
    """The password's proof may have been counted, so nobody else gets it either."""
    with contextlib.ExitStack() as stack:
        proofs: list[bytes] = []

        def relay_first(connection: socket.socket) -> None:
            request = connection.recv(65536)
            proofs.append(request)
            if len(proofs) > 1:
                return
            with socket.create_connection(("127.0.0.1", kdc.port)) as real:
                real.sendall(request)
                connection.sendall(real.recv(65536))

        port = stack.enter_context(listener(relay_first))
        client = connect(serving(serve, kdc, krb5_conf=str(kdc.name_kdcs(port, kdc)), timeout="1s"))
        refused_as_unavailable(client, "alice", "not-the-password")
        assert len(proofs) == 2
        assert kdc.failures("alice") == 0, "the second KDC was not asked"


@pytest.mark.parametrize(
    "answer", [b"", b"\0\0\0\0", b"\xff\xff\xff\xff", b"\0\0\0\x05hello", b"\0\0\1\0short", b"\0\0\0\x02\x7e\x00"]
)
def test_nonsense_from_a_kdc_is_no_verdict(serve: Serve, connect: Connect, kdc: Kdc, answer: bytes) -> None:
    def say(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(answer)
        connection.shutdown(socket.SHUT_WR)

    with listener(say) as port:
        client = connect(serving(serve, kdc, krb5_conf=str(kdc.name_kdcs(port)), timeout="1s"))
        refused_as_unavailable(client)


def test_a_kdc_that_is_gone_and_back(server: Credcached, kdc: Kdc, connect: Connect) -> None:
    client = connect(server)
    assert outcome(client, "alice") == ACCEPTED
    kdc.stop()
    with waiting.Stopwatch() as watch:
        refused_as_unavailable(client)
    assert watch.seconds < 1
    assert client.authenticate("alice", PASSWORD).source == CACHE
    server.wait_for_log(lambda line: is_about(line, "kerberos_server_down", str(kdc.port)), "who is gone")
    kdc.start()
    waiting.until(lambda: accepted(client), "the KDC is asked again")


def accepted(client: Client) -> bool:
    try:
        return outcome(client, "alice") == ACCEPTED
    except grpc.RpcError as error:
        assert error.code() == UNAVAILABLE, error
        return False


def test_a_first_kdc_that_is_back_is_asked_again(serve: Serve, connect: Connect, kdc: Kdc, make_kdc: MakeKdc) -> None:
    """Found out behind the log-ons, by a question in the service's own name."""
    first = make_kdc(replica_of=kdc)
    server = serving(serve, kdc, krb5_conf=str(kdc.name_kdcs(first, kdc)))
    client = connect(server)
    assert outcome(client, "alice") == ACCEPTED
    assert first.asked() == []
    first.start()
    waiting.until(
        lambda: outcome(client, "alice") == ACCEPTED and first.asked("alice"), "the first is asked", every_seconds=0.2
    )
    server.wait_for_log(lambda line: is_about(line, "kerberos_server_up", str(first.port)), "that it is back")


@pytest.mark.parametrize("way", ["refuses", "silent"])
def test_the_second_kdc_answers_where_the_first_is_dead(
    serve: Serve, connect: Connect, kdc: Kdc, way: str, record_property: Callable
) -> None:
    with contextlib.ExitStack() as stack:
        dead = stack.enter_context(listener()) if way == "silent" else waiting.free_port()
        client = connect(serving(serve, kdc, krb5_conf=str(kdc.name_kdcs(dead, kdc)), timeout="2s"))
        assert outcome(client, "alice") == ACCEPTED
        seconds = []
        for count in range(1, 11):
            with waiting.Stopwatch() as watch:
                assert outcome(client, "bob", f"wrong-{count}") == REJECTED
            seconds.append(watch.seconds)
            assert kdc.failures("bob") == count, "one log-on, one count"
        record_property("seconds", waiting.percentiles(seconds))
        print(waiting.percentiles(seconds))
        assert max(seconds) < 1, "no log-on waits to find out that the first is still dead"


def test_two_kdcs_of_one_database_count_a_log_on_once(
    serve: Serve, connect: Connect, kdc: Kdc, make_kdc: MakeKdc
) -> None:
    """A wrong password goes to one of them, whichever that is."""
    second = make_kdc(replica_of=kdc).start()
    client = connect(serving(serve, kdc, krb5_conf=str(kdc.name_kdcs(kdc, second))))
    for count in range(1, 6):
        assert outcome(client, "alice", f"wrong-{count}") == REJECTED
    assert (kdc.failures("alice"), second.asked()) == (5, [])
    kdc.stop()
    for count in range(6, 9):
        assert outcome(client, "alice", f"wrong-{count}") == REJECTED
        assert kdc.failures("alice") == count
    assert outcome(client, "alice") == ACCEPTED


def test_a_changed_password_is_felt_where_the_kdc_is_asked(server: Credcached, kdc: Kdc, connect: Connect) -> None:
    """No feed: an old password that is cached lives as long as its entry, unless somebody asks anew or invalidates."""
    client = connect(server)
    assert client.authenticate("alice", PASSWORD).outcome == ACCEPTED
    kdc.set_password("alice", "another-password")
    assert client.authenticate("alice", PASSWORD).source == CACHE
    assert client.authenticate("alice", PASSWORD, max_age_seconds=0).outcome == REJECTED
    assert client.authenticate("alice", "another-password").outcome == ACCEPTED
    assert client.authenticate("alice", PASSWORD).outcome == REJECTED
    assert "feed" not in server.get("/readyz?verbose")[1]


def test_spake_is_spoken_and_counted_once(kdc: Kdc, serve: Serve, connect: Connect) -> None:
    """The newer way to prove a password, in one message more; a wrong one is not tried in the older way as well."""
    kdc.stop()
    kdc.speak_spake()
    kdc.start()
    client = connect(serving(serve, kdc))
    assert outcome(client, "alice") == ACCEPTED
    # In its log a challenge is a failure; it is not counted as one.
    assert (len(kdc.asked("alice")), kdc.failures("alice")) == (3, 0)
    for count in (1, 2):
        assert outcome(client, "alice", f"wrong-{count}") == REJECTED
        assert kdc.failures("alice") == count


def test_nothing_is_written(server: Credcached, connect: Connect) -> None:
    """No ticket, no cache of replays, anywhere that libkrb5 would by itself."""
    before = {path for folder in ("/tmp", "/var/tmp") for path in pathlib.Path(folder).glob("krb5*")}
    client = connect(server)
    for _ in range(3):
        assert outcome(client, "alice") == ACCEPTED
    assert {path for folder in ("/tmp", "/var/tmp") for path in pathlib.Path(folder).glob("krb5*")} == before
    files = [path.readlink() for path in pathlib.Path(f"/proc/{server.pid}/fd").iterdir() if path.is_symlink()]
    assert not [path for path in files if "krb5" in str(path) or "rcache" in str(path)]


def test_many_at_once(server: Credcached, kdc: Kdc, connect: Connect) -> None:
    """More than there are workers, right and wrong, each answered for what it asked."""
    client = connect(server)
    for number in range(20):
        kdc.add(f"user{number}", f"password-of-user-{number}")
    for _ in range(5):
        calls = [
            (client.begin(f"user{number}", f"password-of-user-{owner}", max_age_seconds=0), number == owner)
            for number in range(20)
            for owner in (number, (number + 1) % 20)
        ]
        for call, right in calls:
            assert call.result().outcome == (ACCEPTED if right else REJECTED)


def test_unknown_locked_and_wrong_take_the_same_time(
    server: Credcached, kdc: Kdc, connect: Connect, record_property: Callable
) -> None:
    """A KDC refuses an unknown name or a locked account in one question, and a wrong password in two."""
    kdc.add("locked", PASSWORD)
    kdc.modify("locked", "-allow_tix")
    client = connect(server)
    names = {"wrong": "alice", "unknown": "nobody", "locked": "locked", "instance": "alice/admin"}
    seconds: dict[str, list[float]] = {kind: [] for kind in names}
    for count in range(230):
        for kind, name in names.items():
            with waiting.Stopwatch() as watch:
                assert client.authenticate(name, f"wrong-{count}").outcome == REJECTED
            if count >= 30:
                seconds[kind].append(watch.seconds)
    medians = {kind: sorted(values)[len(values) // 2] for kind, values in seconds.items()}
    text = "; ".join(f"{kind}: {waiting.percentiles(values)}" for kind, values in seconds.items())
    record_property("seconds", text)
    print(text)
    for kind, median in medians.items():
        assert abs(median - medians["wrong"]) < 0.2 * medians["wrong"], (kind, text)
