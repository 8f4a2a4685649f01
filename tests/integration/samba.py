"""A real Active Directory domain controller: Samba in a temporary folder, and in a network of its own."""

import base64
import contextlib
import os
import pathlib
import re
import signal
import socket
import subprocess
import threading
import time
import uuid
from collections.abc import Callable, Iterator

import namespaces
import secrets_used
import waiting
from certs import CertificateAuthority
from ldif import line, modifier
from wire import Wire

REALM = "corp.example"
DOMAIN = "CORP"
BASE = "DC=corp,DC=example"
PEOPLE = f"OU=people,{BASE}"
GROUPS = f"OU=groups,{BASE}"
READER = f"CN=reader,CN=Users,{BASE}"
# Of the harness's own doings; credcached knows the reader's alone.
ADMIN = f"Administrator@{REALM}"
ADMIN_PASSWORD = "Admin-of-the-d1rectory"
READER_PASSWORD = "Reader-of-the-d1rectory"

# Its ports are what they are, so it gets a network where nobody else has them (_connect).
LDAP_PORT = 389
LDAPS_PORT = 636

# A threshold at which nobody arrives. Where there is none, Samba does not even count.
NEVER = 999

# userAccountControl (MS-ADTS, 2.2.16).
DISABLED = 0x2
NORMAL = 0x200
NEVER_EXPIRES = 0x10000

# A fine-grained password policy that locks after three wrong passwords: of whom Samba.apply names, and of nobody else.
LOCKING = f"CN=locking,CN=Password Settings Container,CN=System,{BASE}"


def unicode_pwd(password: str) -> bytes:
    """As unicodePwd takes it (MS-ADTS, 3.1.1.3.1.5.1)."""
    return f'"{password}"'.encode("utf-16-le")


def file_time(unix_seconds: float) -> str:
    """As Active Directory counts: in 100 ns since 1601."""
    return str(int((unix_seconds + 11_644_473_600) * 10_000_000))


def dn(name: str, below: str = PEOPLE) -> str:
    escaped = re.sub(r'([\\,+"<>;=#])', r"\\\1", name)
    return f"CN={escaped},{below}"


