"""Start, health, overload and the end: what load balancers and orchestrators rely on."""

import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import configs
import grpc
import pytest
import waiting
from client import Client, Connect, fails, request
from credcached import Credcached, Serve
from google.protobuf import descriptor_pool
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from slapd import Slapd
from stubs import ACCEPTED, CACHE, authenticate_pb2

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
SERVICE = "credcache.v1.AuthService"


def health(client: Client, service: str = "") -> int:
    request = health_pb2.HealthCheckRequest(service=service)
    return health_pb2_grpc.HealthStub(client.channel).Check(request, timeout=10).status


def test_health_is_told_for_each_service(on_file: Credcached, connect: Connect) -> None:
    client = connect(on_file)
    assert health(client) == SERVING
    assert health(client, SERVICE) == SERVING
    with pytest.raises(grpc.RpcError) as info:
        health(client, "no.such.Service")
    assert info.value.code() == grpc.StatusCode.NOT_FOUND


def test_reflection_lists_and_describes_the_services(on_file: Credcached, connect: Connect) -> None:
    database = ProtoReflectionDescriptorDatabase(connect(on_file).channel)
    assert {SERVICE, "grpc.health.v1.Health"} <= set(database.get_services())
    service = descriptor_pool.DescriptorPool(database).FindServiceByName(SERVICE)
    wanted = {"Authenticate", "BatchAuthenticate", "AuthenticateStream", "Negotiate", "Delegate", "Invalidate", "Stats"}
    assert {method.name for method in service.methods} == wanted


def test_probes_tell_a_running_service(on_file: Credcached) -> None:
    assert on_file.get("/livez")[0] == 200
    assert on_file.get("/readyz")[0] == 200
    for path in ("/", "/nothing", "/metrics/more", "/livez/..", "/.well-known/jwks.json"):
        assert on_file.get(path)[0] == 404, path


def test_the_admin_port_takes_no_garbage(on_file: Credcached) -> None:
    host, port = on_file.admin.rsplit(":", 1)
    for garbage in (
        os.urandom(4096),
        b"GET /" + b"x" * 100_000,
        b"POST /metrics HTTP/1.1\r\nContent-Length: 9\r\n\r\n",
    ):
        with socket.create_connection((host, int(port)), timeout=10) as raw:
            raw.sendall(garbage)
    assert on_file.get("/livez")[0] == 200


def test_a_drain_answers_what_is_under_way_and_tells_everybody(
    on_few: Credcached, few: Slapd, connect: Connect
) -> None:
    client = connect(on_few)
    client.authenticate("alice", "password-of-alice")
    watch = iter(
        health_pb2_grpc.HealthStub(connect(on_few).channel).Watch(health_pb2.HealthCheckRequest(service=SERVICE))
    )
    assert next(watch).status == SERVING

    def messages() -> Iterator[Any]:
        numbered = authenticate_pb2.NumberedRequest(
            id=1, request={"password": {"username": "carol", "password": b"password-of-carol"}}
        )
        yield authenticate_pb2.AuthenticateStreamRequest(requests=[numbered])
        end.wait(60)

    end = threading.Event()
    few.freeze()
    slow = client.begin("bob", "password-of-bob")
    stream = client.stream(messages(), deadline_seconds=60)
    waiting.until(lambda: on_few.metrics().total("credcache_backend_in_flight") >= 2, "two log-ons are under way")

    on_few.terminate()
    assert next(watch).status == NOT_SERVING
    waiting.until(lambda: readiness(on_few) != 200, "it is not ready any more")
    assert on_few.running
    assert not slow.done()
    few.thaw()
    assert slow.result().outcome == ACCEPTED
    assert [result.id for message in stream for result in message.results] == [1]
    assert stream.code() == grpc.StatusCode.OK
    end.set()
    on_few.stop()


