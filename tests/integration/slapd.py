"""A real slapd in a temporary folder, on loopback, that counts what it is asked."""

import base64
import collections
import contextlib
import dataclasses
import hashlib
import os
import pathlib
import re
import signal
import socket
import subprocess
import uuid
from collections.abc import Callable

import waiting
from certs import Certificate
from ldif import line, modifier

SUFFIX = "dc=corp,dc=example"
PEOPLE = f"ou=people,{SUFFIX}"
GROUPS = f"ou=groups,{SUFFIX}"
ADMIN = f"cn=admin,{SUFFIX}"
READER = f"cn=reader,{SUFFIX}"
# Of the harness's own doings; credcached knows the reader's alone.
ADMIN_PASSWORD = "admin-of-the-directory"
READER_PASSWORD = "reader-of-the-directory"


@dataclasses.dataclass(frozen=True)
class User:
    """An entry below `PEOPLE`. `policy`: the name of a policy below. `hashed`: what userPassword holds."""

    uid: str
    password: str | bytes
    mail: str = ""
    groups: tuple[str, ...] = ()
    policy: str = ""
    operational: tuple[tuple[str, str], ...] = ()  # attributes that only slapadd may write
    hashed: str = ""  # default: {SSHA}, which costs next to nothing

    @property
    def dn(self) -> str:
        return f"uid={self.uid},{PEOPLE}"

    @property
    def entry_uuid(self) -> str:
        return str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{self.uid}.corp.example"))

    @property
    def user_password(self) -> str:
        if self.hashed:
            return self.hashed
        salt = hashlib.sha256(self.uid.encode()).digest()[:8]
        password = self.password.encode() if isinstance(self.password, str) else self.password
        return "{SSHA}" + base64.b64encode(hashlib.sha1(password + salt).digest() + salt).decode()

    def ldif(self) -> str:
        lines = [
            line("dn", self.dn),
            "objectClass: inetOrgPerson",
            line("uid", self.uid),
            line("cn", self.uid),
            line("sn", self.uid),
            f"userPassword: {self.user_password}",
            f"entryUUID: {self.entry_uuid}",
        ]
        lines += [line("mail", self.mail)] if self.mail else []
        lines += [f"memberOf: cn={group},{GROUPS}" for group in self.groups]
        lines += [f"pwdPolicySubentry: cn={self.policy},ou=policies,{SUFFIX}"] if self.policy else []
        lines += [line(name, value) for name, value in self.operational]
        return "\n".join(lines) + "\n\n"


# The password policies of every directory; a user without one has none.
POLICIES = {
    "lock": ("pwdLockout: TRUE", "pwdMaxFailure: 3", "pwdLockoutDuration: 0"),
    "expire": ("pwdMaxAge: 3600", "pwdExpireWarning: 0"),
    "change": ("pwdMustChange: TRUE",),
}
# A time so long ago that a password changed then has expired.
LONG_AGO = "20010101000000Z"


def many_users(count: int) -> list[User]:
    """The same users each time: user00000 with password-00000, and so on, each in three of ten groups."""
    return [
        User(
            uid=f"user{number:05}",
            password=f"password-{number:05}",
            mail=f"user{number:05}@mail.example",
            groups=tuple(f"group{(number + step) % 10}" for step in range(3)),
        )
        for number in range(count)
    ]


@dataclasses.dataclass(frozen=True)
class Sync:
    """Offers content synchronisation (the overlay syncprov).

    `records_log_ons`: each good bind is written into the user's entry (pwdLastSuccess).
    `session_log`: how many changes it remembers, so that a cookie brings deletes by name; 0: those that are still there
    are named instead. `shows_passwords`: to the reader. `unlimited`: the reader may be told of more than 500 entries.
    """

    session_log: int = 1000
    shows_passwords: bool = False
    unlimited: bool = True
    records_log_ons: bool = False

    @property
    def overlay(self) -> str:
        # A checkpoint for each change: what was deleted just before a kill is else not known to have been.
        lines = ["overlay syncprov", "syncprov-checkpoint 1 1"]
        return "\n".join([*lines, *([f"syncprov-sessionlog {self.session_log}"] if self.session_log else [])])

    @property
    def indexes(self) -> str:
        return "index entryCSN,entryUUID eq"

    @property
    def last_bind(self) -> str:
        return "lastbind on" if self.records_log_ons else ""

    @property
    def limits(self) -> str:
        return f'limits dn.exact="{READER}" size=unlimited time=unlimited' if self.unlimited else ""

    @property
    def password_access(self) -> str:
        return f' by dn.exact="{READER}" read' if self.shows_passwords else ""


@dataclasses.dataclass(frozen=True)
class Counts:
    """Operations that slapd has completed, those of the harness itself left out."""

    binds: int
    searches: int

    def __sub__(self, other: "Counts") -> "Counts":
        return Counts(self.binds - other.binds, self.searches - other.searches)


