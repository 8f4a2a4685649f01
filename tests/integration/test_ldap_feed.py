"""The change feed of a directory (RFC 4533): what changes there is felt here in milliseconds, and nothing is missed."""

import pathlib
import random
from collections.abc import Callable, Iterator

import configs
import pytest
import waiting
from certs import Certificate, CertificateAuthority
from client import Connect
from credcached import Credcached, Serve, is_about
from ldap_feeds import USERS, feed_is_up, remember, start, told, wait_for_feed
from slapd import GROUPS, PEOPLE, SUFFIX, MakeSynced, Slapd, Sync, User, many_users
from stubs import ACCEPTED, BACKEND, CACHE, REJECTED, stats_pb2
from wire import Wire


@pytest.fixture
def synced(make_synced: MakeSynced) -> Slapd:
    """One such directory, with a few users."""
    return make_synced()


@pytest.fixture
def fed(synced: Slapd, serve: Serve, tmp_path: pathlib.Path) -> Credcached:
    """credcached that hears of its changes."""
    return start(serve, synced, folder=tmp_path)


@pytest.fixture
def wire(synced: Slapd) -> Iterator[Wire]:
    """Between credcached and the directory `synced`."""
    wire = Wire(synced.port)
    yield wire
    wire.close()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("shows_passwords", [False, True], ids=["passwords-hidden", "passwords-shown"])
def test_a_password_change_is_felt_within_milliseconds_and_by_nobody_else(
    make_synced: MakeSynced,
    serve: Serve,
    connect: Connect,
    tmp_path: pathlib.Path,
    record_property: Callable,
    shows_passwords: bool,
) -> None:
    """1,000 changes, many within the same second, no Invalidate: how long the old password is still taken."""
    directory = make_synced(Sync(shows_passwords=shows_passwords))
    server = start(serve, directory, folder=tmp_path)
    client = connect(server)
    remember(client, "alice", "bob")
    before = told(server)
    seconds = []
    passwords = ["password-of-alice", "another-of-alice"]
    dn = directory.users["alice"].dn
    with directory.modifier() as modify:
        for number in range(1, 1_001):
            old, new = passwords[(number - 1) % 2], passwords[number % 2]
            assert client.authenticate("alice", old).outcome == ACCEPTED
            assert client.authenticate("alice", old).source == CACHE
            modify(dn, "userPassword", new)
            with waiting.Stopwatch() as watch:
                waiting.until(
                    lambda old=old: client.authenticate("alice", old).outcome == REJECTED,
                    f"change {number} is felt",
                    every_seconds=0,
                )
            seconds.append(watch.seconds)
            assert client.authenticate("alice", new).outcome == ACCEPTED, number
    assert client.authenticate("bob", "password-of-bob").source == CACHE
    text = waiting.percentiles(seconds)
    record_property("from_change_to_refusal", text)
    print(f"from the change to the refusal: {text}")
    assert told(server) - before == 1_000
    assert sorted(seconds)[990] < 0.1


def test_whatever_happens_to_an_account_is_felt(fed: Credcached, synced: Slapd, connect: Connect) -> None:
    client = connect(fed)
    changes = {
        "alice": lambda dn: synced.modify(f"dn: {dn}\nchangetype: delete\n"),
        "locks": lambda dn: synced.modify(
            f"dn: {dn}\nchangetype: modify\nreplace: pwdAccountLockedTime\npwdAccountLockedTime: 000001010000Z\n"
        ),
        "carol": lambda dn: synced.modify(f"dn: {dn}\nchangetype: modrdn\nnewrdn: uid=caroline\ndeleteoldrdn: 1\n"),
    }
    remember(client, *changes)
    for name, change in changes.items():
        change(synced.users[name].dn)
        waiting.until(
            lambda name=name: client.authenticate(name, f"password-of-{name}").outcome == REJECTED, f"{name} is out"
        )
    assert client.authenticate("caroline", "password-of-carol").outcome == ACCEPTED
    # Those whom nothing happened to are as they were.
    remember(client, "bob")
    synced.modify(
        f"dn: uid=new,{PEOPLE}\nchangetype: add\nobjectClass: inetOrgPerson\nuid: new\ncn: new\nsn: new\n"
        "userPassword: password-of-new\n"
    )
    assert client.authenticate("bob", "password-of-bob").source == CACHE


def test_passwords_set_by_the_user_and_by_the_extended_operation_are_felt(
    fed: Credcached, synced: Slapd, connect: Connect
) -> None:
    client = connect(fed)
    remember(client, "alice")
    synced.set_password("alice", "password-2")
    waiting.until(lambda: client.authenticate("alice", "password-of-alice").outcome == REJECTED, "the change is felt")
    assert client.authenticate("alice", "password-2").outcome == ACCEPTED


