"""The change feed of Active Directory: what a real Samba domain controller gives notice of is felt here, and what
changed while nobody listened is found."""

import itertools
import pathlib
import random
import time
from collections.abc import Callable, Iterator

import configs
import pytest
import samba
import waiting
from client import Client, Connect
from credcached import Credcached, Serve, is_about
from ldap_feeds import feed_is_up, told, wait_for_feed
from samba import BASE, GROUPS, PEOPLE, Samba
from stubs import ACCEPTED, BACKEND, CACHE, REJECTED
from wire import Wire

_numbers = itertools.count()

# So long may pass here after a notice.
BOUND_SECONDS = 0.2

WATCHER = f"CN=watcher,CN=Users,{BASE}"

# Makes somebody whom no other test knows: name and DN.
NewUser = Callable[[], tuple[str, str]]
Start = Callable[..., Credcached]


@pytest.fixture(scope="module")
def watcher(controller: Samba) -> str:
    """A reader who may see deleted objects (an operator gives that right alone, operations.md)."""
    never_expires = str(samba.NORMAL | samba.NEVER_EXPIRES)
    controller.add_user("watcher", samba.READER_PASSWORD, f"CN=Users,{BASE}", userAccountControl=never_expires)
    controller.put_into(f"CN=Domain Admins,CN=Users,{BASE}", WATCHER)
    return WATCHER


@pytest.fixture
def new_user(controller: Samba) -> NewUser:
    def make() -> tuple[str, str]:
        name = f"fed{next(_numbers):03}"
        return name, controller.add_user(name)

    return make


@pytest.fixture
def start(controller: Samba, watcher: str, serve: Serve, tmp_path: pathlib.Path) -> Start:
    """No quarantine, no refresh ahead: what is forgotten is cached again at once, and only a change takes it away."""

    def begin(retire: str = "0s", **more: object) -> Credcached:
        keys = {"feed": True, "timeout": "3s", "bind_dn": watcher, **more}
        realm = configs.realm(configs.active_directory(controller, tmp_path, **keys))
        cache = {"quarantine": "0s", "refresh_ahead": False, "retire": retire}
        server = serve(configs.config(realm, cache=cache, throttle=configs.UNTHROTTLED))
        wait_for_feed(server, up=True)
        return server

    return begin


@pytest.fixture
def wire(controller: Samba) -> Iterator[Wire]:
    """Between credcached and the controller."""
    wire = controller.wire()
    yield wire
    wire.close()


def remember(client: Client, *names: str) -> None:
    """Their log-ons are answered from the cache after this."""
    for name in names:
        assert client.authenticate(name, f"password-of-{name}").outcome == ACCEPTED, name
        assert client.authenticate(name, f"password-of-{name}").source == CACHE, name


def is_out(client: Client, name: str) -> None:
    waiting.until(
        lambda: client.authenticate(name, f"password-of-{name}").outcome == REJECTED, f"{name} is out", every_seconds=0
    )


