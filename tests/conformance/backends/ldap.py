"""OpenLDAP: search, then bind; groups by the overlay memberof, states by ppolicy."""

import base64
import pathlib
import re
from typing import Any, ClassVar

import configs
import slapd
from backend import Account, Backend


class LdapBackend(Backend):
    name = "ldap"
    EXCLUDED: ClassVar = {
        "disabled": "slapd knows no disabled account, only a locked one, and says that with or without the password",
    }

    def __init__(self, folder: pathlib.Path):
        super().__init__(folder)
        self._slapd = slapd.Slapd(folder / "slapd", [], sync=slapd.Sync())

    def start(self) -> None:
        self._slapd.start()

    def stop(self) -> None:
        self._slapd.stop()

    def freeze(self) -> None:
        self._slapd.freeze()

    def thaw(self) -> None:
        self._slapd.thaw()

    def config(self, timeout_seconds: float) -> dict[str, Any]:
        return configs.ldap(self._slapd, folder=self.folder, timeout=f"{timeout_seconds:g}s")

    def feed_config(self, timeout_seconds: float) -> dict[str, Any]:
        return configs.ldap(self._slapd, folder=self.folder, timeout=f"{timeout_seconds:g}s", feed=True)

    def add(self, account: Account) -> None:
        user = slapd.User(account.name, account.password)
        dn, *rest = user.ldif().splitlines()
        # slapd gives the entry its UUID.
        lines = [dn, "changetype: add", *(line for line in rest if not line.startswith("entryUUID: "))]
        self._slapd.modify("\n".join(lines) + "\n")
        for group in account.groups:
            self._slapd.modify(
                f"dn: {self.group(group)}\nchangetype: add\nobjectClass: groupOfNames\ncn: {group}\n"
                + self._value("member", _dn(account))
            )

    def set_password(self, account: Account, password: bytes) -> None:
        self._change(account, f"replace: userPassword\nuserPassword:: {base64.b64encode(password).decode()}\n")

    def expire(self, account: Account) -> None:
        self._change(
            account,
            "replace: pwdReset\npwdReset: TRUE\n-\nreplace: pwdPolicySubentry\n"
            f"pwdPolicySubentry: cn=change,ou=policies,{slapd.SUFFIX}\n",
        )

    def lock(self, account: Account) -> None:
        self._change(
            account,
            "replace: pwdAccountLockedTime\npwdAccountLockedTime: 000001010000Z\n-\nreplace: pwdPolicySubentry\n"
            f"pwdPolicySubentry: cn=lock,ou=policies,{slapd.SUFFIX}\n",
        )

    def subject(self, account: Account) -> str:
        found = self._slapd.search(_dn(account), "base", "(objectClass=*)", "entryUUID")
        return re.search(r"^entryUUID: (\S+)$", found, re.MULTILINE)[1]

    def group(self, name: str) -> str:
        return f"cn={name},{slapd.GROUPS}"

    def _change(self, account: Account, lines: str) -> None:
        self._slapd.modify(self._value("dn", _dn(account)) + f"changetype: modify\n{lines}")

    @staticmethod
    def _value(attribute: str, value: str) -> str:
        return f"{attribute}:: {base64.b64encode(value.encode()).decode()}\n"


def _dn(account: Account) -> str:
    return slapd.User(account.name, account.password).dn
