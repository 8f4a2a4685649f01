"""A plug-in in a process of its own, over a unix socket."""

import pathlib
from typing import Any

import configs
from backend import Account, Backend
from plugin import Plugin


class RemoteBackend(Backend):
    name = "remote"

    def __init__(self, folder: pathlib.Path):
        super().__init__(folder)
        self._plugin = Plugin(f"unix:{folder}/plugin.sock", {})

    def start(self) -> None:
        self._plugin.start()

    def stop(self) -> None:
        self._plugin.kill()

    def freeze(self) -> None:
        self._plugin.freeze()

    def thaw(self) -> None:
        self._plugin.freeze(stopped=False)

    def config(self, timeout_seconds: float) -> dict[str, Any]:
        return configs.remote(self._plugin.address, timeout=f"{timeout_seconds:g}s", feed=False)

    def feed_config(self, timeout_seconds: float) -> dict[str, Any]:
        return configs.remote(self._plugin.address, timeout=f"{timeout_seconds:g}s")

    def add(self, account: Account) -> None:
        identity = {"subject": f"id-of-{account.name}", "groups": list(account.groups)}
        self._plugin.set_user(account.name, account.password, identity=identity)

    def set_password(self, account: Account, password: bytes) -> None:
        self._change(account, password=password)

    def disable(self, account: Account) -> None:
        self._change(account, decision="DECISION_ACCOUNT_DISABLED")

    def expire(self, account: Account) -> None:
        self._change(account, decision="DECISION_PASSWORD_EXPIRED")

    def lock(self, account: Account) -> None:
        self._change(account, decision="DECISION_LOCKED")

    def subject(self, account: Account) -> str:
        return f"id-of-{account.name}"

    def group(self, name: str) -> str:
        return name

    def _change(self, account: Account, **fields: Any) -> None:
        self._plugin.set_user(account.name, **{**self._plugin.users[account.name], **fields})