class Samba:
    """Serves ldap (with StartTLS) and ldaps, through relays on loopback, since nobody else can reach its network.

    It is provisioned once (11 s); then start, stop and start again as wanted: data and ports stay. Ends no process but
    its own. What is changed by `modify` and what rests on it is told to who watches within 0.2 s.

    `old_password_minutes`: how long Samba takes the password before the present one; 60 is its default.
    """

    def __init__(self, folder: pathlib.Path, authority: CertificateAuthority, old_password_minutes: int = 0):
        assert os.geteuid() == 0, "Samba needs root: it is given namespaces of its own"
        folder.mkdir(parents=True, exist_ok=True)
        self.ca = authority.certificate
        self.old_password_minutes = old_password_minutes
        self._folder = folder
        self._certificate = authority.issue("samba")
        self._log = folder / "samba.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._new = True
        self._network = ""
        for password in (ADMIN_PASSWORD, READER_PASSWORD):
            secrets_used.note(password)
        self._wires = {port: self.wire(port) for port in (LDAP_PORT, LDAPS_PORT)}
        self._provision()

    @property
    def url(self) -> str:
        return f"ldap://127.0.0.1:{self._wires[LDAP_PORT].port}"

    @property
    def tls_url(self) -> str:
        return f"ldaps://127.0.0.1:{self._wires[LDAPS_PORT].port}"

    def wire(self, port: int = LDAP_PORT) -> Wire:
        """A relay of the caller's own to that port, to be cut."""
        return Wire(port, self._connect)

    # --- the server

    def start(self) -> "Samba":
        assert self._process is None, "runs already"
        self._configure()
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                namespaces.contained(f"exec samba -F --no-process-group -M prefork -s {self._config}"),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        waiting.until(self._answers, f"Samba answers, see {self._log}", deadline_seconds=60, every_seconds=0.1)
        if self._new:
            self._prepare()
            self._new = False
        return self

    def stop(self) -> None:
        """Ends it and all its processes, frozen or not; whether it ran or not."""
        if self._process is None:
            return
        # What unshare started ends with it, and with that all of its namespace.
        self._process.kill()
        self._process.wait(10)
        waiting.until(lambda: not self._pids(), "all of its processes have ended")
        self._process = None

    def close(self) -> None:
        self.stop()
        for wire in self._wires.values():
            wire.close()

    def freeze(self, stopped: bool = True) -> None:
        """SIGSTOP: its ports stay open, the kernel still accepts connections, and nothing is answered. Or SIGCONT."""
        for pid in self._pids():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP if stopped else signal.SIGCONT)

    def thaw(self) -> None:
        self.freeze(stopped=False)

    # --- what it holds

    def add_user(self, name: str, password: str = "", below: str = PEOPLE, **attributes: str | bytes) -> str:
        """Who may log on; the password is `password-of-NAME` unless another is given. Their DN."""
        values = {
            "objectClass": "user",
            "sAMAccountName": name,
            "userPrincipalName": f"{name}@{REALM}",
            "unicodePwd": unicode_pwd(password or f"password-of-{name}"),
            "userAccountControl": str(NORMAL),
            **attributes,
        }
        self.add(dn(name, below), values)
        return dn(name, below)

    def add_group(self, name: str, *members: str, below: str = GROUPS) -> str:
        """Its DN. `members`: DNs."""
        lines = [line("member", member) for member in members]
        self.modify(
            "\n".join([line("dn", dn(name, below)), "changetype: add", "objectClass: group", *lines])
            + f"\n{line('sAMAccountName', name)}\n"
        )
        return dn(name, below)

    def add(self, entry: str, values: dict[str, str | bytes]) -> None:
        lines = [line(attribute, value) for attribute, value in values.items()]
        self.modify("\n".join([line("dn", entry), "changetype: add", *lines]) + "\n")

    def set(self, entry: str, **values: str | bytes) -> None:
        """Each attribute has this one value then."""
        parts = [f"replace: {attribute}\n{line(attribute, value)}\n-" for attribute, value in values.items()]
        self.modify("\n".join([line("dn", entry), "changetype: modify", *parts]) + "\n")

    def set_password(self, entry: str, password: str) -> None:
        """As an administrator does (a reset)."""
        self.set(entry, unicodePwd=unicode_pwd(password))

    def change_password(self, entry: str, old: str, new: str) -> None:
        """As the user does."""
        self.modify(
            f"{line('dn', entry)}\nchangetype: modify\ndelete: unicodePwd\n{line('unicodePwd', unicode_pwd(old))}\n-\n"
            f"add: unicodePwd\n{line('unicodePwd', unicode_pwd(new))}\n"
        )

    def put_into(self, group: str, member: str) -> None:
        self.modify(f"{line('dn', group)}\nchangetype: modify\nadd: member\n{line('member', member)}\n")

    def take_out(self, group: str, member: str) -> None:
        self.modify(f"{line('dn', group)}\nchangetype: modify\ndelete: member\n{line('member', member)}\n")

    def delete(self, entry: str) -> None:
        self.modify(f"{line('dn', entry)}\nchangetype: delete\n")

    def move(self, entry: str, new_rdn: str, below: str = "") -> None:
        to = f"newsuperior: {below}\n" if below else ""
        self.modify(f"{line('dn', entry)}\nchangetype: modrdn\nnewrdn: {new_rdn}\ndeleteoldrdn: 1\n{to}")

    def apply_locking(self, entry: str) -> None:
        self.modify(f"dn: {LOCKING}\nchangetype: modify\nadd: msDS-PSOAppliesTo\n{line('msDS-PSOAppliesTo', entry)}\n")

    def lockout(self, threshold: int, minutes: int = 30) -> None:
        """For everybody: locks for so many minutes after so many wrong passwords within as many."""
        interval = str(-minutes * 600_000_000)
        self.set(BASE, lockoutThreshold=str(threshold), lockoutDuration=interval, lockOutObservationWindow=interval)

    def expire(self, entry: str) -> None:
        """Its password is older than the domain's maxPwdAge. No protocol can write that."""
        long_ago = file_time(time.time() - 3600 * 24 * 365)
        # DSDB_CONTROL_PASSWORD_BYPASS_LAST_SET_OID
        self._behind_its_back(
            "message = ldb.Message(ldb.Dn(db, arguments[0]))\n"
            "message['x'] = ldb.MessageElement(arguments[1], ldb.FLAG_MOD_REPLACE, 'pwdLastSet')\n"
            "db.modify(message, ['local_oid:1.3.6.1.4.1.7165.4.3.20:0'])\n",
            *(entry, long_ago),
        )

    def add_many(self, prefix: str, count: int) -> None:
        """Disabled accounts without passwords, in little time."""
        self._behind_its_back(
            "prefix, count, below = arguments\n"
            "for number in range(int(count)):\n"
            "    name = f'{prefix}{number:04}'\n"
            "    dn = f'CN={name},{below}'\n"
            "    db.add({'dn': dn, 'objectClass': 'user', 'sAMAccountName': name, 'userAccountControl': '514'})\n",
            *(prefix, str(count), PEOPLE),
        )

    def lock(self, entry: str) -> None:
        """By wrong passwords, as directories do."""
        self.apply_locking(entry)
        for number in range(3):
            assert not self.try_bind(entry, f"wrong-{number}")
        assert self.number(entry, "lockoutTime") > 0

    def modify(self, ldif: str) -> None:
        """Applies changes in LDIF, as the directory's administrator."""
        self._run("ldapmodify", ADMIN, ADMIN_PASSWORD, input_text=ldif)

    def modifier(self) -> contextlib.AbstractContextManager[Callable[[str, str, str | bytes], None]]:
        """As ldif.modifier, as the directory's administrator."""
        return modifier(self._command("ldapmodify", ADMIN, ADMIN_PASSWORD), self._environment())

    @contextlib.contextmanager
    def notices(self) -> Iterator[list[float]]:
        """When each notice of a change of an account came (time.monotonic), to a client that is not ours."""
        options = ["-E", "!1.2.840.113556.1.4.528", "-b", BASE, "-s", "sub", "(objectClass=*)", "sAMAccountName"]
        process = subprocess.Popen(
            ["stdbuf", "-oL", *self._command("ldapsearch", ADMIN, ADMIN_PASSWORD), *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=self._environment(),
        )
        times: list[float] = []

        def read() -> None:
            times.extend(time.monotonic() for said in process.stdout if said.startswith("sAMAccountName: "))

        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        try:
            # It has begun when it hears of something.
            waiting.until(
                lambda: self.set(READER, description=str(time.monotonic())) or times, "notices", every_seconds=0.1
            )
            yield times
        finally:
            process.kill()
            process.wait(10)
            reader.join(10)
            process.stdout.close()

    def search(self, base: str, scope: str, search_filter: str, *attributes: str) -> str:
        """As LDIF."""
        return self._run("ldapsearch", ADMIN, ADMIN_PASSWORD, "-b", base, "-s", scope, search_filter, *attributes)

    def value(self, entry: str, attribute: str) -> bytes | None:
        """The attribute's first value, if there is one."""
        found = re.search(
            rf"^{attribute}:(:?) (.*)$", self.search(entry, "base", "(objectClass=*)", attribute), re.MULTILINE
        )
        if found is None:
            return None
        return base64.b64decode(found[2]) if found[1] else found[2].encode()

    def number(self, entry: str, attribute: str) -> int:
        """Likewise; 0 where there is none."""
        return int(self.value(entry, attribute) or 0)

    def bad_passwords(self, entry: str) -> int:
        """How many wrong passwords it has counted for the account since the last right one."""
        return self.number(entry, "badPwdCount")

    def guid(self, entry: str) -> str:
        """objectGUID as people write it; by Python's own reading of the bytes."""
        return str(uuid.UUID(bytes_le=self.value(entry, "objectGUID")))

    def try_bind(self, name: str, password: str) -> bool:
        """Whether a bind of the harness's own works, by DN or name@domain."""
        return self.bind(name, password).returncode == 0

    def bind(self, name: str, password: str) -> subprocess.CompletedProcess[str]:
        """What such a bind says: its sub-code is in stderr."""
        return subprocess.run(
            [*self._command("ldapsearch", name, password), "-b", "", "-s", "base", "(objectClass=*)", "1.1"],
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
            env=self._environment(),
        )

    # --- how

    @property
    def _config(self) -> pathlib.Path:
        return self._folder / "etc" / "smb.conf"

    def _provision(self) -> None:
        command = (
            f"exec samba-tool domain provision --realm={REALM.upper()} --domain={DOMAIN} --adminpass={ADMIN_PASSWORD}"
            f" --server-role=dc --dns-backend=NONE --host-name=dc1 --host-ip=127.0.0.1 --targetdir={self._folder}"
            " --option='interfaces=lo' --option='bind interfaces only=yes'"
        )
        result = subprocess.run(
            namespaces.contained(command),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        assert result.returncode == 0, result.stderr[-4000:]
        # Without the services that nobody asks here.
        self._provisioned = re.sub(r"(?m)^\s*server services = .*\n", "", self._config.read_text())

    def _behind_its_back(self, script: str, *arguments: str) -> None:
        """Python for Samba's own library: `db` is its database, open for one transaction."""
        begin = (
            "import sys, ldb\n"
            "from samba.auth import system_session\n"
            "from samba.param import LoadParm\n"
            "from samba.samdb import SamDB\n"
            "config, *arguments = sys.argv[1:]\n"
            "lp = LoadParm()\n"
            "lp.load(config)\n"
            "db = SamDB(session_info=system_session(), lp=lp)\n"
            "db.transaction_start()\n"
        )
        # Samba's library is Debian's Python's.
        result = subprocess.run(
            ["/usr/bin/python3", "-I", "-c", f"{begin}{script}db.transaction_commit()\n", self._config, *arguments],
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        assert result.returncode == 0, result.stderr[-2000:]

    def _configure(self) -> None:
        own = f"""\
[global]
        interfaces = lo
        bind interfaces only = yes
        server services = ldap
        prefork children:ldap = 1
        old password allowed period = {self.old_password_minutes}
        tls keyfile = {self._certificate.private_key}
        tls certfile = {self._certificate.certificate}
        tls cafile = {self.ca}
"""
        self._config.write_text(self._provisioned.replace("[global]\n", own, 1))
        self._certificate.private_key.chmod(0o600)

    def _prepare(self) -> None:
        # Passwords as the tests like them.
        self.set(BASE, pwdProperties="0", minPwdLength="0", minPwdAge="0")
        self.lockout(NEVER)
        for where in (PEOPLE, GROUPS):
            self.add(where, {"objectClass": "organizationalUnit"})
        self.add_user("reader", READER_PASSWORD, f"CN=Users,{BASE}", userAccountControl=str(NORMAL | NEVER_EXPIRES))
        # In 100 ns, negative.
        minutes = str(-30 * 600_000_000)
        values = {
            "objectClass": "msDS-PasswordSettings",
            "msDS-PasswordSettingsPrecedence": "1",
            "msDS-PasswordReversibleEncryptionEnabled": "FALSE",
            "msDS-PasswordHistoryLength": "0",
            "msDS-PasswordComplexityEnabled": "FALSE",
            "msDS-MinimumPasswordLength": "0",
            "msDS-MinimumPasswordAge": "0",
            "msDS-MaximumPasswordAge": str(-(2**63)),
            "msDS-LockoutThreshold": "3",
            "msDS-LockoutObservationWindow": minutes,
            "msDS-LockoutDuration": minutes,
        }
        self.add(LOCKING, values)

    def _answers(self) -> bool:
        if self._process.poll() is not None:
            raise AssertionError(f"Samba ended: {self._log.read_text(errors='replace')[-2000:]}")
        return self.try_bind(ADMIN, ADMIN_PASSWORD)

    def _pids(self) -> list[int]:
        """All processes in its network."""
        if self._process is None:
            return []
        with contextlib.suppress(OSError):
            network = namespaces.network_of(self._process.pid)
            # At first it is ours still.
            if network != namespaces.network_of("self"):
                self._network = network
        return namespaces.processes_in(self._network)

    def _connect(self, port: int) -> socket.socket:
        if self._process is None:
            raise ConnectionRefusedError("Samba does not run")
        return namespaces.connect(self._process.pid, port)

    def _command(self, program: str, name: str, password: str) -> list[str]:
        plain = ["-LLL", "-o", "ldif-wrap=no"] if program == "ldapsearch" else []
        return [program, *plain, "-x", "-ZZ", "-H", self.url, "-D", name, "-w", password]

    def _environment(self) -> dict[str, str]:
        return {**os.environ, "LDAPTLS_CACERT": str(self.ca), "LDAPTLS_REQCERT": "demand"}

    def _run(self, program: str, name: str, password: str, *arguments: str, input_text: str = "") -> str:
        result = subprocess.run(
            [*self._command(program, name, password), *arguments],
            input=input_text,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
            env=self._environment(),
        )
        assert result.returncode == 0, f"{program} {arguments} {input_text}: {result.stderr}"
        return result.stdout
