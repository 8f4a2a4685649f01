"""What every backend does alike. A test's name without `test_` is its case's (Backend.EXCLUDED)."""

import contextlib
import itertools
from collections.abc import Callable, Iterator

import grpc
import waiting
from backend import Account, Backend
from client import Client, fails, failure
from conftest import TIMEOUT_SECONDS, StartService
from credcached import Credcached
from stubs import ACCEPTED, ACCOUNT_DISABLED, BACKEND, CACHE, PASSWORD_EXPIRED, REJECTED, stats_pb2

ConnectTo = Callable[[Credcached], Client]
_numbers = itertools.count()

# What a busy machine may add to a timeout.
MARGIN_SECONDS = 2.0

# Names made to mean something to a filter, a DN, a query, a shell, a path or a users file. {}: somebody who exists.
HOSTILE_NAMES = [
    "*",
    "{}*",
    "{})(uid=*",
    "{})(|(uid=*",
    "*)(uid={}",
    "\\2a",
    "{}\\",
    "{},ou=people",
    "{}+cn={}",
    "uid={},ou=people,dc=corp,dc=example",
    "{}#",
    "{};",
    "{}:",
    "{}' or '1'='1",
    "' or 1=1 --",
    '"{}"',
    "{}; drop table account",
    "$(id)",
    "`id`",
    "%s%n",
    "../../etc/passwd",
    "#{}",
    "a" * 256,
]
PASSWORDS = {
    "longest": b"0123456789abcdef" * 64,
    "spaces": b"  a password  ",
    "newline": b"two\nlines\r\nand more",
    "nul": b"first-half\0second-half",
    "not-utf-8": b"\xff\xfe\x80 no text \xc3\x28",
    "utf-8": "pässwörd-日本".encode(),
    "colons": b"a:b:{SSHA}c",
    "quotes": b"'\"\\ or 1=1 --",
    "percent": b"%s%n%00",
    "one-byte": b"x",
}


def new_account(backend: Backend, groups: tuple[str, ...] = (), password: bytes = b"the-right-password") -> Account:
    """Somebody whom no other test knows."""
    account = Account(f"user{next(_numbers):03}", password, groups)
    backend.add(account)
    return account


@contextlib.contextmanager
def frozen(backend: Backend) -> Iterator[None]:
    backend.freeze()
    try:
        yield
    finally:
        backend.thaw()


@contextlib.contextmanager
def stopped(backend: Backend) -> Iterator[None]:
    backend.stop()
    try:
        yield
    finally:
        backend.start()


def nothing_was_concluded(client: Client) -> None:
    cache = client.stats().cache
    assert (cache.entries, cache.negative_entries) == (0, 0)


def accepted_again(client: Client, account: Account) -> None:
    def try_once() -> bool:
        try:
            return client.authenticate(account.name, account.password).outcome == ACCEPTED
        except grpc.RpcError as error:
            assert error.code() == grpc.StatusCode.UNAVAILABLE, error
            return False

    waiting.until(try_once, "service is back by itself", every_seconds=0.05)


def test_accept(backend: Backend, service: StartService, connect: ConnectTo) -> None:
    account = new_account(backend)
    client = connect(service())
    answers = [client.authenticate(account.name, account.password) for _ in range(2)]
    assert [(answer.outcome, answer.source) for answer in answers] == [(ACCEPTED, BACKEND), (ACCEPTED, CACHE)]


def test_reject(backend: Backend, service: StartService, connect: ConnectTo) -> None:
    account = new_account(backend)
    client = connect(service())
    client.authenticate(account.name, account.password)
    for password in (b"not-the-password", account.password + b"x", account.password[:-1], account.password.upper()):
        answer = client.authenticate(account.name, password)
        assert (answer.outcome, answer.source) == (REJECTED, BACKEND)
        assert not answer.HasField("identity")
    assert client.authenticate(account.name, account.password).source == CACHE, "the good entry stays"


def test_unknown(backend: Backend, service: StartService, connect: ConnectTo) -> None:
    """As a wrong password in all that the caller is told."""
    account = new_account(backend)
    client = connect(service())
    unknown = client.authenticate("nobody-of-that-name", account.password)
    wrong = client.authenticate(account.name, b"not-the-password")
    for answer in (unknown, wrong):
        answer.ClearField("validated_at")
        answer.ClearField("expires_at")
    assert unknown == wrong
    assert unknown.outcome == REJECTED


def test_disabled(backend: Backend, service: StartService, connect: ConnectTo) -> None:
    account = new_account(backend)
    backend.disable(account)
    told_after_the_right_password(connect(service()), account, ACCOUNT_DISABLED)


