"""Programs in a network of their own, and connections into it; needs root."""

import contextlib
import ctypes
import os
import pathlib
import socket

_CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


def contained(command: str) -> list[str]:
    """A shell's command in namespaces of its own: a network with loopback alone, /run and /etc/samba empty, and
    processes that all end with it."""
    prepare = "ip link set lo up && mount -t tmpfs none /run && mount -t tmpfs none /etc/samba"
    namespaces = ["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    return ["unshare", *namespaces, "sh", "-c", f"{prepare} && {command}"]


def network_of(process: int | str) -> str:
    """Names the network that it is in."""
    return str(pathlib.Path(f"/proc/{process}/ns/net").readlink())


def processes_in(network: str) -> list[int]:
    found = []
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if network_of(process.name) == network:
                found.append(int(process.name))
    return found


def connect(process: int, port: int) -> socket.socket:
    """To a loopback port in that process's network: which one a socket is in, the thread decides that makes it."""
    here, there = (os.open(f"/proc/{who}/ns/net", os.O_RDONLY) for who in ("thread-self", process))
    try:
        _enter(there)
        return socket.create_connection(("127.0.0.1", port), timeout=10)
    finally:
        _enter(here)
        os.close(here)
        os.close(there)


def _enter(network: int) -> None:
    if _libc.setns(network, _CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")
