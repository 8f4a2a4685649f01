"""The change feed of several servers of one directory: which of them is followed, and which is asked after a change."""

import pathlib

import configs
import waiting
from client import Connect
from credcached import Serve
from ldap_feeds import USERS, remember, start, wait_for_feed
from slapd import MakeSynced, Slapd
from stubs import ACCEPTED, REJECTED


def test_the_next_server_is_followed_when_the_first_is_gone(
    make_synced: MakeSynced, serve: Serve, connect: Connect, tmp_path: pathlib.Path
) -> None:
    """Two directories that are no replicas: what differs in the second counts as changed, and all of it."""
    first, second = make_synced(), make_synced()
    second.set_password("alice", "password-2")
    server = start(serve, first, second, folder=tmp_path)
    client = connect(server)
    remember(client, "alice")
    first.kill()
    waiting.until(lambda: client.authenticate("alice", "password-of-alice").outcome == REJECTED, "the second counts")
    wait_for_feed(server, up=True)


def test_a_server_that_lags_behind_is_not_asked_of_an_account_in_quarantine(
    make_synced: MakeSynced, serve: Serve, connect: Connect, tmp_path: pathlib.Path
) -> None:
    """Log-ons are validated at the first server; the feed, which that one does not offer, is of the second."""
    first = Slapd(tmp_path / "first", USERS).start()
    try:
        second = make_synced()
        validator = configs.ldap(first, second, folder=tmp_path, feed=True, timeout="3s")
        server = serve(
            configs.config(
                configs.realm(validator),
                cache={"quarantine": "3s", "refresh_ahead": False},
                throttle=configs.UNTHROTTLED,
            )
        )
        wait_for_feed(server, up=True)
        client = connect(server)
        dn = second.users["alice"].dn
        remember(client, "alice", "bob")
        assert (first.binds_as(dn), second.binds_as(dn)) == (1, 0)
        second.set_password("alice", "password-2")
        with waiting.Stopwatch() as watch:
            waiting.until(
                lambda: client.authenticate("alice", "password-of-alice").outcome == REJECTED, "the change is felt"
            )
            for _ in range(3):
                assert client.authenticate("alice", "password-2").outcome == ACCEPTED
                assert client.authenticate("alice@mail.example", "password-2").outcome == ACCEPTED
            # Others are still asked of the first one, on the connections that there are.
            assert client.authenticate("carol", "password-of-carol").outcome == ACCEPTED
            asked_first = first.binds_as(dn)
        assert watch.seconds < 3, "the quarantine is over: the test was too slow to tell"
        assert asked_first == 1
        assert second.binds_as(dn) >= 7
        assert (first.binds_as(first.users["carol"].dn), second.binds_as(second.users["carol"].dn)) == (1, 0)

        # While that server cannot be asked, the others are.
        second.set_password("bob", "password-2")
        waiting.until(lambda: client.authenticate("bob", "password-of-bob").outcome == REJECTED, "the change is felt")
        second.kill()
        wait_for_feed(server, up=False)
        assert client.authenticate("bob", "password-2").outcome == REJECTED, "the first has not heard of it"
        assert first.binds_as(first.users["bob"].dn) == 2
    finally:
        first.kill()
