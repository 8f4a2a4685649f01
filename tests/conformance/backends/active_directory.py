"""Active Directory, as Samba serves it: search, then bind over StartTLS; groups by the matching rule."""

import pathlib
from typing import Any, ClassVar

import configs
import samba
from backend import Account, Backend
from certs import CertificateAuthority


class ActiveDirectoryBackend(Backend):
    name = "active_directory"
    EXCLUDED: ClassVar = {
        "passwords": "it stores text: a password that is no UTF-8, or has a NUL in it, is nobody's there",
        "a_hostile_name_that_exists": "it allows no account's name with `*` in it",
    }

    def __init__(self, folder: pathlib.Path):
        super().__init__(folder)
        self._controller = samba.Samba(folder / "samba", CertificateAuthority(folder / "ca"))

    def start(self) -> None:
        self._controller.start()

    def stop(self) -> None:
        self._controller.stop()

    def close(self) -> None:
        self._controller.close()

    def freeze(self) -> None:
        self._controller.freeze()

    def thaw(self) -> None:
        self._controller.thaw()

    def config(self, timeout_seconds: float) -> dict[str, Any]:
        # Each log-on is four questions to one process that is slow to answer, and `many_at_once` are forty log-ons.
        timeout = f"{timeout_seconds * 2:g}s"
        return configs.active_directory(self._controller, self.folder, nested_groups_base=samba.GROUPS, timeout=timeout)

    def feed_config(self, timeout_seconds: float) -> dict[str, Any]:
        (kind, keys), *_ = self.config(timeout_seconds).items()
        return {kind: {**keys, "feed": True}}

    def add(self, account: Account) -> None:
        dn = self._controller.add_user(account.name, account.password.decode())
        for group in account.groups:
            self._controller.add_group(group, dn)

    def set_password(self, account: Account, password: bytes) -> None:
        self._controller.set_password(samba.dn(account.name), password.decode())

    def disable(self, account: Account) -> None:
        self._controller.set(samba.dn(account.name), userAccountControl=str(samba.NORMAL | samba.DISABLED))

    def expire(self, account: Account) -> None:
        self._controller.expire(samba.dn(account.name))

    def lock(self, account: Account) -> None:
        self._controller.lock(samba.dn(account.name))

    def subject(self, account: Account) -> str:
        return self._controller.guid(samba.dn(account.name))

    def group(self, name: str) -> str:
        return samba.dn(name, samba.GROUPS)