@pytest.mark.timeout(600)
@pytest.mark.parametrize("changes", [200, pytest.param(1_000, marks=pytest.mark.long)])
def test_a_password_change_is_felt_with_the_notice_and_by_nobody_else(
    controller: Samba, new_user: NewUser, start: Start, connect: Connect, record_property: Callable, changes: int
) -> None:
    """Many resets, no Invalidate, `retire` set: how long the old password is still taken, and how much longer than
    Samba's own notice takes to reach somebody else."""
    (name, dn), (other, _) = new_user(), new_user()
    server = start(retire="60m")
    client = connect(server)
    remember(client, name, other)
    before = told(server)
    felt, noticed = [], []
    # No two alike: with `retire` one that is back is an old one.
    passwords = [f"password-of-{name}", *(f"another-password-{number}" for number in range(changes))]
    with controller.modifier() as modify, controller.notices() as notices:
        for number in range(1, changes + 1):
            old, new = passwords[number - 1 : number + 1]
            assert client.authenticate(name, old).outcome == ACCEPTED
            assert client.authenticate(name, old).source == CACHE
            seen = len(notices)
            modify(dn, "unicodePwd", samba.unicode_pwd(new))
            changed_at = time.monotonic()
            waiting.until(
                lambda old=old: client.authenticate(name, old).outcome == REJECTED,
                f"change {number} is felt",
                every_seconds=0,
            )
            felt.append(time.monotonic() - changed_at)
            waiting.until(lambda seen=seen: len(notices) > seen, "the notice has come")
            noticed.append(notices[seen] - changed_at)
            assert client.authenticate(name, new).outcome == ACCEPTED, number
    assert client.authenticate(other, f"password-of-{other}").source == CACHE
    later = [after - notice for after, notice in zip(felt, noticed, strict=True)]
    for what, seconds in {"change to refusal": felt, "change to notice": noticed, "notice to refusal": later}.items():
        text = waiting.percentiles(seconds)
        record_property(what.replace(" ", "_"), text)
        print(f"{what}: {text}")
    assert told(server) - before == changes
    assert sorted(later)[changes * 99 // 100] < BOUND_SECONDS


def test_whatever_happens_to_an_account_is_felt(
    controller: Samba, new_user: NewUser, start: Start, connect: Connect
) -> None:
    former = f"OU=former{next(_numbers)},{BASE}"
    controller.add(former, {"objectClass": "organizationalUnit"})
    changes = {
        "reset": lambda _, dn: controller.set_password(dn, "another-password"),
        "changed": lambda name, dn: controller.change_password(dn, f"password-of-{name}", "another-password"),
        "renamed": lambda name, dn: controller.set(dn, sAMAccountName=f"{name}x"),
        "moved": lambda name, dn: controller.move(dn, f"CN={name}", former),
        "deleted": lambda _, dn: controller.delete(dn),
    }
    people = {what: new_user() for what in changes}
    (rest, _) = new_user()
    client = connect(start())
    remember(client, rest, *(name for name, _ in people.values()))
    for what, change in changes.items():
        name, dn = people[what]
        change(name, dn)
        is_out(client, name)
    renamed, _ = people["renamed"]
    assert client.authenticate(f"{renamed}x", f"password-of-{renamed}").outcome == ACCEPTED
    assert client.authenticate(rest, f"password-of-{rest}").source == CACHE


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("userAccountControl", str(samba.NORMAL | samba.DISABLED)),
        ("accountExpires", samba.file_time(1_000_000_000)),
        ("pwdLastSet", "0"),
    ],
)
def test_an_account_that_may_not_log_on_any_longer_does_not(
    controller: Samba, new_user: NewUser, start: Start, connect: Connect, attribute: str, value: str
) -> None:
    name, dn = new_user()
    client = connect(start())
    remember(client, name)
    controller.set(dn, **{attribute: value})
    waiting.until(lambda: client.authenticate(name, f"password-of-{name}").outcome != ACCEPTED, f"{attribute} is felt")


def test_a_name_that_was_tried_before_it_existed_is_known_at_once(
    controller: Samba, start: Start, connect: Connect
) -> None:
    client = connect(start())
    name = f"later{next(_numbers)}"
    assert client.authenticate(name, f"password-of-{name}").outcome == REJECTED
    assert client.authenticate(name, f"password-of-{name}").source == CACHE
    controller.add_user(name)
    waiting.until(lambda: client.authenticate(name, f"password-of-{name}").outcome == ACCEPTED, "it is known")


def test_who_is_put_into_a_group_or_taken_out_is_so_at_once_through_others_too(
    controller: Samba, new_user: NewUser, start: Start, connect: Connect
) -> None:
    (name, dn), (other, other_dn) = new_user(), new_user()
    inner, outer = (controller.add_group(f"{which}-{name}", other_dn) for which in ("inner", "outer"))
    controller.take_out(outer, other_dn)
    client = connect(start(nested_groups_base=GROUPS))
    remember(client, name, other)

    def become(who: str, *wanted: str) -> None:
        waiting.until(
            lambda: set(client.authenticate(who, f"password-of-{who}").identity.groups) == set(wanted), f"{wanted}"
        )

    become(name)
    controller.put_into(inner, dn)
    become(name, inner)
    controller.put_into(outer, inner)
    become(name, inner, outer)
    become(other, inner, outer)
    # A member is who it is, whatever it is called: the group's own entry tells nobody of a new name.
    controller.move(dn, f"CN={name}-moved")
    controller.take_out(inner, f"CN={name}-moved,{PEOPLE}")
    become(name)
    controller.move(outer, f"CN=crew-{name}")
    become(other, inner, f"CN=crew-{name},{GROUPS}")
    controller.delete(f"CN=crew-{name},{GROUPS}")
    become(other, inner)


def test_wrong_passwords_do_not_drive_out_the_right_one_until_they_lock_the_account(
    controller: Samba, new_user: NewUser, start: Start, connect: Connect
) -> None:
    name, dn = new_user()
    (other, other_dn) = new_user()
    controller.apply_locking(dn)
    server = start()
    client = connect(server)
    remember(client, name, other)
    before = told(server)
    for number in range(2):
        assert client.authenticate(name, f"wrong-{number}").outcome == REJECTED
    assert controller.bad_passwords(dn) == 2
    # What comes after these has been heard: so they have been, too.
    controller.set_password(other_dn, "another-password")
    is_out(client, other)
    assert told(server) - before == 1
    assert client.authenticate(name, f"password-of-{name}").source == CACHE

    assert client.authenticate(name, "wrong-too").outcome == REJECTED
    is_out(client, name)


