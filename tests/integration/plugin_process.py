"""A validator plug-in of the tests, told by lines of JSON on its standard input what to do. See plugin.py."""

import argparse
import concurrent.futures
import json
import pathlib
import queue
import sys
import threading
from collections.abc import Iterator
from typing import Any

import grpc
from credcache.validator.v1 import validator_pb2 as messages
from credcache.validator.v1 import validator_pb2_grpc


class Plugin(validator_pb2_grpc.ValidatorServiceServicer):
    """Users are dicts: password, decision, identity (as in the proto), aliases, error (a status code's name), hang."""

    def __init__(self, users: dict[str, dict[str, Any]], feed: bool):
        self._lock = threading.Lock()
        self._users = users
        self._feed = feed
        self._watchers: list[queue.SimpleQueue[messages.WatchResponse | None]] = []
        self._asked: dict[str, int] = {}
        self._never = threading.Event()

    # What it is told.

    def user(self, name: str, fields: dict[str, Any] | None, tell: bool) -> None:
        with self._lock:
            if fields is None:
                self._users.pop(name, None)
            else:
                self._users[name] = fields
        if tell:
            self.say(usernames=[name])

    def say(self, **fields: Any) -> None:
        with self._lock:
            for watcher in self._watchers:
                watcher.put(messages.WatchResponse(**fields))

    def flood(self, name: str, count: int) -> None:
        """So many messages, as fast as they go."""
        for _ in range(count):
            self.say(usernames=[name])

    def counts(self) -> dict[str, int]:
        with self._lock:
            return dict(self._asked)

    # What it is asked.

    def Resolve(self, request: Any, context: grpc.ServicerContext) -> messages.ResolveResponse:  # noqa: N802
        with self._lock:
            users = dict(self._users)
        if not any("aliases" in user for user in users.values()):
            context.abort(grpc.StatusCode.UNIMPLEMENTED, "no Resolve")
        for name, user in users.items():
            if request.username in (name, *user.get("aliases", [])):
                return messages.ResolveResponse(resolution=messages.RESOLUTION_FOUND, username=name)
        return messages.ResolveResponse(resolution=messages.RESOLUTION_UNKNOWN_USER)

    def Validate(self, request: Any, context: grpc.ServicerContext) -> messages.ValidateResponse:  # noqa: N802
        with self._lock:
            self._asked[request.username] = self._asked.get(request.username, 0) + 1
            user = self._users.get(request.username)
        if user is None:
            return messages.ValidateResponse(decision=messages.DECISION_UNKNOWN_USER)
        if user.get("hang"):
            while context.is_active():
                self._never.wait(0.05)
        if "error" in user:
            context.abort(grpc.StatusCode[user["error"]], user.get("text", "of the plug-in's own"))
        if request.password != user["password"].encode(errors="surrogateescape"):
            return messages.ValidateResponse(decision=messages.DECISION_WRONG_PASSWORD)
        return messages.ValidateResponse(
            decision=user.get("decision", "DECISION_ACCEPTED"), identity=messages.Identity(**user.get("identity", {}))
        )

    def Watch(  # noqa: N802
        self,
        request: Any,  # noqa: ARG002
        context: grpc.ServicerContext,
    ) -> Iterator[messages.WatchResponse]:
        if not self._feed:
            context.abort(grpc.StatusCode.UNIMPLEMENTED, "no Watch")
        watcher: queue.SimpleQueue[messages.WatchResponse | None] = queue.SimpleQueue()
        with self._lock:
            self._watchers.append(watcher)
        context.add_callback(lambda: watcher.put(None))
        try:
            yield messages.WatchResponse(heartbeat={"seconds": 1})
            while True:
                try:
                    response = watcher.get(timeout=0.5)
                except queue.Empty:
                    response = messages.WatchResponse()
                if response is None:
                    return
                yield response
        finally:
            with self._lock:
                self._watchers.remove(watcher)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("address")
    parser.add_argument("--feed", action="store_true")
    parser.add_argument("--tls", nargs=3, metavar=("CERTIFICATE", "KEY", "CLIENT_CA"))
    arguments = parser.parse_args()
    plugin = Plugin(json.loads(sys.stdin.readline()), arguments.feed)
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(64))
    validator_pb2_grpc.add_ValidatorServiceServicer_to_server(plugin, server)
    if arguments.tls:
        certificate, key, client_ca = (pathlib.Path(file).read_bytes() for file in arguments.tls)
        credentials = grpc.ssl_server_credentials([(key, certificate)], client_ca, require_client_auth=True)
        server.add_secure_port(arguments.address, credentials)
    else:
        server.add_insecure_port(arguments.address)
    server.start()
    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        name, *values = json.loads(line)
        print(json.dumps(getattr(plugin, name)(*values) if name != "say" else plugin.say(**values[0])), flush=True)


if __name__ == "__main__":
    main()
