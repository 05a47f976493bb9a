"""Asking a node's local interface on its socket."""

import http.client
import socket
import time
from pathlib import Path

PATIENCE_S = 30.0


def scrape_ms(interface: Path) -> float:
    """Scrape `/metrics` once on a connection of its own; return the milliseconds it took."""
    deadline_s = time.monotonic() + PATIENCE_S
    while not interface.exists() and time.monotonic() < deadline_s:
        # The interface opens after the node is ready.
        time.sleep(0.01)
    since_s = time.perf_counter()
    scrape(interface)
    return 1000 * (time.perf_counter() - since_s)


def scrape(path: Path) -> bytes:
    """Return the answer to `GET /metrics` on a Unix socket."""
    connection = http.client.HTTPConnection("localhost", timeout=PATIENCE_S)
    connection.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.sock.connect(str(path))
    try:
        connection.request("GET", "/metrics")
        return connection.getresponse().read()
    finally:
        connection.close()
