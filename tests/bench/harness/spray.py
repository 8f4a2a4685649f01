"""One password for made-up names from everywhere: what a credential stuffer sends, at a steady rate."""

import collections
import contextlib
import itertools
import threading
import time
from collections.abc import Iterator
from typing import Self

import client
import grpc
import stubs
from stubs import authenticate_pb2

from harness import workload
from harness.bench import BenchError
from harness.load import Endpoint

PASSWORD = b"Spring2026!"
BATCH = 50
# Fewer than an address may fail at, so that each name reaches the backend.
NAMES_AN_ADDRESS = 10
# Whoever is so late takes the rest as not sent.
DEADLINE_SECONDS = 30.0


def username(number: int) -> str:
    return f"made-up-{number:07}.example"


def address(number: int) -> str:
    """Of a network as large as a carrier's (100.64.0.0/10)."""
    host = number // NAMES_AN_ADDRESS
    return f"100.{64 + host // 65536 % 64}.{host // 256 % 256}.{host % 256}"


def request(number: int) -> authenticate_pb2.AuthenticateRequest:
    # Not by client.request, which remembers each password to look for it in the log.
    return authenticate_pb2.AuthenticateRequest(
        password=authenticate_pb2.PasswordCredential(
            realm=workload.REALM, username=username(number), password=PASSWORD
        ),
        context=authenticate_pb2.RequestContext(protocol="imap", client_address=address(number)),
    )


class Spray:
    """Sends new names, one batch after the other, from a thread of its own while a `with` block of `running` lasts.

    No name is sent twice to a server whose numbers come from the same counter. `sent` and `seconds` are of the last
    block.
    """

    def __init__(self, endpoint: Endpoint, numbers: Iterator[int]):
        self._client = client.Client(endpoint.address)
        self._numbers = numbers
        self._end = threading.Event()
        self._error: Exception | None = None
        self.sent = 0
        self.seconds = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    @property
    def rate(self) -> float:
        return self.sent / self.seconds

    @contextlib.contextmanager
    def running(self, rate: float) -> Iterator[None]:
        """`rate`: names a second; where the server is slower, as fast as it answers."""
        self.sent, self.seconds, self._error = 0, 0.0, None
        self._end.clear()
        thread = threading.Thread(target=self._run, args=(rate,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._end.set()
            thread.join(DEADLINE_SECONDS + 5)
        if self._error:
            raise BenchError(f"the spray: {self._error}") from self._error
        if thread.is_alive() or not self.sent:
            raise BenchError("the spray did not get through")

    def send(self, count: int) -> None:
        """So many more names, as fast as they are answered."""
        for begin in range(0, count, BATCH):
            self._batch(min(BATCH, count - begin))

    def _run(self, rate: float) -> None:
        begin = time.monotonic()
        try:
            while not self._end.wait(max(0.0, begin + self.sent / rate - time.monotonic())):
                self._batch(BATCH)
                self.sent += BATCH
        except (grpc.RpcError, BenchError) as error:
            self._error = error
        self.seconds = time.monotonic() - begin

    def _batch(self, count: int) -> None:
        requests = [request(number) for number in itertools.islice(self._numbers, count)]
        results = self._client.batch(requests, deadline_seconds=DEADLINE_SECONDS)
        answers = collections.Counter(
            (result.response.outcome, result.response.source) if result.HasField("response") else result.error.message
            for result in results
        )
        if set(answers) != {(stubs.REJECTED, stubs.BACKEND)}:
            raise BenchError(f"made-up names were answered with {dict(answers)}")
