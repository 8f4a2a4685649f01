"""PostgreSQL: accounts by a query, their hashes verified by credcached."""

import pathlib
from typing import Any

import configs
from backend import Account, Backend
from credcached import run_ctl
from hashing import hashed
from postgres import Postgres, insert, quote


class PostgresBackend(Backend):
    name = "postgres"

    def __init__(self, folder: pathlib.Path):
        super().__init__(folder)
        # It makes a folder of its own: it does not run as root, whose folders are closed to it.
        self._postgres = Postgres()
        self._new = True

    def start(self) -> None:
        self._postgres.start()
        if self._new:
            self._postgres.reset()
            self._new = False
        self._sql = self._postgres.session()

    def stop(self) -> None:
        self._postgres.stop()

    def close(self) -> None:
        self._postgres.__exit__()

    def freeze(self) -> None:
        self._postgres.freeze_all()

    def thaw(self) -> None:
        self._postgres.freeze_all(stopped=False)

    def config(self, timeout_seconds: float) -> dict[str, Any]:
        return configs.postgres(self._postgres, self.folder, timeout=f"{timeout_seconds:g}s")

    def feed_config(self, timeout_seconds: float) -> dict[str, Any]:
        script = run_ctl("sql")
        assert script.returncode == 0, script.stderr
        self._sql.run(script.stdout)
        return configs.postgres(self._postgres, self.folder, timeout=f"{timeout_seconds:g}s", feed=True)

    def add(self, account: Account) -> None:
        groups = ", ".join(map(quote, account.groups))
        row = {"id": "gen_random_uuid()", "groups": f"array[{groups}]::text[]"}
        self._sql.run(insert(account.name, hashed(account.password), **row))

    def set_password(self, account: Account, password: bytes) -> None:
        self._set(account, f"hash = {quote(hashed(password))}")

    def disable(self, account: Account) -> None:
        self._set(account, "disabled = true")

    def expire(self, account: Account) -> None:
        self._set(account, "expires = now() - interval '1 minute'")

    def lock(self, account: Account) -> None:
        self._set(account, "locked = true")

    def subject(self, account: Account) -> str:
        return self._sql.run(f"select id from account where name = {quote(account.name)}")

    def group(self, name: str) -> str:
        return name

    def _set(self, account: Account, column: str) -> None:
        self._sql.run(f"update account set {column} where name = {quote(account.name)}")
