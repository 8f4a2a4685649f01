"""credcached with a directory's change feed, and what the tests of it look at."""

import pathlib

import configs
import waiting
from client import Client
from credcached import Credcached, Serve
from slapd import Slapd, User, many_users
from stubs import ACCEPTED, CACHE

USERS = [
    User("alice", "password-of-alice", mail="alice@mail.example", groups=("staff",)),
    User("bob", "password-of-bob", mail="bob@mail.example", groups=("staff", "admins")),
    User("carol", "password-of-carol"),
    User("locks", "password-of-locks", policy="lock"),
    *many_users(200),
]


def start(serve: Serve, *directories: Slapd, folder: pathlib.Path, **more: object) -> Credcached:
    """No quarantine, no refresh ahead: what is forgotten is cached again at once, and only a change takes it away."""
    validator = configs.ldap(*directories, folder=folder, feed=True, timeout="3s", **more)
    server = serve(
        configs.config(
            configs.realm(validator), cache={"quarantine": "0s", "refresh_ahead": False}, throttle=configs.UNTHROTTLED
        )
    )
    if not more:
        wait_for_feed(server, up=True)
    return server


def feed_is_up(server: Credcached) -> bool:
    return server.metrics().total("credcache_backend_feed_up", realm=configs.REALM, backend="ldap") == 1


def wait_for_feed(server: Credcached, up: bool) -> None:
    waiting.until(lambda: feed_is_up(server) == up, f"the feed is {'up' if up else 'down'}")


def told(server: Credcached) -> float:
    """How many invalidations the feed has caused."""
    return server.metrics().total("credcache_invalidations_total", origin="feed")


def remember(client: Client, *names: str) -> None:
    """Their log-ons are answered from the cache after this."""
    for name in names:
        assert client.authenticate(name, f"password-of-{name}").outcome == ACCEPTED, name
        assert client.authenticate(name, f"password-of-{name}").source == CACHE, name