def test_a_name_that_was_tried_before_it_existed_is_known_at_once(
    fed: Credcached, synced: Slapd, connect: Connect
) -> None:
    client = connect(fed)
    for name in ("later", "later@mail.example"):
        assert client.authenticate(name, "password-of-later").outcome == REJECTED
        assert client.authenticate(name, "password-of-later").source == CACHE
    synced.modify(
        f"dn: uid=later,{PEOPLE}\nchangetype: add\nobjectClass: inetOrgPerson\nuid: later\ncn: later\nsn: later\n"
        "mail: later@mail.example\nuserPassword: password-of-later\n"
    )
    for name in ("later", "later@mail.example"):
        waiting.until(
            lambda name=name: client.authenticate(name, "password-of-later").outcome == ACCEPTED, f"{name} is known"
        )


def test_who_is_put_into_another_group_or_taken_out_is_so_at_once(
    fed: Credcached, synced: Slapd, connect: Connect
) -> None:
    """By the groups' entries alone: the overlay memberof does not tell of what it does to the members' own."""
    client = connect(fed)
    remember(client, "alice", "bob", "carol")

    def groups(name: str) -> set[str]:
        answer = client.authenticate(name, f"password-of-{name}")
        return {group.split(",")[0].removeprefix("cn=") for group in answer.identity.groups}

    def change(lines: str) -> None:
        synced.modify(f"dn: cn=staff,{GROUPS}\nchangetype: modify\n{lines}\n")

    assert (groups("alice"), groups("carol")) == ({"staff"}, set())
    change(f"add: member\nmember: {synced.users['carol'].dn}")
    waiting.until(lambda: groups("carol") == {"staff"}, "carol is in")
    change(f"delete: member\nmember: {synced.users['alice'].dn}")
    waiting.until(lambda: groups("alice") == set(), "alice is out")
    synced.modify(f"dn: cn=staff,{GROUPS}\nchangetype: modrdn\nnewrdn: cn=crew\ndeleteoldrdn: 1\n")
    waiting.until(lambda: groups("carol") == {"crew"}, "the group has another name")
    synced.modify(f"dn: cn=crew,{GROUPS}\nchangetype: delete\n")
    waiting.until(lambda: groups("carol") == set(), "the group is gone")
    # Who is in no group that changed was not asked anew.
    remember(client, "locks")


def test_wrong_passwords_do_not_drive_out_the_right_one_until_they_lock_the_account(
    fed: Credcached, synced: Slapd, connect: Connect
) -> None:
    """ppolicy writes each failure into the entry, and syncprov tells of that."""
    client = connect(fed)
    remember(client, "locks", "alice")
    before = told(fed)
    for number in range(20):
        # Each is a bind of its own; the right password between them keeps the directory from locking.
        assert client.authenticate("locks", f"wrong-{number}").outcome == REJECTED
        assert client.authenticate("locks", "password-of-locks").source == CACHE, number
        if number % 2:
            assert synced.try_bind(synced.users["locks"].dn, "password-of-locks")
    assert synced.binds_as(synced.users["locks"].dn) > 20
    # What comes after all of these has been heard: so they have been, too.
    synced.set_password("alice", "password-2")
    waiting.until(lambda: client.authenticate("alice", "password-of-alice").outcome == REJECTED, "alice's is felt")
    assert told(fed) - before == 1
    assert client.authenticate("locks", "password-of-locks").source == CACHE

    for number in range(3):
        assert client.authenticate("locks", f"guess-{number}").outcome == REJECTED
    waiting.until(lambda: client.authenticate("locks", "password-of-locks").outcome == REJECTED, "the lock is felt")


def test_log_ons_that_the_directory_records_are_no_changes(
    make_synced: MakeSynced, serve: Serve, connect: Connect, tmp_path: pathlib.Path
) -> None:
    directory = make_synced(Sync(records_log_ons=True))
    server = start(serve, directory, folder=tmp_path)
    client = connect(server)
    before = told(server)
    remember(client, "alice", "bob", "carol")
    assert "pwdLastSuccess" in directory.search(directory.users["alice"].dn, "base", "(objectClass=*)", "+")
    directory.set_password("carol", "password-2")
    waiting.until(lambda: client.authenticate("carol", "password-of-carol").outcome == REJECTED, "carol's is felt")
    assert told(server) - before == 1
    for name in ("alice", "bob"):
        assert client.authenticate(name, f"password-of-{name}").source == CACHE


