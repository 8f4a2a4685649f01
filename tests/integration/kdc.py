"""A real MIT KDC in a temporary folder, on loopback, with nothing of the machine's: krb5.conf, database and keytab."""

import contextlib
import os
import pathlib
import re
import signal
import socket
import subprocess
from collections.abc import Callable
from typing import Self

import secrets_used
import waiting

REALM = "CORP.EXAMPLE"
SERVICE = "host/mail.corp.example"
MASTER_PASSWORD = "master-of-the-kdc"
LOCKS_AFTER = 3


class Kdc:
    """Start, stop and start again as wanted: database and port stay. Ends no process but its own.

    Each has keys and users of its own, so that a second one of the same realm is an impostor. `replica_of`: one with
    the same database (here the very same files), as a site's second KDC has.
    """

    def __init__(self, folder: pathlib.Path, realm: str = REALM, replica_of: "Kdc | None" = None):
        folder.mkdir(parents=True)
        self.folder = folder
        self.realm = realm
        self.port = waiting.free_port()
        self.krb5_conf = folder / "krb5.conf"
        self.keytab = folder / "k.keytab"
        self._log = folder / "kdc.log"
        self._data = replica_of.folder if replica_of else folder
        self._process: subprocess.Popen[bytes] | None = None
        self.name_kdcs(self)
        (folder / "kdc.conf").write_text(f"""\
[kdcdefaults]
  kdc_listen = 127.0.0.1:{self.port}
  kdc_tcp_listen = 127.0.0.1:{self.port}
[realms]
  {realm} = {{
    database_module = db
    key_stash_file = {self._data}/stash
    acl_file = {self._data}/acl
    default_principal_flags = +preauth
    supported_enctypes = aes256-cts:normal
  }}
[dbmodules]
  db = {{
    db_library = db2
    database_name = {self._data}/principal
  }}
[logging]
  kdc = FILE:{self._log}
""")
        if replica_of:
            self.keytab = replica_of.keytab
            return
        secrets_used.note(MASTER_PASSWORD)
        self._run("kdb5_util", "create", "-s", "-r", realm, "-P", MASTER_PASSWORD)
        self.admin(
            "addpol", "-maxfailure", str(LOCKS_AFTER), "-failurecountinterval", "0", "-lockoutduration", "0", "lock"
        )
        self.admin("addprinc", "-randkey", SERVICE)
        self.write_keytab()

    def name_kdcs(self, *kdcs: "Kdc | int | str") -> pathlib.Path:
        """Writes krb5.conf with these, in order: KDCs, ports of loopback, or what stands after `kdc =`."""
        lines = []
        for kdc in kdcs:
            port = kdc.port if isinstance(kdc, Kdc) else kdc
            lines.append(f"    kdc = {port if isinstance(port, str) else f'127.0.0.1:{port}'}\n")
        self.krb5_conf.write_text(
            f"[libdefaults]\n  default_realm = {self.realm}\n  dns_lookup_kdc = false\n  dns_lookup_realm = false\n"
            f"[realms]\n  {self.realm} = {{\n{''.join(lines)}  }}\n"
        )
        return self.krb5_conf

    def speak_spake(self) -> None:
        """From its next start on."""
        settings = self.folder / "kdc.conf"
        settings.write_text(settings.read_text() + "[libdefaults]\n  spake_preauth_groups = edwards25519\n")

    def start(self, clock_seconds: int = 0) -> Self:
        """`clock_seconds`: so much is its clock ahead of ours."""
        environment = self._environment
        if clock_seconds:
            (library,) = pathlib.Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")
            environment |= {
                "LD_PRELOAD": str(library),
                "FAKETIME": f"{clock_seconds:+}",
                "DONT_FAKE_MONOTONIC": "1",
            }
        with (self.folder / "output").open("ab") as output:
            self._process = subprocess.Popen(
                ["krb5kdc", "-n", "-r", self.realm],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=environment,
                start_new_session=True,
            )
        waiting.until(self._answers, f"the KDC on port {self.port} answers")
        return self

    def stop(self) -> None:
        if self._process is None:
            return
        self.thaw()
        self._process.kill()
        self._process.wait(10)
        self._process = None

    def freeze(self) -> None:
        """It takes connections, and does not answer."""
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)

    def admin(self, *command: str | bytes) -> str:
        """kadmin.local, which writes to the database itself: with or without a KDC that runs."""
        return self._run("kadmin.local", "-r", self.realm, *command)

    def add(self, name: str, password: str | bytes, *options: str) -> None:
        secrets_used.note(password)
        self.admin("addprinc", *options, "-pw", password, self.principal(name))

    def set_password(self, name: str, password: str | bytes) -> None:
        secrets_used.note(password)
        self.admin("cpw", "-pw", password, self.principal(name))

    def modify(self, name: str, *options: str) -> None:
        self.admin("modprinc", *options, self.principal(name))

    def lock(self, name: str) -> None:
        """As the KDC does: by wrong passwords, under a policy that locks for good."""
        self.modify(name, "-policy", "lock")
        for _ in range(LOCKS_AFTER):
            assert not self.log_on(name, "not-the-password")

    def log_on(self, name: str, password: str | bytes) -> bool:
        """By MIT's own kinit, which is not ours."""
        asked = subprocess.run(
            ["kinit", "-c", f"FILE:{self.folder}/ccache", self.principal(name)],
            input=(password.encode() if isinstance(password, str) else password) + b"\n",
            capture_output=True,
            timeout=30,
            check=False,
            env=self._environment,
        )
        return asked.returncode == 0

    def principal(self, name: str) -> str:
        """As kadmin wants it written."""
        return re.sub(r"([\\/@ ])", r"\\\1", name) + f"@{self.realm}"

    def write_keytab(self, path: pathlib.Path | None = None, service: str = SERVICE) -> pathlib.Path:
        """The service's keys as they are, in a new file."""
        path = path or self.keytab
        path.unlink(missing_ok=True)
        self.admin("ktadd", "-norandkey", "-k", str(path), service)
        path.chmod(0o600)
        return path

    def new_service_key(self) -> None:
        """Another key and number; the keytabs that there are stay as they are."""
        self.admin("cpw", "-randkey", SERVICE)

    def failures(self, name: str) -> int:
        """How many wrong passwords the KDC has counted since the last right one."""
        found = self.admin("getprinc", self.principal(name))
        return int(re.search(r"^Failed password attempts: (\d+)$", found, re.MULTILINE)[1])

    def asked(self, name: str = "") -> list[str]:
        """What its log says of requests for tickets, in order: NEEDED_PREAUTH, PREAUTH_FAILED, ISSUE, ..."""
        log = self._log.read_text(errors="replace") if self._log.exists() else ""
        return re.findall(rf"AS_REQ .*?\}}\) [\d.]+: (\w+): .*?{re.escape(name)}", log)

    @property
    def _environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "KRB5_CONFIG": str(self.krb5_conf),
            "KRB5_KDC_PROFILE": str(self.folder / "kdc.conf"),
            "KRB5RCACHENAME": "none:",
        }

    def _answers(self) -> bool:
        assert self._process.poll() is None, (self.folder / "output").read_text() + self._log.read_text()
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False

    def _run(self, *command: str | bytes) -> str:
        result = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=30, check=False, env=self._environment
        )
        output = (result.stdout + result.stderr).decode(errors="replace")
        # kadmin.local says what went wrong, and ends with 0 all the same.
        failed = re.search(
            r"^(kadmin\.local|\w+_\w+): (?!.*policy specified).*(while|error|Usage)", output, re.MULTILINE
        )
        assert result.returncode == 0 and not failed, f"{command[0]} failed ({result.returncode}): {output}"
        return output


# What the fixture `make_kdc` is (conftest.py): makes one, to be started.
MakeKdc = Callable[..., Kdc]
