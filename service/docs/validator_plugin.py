"""A validator plug-in: users of a JSON file, and a change feed.

    python validator_plugin.py unix:/run/plugin.sock users.json

users.json: {"alice": {"salt": "…", "hash": "…", "groups": ["staff"], "decision": "DECISION_LOCKED"}}; the hash
is that of hash_of(); the decision, accepted where there is none, is told after the right password. Needs grpcio-tools.
"""

import concurrent.futures
import hashlib
import hmac
import importlib.resources
import json
import pathlib
import sys
import time

import grpc

PROTOS = pathlib.Path(__file__).resolve().parents[2] / "protos"
sys.path[:0] = [str(PROTOS), str(importlib.resources.files("grpc_tools") / "_proto")]
messages, services = grpc.protos_and_services("credcache/validator/v1/validator.proto")


def hash_of(password: bytes, salt: str) -> str:
    return hashlib.scrypt(password, salt=salt.encode(), n=2**12, r=8, p=1).hex()


class Plugin(services.ValidatorServiceServicer):
    def __init__(self, file: str):
        self._file = pathlib.Path(file)

    def users(self) -> dict:
        return json.loads(self._file.read_text())  # a file that cannot be read is a gRPC error, and so no verdict

    def Validate(self, request, context):  # noqa: ARG002, N802
        user = self.users().get(request.username)
        known = user or {"salt": "", "hash": ""}  # nobody costs what somebody costs
        if not hmac.compare_digest(hash_of(request.password, known["salt"]), known["hash"]):
            decision = "DECISION_WRONG_PASSWORD" if user else "DECISION_UNKNOWN_USER"
            return messages.ValidateResponse(decision=decision)
        identity = messages.Identity(username=request.username, groups=known.get("groups", []))
        return messages.ValidateResponse(decision=known.get("decision", "DECISION_ACCEPTED"), identity=identity)

    def Watch(self, request, context):  # noqa: ARG002, N802
        before = self.users()
        yield messages.WatchResponse(heartbeat={"seconds": 5})  # from here on every change is told
        last = time.monotonic()
        while context.is_active():
            time.sleep(0.02)
            now = self.users()
            changed = [name for name in before.keys() | now.keys() if before.get(name) != now.get(name)]
            before = now
            if changed or time.monotonic() - last > 4:
                last = time.monotonic()
                yield messages.WatchResponse(usernames=changed)


if __name__ == "__main__":
    # A Watch holds a thread for as long as it is open, one for each credcached; the others validate.
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(16))
    services.add_ValidatorServiceServicer_to_server(Plugin(sys.argv[2]), server)
    server.add_insecure_port(sys.argv[1])
    server.start()
    print("ready", flush=True)
    server.wait_for_termination()