@pytest.mark.parametrize("transport", ["start_tls", "ldaps"])
def test_many_changes_at_once_come_through_tls(
    serve: Serve,
    connect: Connect,
    authority: CertificateAuthority,
    server_certificate: Certificate,
    tmp_path: pathlib.Path,
    transport: str,
) -> None:
    """What comes together in one record of TLS is all taken at once, though the socket has nothing more to say."""
    directory = Slapd(tmp_path / "slapd", USERS, server_certificate, sync=Sync()).start()
    try:
        validator = configs.ldap(
            directory, folder=tmp_path, transport=transport, ca=authority.certificate, feed=True, timeout="3s"
        )
        server = serve(configs.config(configs.realm(validator), cache={"quarantine": "0s"}))
        wait_for_feed(server, up=True)
        client = connect(server)
        before = told(server)
        with directory.modifier() as modify:
            for number in range(200):
                modify(directory.users[f"user{number:05}"].dn, "userPassword", "a-newer-password")
        with waiting.Stopwatch() as watch:
            waiting.until(lambda: told(server) - before == 200, "all are told")
        assert watch.seconds < 2
        assert client.authenticate("user00007", "password-00007").outcome == REJECTED
    finally:
        directory.kill()


def test_a_reload_begins_and_ends_it(synced: Slapd, serve: Serve, connect: Connect, tmp_path: pathlib.Path) -> None:
    def config(feed: bool) -> dict[str, object]:
        validator = configs.ldap(synced, folder=tmp_path, feed=feed)
        return configs.config(configs.realm(validator), cache={"quarantine": "0s"})

    server = serve(config(feed=False))
    client = connect(server)
    assert client.stats().backends[0].feed == stats_pb2.BackendStats.FEED_STATE_UNSPECIFIED
    server.reload(realms=config(feed=True)["realms"])
    wait_for_feed(server, up=True)
    remember(client, "alice")
    synced.set_password("alice", "password-2")
    waiting.until(lambda: client.authenticate("alice", "password-of-alice").outcome == REJECTED, "the change is felt")
    server.reload(realms=config(feed=False)["realms"])
    waiting.until(
        lambda: client.stats().backends[0].feed == stats_pb2.BackendStats.FEED_STATE_UNSPECIFIED, "there is none"
    )
    assert "feed " not in server.get("/readyz?verbose")[1]


@pytest.mark.parametrize("session_log", [1000, 3, 0], ids=["log", "log-too-small", "no-log"])
def test_nothing_that_changed_while_the_wire_was_cut_is_missed(
    make_synced: MakeSynced, serve: Serve, connect: Connect, tmp_path: pathlib.Path, session_log: int
) -> None:
    users = [User(f"u{number}", f"password-of-u{number}") for number in range(60)]
    directory = make_synced(Sync(session_log=session_log), users)
    wire = Wire(directory.port)
    server = start(serve, wire, folder=tmp_path)
    client = connect(server)
    rng = random.Random(4533)
    names = [user.uid for user in users]
    rng.shuffle(names)
    rounds = iter([names[i : i + 8] for i in range(0, 40, 8)])
    others = names[40:]
    remember(client, *others)
    for number, chosen in enumerate(rounds):
        remember(client, *chosen)
        wire.cut()
        wait_for_feed(server, up=False)
        for index, name in enumerate(chosen):
            dn = directory.users[name].dn
            if index % 4 == 0:
                directory.modify(f"dn: {dn}\nchangetype: delete\n")
            elif index % 4 == 1:
                directory.modify(f"dn: {dn}\nchangetype: modrdn\nnewrdn: uid={name}x\ndeleteoldrdn: 1\n")
            elif index % 4 == 2:
                # Out of the feed's reach.
                directory.modify(
                    f"dn: {dn}\nchangetype: modrdn\nnewrdn: uid={name}\ndeleteoldrdn: 1\nnewsuperior: {GROUPS}\n"
                )
            else:
                directory.set_password(name, "a-newer-password")
        if number % 2:
            directory.stop()
            directory.start()
        wire.mend()
        wait_for_feed(server, up=True)
        for name in chosen:
            assert client.authenticate(name, f"password-of-{name}").outcome == REJECTED, (number, name)
    for name in others:
        assert client.authenticate(name, f"password-of-{name}").source == CACHE, name
    wire.close()


def test_cuts_at_random_in_the_middle_of_changes_lose_none(
    synced: Slapd, wire: Wire, serve: Serve, connect: Connect, tmp_path: pathlib.Path
) -> None:
    server = start(serve, wire, folder=tmp_path)
    client = connect(server)
    names = [f"user{number:05}" for number in range(200)]
    for name in names:
        assert client.authenticate(name, f"password-{name[4:]}").outcome == ACCEPTED
    rng = random.Random(7)
    with synced.modifier() as modify:
        for name in names:
            if rng.random() < 0.1:
                wire.cut()
                wire.mend()
            modify(synced.users[name].dn, "userPassword", "a-newer-password")
    for name in names:
        waiting.until(
            lambda name=name: client.authenticate(name, f"password-{name[4:]}").outcome == REJECTED, f"{name}'s is felt"
        )
    wait_for_feed(server, up=True)
    for name in names:
        assert client.authenticate(name, "a-newer-password").outcome == ACCEPTED


