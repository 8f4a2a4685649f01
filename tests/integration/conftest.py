"""What the tests share: a certificate authority, a directory of 10,000 users, and ways to start more of each."""

import contextlib
import pathlib
import subprocess
from collections.abc import Iterator
from typing import Any

import configs
import pytest
from certs import Certificate, CertificateAuthority
from client import Client, Connect
from credcached import Credcached, Serve
from kdc import Kdc, MakeKdc
from ldap_feeds import USERS
from plugin import MakePlugin, Plugin
from samba import Samba
from slapd import LONG_AGO, MakeDirectory, MakeSynced, Slapd, Sync, User, many_users

MANY = 10_000

# Beside the many. Those with a policy are changed by nobody but the one test that names them.
SPECIAL_USERS = [
    User("rémi", "password-of-remi"),
    User("strasse", "password-of-strasse"),
    User("nul-inside", b"first-half-of-it\0after-the-nul"),
    User("not-utf-8", b"\xff\xfe\x80 not UTF-8 \xc3\x28"),
    User("longest-password", "0123456789abcdef" * 64),
]

# For tests that change, stop or kill their directory.
FEW_USERS = [
    User("alice", "password-of-alice", mail="alice@mail.example", groups=("staff",)),
    User("bob", "password-of-bob", mail="bob@mail.example", groups=("staff", "admins")),
    User("carol", "password-of-carol"),
    User("locks", "password-of-locks", policy="lock"),
    User("expired", "password-of-expired", policy="expire", operational=(("pwdChangedTime", LONG_AGO),)),
    User("must-change", "password-of-must-change", policy="change", operational=(("pwdReset", "TRUE"),)),
    *many_users(200),
]


def pytest_configure(config: pytest.Config) -> None:
    """Says at once which program is missing, rather than in each test."""
    config.addinivalue_line("markers", "memory: reads the memory of a credcached built without its protection")
    missing = []
    for program, package in {
        "slapd": "slapd",
        "krb5kdc": "krb5-kdc",
        "kadmin.local": "krb5-admin-server",
        "kinit": "krb5-user",
        "faketime": "faketime",
        "ldapsearch": "ldap-utils",
        "openssl": "openssl",
        "psql": "postgresql",
        "promtool": "prometheus",
        "samba": "samba",
    }.items():
        if subprocess.run(["sh", "-c", f"command -v {program}"], capture_output=True, check=False).returncode != 0:
            missing.append(package)
    if missing:
        pytest.exit(f"packages missing: {' '.join(missing)}", returncode=4)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """No test takes long; one that hangs ends with every thread's stack."""
    for item in items:
        if item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(120))


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> CertificateAuthority:
    """Signs the servers' certificates."""
    return CertificateAuthority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="session")
def server_certificate(authority: CertificateAuthority) -> Certificate:
    """Good for this machine's loopback."""
    return authority.issue("server")


@pytest.fixture(scope="session")
def many(tmp_path_factory: pytest.TempPathFactory, server_certificate: Certificate) -> Iterator[Slapd]:
    """A directory of 10,000 users, and some special ones. Shared: it stays as it is, and counts are differences."""
    directory = Slapd(tmp_path_factory.mktemp("many"), [*many_users(MANY), *SPECIAL_USERS], server_certificate)
    try:
        yield directory.start()
    finally:
        directory.stop()


@pytest.fixture(scope="session")
def controller(tmp_path_factory: pytest.TempPathFactory, authority: CertificateAuthority) -> Iterator[Samba]:
    """A domain controller of Active Directory. Shared: each test takes accounts of its own, and what it sets for all of
    them it sets back."""
    controller = Samba(tmp_path_factory.mktemp("samba"), authority)
    try:
        yield controller.start()
    finally:
        controller.close()


@pytest.fixture
def make_directory(tmp_path: pathlib.Path, server_certificate: Certificate) -> Iterator[MakeDirectory]:
    """Starts directories of a few users, the test's own: to be changed, stopped and killed."""
    made: list[Slapd] = []

    def make() -> Slapd:
        made.append(Slapd(tmp_path / f"slapd{len(made)}", FEW_USERS, server_certificate))
        return made[-1].start()

    yield make
    for directory in made:
        directory.kill()


@pytest.fixture
def few(make_directory: MakeDirectory) -> Slapd:
    """One such directory."""
    return make_directory()


@pytest.fixture
def make_synced(tmp_path: pathlib.Path) -> Iterator[MakeSynced]:
    """Starts directories that tell of changes; `sync`: how, `users`: whom they hold."""
    made: list[Slapd] = []

    def make(sync: Sync | None = None, users: list[User] = USERS) -> Slapd:
        made.append(Slapd(tmp_path / f"synced{len(made)}", users, sync=sync or Sync()))
        return made[-1].start()

    yield make
    for directory in made:
        directory.kill()


@pytest.fixture
def make_kdc(tmp_path: pathlib.Path) -> Iterator[MakeKdc]:
    """Makes KDCs, to be started, each in a folder of its own."""
    made: list[Kdc] = []

    def make(**more: Any) -> Kdc:
        made.append(Kdc(tmp_path / f"kdc{len(made)}", **more))
        return made[-1]

    yield make
    for one in made:
        one.stop()


@pytest.fixture
def make_plugin(tmp_path: pathlib.Path) -> Iterator[MakePlugin]:
    """Makes validator plug-ins of these users, to be started; on a unix socket unless an address is given."""
    made: list[Plugin] = []

    def make(users: dict[str, dict[str, Any]], address: str = f"unix:{tmp_path}/plugin.sock", **more: Any) -> Plugin:
        made.append(Plugin(address, {name: dict(user) for name, user in users.items()}, **more))
        return made[-1]

    yield make
    for plugin in made:
        plugin.kill()


@pytest.fixture
def serve(tmp_path: pathlib.Path) -> Iterator[Serve]:
    """Starts credcached with a configuration (see configs.py) and expects a clean end after the test."""
    with contextlib.ExitStack() as stack:
        count = 0

        def start(config: dict[str, Any], **more: Any) -> Credcached:
            nonlocal count
            count += 1
            server = Credcached(tmp_path / f"credcached{count}", config, **more)
            stack.callback(server.stop)
            return server.start()

        yield start


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Opens clients, to a server or a target, and closes them after the test."""
    with contextlib.ExitStack() as stack:

        def open_client(server: Credcached | str, **more: Any) -> Client:
            target = server if isinstance(server, str) else server.grpc
            return stack.enter_context(Client(target, **more))

        yield open_client


@pytest.fixture
def on_many(many: Slapd, serve: Serve, tmp_path: pathlib.Path) -> Credcached:
    """credcached on the directory of 10,000, search then bind, in the clear."""
    return serve(configs.config(configs.realm(configs.ldap(many, folder=tmp_path))))


@pytest.fixture
def on_few(few: Slapd, serve: Serve, tmp_path: pathlib.Path) -> Credcached:
    """credcached on the test's own directory, to see what that says: nothing is throttled, and there is no quarantine,
    so that what is forgotten may be cached again at once."""
    realm = configs.realm(configs.ldap(few, folder=tmp_path))
    return serve(configs.config(realm, cache={"quarantine": "0s"}, throttle=configs.UNTHROTTLED))


@pytest.fixture
def on_file(serve: Serve, tmp_path: pathlib.Path) -> Credcached:
    """credcached on a users file with alice and bob; the quickest to start."""
    users = configs.write_users(tmp_path / "users", alice="password-of-alice", bob="password-of-bob")
    return serve(configs.config(configs.realm(configs.users_file(users))))