class Slapd:
    """Serves ldap (with StartTLS when there is a certificate) and ldaps from a folder of its own.

    Start, stop and start again as wanted: data and ports stay. Ends no process but its own. With a log level of 0
    there are no `binds`, and nothing but the directory's own work costs time.
    """

    def __init__(
        self,
        folder: pathlib.Path,
        users: list[User],
        certificate: Certificate | None = None,
        log_level: int = 256,
        sync: Sync | None = None,
    ):
        folder.mkdir(parents=True, exist_ok=True)
        self.users = {user.uid: user for user in users}
        self._folder = folder
        self._certificate = certificate
        self._log_level = str(log_level)
        self._sync = sync
        self._process: subprocess.Popen[bytes] | None = None
        self._log = folder / "slapd.log"
        self._log_start = 0
        self._own = collections.Counter[str]()
        self.port = waiting.free_port()
        self.tls_port = waiting.free_port() if certificate else 0
        self._write_config()
        self._load()

    @property
    def pid(self) -> int:
        assert self._process is not None, "does not run"
        return self._process.pid

    @property
    def url(self) -> str:
        return f"ldap://127.0.0.1:{self.port}"

    @property
    def tls_url(self) -> str:
        return f"ldaps://127.0.0.1:{self.tls_port}"

    def start(self) -> "Slapd":
        assert self._process is None, "runs already"
        self._own.clear()
        urls = [self.url + "/"] + ([f"ldaps://127.0.0.1:{self.tls_port}/"] if self._certificate else [])
        self._log_start = self._log.stat().st_size if self._log.exists() else 0
        with self._log.open("ab") as log:
            # Level 256 ("stats") writes a line for each operation before it is answered.
            self._process = subprocess.Popen(
                ["slapd", "-d", self._log_level, "-f", self._folder / "slapd.conf", "-h", " ".join(urls)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        waiting.until(self._answers, f"slapd on port {self.port} answers, see {self._log}")
        return self

    def stop(self) -> None:
        """Ends it in good order; whether it ran or not."""
        self.freeze(stopped=False)
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Ends it as a power cut would, frozen or not."""
        self._end(signal.SIGKILL)

    def freeze(self, stopped: bool = True) -> None:
        """SIGSTOP: its ports stay open, the kernel still accepts connections, and nothing is answered. Or SIGCONT."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGSTOP if stopped else signal.SIGCONT)

    def thaw(self) -> None:
        self.freeze(stopped=False)

    def counts(self) -> Counts:
        """As cn=Monitor says, exactly."""
        output = self.search("cn=Operations,cn=Monitor", "one", "(objectClass=*)", "monitorOpCompleted")
        completed = {
            name: int(count)
            for name, count in re.findall(
                r"^dn: cn=(\w+),cn=Operations.*?^monitorOpCompleted: (\d+)", output, re.MULTILINE | re.DOTALL
            )
        }
        # This search itself had bound, and was not complete yet, when the counters were read.
        return Counts(
            binds=completed["Bind"] - self._own["bind"], searches=completed["Search"] - (self._own["search"] - 1)
        )

    def binds_as(self, dn: str) -> int:
        """How many simple binds with a password were tried as `dn`, good or bad, since the start. From slapd's log."""
        return self.binds().get(dn.lower(), 0)

    def binds(self) -> collections.Counter[str]:
        """As binds_as, for every DN (in lower case)."""
        found = re.findall(r'op=\d+ BIND dn="([^"]*)" method=128', self.log_text())
        return collections.Counter(dn.lower() for dn in found)

    def log_text(self) -> str:
        """Its log since it was last started."""
        return self._log.read_bytes()[self._log_start :].decode(errors="replace")

    def connections(self) -> int:
        """How many it has open, the harness's own left out."""
        output = self.search("cn=Current,cn=Connections,cn=Monitor", "base", "(objectClass=*)", "monitorCounter")
        return int(re.search(r"^monitorCounter: (\d+)", output, re.MULTILINE)[1]) - 1

    def search(self, base: str, scope: str, search_filter: str, *attributes: str) -> str:
        """As LDIF, asked for by the harness."""
        self._own["bind"] += 1
        self._own["search"] += 1
        return _run(
            *("ldapsearch", "-LLL", "-o", "ldif-wrap=no", "-x", "-H", self.url, "-D", ADMIN, "-w", ADMIN_PASSWORD),
            *("-b", base, "-s", scope, search_filter, *attributes),
        )

    def modify(self, ldif: str) -> None:
        """Applies changes in LDIF, as the directory's administrator."""
        self._own["bind"] += 1
        _run("ldapmodify", "-x", "-H", self.url, "-D", ADMIN, "-w", ADMIN_PASSWORD, input_text=ldif)

    def set_password(self, uid: str, password: str) -> None:
        """As an administrator does: at the directory, and without a word to credcached."""
        self._own["bind"] += 1
        _run("ldappasswd", "-x", "-H", self.url, "-D", ADMIN, "-w", ADMIN_PASSWORD, "-s", password, self.users[uid].dn)

    def modifier(self) -> contextlib.AbstractContextManager[Callable[[str, str, str | bytes], None]]:
        """As ldif.modifier, as the directory's administrator."""
        self._own["bind"] += 1
        command = ["ldapmodify", "-x", "-H", self.url, "-D", ADMIN, "-w", ADMIN_PASSWORD]
        return modifier(command, {**os.environ, "LDAPNOINIT": "1"})

    def try_bind(self, dn: str, password: str) -> bool:
        """Whether a bind of the harness's own works."""
        self._own["bind"] += 1
        result = subprocess.run(
            ["ldapwhoami", "-x", "-H", self.url, "-D", dn, "-w", password], capture_output=True, timeout=10, check=False
        )
        return result.returncode == 0

    def _answers(self) -> bool:
        if self._process.poll() is not None:
            raise AssertionError(f"slapd ended: {self._log.read_text(errors='replace')[-2000:]}")
        with contextlib.closing(socket.socket()) as connection:
            if connection.connect_ex(("127.0.0.1", self.port)) != 0:
                return False
        return self.try_bind(ADMIN, ADMIN_PASSWORD)

    def _end(self, number: signal.Signals) -> None:
        if self._process is None:
            return
        self._process.send_signal(number)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(10)
        self._process = None

    def _write_config(self) -> None:
        for name in ("data", "run"):
            (self._folder / name).mkdir(exist_ok=True)
        tls = ""
        if self._certificate:
            tls = (
                f"TLSCertificateFile {self._certificate.certificate}\n"
                f"TLSCertificateKeyFile {self._certificate.private_key}\n"
            )
        (self._folder / "slapd.conf").write_text(f"""\
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload ppolicy
moduleload memberof
{"moduleload syncprov" if self._sync else ""}
pidfile {self._folder}/run/slapd.pid
argsfile {self._folder}/run/slapd.args
threads 8
{tls}
database mdb
suffix "{SUFFIX}"
rootdn "{ADMIN}"
rootpw {ADMIN_PASSWORD}
directory {self._folder}/data
maxsize 268435456
dbnosync
index objectClass eq
index uid,mail eq
{self._sync.indexes if self._sync else ""}
{self._sync.limits if self._sync else ""}
{self._sync.last_bind if self._sync else ""}
access to attrs=userPassword by anonymous auth{self._sync.password_access if self._sync else ""} by * none
access to * by dn.exact="{READER}" read by self read by * none
{self._sync.overlay if self._sync else ""}
overlay memberof
overlay ppolicy
ppolicy_use_lockout

database monitor
access to * by dn.exact="{ADMIN}" read by * none
""")

    def _load(self) -> None:
        groups = sorted({group for user in self.users.values() for group in user.groups})
        with (self._folder / "load.ldif").open("w") as ldif:
            ldif.write(f"dn: {SUFFIX}\nobjectClass: domain\ndc: corp\n\n")
            for unit in ("people", "groups", "policies"):
                ldif.write(f"dn: ou={unit},{SUFFIX}\nobjectClass: organizationalUnit\nou: {unit}\n\n")
            ldif.write(
                f"dn: {READER}\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\ncn: reader\n"
                f"userPassword: {READER_PASSWORD}\n\n"
            )
            for name, lines in POLICIES.items():
                body = "\n".join(lines)
                ldif.write(
                    f"dn: cn={name},ou=policies,{SUFFIX}\nobjectClass: device\nobjectClass: pwdPolicy\ncn: {name}\n"
                    f"pwdAttribute: userPassword\n{body}\n\n"
                )
            for user in self.users.values():
                ldif.write(user.ldif())
            for group in groups:
                members = "\n".join(line("member", user.dn) for user in self.users.values() if group in user.groups)
                ldif.write(f"dn: cn={group},{GROUPS}\nobjectClass: groupOfNames\ncn: {group}\n{members}\n\n")
        _run("slapadd", "-q", "-f", str(self._folder / "slapd.conf"), "-l", str(self._folder / "load.ldif"), timeout=60)


# What the fixtures `make_directory` and `make_synced` are (conftest.py).
MakeDirectory = Callable[[], Slapd]
MakeSynced = Callable[..., Slapd]


def _run(*command: str, input_text: str | None = None, timeout: float = 20) -> str:
    result = subprocess.run(
        command,
        input=input_text,
        stdin=subprocess.DEVNULL if input_text is None else None,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
        env={**os.environ, "LDAPNOINIT": "1"},
    )
    assert result.returncode == 0, f"{command[0]} failed ({result.returncode}): {result.stderr}{result.stdout}"
    return result.stdout
