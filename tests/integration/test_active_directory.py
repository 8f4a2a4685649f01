"""The `ldap` backend against Active Directory: a real Samba domain controller."""

import itertools
import pathlib
import time
from collections.abc import Callable
from typing import Any

import configs
import grpc
import pytest
import samba
from client import Connect, fails
from credcached import Credcached, Serve
from samba import GROUPS, PEOPLE, Samba
from stubs import ACCEPTED, ACCOUNT_DISABLED, BACKEND, CACHE, PASSWORD_EXPIRED, REJECTED

_numbers = itertools.count()

# Makes somebody whom no other test knows: name and DN.
NewUser = Callable[..., tuple[str, str]]
# Starts credcached on the controller.
Start = Callable[..., Credcached]


@pytest.fixture
def new_user(controller: Samba) -> NewUser:
    def make(**attributes: str | bytes) -> tuple[str, str]:
        name = f"user{next(_numbers):03}"
        return name, controller.add_user(name, **attributes)

    return make


@pytest.fixture(params=["search", "direct"])
def start(request: pytest.FixtureRequest, controller: Samba, serve: Serve, tmp_path: pathlib.Path) -> Start:
    """In both ways: search, then bind; and a bind as user@domain."""

    def begin(cache: dict[str, Any] | None = None, **more: Any) -> Credcached:
        validator = configs.active_directory(controller, tmp_path, search=request.param == "search", **more)
        realm = configs.realm(validator, aliases=[samba.DOMAIN])
        return serve(configs.config(realm, throttle=configs.UNTHROTTLED, cache={"quarantine": "0s", **(cache or {})}))

    return begin


def test_who_logs_on_is_known_by_guid_and_account_name(
    controller: Samba, new_user: NewUser, start: Start, connect: Connect
) -> None:
    name, dn = new_user(mail="somebody@mail.example")
    client = connect(start())
    for asked, source in [
        (name, BACKEND),
        (name.upper(), CACHE),
        (f"CORP\\{name}", CACHE),
        (f"corp\\{name.title()}", CACHE),
        (f"{name}@corp.example", CACHE),
        (f"{name}@CORP.EXAMPLE", CACHE),
    ]:
        answer = client.authenticate(asked, f"password-of-{name}")
        assert (answer.outcome, answer.source) == (ACCEPTED, source), asked
        identity = answer.identity
        assert (identity.realm, identity.username) == ("corp.example", name)
        assert identity.subject == controller.guid(dn)
        assert dict(identity.attributes) == {"mail": "somebody@mail.example"}
    assert controller.bad_passwords(dn) == 0
    for asked in (f"ELSEWHERE\\{name}", f"{name}@elsewhere.example"):
        assert client.authenticate(asked, f"password-of-{name}").outcome == REJECTED


def test_who_has_no_principal_name_is_known_by_the_account_name(
    controller: Samba, start: Start, connect: Connect
) -> None:
    name = f"plain{next(_numbers)}"
    dn = controller.add_user(name)
    controller.modify(f"dn: {dn}\nchangetype: modify\ndelete: userPrincipalName\n")
    answer = connect(start()).authenticate(name, f"password-of-{name}")
    assert (answer.outcome, answer.identity.subject) == (ACCEPTED, controller.guid(dn))


def test_groups_are_those_of_the_attribute_or_through_others_too(
    controller: Samba, new_user: NewUser, start: Start, connect: Connect
) -> None:
    name, dn = new_user()
    other, _ = new_user()
    inner = controller.add_group(f"inner (of {name})", dn)
    middle = controller.add_group(f"middle-{name}", inner)
    outer = controller.add_group(f"outer-{name}", middle)
    elsewhere = controller.add_group(f"elsewhere-{name}", dn, below=PEOPLE)

    def groups(who: str, **more: str) -> list[str]:
        answer = connect(start(**more)).authenticate(who, f"password-of-{who}")
        assert answer.outcome == ACCEPTED
        return sorted(answer.identity.groups)

    assert groups(name, groups="memberOf") == sorted([inner, elsewhere])
    assert groups(name, nested_groups_base=GROUPS) == sorted([inner, middle, outer])
    assert groups(name) == []
    assert groups(other, nested_groups_base=GROUPS) == []


STATES = {
    # What happened to the account, what is told to who knows the password, and how Samba counts a wrong one.
    "disabled": (lambda dc, dn: dc.set(dn, userAccountControl=str(samba.NORMAL | samba.DISABLED)), ACCOUNT_DISABLED, 1),
    "must-change": (lambda dc, dn: dc.set(dn, pwdLastSet="0"), PASSWORD_EXPIRED, 1),
    "password-expired": (lambda dc, dn: dc.expire(dn), PASSWORD_EXPIRED, 1),
    "account-expired": (
        lambda dc, dn: dc.set(dn, accountExpires=samba.file_time(time.time() - 3600)),
        PASSWORD_EXPIRED,
        1,
    ),
    "locked": (lambda dc, dn: dc.lock(dn), REJECTED, 3),
}


@pytest.mark.parametrize("state", STATES)
def test_what_is_told_of_an_account_is_told_to_who_knows_its_password(
    controller: Samba, new_user: NewUser, start: Start, connect: Connect, state: str
) -> None:
    change, outcome, counted = STATES[state]
    name, dn = new_user()
    change(controller, dn)
    server = start()
    client = connect(server)
    wrong = client.authenticate(name, "a-wrong-password")
    assert (wrong.outcome, wrong.source) == (REJECTED, BACKEND)
    assert controller.bad_passwords(dn) == counted, "one bind, or one that a locked account does not count"
    for _ in range(2):
        right = client.authenticate(name, f"password-of-{name}")
        assert (right.outcome, right.source, right.HasField("identity")) == (outcome, BACKEND, False)
    if state == "locked":
        server.wait_for_decisions(3, username=name, reason="locked")
    assert client.stats().cache.entries == 0


