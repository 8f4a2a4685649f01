"""A real PostgreSQL in a temporary folder, on loopback and a unix socket."""

import contextlib
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
from typing import Self

import secrets_used
import waiting

# Of the role that credcached uses; it may read the accounts and no more.
ROLE = "credcache"
ROLE_PASSWORD = "reader-of-the-database"
DATABASE = "corp"

ACCOUNTS = """
create table account (
  name text primary key, hash text, id text, groups text[], disabled boolean not null default false,
  locked boolean not null default false, expires timestamptz, mail text, seen timestamptz);
grant select on account to credcache;
"""
QUERY = "select hash, id, groups, disabled, locked, expires, mail from account where name = $1"


def quote(text: str | None) -> str:
    """As SQL writes it."""
    return "null" if text is None else "'" + text.replace("'", "''") + "'"


def _programs() -> pathlib.Path:
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    assert found, "package missing: postgresql"
    return found[-1].parent


def _owner() -> dict[str, object]:
    """Whom it runs as: it refuses to be root."""
    return {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}


class Psql:
    """A session of the harness's own, as the superuser."""

    _DONE = "--done--"

    def __init__(self, socket_folder: pathlib.Path, port: int, database: str):
        self._process = subprocess.Popen(
            [
                *("stdbuf", "-oL", "psql", "-X", "-q", "-A", "-t", "-h", socket_folder, "-p", str(port)),
                *("-U", "postgres", "-d", database),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "PGCLIENTENCODING": "UTF8", "PGOPTIONS": "-c client_min_messages=warning"},
        )

    def run(self, sql: str) -> str:
        """What the statements print; they have been committed when this returns."""
        self._process.stdin.write(f"{sql}\n;\n\\echo {self._DONE}\n")
        self._process.stdin.flush()
        lines: list[str] = []
        for line in self._process.stdout:
            if line.rstrip("\n") == self._DONE:
                output = "".join(lines)
                assert "ERROR:" not in output, f"{output}\nof: {sql}"
                return output.strip()
            lines.append(line)
        raise AssertionError(f"psql ended: {''.join(lines)}")

    def close(self) -> None:
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()


class Postgres:
    """Start, stop and start again as wanted: data and port stay. Ends no process but its own."""

    def __init__(self, standby_of: "Postgres | None" = None, **settings: object) -> None:
        # The tests' own folders are closed to other users.
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="credcache-postgres-"))
        if owner := _owner():
            shutil.chown(self.folder, owner["user"], owner["group"])
        self.port = waiting.free_port()
        self._settings = settings
        self._programs = _programs()
        self._process: subprocess.Popen[bytes] | None = None
        self._sessions: list[Psql] = []
        self._frozen: list[int] = []
        self._log = self.folder / "log"
        secrets_used.note(ROLE_PASSWORD)
        data = self.folder / "data"
        if standby_of is None:
            command = ["initdb", "-D", data, "-U", "postgres", "-E", "UTF8", "--no-locale", "--no-sync"]
            command += ["--auth-local=trust", "--auth-host=scram-sha-256"]
        else:
            command = ["pg_basebackup", "-D", data, "-h", standby_of.folder, "-p", str(standby_of.port)]
            command += ["-U", "postgres", "-R", "-c", "fast", "--no-sync"]
        subprocess.run(
            [self._programs / command[0], *command[1:]], check=True, capture_output=True, timeout=60, **_owner()
        )

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self.folder)

    @property
    def dsn(self) -> str:
        return f"host=127.0.0.1 port={self.port} dbname={DATABASE} user={ROLE} password={ROLE_PASSWORD}"

    def start(self) -> Self:
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": self.folder,
            "fsync": "off",
            "max_connections": 60,
            "log_statement": "none",
            **self._settings,
        }
        command = [str(self._programs / "postgres"), "-D", str(self.folder / "data")]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, **_owner()
            )
        waiting.until(self._answers, f"PostgreSQL on port {self.port} answers")
        return self

    def stop(self) -> None:
        """At once, as pg_ctl's fast mode: sessions are cut off."""
        self.freeze(stopped=False)
        for session in self._sessions:
            session.close()
        self._sessions.clear()
        if self._process is None:
            return
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(20)
        self._process = None

    def freeze(self, stopped: bool = True) -> None:
        """The process that accepts connections: the kernel still does, and nobody answers. Or lets it go on."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGSTOP if stopped else signal.SIGCONT)

    def freeze_all(self, stopped: bool = True) -> None:
        """That process, and those that serve the sessions of credcached's role: nothing of it is answered. Not ours."""
        if stopped:
            session = self.session()
            session.run("select 1")  # connected, which it could not be any more
            self.freeze()
            found = session.run(f"select pid from pg_stat_activity where usename = {quote(ROLE)}")
            self._frozen = [int(pid) for pid in found.split()]
            for pid in self._frozen:
                self.freeze_session(pid)
            return
        while self._frozen:
            self.freeze_session(self._frozen.pop(), stopped=False)
        self.freeze(stopped=False)

    def freeze_session(self, pid: int, stopped: bool = True) -> None:
        """The same of the process that serves one session."""
        parent = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1]
        assert int(parent) == self._process.pid, f"{pid} is no process of this server"
        os.kill(pid, signal.SIGSTOP if stopped else signal.SIGCONT)

    def session(self, database: str = DATABASE) -> Psql:
        """One more, closed when the server stops."""
        self._sessions.append(Psql(self.folder, self.port, database))
        return self._sessions[-1]

    def reset(self) -> None:
        """An empty database, with the table of accounts and a role that may read it."""
        session = self.session("postgres")
        session.run(f"drop database if exists {DATABASE} with (force)")
        session.run(f"drop role if exists {ROLE}")
        session.run(f"create role {ROLE} login password {quote(ROLE_PASSWORD)}")
        session.run(f"create database {DATABASE}")
        self.session().run(ACCOUNTS)

    def cut(self, session: Psql, where: str = "query ilike '%listen%' or query = 'select 1'") -> int:
        """Ends credcached's sessions that match: by default the one that listens. How many there were."""
        return int(
            session.run(
                "select count(pg_terminate_backend(pid)) from pg_stat_activity "
                f"where usename = {quote(ROLE)} and ({where})"
            )
        )

    def log_text(self) -> str:
        return self._log.read_text(errors="replace")

    def _answers(self) -> bool:
        if self._process.poll() is not None:
            raise AssertionError(f"PostgreSQL ended: {self.log_text()[-2000:]}")
        with contextlib.closing(socket.socket()) as connection:
            if connection.connect_ex(("127.0.0.1", self.port)) != 0:
                return False
        ready = subprocess.run(
            [self._programs / "pg_isready", "-q", "-h", self.folder, "-p", str(self.port)], check=False, timeout=10
        )
        return ready.returncode == 0


def insert(name: str, hashed: str | None, **columns: str) -> str:
    """An INSERT of an account. `columns`: SQL expressions."""
    if hashed is not None:
        secrets_used.note(hashed)
    names = ["name", "hash", *columns]
    values = [quote(name), quote(hashed), *columns.values()]
    return f"insert into account ({', '.join(names)}) values ({', '.join(values)});"
