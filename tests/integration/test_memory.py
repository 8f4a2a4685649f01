"""After a log-on its password is in no memory of ours; what libraries still hold is listed.

credcached protects its memory, so these tests run one that does not.
"""

import pathlib
import secrets
import subprocess
import sys
from collections.abc import Callable

import configs
import process_memory
import pytest
import secrets_used
import waiting
from client import Client, request
from credcached import BUILD, Credcached
from kdc import Kdc, MakeKdc
from pam import Pam, helpers
from plugin import MakePlugin, Plugin
from postgres import Postgres, quote
from slapd import Slapd
from stubs import ACCEPTED, CACHE, REJECTED, authenticate_pb2

pytestmark = [pytest.mark.memory, pytest.mark.timeout(1800)]

UNPROTECTED = BUILD / "bin" / "credcached-unprotected"

# Libraries that free what they sent without wiping it (service/docs/threat-model.md).
UNWIPED = {"ldap"}


def new_password(kind: str) -> str:
    """One that is nowhere in anybody's memory yet."""
    return secrets_used.note(f"{kind}-{secrets.token_hex(12)}").decode()


def owners(server: Credcached, password: str, pid: int | None = None) -> dict[str, list[process_memory.Occurrence]]:
    found: dict[str, list[process_memory.Occurrence]] = {}
    for occurrence in process_memory.find(pid or server.pid, password.encode()):
        found.setdefault(occurrence.owner(password.encode()), []).append(occurrence)
    return found


def test_a_password_that_is_in_memory_is_found() -> None:
    """The search itself: in a process that keeps one, alone and as the libraries would frame it."""
    password = new_password("kept")
    program = (
        "import sys; p = sys.stdin.readline().strip().encode();"
        "k = [p, b'\\x1a' + bytes([len(p)]) + p, b'\\x80' + bytes([len(p)]) + p]; print('ready', flush=True);"
        "sys.stdin.read()"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as keeper:
        keeper.stdin.write(password.encode() + b"\n")
        keeper.stdin.flush()
        assert keeper.stdout.readline() == b"ready\n"
        found = {one.owner(password.encode()) for one in process_memory.find(keeper.pid, password.encode())}
        keeper.stdin.close()
    assert found >= {"ours", "grpc", "ldap"}


@pytest.fixture
def plugin(make_plugin: MakePlugin) -> Plugin:
    return make_plugin({"alice": {"password": "password-of-alice"}}).start()


@pytest.fixture
def kdc(make_kdc: MakeKdc) -> Kdc:
    one = make_kdc().start()
    one.add("alice", "password-of-alice")
    return one


@pytest.fixture
def server(few: Slapd, plugin: Plugin, kdc: Kdc, tmp_path: pathlib.Path) -> Credcached:
    """It, on a directory, a users file and a plug-in."""
    users = configs.write_users(tmp_path / "users", alice="password-of-alice")
    realms = (
        configs.realm(configs.ldap(few, folder=tmp_path)),
        configs.realm(configs.ldap(few, folder=tmp_path, search=False), name="direct.example"),
        configs.realm(configs.users_file(users), name="file.example"),
        configs.realm(configs.remote(plugin.address, feed=False), name="remote.example"),
        configs.realm(configs.kerberos(kdc), name="kerberos.example"),
    )
    started = Credcached(
        tmp_path / "unprotected", configs.config(*realms, cache={"quarantine": "0s"}), binary=UNPROTECTED
    )
    with started:
        yield started


WAYS = ["unary", "batch", "stream"]


def ask(client: Client, way: str, user: str, password: str, realm: str) -> authenticate_pb2.AuthenticateResponse:
    message = request(user, password, realm=realm)
    if way == "unary":
        return client.send(message)
    if way == "batch":
        return client.batch([message])[0].response
    numbered = authenticate_pb2.NumberedRequest(id=1, request=message)
    (answer,) = client.stream([authenticate_pb2.AuthenticateStreamRequest(requests=[numbered])])
    return answer.results[0].result.response


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "realm",
    ["", "direct.example", "file.example", "remote.example", "kerberos.example"],
    ids=["search", "direct", "file", "remote", "kerberos"],
)
def test_a_log_on_leaves_its_password_in_no_memory_of_ours(
    server: Credcached,
    few: Slapd,
    plugin: Plugin,
    kdc: Kdc,
    tmp_path: pathlib.Path,
    realm: str,
    way: str,
    record_property: Callable,
) -> None:
    good, wrong = new_password("good"), new_password("wrong")
    if realm == "file.example":
        configs.write_users(tmp_path / "users", alice=good)
    elif realm == "remote.example":
        plugin.set_user("alice", good)
    elif realm == "kerberos.example":
        kdc.set_password("alice", good)
    else:
        few.set_password("alice", good)
    with Client(server.grpc) as client:
        if realm == "file.example":
            waiting.until(
                lambda: ask(client, way, "alice", good, realm).outcome == ACCEPTED, "the new users file counts"
            )
            client.invalidate(all=True)
        assert ask(client, way, "alice", good, realm).outcome == ACCEPTED
        assert ask(client, way, "alice", good, realm).source == CACHE
        for _ in range(2):
            assert ask(client, way, "alice", wrong, realm).outcome == REJECTED
    for kind, password in (("accepted", good), ("rejected", wrong)):
        found = owners(server, password)
        counted = {owner: len(where) for owner, where in found.items()}
        record_property(f"{kind}_found", counted)
        print(f"{kind}, {realm or 'search'}, {way}: {counted or 'nowhere'}")
        assert found.keys() <= UNWIPED, "\n".join(
            f"{owner}: {one.mapping} {one.address:#x} …{one.before[-24:]!r} {one.after[:24]!r}…"
            for owner, where in found.items()
            for one in where
        )


