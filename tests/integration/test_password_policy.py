"""What the directory says of an account (ppolicy): told only to who knows the password, and never remembered."""

from client import Connect
from credcached import Credcached
from slapd import Slapd
from stubs import ACCEPTED, BACKEND, CACHE, PASSWORD_EXPIRED, REJECTED


def test_a_locked_account_is_rejected_and_never_cached(on_few: Credcached, few: Slapd, connect: Connect) -> None:
    client = connect(on_few)
    for number in range(3):
        assert client.authenticate("locks", f"guess-number-{number}").outcome == REJECTED
    locked = [client.authenticate("locks", "password-of-locks", protocol="imap") for _ in range(3)]
    assert [(answer.outcome, answer.source) for answer in locked] == [(REJECTED, BACKEND)] * 3
    assert few.binds_as(few.users["locks"].dn) == 6
    assert client.stats().cache.entries == 0

    metrics = on_few.metrics()
    assert metrics.total("credcache_backend_requests_total", result="locked") == 3
    assert metrics.total("credcache_authentications_total", outcome="rejected", protocol="imap") == 3
    on_few.wait_for_decisions(3, username="locks", outcome="rejected", reason="locked", protocol="imap")

    few.modify(f"dn: {few.users['locks'].dn}\nchangetype: modify\ndelete: pwdAccountLockedTime\n")
    answer = client.authenticate("locks", "password-of-locks")
    assert (answer.outcome, answer.source) == (ACCEPTED, BACKEND), "unlocked at the directory, and let in at once"


def test_remembered_wrong_passwords_do_not_lock_an_account(on_few: Credcached, few: Slapd, connect: Connect) -> None:
    client = connect(on_few)
    for _ in range(50):
        assert client.authenticate("locks", "the-phones-old-password").outcome == REJECTED
    assert few.binds_as(few.users["locks"].dn) == 1
    assert client.authenticate("locks", "password-of-locks").outcome == ACCEPTED


def test_an_expired_password_is_told_only_to_who_knows_it(on_few: Credcached, few: Slapd, connect: Connect) -> None:
    client = connect(on_few)
    for _ in range(2):
        answer = client.authenticate("expired", "password-of-expired")
        assert (answer.outcome, answer.source) == (PASSWORD_EXPIRED, BACKEND)
        assert not answer.HasField("identity")
    assert client.authenticate("expired", "a-guess-at-expired").outcome == REJECTED
    assert client.stats().cache.entries == 0
    few.set_password("expired", "renewed-password")
    assert client.authenticate("expired", "renewed-password").outcome == ACCEPTED
    assert client.authenticate("expired", "password-of-expired").outcome == REJECTED


def test_a_password_that_must_be_changed_counts_as_expired(on_few: Credcached, connect: Connect) -> None:
    client = connect(on_few)
    assert client.authenticate("must-change", "password-of-must-change").outcome == PASSWORD_EXPIRED
    assert client.authenticate("must-change", "a-guess-at-must-change").outcome == REJECTED


def test_a_good_entry_goes_when_the_directory_says_that_its_password_expired(
    on_few: Credcached, few: Slapd, connect: Connect
) -> None:
    client = connect(on_few)
    assert client.authenticate("carol", "password-of-carol").source == BACKEND
    assert client.authenticate("carol", "password-of-carol").source == CACHE
    few.modify(
        f"dn: {few.users['carol'].dn}\nchangetype: modify\nreplace: pwdReset\npwdReset: TRUE\n-\n"
        "replace: pwdPolicySubentry\npwdPolicySubentry: cn=change,ou=policies,dc=corp,dc=example\n"
    )
    assert client.authenticate("carol", "password-of-carol", max_age_seconds=0).outcome == PASSWORD_EXPIRED
    assert client.authenticate("carol", "password-of-carol").outcome == PASSWORD_EXPIRED, "the old acceptance is gone"
