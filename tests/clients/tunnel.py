"""An HTTPS proxy that leads Azure's public host names to the simulator, for programs that know no other cloud.

Used by the fixtures for Cloud Custodian. It only joins sockets: TLS stays between the program and the simulator, whose
certificate holds those names. Any other host is refused and remembered.
"""

from __future__ import annotations

import select
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

CLOUD = ("management.azure.com", "login.microsoftonline.com")
CHUNK = 65536


class _Caller(socketserver.StreamRequestHandler):
    """One CONNECT and what flows after it."""

    def handle(self) -> None:
        line = self.rfile.readline().decode("latin-1")
        while self.rfile.readline().strip():
            pass
        tunnel = self.server
        assert isinstance(tunnel, _Proxy)
        method, _, rest = line.partition(" ")
        host = rest.partition(" ")[0]
        if method != "CONNECT" or host not in [f"{name}:443" for name in CLOUD]:
            tunnel.refused.append(line.strip())
            self.wfile.write(b"HTTP/1.1 403 Forbidden\r\n\r\n")
            return
        with socket.create_connection(("127.0.0.1", tunnel.target)) as other:
            self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            with suppress(ConnectionError):
                _join(self.connection, other)


def _join(one: socket.socket, other: socket.socket) -> None:
    """Carry bytes both ways until either end closes."""
    ways = {one: other, other: one}
    while True:
        for source in select.select(list(ways), [], [])[0]:
            data = source.recv(CHUNK)
            if not data:
                return
            ways[source].sendall(data)


class _Proxy(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self, target: int) -> None:
        super().__init__(("127.0.0.1", 0), _Caller)
        self.target = target
        self.refused: list[str] = []


@dataclass(frozen=True, slots=True)
class Tunnel:
    """A proxy that runs; `refused` lists what was asked of other hosts."""

    url: str
    refused: list[str] = field(default_factory=list)


@contextmanager
def tunnel(port: int) -> Iterator[Tunnel]:
    """Lead Azure's host names to a local port for the length of a block."""
    with _Proxy(port) as proxy:
        thread = threading.Thread(target=proxy.serve_forever)
        thread.start()
        try:
            yield Tunnel(f"http://127.0.0.1:{proxy.server_address[1]}", proxy.refused)
        finally:
            proxy.shutdown()
            thread.join()