def test_expired(backend: Backend, service: StartService, connect: ConnectTo) -> None:
    account = new_account(backend)
    backend.expire(account)
    told_after_the_right_password(connect(service()), account, PASSWORD_EXPIRED)


def told_after_the_right_password(client: Client, account: Account, outcome: int) -> None:
    assert client.authenticate(account.name, b"not-the-password").outcome == REJECTED
    for _ in range(2):
        answer = client.authenticate(account.name, account.password)
        assert (answer.outcome, answer.source) == (outcome, BACKEND)
        assert not answer.HasField("identity")
    nothing_was_concluded(client)


def test_locked(backend: Backend, service: StartService, connect: ConnectTo) -> None:
    account = new_account(backend)
    backend.lock(account)
    server = service()
    client = connect(server)
    for _ in range(2):
        answer = client.authenticate(account.name, account.password)
        assert (answer.outcome, answer.source) == (REJECTED, BACKEND)
    nothing_was_concluded(client)
    assert server.metrics().total("credcache_backend_requests_total", result="locked") == 2
    server.wait_for_decisions(2, username=account.name, reason="locked")


def test_timeout(backend: Backend, service: StartService, connect: ConnectTo) -> None:
    account = new_account(backend)
    client = connect(service())
    with frozen(backend), waiting.Stopwatch() as watch:
        calls = [client.begin(account.name, password) for password in (account.password, b"not-the-password")]
        for call in calls:
            assert failure(call.exception()).code == grpc.StatusCode.UNAVAILABLE
    assert watch.seconds < TIMEOUT_SECONDS + MARGIN_SECONDS
    nothing_was_concluded(client)
    accepted_again(client, account)


def test_slow(backend: Backend, service: StartService, connect: ConnectTo) -> None:
    """A late answer within the timeout is the answer."""
    account = new_account(backend)
    server = service()
    client = connect(server)
    with frozen(backend):
        calls = [client.begin(account.name, password) for password in (account.password, b"not-the-password")]
        waiting.until(lambda: server.metrics().total("credcache_backend_in_flight") == 2, "the backend is being asked")
    assert [call.result().outcome for call in calls] == [ACCEPTED, REJECTED]


def test_down(backend: Backend, service: StartService, connect: ConnectTo) -> None:
    account = new_account(backend)
    client = connect(service())
    with stopped(backend):
        for name, password in (
            (account.name, account.password),
            (account.name, b"not-the-password"),
            ("nobody-of-that-name", b"any"),
        ):
            waiting.until(lambda n=name, p=password: unavailable(client, n, p), "the outage is noticed")
        nothing_was_concluded(client)
        assert [one.state for one in client.stats().backends] == [stats_pb2.BackendStats.STATE_DOWN]
    accepted_again(client, account)
    assert client.authenticate(account.name, b"not-the-password").outcome == REJECTED


def unavailable(client: Client, name: str, password: bytes) -> bool:
    """Whether that is the answer, asked of the backend."""
    try:
        client.authenticate(name, password, max_age_seconds=0)
    except grpc.RpcError as error:
        assert failure(error).code == grpc.StatusCode.UNAVAILABLE, error
        return True
    client.invalidate(user=name)
    return False


def test_down_at_the_start(backend: Backend, service: StartService, connect: ConnectTo) -> None:
    account = new_account(backend)
    with stopped(backend):
        client = connect(service())
        with fails(grpc.StatusCode.UNAVAILABLE):
            client.authenticate(account.name, account.password)
        nothing_was_concluded(client)
    accepted_again(client, account)


def test_an_outage_costs_no_entry(backend: Backend, service: StartService, connect: ConnectTo) -> None:
    account = new_account(backend)
    client = connect(service())
    client.authenticate(account.name, account.password)
    with stopped(backend):
        waiting.until(lambda: unavailable_for(client, account), "the outage is noticed")
        assert client.authenticate(account.name, account.password).source == CACHE


def unavailable_for(client: Client, account: Account) -> bool:
    """Whether a log-on that must be validated is; an acceptance leaves the entry, as it should."""
    call = client.begin(account.name, account.password, max_age_seconds=0)
    return call.exception() is not None and call.exception().code() == grpc.StatusCode.UNAVAILABLE


def test_hostile_names(backend: Backend, service: StartService, connect: ConnectTo) -> None:
    """None of them is anybody, whatever the password; and they harm nobody."""
    account = new_account(backend)
    client = connect(service())
    for name in HOSTILE_NAMES:
        answer = client.authenticate(name.replace("{}", account.name), account.password)
        assert (answer.outcome, answer.HasField("identity")) == (REJECTED, False), name
    assert client.authenticate(account.name, account.password).outcome == ACCEPTED


