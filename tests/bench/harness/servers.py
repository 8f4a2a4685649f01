"""The servers that speak our API: credcached, and the bare echo of the same messages. Each ends with `bench.stack`.

The peers' servers, which speak protocols of their own, are in the folder peers beside this file.
"""

import dataclasses
import pathlib
import subprocess
import tempfile
from typing import Any

import configs
import credcached
from certs import Certificate, CertificateAuthority

from harness import process, workload
from harness.bench import Bench, MissingError
from harness.load import BUILD, Endpoint

ECHO = BUILD / "bin" / "credcache-echo"
CALLER = "bench.example"


@dataclasses.dataclass(frozen=True)
class Tls:
    """One authority, a certificate for the servers, and one for whoever calls them."""

    ca: pathlib.Path
    server: Certificate
    client: Certificate

    @classmethod
    def make(cls, folder: pathlib.Path) -> "Tls":
        authority = CertificateAuthority(folder)
        return cls(authority.certificate, authority.issue("server"), authority.issue("client", f"DNS:{CALLER}"))

    @property
    def client_arguments(self) -> tuple[str, ...]:
        client = self.client
        return ("--ca", str(self.ca), "--certificate", str(client.certificate), "--key", str(client.private_key))


@dataclasses.dataclass(frozen=True)
class Credcached:
    """One that runs: its TCP endpoint, its unix socket, and what the tests' helper knows of it."""

    endpoint: Endpoint
    unix: Endpoint
    process: credcached.Credcached


def write_users(path: pathlib.Path, users: int = workload.USERS) -> pathlib.Path:
    """A users file of the first users of the workload, with hashes that are cheap to check."""
    passwords = [workload.password(number) for number in range(users)]
    hashes = crypt_all(passwords, "-5", "rounds=1000$benchmarksalt")
    path.write_text("".join(f"{workload.username(number)}:{hash_}\n" for number, hash_ in enumerate(hashes)))
    return path


def crypt_all(passwords: list[str], scheme: str, salt: str) -> list[str]:
    """crypt(3) hashes by a program that is not ours: `scheme` -5 or -6, as openssl passwd has them."""
    command = ["openssl", "passwd", scheme, "-stdin", "-salt", salt]
    text = "".join(password + "\n" for password in passwords)
    result = subprocess.run(command, input=text, capture_output=True, text=True, check=True, timeout=120)
    return result.stdout.split()


def start_credcached(
    bench: Bench,
    tls: Tls | None = None,
    name: str = "credcached",
    environment: dict[str, str] | None = None,
    **parts: Any,
) -> Credcached:
    """credcached with a users file of the workload's users. `parts`: further keys of its configuration.

    With `tls`: mutual TLS on TCP, and the caller is known by its certificate, as front ends are. `name`: another for
    each that runs. `environment`: what it is started with beside its own.
    """
    folder = bench.folder / name
    folder.mkdir(exist_ok=True)
    socket = folder / "grpc.sock"
    if "realms" not in parts:
        parts["realms"] = [configs.realm(configs.users_file(write_users(folder / "users")))]
    if tls:
        server = tls.server
        parts["tls"] = {
            "certificate": str(server.certificate),
            "private_key": str(server.private_key),
            "client_ca": str(tls.ca),
        }
        parts["callers"] = [{"name": "bench", "certificate": CALLER, "allow": ["authenticate", "invalidate"]}]
    unix = {"path": str(socket), "mode": "0600", **({"caller": "bench"} if tls else {})}
    config = configs.config(*parts.pop("realms"), **parts, listen={"unix": [unix]})
    server = credcached.Credcached(folder, config, environment=environment)
    bench.stack.enter_context(server)
    arguments = tls.client_arguments if tls else ()
    return Credcached(Endpoint(server.grpc, arguments), Endpoint(f"unix:{socket}"), server)


def start_echo(bench: Bench, tls: Tls | None = None, unix: bool = False) -> Endpoint:
    """The bare echo, on a port of its own, or on a unix socket."""
    if not ECHO.exists():
        raise MissingError(f"{ECHO.name} is not built")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="echo-", dir=bench.folder))
    address = f"unix:{folder / 'echo.sock'}" if unix else "127.0.0.1:0"
    command = [str(ECHO), "--address", address]
    if tls:
        server = tls.server
        command += ["--certificate", str(server.certificate), "--key", str(server.private_key)]
        command += ["--client-ca", str(tls.ca)]
    ready = process.start(bench.stack, command, folder, ready=r"credcache-echo ready grpc=(\S+)")
    return Endpoint(address if unix else ready[1], tls.client_arguments if tls else ())
