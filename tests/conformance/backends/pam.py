"""A PAM stack of real modules: passwords by pam_pwdfile, locks by pam_faillock, accounts by pam_access and pam_unix."""

import pathlib
from typing import Any, ClassVar

from backend import Account, Backend
from pam import Pam


class PamBackend(Backend):
    name = "pam"
    EXCLUDED: ClassVar = {
        "a_changed_password_never_works_sometimes": "PAM tells of no changes, so there is no feed to be heard",
    }
    REFUSED_PASSWORDS: ClassVar = {
        "nul": "a conversation answers with a C string, so modules would look at what is before the NUL alone",
        "longest": "PAM_MAX_RESP_SIZE is 512, and modules cut off what is longer",
    }

    def __init__(self, folder: pathlib.Path):
        super().__init__(folder)
        self._pam = Pam(folder / "pam")

    @property
    def environment(self) -> dict[str, str]:
        return self._pam.environment

    def start(self) -> None:
        self._pam.bring_back()

    def stop(self) -> None:
        self._pam.take_away()

    def freeze(self) -> None:
        self._pam.freeze()

    def thaw(self) -> None:
        self._pam.thaw()

    def config(self, timeout_seconds: float) -> dict[str, Any]:
        return self._pam.config(timeout=f"{timeout_seconds:g}s")

    def add(self, account: Account) -> None:
        self._pam.add(account.name, account.password, account.groups)

    def set_password(self, account: Account, password: bytes) -> None:
        self._pam.set_password(account.name, password)

    def disable(self, account: Account) -> None:
        self._pam.refuse(account.name)

    def expire(self, account: Account) -> None:
        self._pam.expire(account.name)

    def lock(self, account: Account) -> None:
        self._pam.lock(account.name)

    def subject(self, account: Account) -> str:
        return str(self._pam.uid(account.name))

    def group(self, name: str) -> str:
        return name