def test_a_hostile_name_that_exists(backend: Backend, service: StartService, connect: ConnectTo) -> None:
    account = Account("o'brien (x) * %s", b"the-right-password")
    backend.add(account)
    client = connect(service())
    answer = client.authenticate(account.name, account.password)
    assert (answer.outcome, answer.identity.username) == (ACCEPTED, account.name)
    assert client.authenticate(account.name, b"not-the-password").outcome == REJECTED


def test_identity(backend: Backend, service: StartService, connect: ConnectTo) -> None:
    account = new_account(backend)
    client = connect(service())
    for name in (account.name.upper(), account.name):
        answer = client.authenticate(name, account.password)
        assert answer.identity.username == account.name, "the canonical name"
        assert answer.identity.realm == "corp.example"
        assert answer.identity.subject == backend.subject(account)
    assert client.stats().cache.entries == 1


def test_groups(backend: Backend, service: StartService, connect: ConnectTo) -> None:
    account = new_account(backend, groups=("staff", "admins"))
    other = new_account(backend)
    client = connect(service())
    for source in (BACKEND, CACHE):
        answer = client.authenticate(account.name, account.password)
        assert answer.source == source
        assert sorted(answer.identity.groups) == sorted(backend.group(group) for group in account.groups)
    assert list(client.authenticate(other.name, other.password).identity.groups) == []


def test_empty_password(backend: Backend, service: StartService, connect: ConnectTo) -> None:
    """Always rejected, and never asked: to an LDAP server it would be an anonymous bind, which succeeds."""
    account = new_account(backend)
    server = service()
    client = connect(server)
    for name in (account.name, "nobody-of-that-name"):
        assert client.authenticate(name, b"").outcome == REJECTED
    assert server.metrics().total("credcache_backend_requests_total") == 0


def test_passwords(backend: Backend, service: StartService, connect: ConnectTo) -> None:
    """Any bytes, up to the longest: taken as they are, and no other for them."""
    held = {kind: password for kind, password in PASSWORDS.items() if kind not in backend.REFUSED_PASSWORDS}
    accounts = {kind: new_account(backend, password=password) for kind, password in held.items()}
    client = connect(service())
    for kind in backend.REFUSED_PASSWORDS:
        beginning = new_account(backend, password=PASSWORDS[kind].split(b"\0")[0][:500])
        assert client.authenticate(beginning.name, PASSWORDS[kind]).outcome == REJECTED, kind
        assert client.authenticate(beginning.name, beginning.password).outcome == ACCEPTED, kind
    for kind, account in accounts.items():
        assert client.authenticate(account.name, account.password).outcome == ACCEPTED, kind
        for wrong in {account.password[:-1], account.password + b"x", account.password.strip(b" \r\n")}:
            if wrong not in (account.password, b"") and len(wrong) <= 1024:
                assert client.authenticate(account.name, wrong).outcome == REJECTED, (kind, wrong)


def test_a_changed_password(backend: Backend, service: StartService, connect: ConnectTo) -> None:
    """After Invalidate the old one is refused and the new one accepted, whatever the backend tells by itself."""
    account = new_account(backend)
    client = connect(service())
    client.authenticate(account.name, account.password)
    backend.set_password(account, b"another-password")
    client.invalidate(user=account.name)
    waiting.until(
        lambda: client.authenticate(account.name, account.password, max_age_seconds=0).outcome == REJECTED,
        "the backend refuses the old one",
    )
    answers = [client.authenticate(account.name, b"another-password") for _ in range(2)]
    assert [answer.outcome for answer in answers] == [ACCEPTED, ACCEPTED]
    assert client.authenticate(account.name, account.password).outcome == REJECTED


def test_many_at_once(backend: Backend, service: StartService, connect: ConnectTo) -> None:
    """Each is answered for what it asked."""
    accounts = [new_account(backend, password=b"password-%d" % number) for number in range(20)]
    client = connect(service())
    calls = []
    for number, account in enumerate(accounts):
        other = accounts[(number + 1) % len(accounts)]
        calls.append((client.begin(account.name, account.password), ACCEPTED, account))
        calls.append((client.begin(account.name, other.password), REJECTED, account))
    for call, outcome, account in calls:
        answer = call.result()
        assert answer.outcome == outcome
        if outcome == ACCEPTED:
            assert answer.identity.username == account.name
