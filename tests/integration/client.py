"""A front end: calls credcached, and takes its errors apart."""

import contextlib
import dataclasses
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Self

import grpc
import pytest
import secrets_used
from google.protobuf import duration_pb2
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from stubs import auth_service_pb2_grpc, authenticate_pb2, invalidate_pb2, stats_pb2

# Nothing here takes long; a call that does is a failure, with its own name in the traceback.
DEADLINE_SECONDS = 20.0


@dataclasses.dataclass(frozen=True)
class Failure:
    """A gRPC error with its details."""

    code: grpc.StatusCode
    message: str
    reason: str = ""
    domain: str = ""
    fields: tuple[str, ...] = ()
    retry_delay_seconds: float | None = None


def seconds(value: float) -> duration_pb2.Duration:
    duration = duration_pb2.Duration()
    duration.FromNanoseconds(round(value * 1e9))
    return duration


def request(
    username: str,
    password: bytes | str,
    realm: str = "",
    max_age_seconds: float | None = None,
    open_session: bool = False,
    **context: str,
) -> Any:
    """An AuthenticateRequest. `context`: fields of RequestContext."""
    return authenticate_pb2.AuthenticateRequest(
        password=authenticate_pb2.PasswordCredential(
            realm=realm, username=username, password=secrets_used.note(password)
        ),
        context=authenticate_pb2.RequestContext(**context),
        open_session=open_session,
        max_age=None if max_age_seconds is None else seconds(max_age_seconds),
    )


class Client:
    """One connection of its own, closed by close() or the end of a with block."""

    def __init__(
        self,
        target: str,
        credentials: grpc.ChannelCredentials | None = None,
        token: str | None = None,
        options: Iterable[tuple[str, Any]] = (),
    ):
        # Not shared with any other client, so that each test's TLS and its ends are its own.
        own = [("grpc.use_local_subchannel_pool", 1), ("grpc.max_receive_message_length", -1), *options]
        self.channel = (
            grpc.secure_channel(target, credentials, own) if credentials else grpc.insecure_channel(target, own)
        )
        self.stub = auth_service_pb2_grpc.AuthServiceStub(self.channel)
        self._metadata = [("authorization", f"Bearer {token}")] if token else []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.channel.close()

    def authenticate(
        self, username: str, password: bytes | str, deadline_seconds: float = DEADLINE_SECONDS, **more: Any
    ):
        return self.send(request(username, password, **more), deadline_seconds)

    def send(self, message: Any, deadline_seconds: float = DEADLINE_SECONDS):
        return self.stub.Authenticate(message, timeout=deadline_seconds, metadata=self._metadata)

    def begin(self, username: str, password: bytes | str, deadline_seconds: float = DEADLINE_SECONDS, **more: Any):
        """Authenticate without waiting: a future."""
        return self.stub.Authenticate.future(
            request(username, password, **more), timeout=deadline_seconds, metadata=self._metadata
        )

    def batch(self, requests: Iterable[Any], deadline_seconds: float = DEADLINE_SECONDS):
        message = authenticate_pb2.BatchAuthenticateRequest(requests=requests)
        return self.stub.BatchAuthenticate(message, timeout=deadline_seconds, metadata=self._metadata).results

    def stream(self, messages: Iterable[Any], deadline_seconds: float = DEADLINE_SECONDS):
        """AuthenticateStream: an iterator over its answers, and the call."""
        return self.stub.AuthenticateStream(iter(messages), timeout=deadline_seconds, metadata=self._metadata)

    def invalidate(self, deadline_seconds: float = DEADLINE_SECONDS, **fields: Any):
        """`fields`: as in InvalidateRequest; `user` may be a name."""
        if isinstance(fields.get("user"), str):
            fields["user"] = invalidate_pb2.UserTarget(username=fields["user"])
        return self.stub.Invalidate(
            invalidate_pb2.InvalidateRequest(**fields), timeout=deadline_seconds, metadata=self._metadata
        )

    def stats(self, **fields: bool):
        return self.stub.Stats(stats_pb2.StatsRequest(**fields), timeout=DEADLINE_SECONDS, metadata=self._metadata)


# What the fixture `connect` is (conftest.py): opens one to a server.
Connect = Callable[..., Client]


def failure(error: grpc.RpcError) -> Failure:
    """What an error says, taken apart. Our own errors must have ErrorInfo: see check_ours."""
    result = Failure(error.code(), error.details() or "")
    status = rpc_status.from_call(error)
    return dataclasses.replace(result, **_details(status)) if status else result


def failure_of_status(status: Any) -> Failure:
    """The same of a google.rpc.Status, as elements of batches and streams carry it."""
    code = next(code for code in grpc.StatusCode if code.value[0] == status.code)
    return Failure(code, status.message, **_details(status))


@contextlib.contextmanager
def fails(code: grpc.StatusCode, field: str | None = None) -> Iterator[list[Failure]]:
    """Expects an error of the service's own: with ErrorInfo of our domain, a reason and a message, and, when its code
    is INVALID_ARGUMENT, the field. The list yielded holds it afterwards."""
    caught: list[Failure] = []
    with pytest.raises(grpc.RpcError) as info:
        yield caught
    caught.append(failure(info.value))
    check_ours(caught[0], code, field)


def check_ours(found: Failure, code: grpc.StatusCode, field: str | None = None) -> None:
    assert found.code == code, found
    assert found.domain == "credcache", found
    assert found.reason, found
    assert found.message, found
    if code == grpc.StatusCode.INVALID_ARGUMENT:
        assert found.fields, found
    if field is not None:
        assert found.fields == (field,), found


def _details(status: Any) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for detail in status.details:
        info, bad, retry = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest(), error_details_pb2.RetryInfo()
        if detail.Unpack(info):
            result |= {"reason": info.reason, "domain": info.domain}
        elif detail.Unpack(bad):
            result["fields"] = tuple(violation.field for violation in bad.field_violations)
        elif detail.Unpack(retry):
            result["retry_delay_seconds"] = retry.retry_delay.ToTimedelta().total_seconds()
    return result
