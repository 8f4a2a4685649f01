"""The proxy that makes a benchmark's directory slow: late answers, whole, in order, and an end that is passed on."""

import contextlib
import pathlib
import socket
import socketserver
import subprocess
import threading
import time
from collections.abc import Iterator

import pytest
import waiting
from credcached import BUILD

PROXY = BUILD / "bin" / "credcache-delay-proxy"
DELAY = 0.1


class Server(socketserver.ThreadingTCPServer):
    request_queue_size = 64
    daemon_threads = True


class Echo(socketserver.BaseRequestHandler):
    """Answers each block with itself; "bye" ends the connection."""

    def handle(self) -> None:
        while block := self.request.recv(4096):
            self.request.sendall(block)
            if block == b"bye":
                return


@pytest.fixture
def proxy(tmp_path: pathlib.Path) -> Iterator[int]:
    """The port of a proxy before an echo."""
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(Server(("127.0.0.1", 0), Echo))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        stack.callback(server.shutdown)
        log = tmp_path / "proxy.log"
        command = [str(PROXY), "--to", str(server.server_address[1]), "--delay", f"{int(DELAY * 1000)}ms"]
        with log.open("wb") as output:
            process = subprocess.Popen(command, stderr=output)
        stack.callback(process.wait, 10)
        stack.callback(process.terminate)
        waiting.until(lambda: log.read_text().endswith("\n"), "the proxy is ready")
        yield int(log.read_text().rpartition(":")[2])


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=10)


def test_answers_come_late_whole_and_in_order(proxy: int) -> None:
    with connect(proxy) as connection:
        begin = time.monotonic()
        for block in (b"one ", b"two ", b"three"):
            connection.sendall(block)
        received = b""
        while len(received) < len(b"one two three"):
            received += connection.recv(4096)
            assert time.monotonic() - begin >= DELAY
        assert received == b"one two three"


def test_connections_wait_for_nobody_else(proxy: int) -> None:
    with contextlib.ExitStack() as stack:
        connections = [stack.enter_context(connect(proxy)) for _ in range(20)]
        begin = time.monotonic()
        for number, connection in enumerate(connections):
            connection.sendall(b"%d" % number)
        assert [connection.recv(4096) for connection in connections] == [b"%d" % number for number in range(20)]
        assert time.monotonic() - begin < 20 * DELAY / 2, "one after the other"


def test_the_servers_end_comes_after_its_last_answer(proxy: int) -> None:
    with connect(proxy) as connection:
        connection.sendall(b"bye")
        assert connection.recv(4096) == b"bye"
        assert connection.recv(4096) == b""
    with connect(proxy) as connection:  # and others are served
        connection.sendall(b"hello")
        assert connection.recv(4096) == b"hello"


@pytest.mark.parametrize("arguments", [[], ["--to", "0"], ["--to", "1", "--delay", "soon"]])
def test_bad_usage_is_exit_2(arguments: list[str]) -> None:
    result = subprocess.run([PROXY, *arguments], capture_output=True, text=True, timeout=10, check=False)
    assert result.returncode == 2
    assert result.stderr or result.stdout