def test_what_a_database_keeps_is_compared_and_the_password_left_nowhere(tmp_path: pathlib.Path) -> None:
    """PostgreSQL's own verifier, which takes the longest way: SASLprep, PBKDF2, HMAC."""
    good, wrong = new_password("good"), new_password("wrong")
    with Postgres() as database:
        database.reset()
        sql = database.session()
        sql.run(f"create role scram password {quote(good)}")
        sql.run("insert into account (name, hash) select 'alice', rolpassword from pg_authid where rolname = 'scram'")
        config = configs.config(configs.realm(configs.postgres(database, tmp_path)))
        with Credcached(tmp_path / "unprotected", config, binary=UNPROTECTED) as server, Client(server.grpc) as client:
            assert client.authenticate("alice", good).outcome == ACCEPTED
            assert client.authenticate("alice", good).source == CACHE
            assert client.authenticate("alice", wrong).outcome == REJECTED
            assert client.authenticate("nobody", wrong).outcome == REJECTED
            for password in (good, wrong):
                assert owners(server, password) == {}


def test_a_stack_is_asked_and_the_password_left_nowhere(tmp_path: pathlib.Path) -> None:
    """Neither here nor in the helper, though pam_exec leaves one on the stack, and pam_userdb frees one as it is."""
    good, wrong = new_password("good"), new_password("wrong")
    pam = Pam(tmp_path / "pam")
    pam.add("alice", good.encode())
    pam.write_service(
        "leaky",
        f"auth optional pam_exec.so quiet expose_authtok /bin/cat\nauth optional pam_userdb.so db={tmp_path}/none\n"
        f"auth required pam_pwdfile.so pwdfile={pam.folder}/pwdfile\naccount required pam_permit.so\n",
    )
    config = configs.config(configs.realm(pam.config("leaky", workers=1)), throttle=configs.UNTHROTTLED)
    with (
        Credcached(tmp_path / "unprotected", config, binary=UNPROTECTED, environment=pam.environment) as server,
        Client(server.grpc) as client,
    ):
        assert client.authenticate("alice", good).outcome == ACCEPTED
        assert client.authenticate("alice", good).source == CACHE
        assert client.authenticate("alice", wrong).outcome == REJECTED
        assert client.authenticate("nobody", wrong).outcome == REJECTED
        (helper,) = helpers(server)
        for password in (good, wrong):
            for pid in (server.pid, helper):
                assert owners(server, password, pid) == {}, pid


def test_what_fails_leaves_no_password_either(server: Credcached, few: Slapd, plugin: Plugin, kdc: Kdc) -> None:
    late, down, bad = (new_password(kind) for kind in ("late", "down", "bad"))
    with Client(server.grpc) as client:
        plugin.freeze()
        assert client.begin("alice", late, realm="remote.example", deadline_seconds=0.5).exception()
        assert client.begin("bob", late, realm="remote.example").exception()
        plugin.kill()
        assert client.begin("alice", down, realm="remote.example").exception()
        kdc.freeze()
        assert client.begin("alice", late, realm="kerberos.example", deadline_seconds=0.5).exception()
        kdc.stop()
        assert client.begin("alice", down, realm="kerberos.example").exception()
        few.freeze()
        for name, password in (("alice", late), ("bob", late)):
            call = client.begin(name, password, deadline_seconds=0.5)
            assert call.exception()
        few.kill()
        assert client.begin("carol", down).exception()
        assert client.begin("carol\n", bad).exception()
        assert client.begin("", bad).exception()
        waiting.until(
            lambda: server.metrics().total("credcache_backend_in_flight") == 0, "no validation is under way any more"
        )
    for password in (late, down, bad):
        assert owners(server, password).keys() <= UNWIPED, owners(server, password)
