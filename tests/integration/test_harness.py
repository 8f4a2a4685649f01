"""The tools of the other tests do what those rely on: slapd counts exactly, freezes, dies and comes back."""

import pathlib
import subprocess
import time

import pytest
import secrets_used
import waiting
from certs import CertificateAuthority, install
from slapd import MakeDirectory, Slapd, User


def test_slapd_serves_ten_thousand_users_and_counts_binds_and_searches_exactly(many: Slapd) -> None:
    user = many.users["user09999"]
    before, binds_before = many.counts(), many.binds_as(user.dn)
    for password in (user.password, "wrong"):
        command = ["ldapsearch", "-x", "-H", many.url, "-D", user.dn, "-w", password, "-b", user.dn, "-s", "base"]
        subprocess.run(command, capture_output=True, check=False, timeout=10)
    # The counters move after the answer was sent.
    waiting.until(lambda: (many.counts() - before).binds == 2, "two binds counted")
    assert (many.counts() - before).searches == 1
    assert many.binds_as(user.dn) - binds_before == 2


def test_slapd_verifies_every_kind_of_password(many: Slapd) -> None:
    for uid in ("user00000", "user09999", "rémi", "strasse", "longest-password"):
        assert many.try_bind(many.users[uid].dn, many.users[uid].password), uid
        assert not many.try_bind(many.users[uid].dn, "wrong"), uid


def test_slapd_speaks_tls_by_the_authority_alone(many: Slapd, authority: CertificateAuthority, tmp_path: pathlib.Path):
    other = CertificateAuthority(tmp_path / "other")
    for arguments in (["-ZZ", "-H", many.url], ["-H", many.tls_url]):
        for ca, code in ((authority, 0), (other, 1)):
            environment = {"PATH": "/usr/bin", "LDAPTLS_CACERT": str(ca.certificate)}
            result = subprocess.run(
                ["ldapwhoami", "-x", *arguments], capture_output=True, check=False, timeout=10, env=environment
            )
            assert bool(result.returncode) == bool(code), result


def test_slapd_applies_its_password_policies(few: Slapd) -> None:
    def bind(uid: str, password: str) -> str:
        command = ["ldapwhoami", "-x", "-H", few.url, "-D", few.users[uid].dn, "-w", password, "-e", "ppolicy"]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=10).stderr

    assert "Password expired" in bind("expired", "password-of-expired")
    assert "expired" not in bind("expired", "wrong")
    assert "must be changed" in bind("must-change", "password-of-must-change")
    for _ in range(3):
        assert "locked" not in bind("locks", "wrong")
    assert "Account locked" in bind("locks", "password-of-locks")


def test_a_frozen_slapd_answers_nobody_until_it_is_thawed(few: Slapd) -> None:
    few.freeze()
    with pytest.raises(subprocess.TimeoutExpired):
        subprocess.run(["ldapwhoami", "-x", "-H", few.url], capture_output=True, check=False, timeout=0.5)
    few.thaw()
    assert few.try_bind(few.users["alice"].dn, "password-of-alice")


def test_a_killed_slapd_comes_back_on_its_port_with_its_data(few: Slapd) -> None:
    few.set_password("alice", "another-password")
    port = few.port
    few.freeze()
    few.kill()
    few.start()
    assert few.port == port
    assert few.try_bind(few.users["alice"].dn, "another-password")


def test_directories_are_made_and_started_quickly(make_directory: MakeDirectory) -> None:
    start = time.monotonic()
    make_directory()
    assert time.monotonic() - start < 5


def test_a_rotated_certificate_takes_the_old_ones_place(authority: CertificateAuthority) -> None:
    old, new = authority.issue("old"), authority.issue("new")
    install(new, old)
    assert old.certificate.read_bytes() == new.certificate.read_bytes()
    assert old.private_key.read_bytes() == new.private_key.read_bytes()


def test_a_password_in_a_log_is_found_in_every_form() -> None:
    secrets_used.note("only-of-this-test-1")
    assert secrets_used.found_in(b"x only-of-this-test-1 y")
    assert secrets_used.found_in(b"b25seS1vZi10aGlzLXRlc3QtMQ==")
    assert secrets_used.found_in(b"only-of-this-test-1".hex().upper().encode())
    assert not secrets_used.found_in(b"only-of-this-test-2")


def test_ldif_carries_names_and_passwords_of_any_bytes() -> None:
    assert "dn:: " in User("rémi", b"\xff\0").ldif()
