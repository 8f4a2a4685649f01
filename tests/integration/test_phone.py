"""A phone that keeps an old password, and a real domain controller that locks accounts: for minutes of real time."""

import os
import pathlib
import threading
import time
from collections.abc import Iterator

import configs
import pytest
from client import Client, Connect
from credcached import Serve
from samba import NEVER, Samba
from stubs import ACCEPTED, BACKEND, REJECTED, THROTTLED

MINUTES = float(os.environ.get("CREDCACHE_PHONE_MINUTES", "10"))
THRESHOLD = 3
PHONE, DESK = "192.0.2.1", "198.51.100.7"


@pytest.fixture
def locking(controller: Samba) -> Iterator[Samba]:
    """Locks everybody for a minute after three wrong passwords within one."""
    controller.lockout(THRESHOLD, minutes=1)
    yield controller
    controller.lockout(NEVER)


@pytest.mark.long
@pytest.mark.timeout(MINUTES * 60 + 120)
def test_a_phone_with_an_old_password_never_locks_its_owner_out(
    locking: Samba, serve: Serve, connect: Connect, tmp_path: pathlib.Path
) -> None:
    """Two owners: what the one does is answered from the cache, so that nothing but time clears the controller's
    counter; the other wants to be validated now and then."""
    realm = configs.realm(configs.active_directory(locking, tmp_path))
    throttle = {"budget": {"rejections": THRESHOLD - 1, "window": "1m"}}
    client = connect(serve(configs.config(realm, throttle=throttle)))
    owners = {name: locking.add_user(name) for name in ("cached-owner", "validated-owner")}
    for name in owners:
        for address in (DESK, PHONE):
            assert works(client, name, address) == ACCEPTED
    began = time.monotonic()
    tries, asked, most = 0, 0, 0
    pause = threading.Event()
    while time.monotonic() - began < MINUTES * 60:
        for name in owners:
            answer = client.authenticate(name, f"old-password-of-{name}", client_address=PHONE)
            assert answer.outcome in (REJECTED, THROTTLED)
            tries += 1
            asked += answer.source == BACKEND
        for address in (DESK, PHONE):
            assert works(client, "cached-owner", address) == ACCEPTED, address
            fresh = 0 if tries % 200 == 0 else None  # half a minute, or so
            assert works(client, "validated-owner", address, fresh) == ACCEPTED, address
        for dn in owners.values():
            most = max(most, locking.bad_passwords(dn))
            assert locking.number(dn, "lockoutTime") == 0
        pause.wait(0.2)
    print(f"{MINUTES:g} minutes: {tries} tries of the phones, {asked} of them asked of the controller, at most {most}")
    assert asked > 0
    assert most < THRESHOLD
    for name, dn in owners.items():
        assert locking.try_bind(dn, f"password-of-{name}")


def works(client: Client, name: str, address: str, max_age_seconds: float | None = None) -> int:
    """What the owner is told."""
    return client.authenticate(
        name, f"password-of-{name}", client_address=address, max_age_seconds=max_age_seconds
    ).outcome
