"""Runs every case against every backend of the registry, with the helpers of the integration tests."""

import contextlib
import pathlib
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

HERE = pathlib.Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "integration")]

import configs  # noqa: E402 (needs the path)
from backend import Backend  # noqa: E402
from backends import BACKENDS  # noqa: E402
from client import Client  # noqa: E402
from credcached import Credcached  # noqa: E402

CASE = "test_"
TIMEOUT_SECONDS = 1.0

# Starts a service on the backend as it is now; `config`: not the backend's own; `negative`: remembers rejections.
StartService = Callable[..., Credcached]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A case that a backend's kind cannot have is not run; backends.EXCLUDED says why."""
    if "backend" not in metafunc.fixturenames:
        return
    case = metafunc.function.__name__.removeprefix(CASE)
    chosen = [kind for kind in BACKENDS if case not in kind.EXCLUDED]
    metafunc.parametrize("backend", chosen, ids=[kind.name for kind in chosen], indirect=True, scope="session")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """No test takes long."""
    for item in items:
        if item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(120))


@pytest.fixture(scope="session")
def backend(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    """The backend, which runs."""
    kind: type[Backend] = request.param
    one = kind(tmp_path_factory.mktemp(kind.name))
    try:
        one.start()
        yield one
    finally:
        one.thaw()
        one.close()


@pytest.fixture
def service(backend: Backend, tmp_path: pathlib.Path) -> Iterator[StartService]:
    """Starts credcached on the backend. No rejection is remembered, nothing throttled: each answer is the backend's."""
    with contextlib.ExitStack() as stack:

        def start(config: dict[str, Any] | None = None, negative: bool = False) -> Credcached:
            realm = configs.realm(config or backend.config(TIMEOUT_SECONDS))
            cache = {"quarantine": "0s", **({} if negative else {"negative": {"longest": "0s"}})}
            whole = configs.config(realm, cache=cache, throttle=configs.UNTHROTTLED)
            server = Credcached(tmp_path / "credcached", whole, environment=backend.environment)
            stack.callback(server.stop)
            return server.start()

        yield start


@pytest.fixture
def connect() -> Iterator[Callable[[Credcached], Client]]:
    """Opens clients, and closes them after the test."""
    with contextlib.ExitStack() as stack:
        yield lambda server: stack.enter_context(Client(server.grpc))
