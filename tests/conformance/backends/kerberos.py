"""MIT Kerberos: a ticket for the password, verified with a keytab."""

import pathlib
from typing import Any, ClassVar

import configs
from backend import Account, Backend
from kdc import Kdc

LONG_AGO = "2001-01-01"


class KerberosBackend(Backend):
    name = "kerberos"
    EXCLUDED: ClassVar = {
        "disabled": "a KDC refuses a disabled account before it looks at the password, with the code of a locked one",
        "a_changed_password_never_works_sometimes": "a KDC tells nobody of changes, so it has no feed",
        "groups": "a KDC (Active Directory's aside) knows no groups",
    }
    REFUSED_PASSWORDS: ClassVar = {
        "nul": "passwords are C strings to kadmin and to libkrb5",
    }

    def __init__(self, folder: pathlib.Path):
        super().__init__(folder)
        self._kdc = Kdc(folder / "kdc")

    def start(self) -> None:
        self._kdc.start()

    def stop(self) -> None:
        self._kdc.stop()

    def freeze(self) -> None:
        self._kdc.freeze()

    def thaw(self) -> None:
        self._kdc.thaw()

    def config(self, timeout_seconds: float) -> dict[str, Any]:
        return configs.kerberos(self._kdc, timeout=f"{timeout_seconds:g}s")

    def add(self, account: Account) -> None:
        self._kdc.add(account.name, account.password)

    def set_password(self, account: Account, password: bytes) -> None:
        self._kdc.set_password(account.name, password)

    def expire(self, account: Account) -> None:
        self._kdc.modify(account.name, "-pwexpire", LONG_AGO)

    def lock(self, account: Account) -> None:
        self._kdc.lock(account.name)

    def subject(self, account: Account) -> str:
        return f"{account.name}@{self._kdc.realm}"

    def group(self, name: str) -> str:
        return name