def test_a_container_that_is_moved_takes_all_below_along(controller: Samba, start: Start, connect: Connect) -> None:
    unit, name = f"unit{next(_numbers)}", f"inside{next(_numbers)}"
    controller.add(f"OU={unit},{PEOPLE}", {"objectClass": "organizationalUnit"})
    controller.add_user(name, below=f"OU={unit},{PEOPLE}")
    client = connect(start())
    remember(client, name)
    controller.move(f"OU={unit},{PEOPLE}", f"OU={unit}", BASE)
    is_out(client, name)


@pytest.mark.timeout(300)
def test_nothing_that_changed_while_the_wire_was_cut_is_missed(
    controller: Samba, wire: Wire, start: Start, connect: Connect
) -> None:
    """Also of so many accounts that they come in pages."""
    controller.add_many("page", 1_100)
    people = []
    for number in range(24):
        name = f"last{number:02}"
        people.append((name, controller.add_user(name)))
    group = controller.add_group(f"cut{next(_numbers)}")
    server = start(urls=[wire.url], nested_groups_base=GROUPS)
    client = connect(server)
    *chosen, (rest, _) = people
    remember(client, *(name for name, _ in people))
    while chosen:
        changed = [chosen.pop() for _ in range(min(8, len(chosen)))]
        wire.cut()
        wait_for_feed(server, up=False)
        for index, (name, dn) in enumerate(changed):
            if index % 4 == 0:
                controller.delete(dn)
            elif index % 4 == 1:
                controller.set(dn, sAMAccountName=f"{name}-renamed")
            elif index % 4 == 2:
                controller.put_into(group, dn)
            else:
                controller.set_password(dn, "another-password")
        if len(chosen) < 8:
            controller.stop()
            controller.start()
        wire.mend()
        wait_for_feed(server, up=True)
        for index, (name, _) in enumerate(changed):
            answer = client.authenticate(name, f"password-of-{name}")
            if index % 4 == 2:
                assert (answer.source, list(answer.identity.groups)) == (BACKEND, [group]), name
            else:
                assert answer.outcome == REJECTED, name
    assert client.authenticate(rest, f"password-of-{rest}").source == CACHE


@pytest.mark.timeout(300)
def test_cuts_at_random_in_the_middle_of_changes_lose_none(
    controller: Samba, new_user: NewUser, wire: Wire, start: Start, connect: Connect
) -> None:
    people = [new_user() for _ in range(60)]
    server = start(urls=[wire.url])
    client = connect(server)
    remember(client, *(name for name, _ in people))
    rng = random.Random(528)
    with controller.modifier() as modify:
        for _, dn in people:
            if rng.random() < 0.2:
                wire.cut()
                wire.mend()
            modify(dn, "unicodePwd", samba.unicode_pwd("another-password"))
    for name, _ in people:
        is_out(client, name)
    wait_for_feed(server, up=True)
    for name, _ in people:
        assert client.authenticate(name, "another-password").outcome == ACCEPTED, name


def test_a_controller_that_is_stopped_or_silent_is_heard_again_when_it_is_back(
    controller: Samba, new_user: NewUser, wire: Wire, start: Start, connect: Connect
) -> None:
    name, _ = new_user()
    server = start(urls=[wire.url])
    client = connect(server)
    remember(client, name)
    controller.stop()
    wait_for_feed(server, up=False)
    server.wait_for_log(lambda line: line["kind"] == "feed_down" and is_about(line, wire.url), "which server it was")
    controller.start()
    wait_for_feed(server, up=True)
    with waiting.Stopwatch() as watch:
        wire.silence()
        wait_for_feed(server, up=False)
    assert watch.seconds < 3 + 1 + 2
    wire.silence(silent=False)
    wait_for_feed(server, up=True)
    assert client.authenticate(name, f"password-of-{name}").source == CACHE, "nothing happened to them"


@pytest.mark.long
def test_who_may_not_see_deleted_objects_finds_within_a_minute_who_is_gone(
    controller: Samba, new_user: NewUser, start: Start, connect: Connect
) -> None:
    (name, dn), (rest, _) = new_user(), new_user()
    server = start(bind_dn=samba.READER)
    client = connect(server)
    remember(client, name, rest)
    controller.delete(dn)
    waiting.until(
        lambda: client.authenticate(name, f"password-of-{name}").outcome == REJECTED,
        "the roll call",
        deadline_seconds=70,
    )
    assert client.authenticate(rest, f"password-of-{rest}").source == CACHE
    assert feed_is_up(server)
