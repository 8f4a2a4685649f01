"""A PAM stack of the tests' own: service files in a folder, users in a file, and the system's databases of users.

The modules are those of the system. Users of the system and their groups come from files as well, by nss_wrapper, which
credcached is started with (`environment`).
"""

import fcntl
import os
import pathlib
import struct
import subprocess
import time
from typing import Any, TextIO

import configs
import credcached

NSS_WRAPPER = "libnss_wrapper.so"
# As pam_faillock counts them (deny=), and as its files hold a wrong password: source, reserved, status, time.
DENY = 5
_TALLY = struct.Struct("=52sHHQ")
_TALLY_VALID = 1

# Who is locked is told from a wrong password, though pam_faillock says the same of both. What pam_unix would say of an
# expired account pam_debug does: pam_unix asks a program with rights of its own, where nss_wrapper does not reach.
STACK = """\
auth     [success=1 ignore=1 default=ignore]              pam_faillock.so preauth dir={folder}/tally deny={deny}
auth     [default=die]                                    pam_debug.so auth=maxtries
auth     [success=1 auth_err=ignore default=die]          pam_pwdfile.so pwdfile={folder}/pwdfile
auth     [default=die]                                    pam_faillock.so authfail dir={folder}/tally deny={deny}
auth     required                                         pam_permit.so
account  required                                         pam_access.so accessfile={folder}/access
account  [success=1 default=ignore]                       pam_listfile.so item=user sense=deny file={folder}/expired
account  [default=die]                                    pam_debug.so acct=acct_expired
account  required                                         pam_permit.so
"""
# Before it, while it is frozen.
GATE = "auth optional pam_exec.so quiet /usr/bin/flock -s {folder}/gate true\n"


def hashed(password: bytes) -> str:
    """By crypt(3), which all of these modules know. Of what is behind a NUL, or too long for them, nothing counts: so
    that a stack which is given only the beginning would take it."""
    seen = password.split(b"\0")[0][:511]
    if len(seen) < 200 and seen.isascii() and seen.decode().isprintable():
        return configs.hashed(seen.decode())
    result = credcached.run_ctl("hash", "--kind", "sha512", stdin=seen)
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


