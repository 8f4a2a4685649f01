"""The same people at each kind of backend: some who may log on, then some whose accounts are disabled, or expired.

Each function starts what holds them, for real, until `bench.stack` ends. What cannot be had here is a MissingError that
says which package brings it.
"""

import dataclasses
import os
import pathlib
import random
from typing import Any

import configs
import samba
import slapd
from certs import CertificateAuthority
from kdc import Kdc
from pam import Pam
from postgres import Postgres, insert

from harness import peers, process, servers, workload
from harness.bench import Bench, MissingError

# OpenLDAP's word for an account that an administrator has locked for good, which is all that it has.
_LOCKED = (("pwdAccountLockedTime", "000001010000Z"),)
# No counting of wrong passwords: who is asked for thousands of them would be locked.
_PAM_STACK = """\
auth     required  pam_pwdfile.so pwdfile={folder}/pwdfile
account  required  pam_access.so accessfile={folder}/access
"""


@dataclasses.dataclass(frozen=True)
class Crowd:
    """Users of the workload: from number 0 on those who may log on, behind them the disabled, then the expired."""

    enabled: int
    disabled: int
    expired: int = 0

    @property
    def numbers(self) -> range:
        return range(self.enabled + self.disabled + self.expired)

    @property
    def passwords(self) -> list[str]:
        return [workload.password(number) for number in self.numbers]

    @property
    def hashes(self) -> list[str]:
        """crypt(3)'s, cheap: the same of all that check one."""
        return servers.crypt_all(self.passwords, "-5", "rounds=1000$benchmarksalt")

    def is_disabled(self, number: int) -> bool:
        return self.enabled <= number < self.enabled + self.disabled

    def is_expired(self, number: int) -> bool:
        return number >= self.enabled + self.disabled


@dataclasses.dataclass(frozen=True)
class Held:
    """A crowd at a backend: how credcached is to ask it, and what credcached is started with."""

    validator: dict[str, Any]
    environment: dict[str, str] = dataclasses.field(default_factory=dict)


def users_file(bench: Bench, crowd: Crowd) -> Held:
    lines = [
        f"{workload.username(number)}:{hash_}{':disabled' if crowd.is_disabled(number) else ''}\n"
        for number, hash_ in enumerate(crowd.hashes)
    ]
    path = bench.folder / "users"
    path.write_text("".join(lines))
    return Held(configs.users_file(path))


def openldap(bench: Bench, crowd: Crowd) -> Held:
    process.need("slapd", "slapd")
    people = [
        slapd.User(
            workload.username(number),
            password,
            hashed=f"{{CRYPT}}{hash_}",
            policy="lock",
            operational=_LOCKED if crowd.is_disabled(number) else (),
        )
        for number, (password, hash_) in enumerate(zip(crowd.passwords, crowd.hashes, strict=True))
    ]
    directory = peers.start_slapd(bench, people)
    return Held(configs.ldap(directory, folder=bench.folder / "secrets"))


def active_directory(bench: Bench, crowd: Crowd) -> Held:
    process.need("samba", "samba")
    if os.geteuid() != 0:
        raise MissingError("Samba is given a network of its own, which only root can do")
    controller = samba.Samba(bench.folder / "samba", CertificateAuthority(bench.folder / "ca"))
    bench.stack.callback(controller.close)
    controller.start()
    for number in crowd.numbers:
        state = samba.NORMAL | (samba.DISABLED if crowd.is_disabled(number) else 0)
        controller.add_user(workload.username(number), workload.password(number), userAccountControl=str(state))
    return Held(configs.active_directory(controller, bench.folder / "secrets"))


def postgres(bench: Bench, crowd: Crowd) -> Held:
    server = bench.stack.enter_context(Postgres())
    server.reset()
    rows = [
        insert(
            workload.username(number),
            hash_,
            id="gen_random_uuid()",
            disabled="true" if crowd.is_disabled(number) else "false",
        )
        for number, hash_ in enumerate(crowd.hashes)
    ]
    server.session().run("begin;\n" + "\n".join(rows) + "\ncommit; analyze account")
    return Held(configs.postgres(server, bench.folder / "secrets"))


def pam(bench: Bench, crowd: Crowd) -> Held:
    _need_file("/usr/lib/*/libnss_wrapper.so", "libnss-wrapper")
    _need_file("/usr/lib/*/security/pam_pwdfile.so", "libpam-pwdfile")
    stack = Pam(bench.folder / "pam")
    stack.write_service("credcache", _PAM_STACK.format(folder=stack.folder))
    # pam_pwdfile reads its file up to the name: where somebody stands must not say who is disabled.
    for number in random.Random(1).sample(crowd.numbers, len(crowd.numbers)):
        stack.add(workload.username(number), workload.password(number).encode())
        if crowd.is_disabled(number):
            stack.refuse(workload.username(number))
    return Held(stack.config(), stack.environment)


def kerberos(bench: Bench, crowd: Crowd) -> Held:
    process.need("krb5kdc", "krb5-kdc")
    process.need("kadmin.local", "krb5-admin-server")
    kdc = Kdc(bench.folder / "kdc")
    bench.stack.callback(kdc.stop)
    for number in crowd.numbers:
        options = ("-allow_tix",) if crowd.is_disabled(number) else ()
        options += ("-pwexpire", "2001-01-01") if crowd.is_expired(number) else ()
        kdc.add(workload.username(number), workload.password(number), *options)
    kdc.start()
    return Held(configs.kerberos(kdc))


def _need_file(pattern: str, package: str) -> None:
    if not any(pathlib.Path("/").glob(pattern.removeprefix("/"))):
        raise MissingError(f"{pattern} is not here (Debian package {package})")