def readiness(server: Credcached) -> int:
    """The status of /readyz; 0 when the port is closed."""
    try:
        return server.get("/readyz")[0]
    except OSError:
        return 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_at_once_when_nothing_is_under_way(
    on_file: Credcached, connect: Connect, number: signal.Signals
) -> None:
    client = connect(on_file)
    ask = authenticate_pb2.NumberedRequest(id=1, request=request("alice", "password-of-alice"))
    message = authenticate_pb2.AuthenticateStreamRequest(requests=[ask])
    end = threading.Event()
    idle = client.stream(iter(lambda: end.wait(0.01) or message, True))
    assert {result.id for result in next(idle).results} == {1}  # what is ready together comes together
    with waiting.Stopwatch() as watch:
        os.kill(on_file.pid, number)
        on_file.stop()
    assert watch.seconds < 5
    assert {result.id for answer in idle for result in answer.results} <= {1}
    assert idle.code() == grpc.StatusCode.OK
    end.set()
    with pytest.raises(grpc.RpcError) as info:
        client.authenticate("alice", "password-of-alice", deadline_seconds=2)
    assert info.value.code() == grpc.StatusCode.UNAVAILABLE


def test_beyond_the_limit_of_calls_under_way_callers_are_told_when_to_come_again(
    few: Slapd, serve: Serve, connect: Connect, tmp_path: Any
) -> None:
    ldap = configs.ldap(few, folder=tmp_path, connections=16)
    server = serve(configs.config(configs.realm(ldap), listen={"max_in_flight": 4}))
    client = connect(server)
    client.authenticate("alice", "password-of-alice")
    few.freeze()
    calls = [client.begin(f"user{number:05}", f"password-{number:05}") for number in range(4)]
    waiting.until(lambda: server.metrics().total("credcache_backend_in_flight") == 4, "four are under way")
    with waiting.Stopwatch() as watch, fails(grpc.StatusCode.RESOURCE_EXHAUSTED) as caught:
        client.authenticate("user00010", "password-00010")
    assert watch.seconds < 1
    assert caught[0].retry_delay_seconds > 0
    assert server.get("/livez")[0] == 200
    few.thaw()
    assert [call.result().outcome for call in calls] == [ACCEPTED] * 4
    assert client.authenticate("user00010", "password-00010").outcome == ACCEPTED
    assert client.authenticate("alice", "password-of-alice").source == CACHE


def test_connections_beyond_their_age_are_renewed_without_a_failure(
    serve: Serve, connect: Connect, tmp_path: Any
) -> None:
    users = configs.write_users(tmp_path / "users", alice="password-of-alice")
    server = serve(configs.config(configs.realm(configs.users_file(users)), listen={"max_connection_age": "1s"}))
    client = connect(server)
    states: list[grpc.ChannelConnectivity] = []
    client.channel.subscribe(states.append)
    client.authenticate("alice", "password-of-alice")

    def renewed() -> bool:
        assert client.authenticate("alice", "password-of-alice").source == CACHE
        return grpc.ChannelConnectivity.IDLE in states or states.count(grpc.ChannelConnectivity.CONNECTING) > 1

    waiting.until(renewed, "the connection has been renewed", every_seconds=0.001)


def test_it_starts_and_ends_many_times(on_file: Credcached) -> None:
    for _ in range(5):
        on_file.stop()
        on_file.start()


def test_stats_tell_who_is_asked(on_file: Credcached, connect: Connect) -> None:
    stats = connect(on_file).stats(per_realm=True, per_bucket=True)
    assert stats.replica.name
    assert stats.replica.version
    assert stats.replica.started_at.seconds <= time.time()
    assert [realm.realm for realm in stats.realms] == [configs.REALM]
    assert len(stats.buckets) == stats.cache.buckets == 256
    assert stats.cache.max_entries == 1_000_000
    plain = connect(on_file).stats()
    assert (len(plain.realms), len(plain.buckets)) == (0, 0)