class Pam:
    """The folder. Whoever logs on is somebody of the pwdfile; users of the system have a number and groups, too."""

    def __init__(self, folder: pathlib.Path):
        self.folder = folder
        self.services = folder / "pam.d"
        self.services.mkdir(parents=True)
        (folder / "tally").mkdir()
        self._hashes: dict[str, str] = {}
        self._refused: list[str] = []
        self._expired: list[str] = []
        self._system: dict[str, tuple[int, tuple[str, ...]]] = {}  # number and groups
        self._writes = 0
        self._gate: TextIO | None = None
        (folder / "gate").touch()
        self._stack = STACK.format(folder=folder, deny=DENY)
        self.write_service("credcache", self._stack)
        self._write()

    @property
    def environment(self) -> dict[str, str]:
        """What credcached is to be started with."""
        return {
            "LD_PRELOAD": NSS_WRAPPER,
            **{f"NSS_WRAPPER_{kind.upper()}": str(self.folder / kind) for kind in ("passwd", "group")},
        }

    def write_service(self, name: str, text: str) -> None:
        configs.replace(self.services / name, text)

    def config(self, service: str = "credcache", **more: Any) -> dict[str, Any]:
        """The validator."""
        return {"pam": {"service": service, "config_folder": str(self.services), **more}}

    # --- the store of passwords

    def take_away(self) -> None:
        """It cannot be read; more than once changes nothing."""
        if (self.folder / "pwdfile").exists():
            (self.folder / "pwdfile").rename(self.folder / "pwdfile.aside")

    def bring_back(self) -> None:
        if (self.folder / "pwdfile.aside").exists():
            (self.folder / "pwdfile.aside").rename(self.folder / "pwdfile")

    def freeze(self) -> None:
        """Every log-on waits, before anything is looked at."""
        self._gate = (self.folder / "gate").open()
        fcntl.flock(self._gate, fcntl.LOCK_EX)
        self.write_service("credcache", GATE.format(folder=self.folder) + self._stack)

    def thaw(self) -> None:
        if self._gate is not None:
            self.write_service("credcache", self._stack)
            self._gate.close()
            self._gate = None

    # --- users

    def add(self, name: str, password: bytes, groups: tuple[str, ...] = (), system: bool = True) -> None:
        self._hashes[name] = hashed(password)
        if system:
            self._system[name] = (30_000 + len(self._system), groups)
        self._write()

    def set_password(self, name: str, password: bytes) -> None:
        self._hashes[name] = hashed(password)
        self._write()

    def refuse(self, name: str) -> None:
        """By pam_access, in the account phase."""
        self._refused.append(name)
        self._write()

    def expire(self, name: str) -> None:
        """The account; told in the account phase, too."""
        self._expired.append(name)
        self._write()

    def lock(self, name: str) -> None:
        """As pam_faillock leaves it after too many wrong passwords."""
        wrong = _TALLY.pack(b"", 0, _TALLY_VALID, int(time.time()))
        (self.folder / "tally" / name).write_bytes(wrong * DENY)

    def uid(self, name: str) -> int:
        return self._system[name][0]

    def _write(self) -> None:
        self._replace("pwdfile", [f"{name}:{hash_}" for name, hash_ in self._hashes.items()])
        self._replace("access", [*(f"-:{name}:ALL" for name in self._refused), "+:ALL:ALL"])
        self._replace("expired", self._expired)
        users = self._system.items()
        self._replace("passwd", [f"{name}:x:{number}:{number}::/:/bin/sh" for name, (number, _) in users])
        groups = sorted({group for _, (_, those) in users for group in those})
        members = [",".join(name for name, (_, those) in users if group in those) for group in groups]
        self._replace("group", [f"{group}:x:{20_000 + i}:{members[i]}" for i, group in enumerate(groups)])

    def _replace(self, file: str, lines: list[str]) -> None:
        """nss_wrapper looks at the seconds of the time alone."""
        self._writes += 1
        temporary = self.folder / f"{file}.new"
        temporary.write_text("".join(f"{line}\n" for line in lines))
        os.utime(temporary, (time.time() + self._writes, int(time.time()) + self._writes))
        temporary.replace(self.folder / file)


def helpers(server: credcached.Credcached) -> list[int]:
    """The service's helper processes."""
    children = pathlib.Path(f"/proc/{server.pid}/task").glob("*/children")
    return sorted(int(child) for file in children for child in file.read_text().split())


def build_module(folder: pathlib.Path, name: str, code: str) -> pathlib.Path:
    """A module whose pam_sm_authenticate has this body, `handle` being PAM's, and which has nothing against anybody."""
    source = folder / f"{name}.c"
    source.write_text(
        "#define _GNU_SOURCE\n#include <security/pam_modules.h>\n#include <security/pam_ext.h>\n#include <signal.h>\n"
        "#include <stdlib.h>\n#include <string.h>\n#include <stdio.h>\n#include <unistd.h>\n#include <sys/prctl.h>\n"
        "int pam_sm_authenticate(pam_handle_t *handle, int flags, int argc, const char **argv) {\n"
        f"  const char *user = 0; pam_get_user(handle, &user, 0);\n  {code}\n}}\n"
        "int pam_sm_setcred(pam_handle_t *handle, int flags, int argc, const char **argv) { return PAM_SUCCESS; }\n"
        "int pam_sm_acct_mgmt(pam_handle_t *handle, int flags, int argc, const char **argv) { return PAM_SUCCESS; }\n"
    )
    module = folder / f"{name}.so"
    command = ["gcc", "-shared", "-fPIC", "-o", str(module), str(source), "-lpam"]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert result.returncode == 0, result.stderr
    return module