def test_a_wrong_password_and_an_unknown_name_are_one_answer(
    controller: Samba, new_user: NewUser, start: Start, connect: Connect
) -> None:
    name, dn = new_user()
    client = connect(start())
    answers = [client.authenticate(asked, "a-wrong-password") for asked in (name, "nobody-of-that-name")]
    for answer in answers:
        answer.ClearField("validated_at")
        answer.ClearField("expires_at")
    assert answers[0] == answers[1]
    assert answers[0].outcome == REJECTED
    assert controller.bad_passwords(dn) == 1


def test_a_password_that_was_wrong_is_asked_of_the_controller_once(
    controller: Samba, new_user: NewUser, start: Start, connect: Connect
) -> None:
    name, dn = new_user()
    controller.apply_locking(dn)
    client = connect(start())
    for _ in range(50):
        assert client.authenticate(name, "the-phones-old-password").outcome == REJECTED
    assert controller.bad_passwords(dn) == 1
    assert client.authenticate(name, f"password-of-{name}").outcome == ACCEPTED
    assert controller.bad_passwords(dn) == 0


def test_a_guesser_is_stopped_before_the_controller_locks_the_account(
    controller: Samba, new_user: NewUser, serve: Serve, connect: Connect, tmp_path: pathlib.Path
) -> None:
    name, dn = new_user()
    controller.apply_locking(dn)
    realm = configs.realm(configs.active_directory(controller, tmp_path))
    client = connect(serve(configs.config(realm, throttle={"budget": {"rejections": 2, "window": "30m"}})))
    for number in range(20):
        client.authenticate(name, f"guess-{number}", client_address=f"192.0.2.{number}")
    assert controller.bad_passwords(dn) == 2
    assert controller.number(dn, "lockoutTime") == 0
    assert controller.try_bind(dn, f"password-of-{name}")


@pytest.fixture
def lenient(controller: Samba) -> Any:
    """The controller as it is by default: the password before the present one is taken for an hour."""
    controller.stop()
    controller.old_password_minutes = 60
    yield controller.start()
    controller.stop()
    controller.old_password_minutes = 0
    controller.start()


def test_an_old_password_that_the_controller_takes_for_an_hour_is_refused_with_retire(
    lenient: Samba, new_user: NewUser, start: Start, connect: Connect
) -> None:
    """Forgetting is not enough: that the controller goes on taking it is the first thing shown here."""
    name, dn = new_user()
    old, new = f"password-of-{name}", "a-newer-password"
    forgets, retires = connect(start()), connect(start(cache={"retire": "60m"}))
    for client in (forgets, retires):
        assert client.authenticate(name, old).outcome == ACCEPTED
    lenient.change_password(dn, old, new)
    assert lenient.try_bind(f"{name}@corp.example", old), "Samba takes it by itself"
    assert lenient.try_bind(dn, new)
    for client, outcome in ((forgets, ACCEPTED), (retires, REJECTED)):
        client.invalidate(user=name)
        assert client.authenticate(name, old).outcome == outcome
        for _ in range(2):
            assert client.authenticate(name, new).outcome == ACCEPTED
    assert retires.authenticate(name, old).outcome == REJECTED


def test_a_password_that_the_controller_does_not_take_without_tls_is_not_wrong(
    controller: Samba, new_user: NewUser, serve: Serve, connect: Connect, tmp_path: pathlib.Path
) -> None:
    name, dn = new_user()
    validator = configs.active_directory(controller, tmp_path, search=False, start_tls=False)
    server = serve(configs.config(configs.realm(validator)))
    with fails(grpc.StatusCode.UNAVAILABLE):
        connect(server).authenticate(name, f"password-of-{name}")
    assert controller.bad_passwords(dn) == 0


def test_names_and_passwords_may_be_as_odd_as_the_controller_allows(
    controller: Samba, start: Start, connect: Connect
) -> None:
    client = connect(start())
    for name in ("o'brien (x) %s", "a#b", "$(id)", "pünkt", "日本", "under_score-{dash}"):
        name = f"{name}{next(_numbers)}"
        dn = controller.add_user(name)
        answer = client.authenticate(name, f"password-of-{name}")
        assert (answer.outcome, answer.identity.username) == (ACCEPTED, name)
        assert answer.identity.subject == controller.guid(dn)
        assert client.authenticate(name, "not-the-password").outcome == REJECTED
    for password in ("0123456789abcdef" * 64, "  a password  ", "two\nlines", "pässwörd-日本", "x", "'\"\\ or 1=1 --"):
        name = f"odd{next(_numbers)}"
        controller.add_user(name, password)
        assert client.authenticate(name, password).outcome == ACCEPTED, password
        for wrong in (password[:-1], password.strip() + "y", b"\xff\xfe", password.encode() + b"\0"):
            if 0 < len(wrong) <= 1024:
                assert client.authenticate(name, wrong).outcome == REJECTED, (password, wrong)


@pytest.mark.parametrize("transport", ["start_tls", "ldaps"])
def test_the_connection_may_be_made_secure_in_both_ways(
    controller: Samba, new_user: NewUser, start: Start, connect: Connect, transport: str
) -> None:
    name, _ = new_user()
    own = {"urls": [controller.tls_url], "start_tls": False} if transport == "ldaps" else {}
    assert connect(start(**own)).authenticate(name, f"password-of-{name}").outcome == ACCEPTED
