"""A real HTTP server on the loopback that plays Electricity Maps, well or badly."""

import json
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Reply = Callable[[Callable[[bytes], None]], None]
"""Writes a whole HTTP response, in its own time, by the given function."""


class Provider:
    """A server whose replies a test chooses.

    Args:
        base_url: where it listens.
    """

    def __init__(self) -> None:
        self.requests: list[bytes] = []
        self.reply: Reply = says({"zone": "FR", "carbonIntensity": 50})
        self._server = socketserver.ThreadingTCPServer(
            ("127.0.0.1", 0), self._handler(), bind_and_activate=True
        )
        self._server.daemon_threads = True
        self.base_url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def _handler(self) -> type[socketserver.StreamRequestHandler]:
        provider = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                lines = []
                while (line := self.rfile.readline()).strip():
                    lines.append(line)
                provider.requests.append(b"".join(lines))
                try:
                    provider.reply(self._write)
                except OSError:
                    return  # the client left, which some tests wait for

            def _write(self, octets: bytes) -> None:
                self.wfile.write(octets)
                self.wfile.flush()

        return Handler

    @contextmanager
    def running(self) -> Iterator["Provider"]:
        """Serve until the block ends."""
        thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()


def says(answer: object, status: str = "200 OK", *headers: str) -> Reply:
    """Reply with JSON."""
    return says_octets(json.dumps(answer).encode(), status, *headers)


def says_octets(body: bytes, status: str = "200 OK", *headers: str) -> Reply:
    """Reply with a body as it is."""
    head = "\r\n".join((f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers))
    return lambda write: write(head.encode() + b"\r\nConnection: close\r\n\r\n" + body)
