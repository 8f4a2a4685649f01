"""A users file."""

import pathlib
from typing import Any, ClassVar

import configs
from backend import Account, Backend
from hashing import hashed


class FileBackend(Backend):
    name = "file"
    EXCLUDED: ClassVar = {
        "locked": "a users file counts no failures, so it locks nobody; `disabled` is told after the right password",
        "timeout": "a file is read, and a read of a local file does not hang; one that cannot be read is `down`",
        "slow": "nor does the read of a local file take long",
        "down_at_the_start": "a configuration that names a file which is not there is wrong, and nothing starts",
    }

    def __init__(self, folder: pathlib.Path):
        super().__init__(folder)
        self._users = folder / "users"
        self._aside = folder / "users.aside"
        self._lines: dict[str, list[str]] = {}  # a hash, and keys

    def start(self) -> None:
        if self._aside.exists():
            self._aside.rename(self._users)
        self._write()

    def stop(self) -> None:
        if self._users.exists():
            self._users.rename(self._aside)

    def thaw(self) -> None:
        pass

    def config(self, timeout_seconds: float) -> dict[str, Any]:  # noqa: ARG002 (a file has no timeout)
        return configs.users_file(self._users)

    def feed_config(self, timeout_seconds: float) -> dict[str, Any]:
        return self.config(timeout_seconds)  # it has one always

    def add(self, account: Account) -> None:
        groups = [f"groups={';'.join(account.groups)}"] if account.groups else []
        self._lines[account.name] = [hashed(account.password), *groups]
        self._write()

    def set_password(self, account: Account, password: bytes) -> None:
        self._lines[account.name][0] = hashed(password)
        self._write()

    def disable(self, account: Account) -> None:
        self._lines[account.name].append("disabled")
        self._write()

    def expire(self, account: Account) -> None:
        self._lines[account.name].append("expires=2001-01-01")
        self._write()

    def subject(self, account: Account) -> str:
        return f"{configs.REALM}/{account.name}"

    def group(self, name: str) -> str:
        return name

    def _write(self) -> None:
        lines = []
        for name, (hash_, *keys) in self._lines.items():
            lines.append(f"{name}:{hash_}:{','.join(keys)}" if keys else f"{name}:{hash_}")
        configs.replace(self._users, "".join(f"{line}\n" for line in lines))
