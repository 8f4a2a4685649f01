"""What the suite asks of a backend's harness."""

import abc
import dataclasses
import pathlib
from typing import Any, ClassVar


@dataclasses.dataclass(frozen=True)
class Account:
    """Somebody who may log on. `groups`: short names; the harness makes of them what its backend holds."""

    name: str
    password: bytes
    groups: tuple[str, ...] = ()


class Backend(abc.ABC):
    """A real server (or file) that knows passwords, in a folder of its own, with accounts as the tests need them.

    One for all tests of a run, so nothing that a test does may outlive it: each takes accounts of its own, and what it
    stops or freezes it starts or thaws again. What `config` says counts from then on, whatever happens to the server.
    """

    # As the configuration calls it, and the tests' names.
    name: str
    # Cases that its kind of backend cannot have, each with the reason why. Not: cases that fail.
    EXCLUDED: ClassVar[dict[str, str]] = {}
    # Passwords of test_backends.PASSWORDS that its kind cannot have: refused, and not taken for their beginning.
    REFUSED_PASSWORDS: ClassVar[dict[str, str]] = {}

    def __init__(self, folder: pathlib.Path):
        self.folder = folder

    @property
    def environment(self) -> dict[str, str]:
        """What credcached is started with beside its own."""
        return {}

    # --- the server

    @abc.abstractmethod
    def start(self) -> None:
        """Returns when it answers. Also after stop, with what it held."""

    @abc.abstractmethod
    def stop(self) -> None:
        """So that it cannot be reached; whether it runs or not."""

    def close(self) -> None:
        """The end: it is stopped, and nothing of it is left outside its folder."""
        self.stop()

    def freeze(self) -> None:
        """It can be reached, and does not answer. Excluded with `timeout` and `slow`."""
        raise NotImplementedError

    @abc.abstractmethod
    def thaw(self) -> None:
        """Undoes freeze, if there was one."""

    @abc.abstractmethod
    def config(self, timeout_seconds: float) -> dict[str, Any]:
        """The validator's entry in the configuration: `{name: {...}}`. `timeout_seconds`: where it has one."""

    def feed_config(self, timeout_seconds: float) -> dict[str, Any]:
        """The same, with its change feed. Excluded with `a_changed_password_never_works_sometimes`."""
        raise NotImplementedError

    # --- accounts

    @abc.abstractmethod
    def add(self, account: Account) -> None: ...

    @abc.abstractmethod
    def set_password(self, account: Account, password: bytes) -> None: ...

    def disable(self, account: Account) -> None:
        """Excluded with `disabled`."""
        raise NotImplementedError

    def expire(self, account: Account) -> None:
        """The password, or the account. Excluded with `expired`."""
        raise NotImplementedError

    def lock(self, account: Account) -> None:
        """As the directory does after too many wrong passwords. Excluded with `locked`."""
        raise NotImplementedError

    @abc.abstractmethod
    def subject(self, account: Account) -> str:
        """What Identity.subject must be."""

    @abc.abstractmethod
    def group(self, name: str) -> str:
        """A group's name as Identity.groups must have it."""
