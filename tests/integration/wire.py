"""A TCP relay that can be cut."""

import contextlib
import socket
import socketserver
import threading
from collections.abc import Callable


def _on_this_machine(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port))


class Wire:
    """Before a port of this machine. `cut` it, and both ends hear of that; `silence` it, and neither does.

    `connect`: how that port is reached, where it is not simply there.
    """

    def __init__(self, port: int, connect: Callable[[int], socket.socket] = _on_this_machine):
        self._to = port
        self._connect = connect
        self._pairs: list[socket.socket] = []
        self._flowing = threading.Event()
        self._flowing.set()
        self._open = True
        wire = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                wire.relay(self.request)

        class Server(socketserver.ThreadingTCPServer):
            request_queue_size = 64
            daemon_threads = True

        self._server = Server(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"ldap://127.0.0.1:{self.port}"

    def relay(self, client: socket.socket) -> None:
        if not self._open:
            return
        try:
            server = self._connect(self._to)
        except OSError:
            return
        with server:
            for end in (client, server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            server.settimeout(None)
            self._pairs += [client, server]
            back = threading.Thread(target=self._pump, args=(server, client), daemon=True)
            back.start()
            self._pump(client, server)
            back.join()

    def _pump(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while block := source.recv(65536):
                self._flowing.wait()
                target.sendall(block)
            target.shutdown(socket.SHUT_WR)

    def cut(self) -> None:
        """Ends every connection, and takes no other."""
        self._open = False
        pairs, self._pairs = self._pairs, []
        for end in pairs:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        self._open = True

    def silence(self, silent: bool = True) -> None:
        """Nothing arrives any more, and nobody is told."""
        if silent:
            self._flowing.clear()
        else:
            self._flowing.set()

    def close(self) -> None:
        self.silence(silent=False)
        self.cut()
        self._server.shutdown()
        self._server.server_close()
