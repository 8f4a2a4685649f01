"""A real validator plug-in, in a process of its own, that does what the test says."""

import json
import os
import pathlib
import signal
import subprocess
import sys
from collections.abc import Callable
from typing import Any, Self

import secrets_used
import stubs
from certs import Certificate, CertificateAuthority

PROCESS = pathlib.Path(__file__).with_name("plugin_process.py")
# How JSON carries a password that is no text.
_ANY_BYTES = "surrogateescape"


class Plugin:
    """Start, kill and start again as wanted: what its users are, it is told anew. Ends no process but its own."""

    def __init__(self, address: str, users: dict[str, dict[str, Any]], feed: bool = True):
        self.address = address
        self.users = users
        self._feed = feed
        self._tls: list[str] = []
        self._process: subprocess.Popen[str] | None = None

    def with_tls(self, certificate: Certificate, clients: CertificateAuthority) -> Self:
        """It shows this, and answers only who shows one of that authority."""
        files = (certificate.certificate, certificate.private_key, clients.certificate)
        self._tls = ["--tls", *map(str, files)]
        return self

    def start(self) -> Self:
        assert self._process is None, "runs already"
        for user in self.users.values():
            secrets_used.note(_raw(user["password"]))
        self._process = subprocess.Popen(
            [sys.executable, PROCESS, self.address, *(["--feed"] if self._feed else []), *self._tls],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env={**os.environ, "PYTHONPATH": str(stubs.FOLDER)},
        )
        assert self._tell(self.users) == "ready"
        return self

    def kill(self) -> None:
        """Ends it as a crash would; whether it ran or not."""
        if self._process is None:
            return
        self._process.kill()
        self._process.wait(10)
        self._process.stdin.close()
        self._process.stdout.close()
        self._process = None

    def freeze(self, stopped: bool = True) -> None:
        """SIGSTOP, or SIGCONT."""
        self._process.send_signal(signal.SIGSTOP if stopped else signal.SIGCONT)

    def set_user(self, name: str, password: bytes | str = "", tell: bool = True, **more: Any) -> None:
        """Changes or makes a user, and has Watch tell so."""
        self.users[name] = {"password": secrets_used.note(_raw(password)).decode(errors=_ANY_BYTES), **more}
        if self._process is not None:
            self._tell(["user", name, self.users[name], tell])

    def delete_user(self, name: str) -> None:
        del self.users[name]
        self._tell(["user", name, None, True])

    def say(self, **fields: Any) -> None:
        """Sends a message of Watch."""
        self._tell(["say", fields])

    def flood(self, name: str, count: int) -> None:
        """Says so often that this user has changed, as fast as it can."""
        self._tell(["flood", name, count])

    def asked(self, name: str) -> int:
        """How often it was asked to validate that name since its start."""
        return self._tell(["counts"]).get(name, 0)

    def _tell(self, words: Any) -> Any:
        self._process.stdin.write(json.dumps(words) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


def _raw(password: bytes | str) -> bytes:
    return password if isinstance(password, bytes) else password.encode(errors=_ANY_BYTES)


# What the fixture `make_plugin` is (conftest.py): makes one of these users.
MakePlugin = Callable[..., Plugin]