def test_a_directory_that_is_killed_or_stopped_is_heard_again_when_it_is_back(
    fed: Credcached, synced: Slapd, connect: Connect
) -> None:
    client = connect(fed)
    for number, end in enumerate((synced.stop, synced.kill, synced.kill)):
        remember(client, "bob", "carol")
        end()
        wait_for_feed(fed, up=False)
        synced.start()
        wait_for_feed(fed, up=True)
        assert client.authenticate("bob", "password-of-bob").source == CACHE, "nothing happened to bob"
        synced.modify(
            f"dn: {synced.users['carol'].dn}\nchangetype: modify\nreplace: description\ndescription: {number}\n"
        )
        waiting.until(
            lambda: client.authenticate("carol", "password-of-carol").source == BACKEND, "carol's change is heard"
        )


@pytest.mark.parametrize("how", ["frozen", "silent"])
def test_a_server_that_falls_silent_is_noticed_in_seconds(
    synced: Slapd, wire: Wire, serve: Serve, tmp_path: pathlib.Path, how: str
) -> None:
    """Neither end of the connection is told: the process stops, or the packets do."""
    server = start(serve, wire, folder=tmp_path)
    with waiting.Stopwatch() as watch:
        if how == "frozen":
            synced.freeze()
        else:
            wire.silence()
        wait_for_feed(server, up=False)
    print(f"{how}: noticed after {watch.seconds:.1f} s")
    assert watch.seconds < 3 + 1 + 2
    synced.thaw()
    wire.silence(silent=False)
    wait_for_feed(server, up=True)


def test_a_feed_that_is_down_is_said_so_everywhere(fed: Credcached, synced: Slapd, connect: Connect) -> None:
    client = connect(fed)
    assert client.stats().backends[0].feed == stats_pb2.BackendStats.FEED_STATE_UP
    assert "[+] feed corp.example/ldap: ok" in fed.get("/readyz?verbose")[1]
    synced.stop()
    wait_for_feed(fed, up=False)
    assert client.stats().backends[0].feed == stats_pb2.BackendStats.FEED_STATE_DOWN
    status, text = fed.get("/readyz")
    assert (status, "[!] feed corp.example/ldap: down" in text) == (200, True), text
    fed.wait_for_log(lambda line: line["kind"] == "feed_down" and is_about(line, synced.url), "which server it was")
    since = len(fed.logs())
    synced.start()
    fed.wait_for_log(lambda line: line["kind"] == "feed_up", "that it is up again", since)


def never_up(server: Credcached, *words: str) -> None:
    server.wait_for_log(lambda line: line["kind"] == "ldap_feed_failed" and is_about(line, *words), " ".join(words))
    assert not feed_is_up(server)


def test_a_directory_without_synchronisation_serves_and_has_no_feed(
    few: Slapd, serve: Serve, connect: Connect, tmp_path: pathlib.Path
) -> None:
    server = start(serve, few, folder=tmp_path, username="uid")
    never_up(server, few.url, "syncprov")
    remember(connect(server), "alice")


def test_a_reader_who_may_not_see_enough_is_named(
    make_synced: MakeSynced, serve: Serve, connect: Connect, tmp_path: pathlib.Path
) -> None:
    users = [User("alice", "password-of-alice"), *many_users(600)]
    directory = make_synced(Sync(unlimited=False), users)
    server = start(serve, directory, folder=tmp_path, username="uid")
    never_up(server, directory.url, "size=unlimited")
    remember(connect(server), "alice")


def test_a_reader_whom_the_directory_refuses_is_named_and_not_tried_on_and_on(
    synced: Slapd, serve: Serve, tmp_path: pathlib.Path
) -> None:
    nobody = f"cn=nobody,{SUFFIX}"
    server = start(serve, synced, folder=tmp_path, bind_dn=nobody)
    never_up(server, synced.url, "bind_dn")
    # The first try is at once, the next one half a minute later: what other tries there were, would be within these.
    fine = start(serve, synced, folder=tmp_path / "fine")
    assert feed_is_up(fine)
    assert synced.binds_as(nobody) == 1


def test_a_large_directory_is_followed_within_seconds_and_little_memory(
    make_synced: MakeSynced, serve: Serve, tmp_path: pathlib.Path
) -> None:
    """10,000 users: the first refresh measured against the same service without a feed."""
    directory = make_synced(users=many_users(10_000))
    without = serve(configs.config(configs.realm(configs.ldap(directory, folder=tmp_path))))
    with waiting.Stopwatch() as watch:
        server = start(serve, directory, folder=tmp_path)
    difference = server.memory_bytes() - without.memory_bytes()
    print(f"10,000 users: started and followed in {watch.seconds:.2f} s, {difference / 1e6:.1f} MB more")
    assert watch.seconds < 10
    assert difference < 40e6
