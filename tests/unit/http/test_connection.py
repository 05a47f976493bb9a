"""What hostile and broken clients of the local interface cannot do."""

import asyncio
import os
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.patience import PATIENCE_S
from tests.unit.http.node_view import PlainView, ask, connect, exchange, result, serving

from carbon_node.http import connection
from carbon_node.http.address import UnixAddress
from carbon_node.http.connection import CONNECTION_LIMIT, HEADER_LIMIT_BYTES
from carbon_node.http.guard import HEADER_LIMIT
from carbon_node.http.server import BACKLOG

pytestmark = pytest.mark.anyio


@pytest.fixture
def many_descriptors() -> Iterator[None]:
    """Room for the thousand clients of a test in this process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def open_descriptors() -> int:
    """File descriptors of this process."""
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208  # a list without a Path per entry


async def test_ten_thousand_headers_are_refused() -> None:
    """A request of ten thousand headers is answered with an error, however it arrives."""
    lines = "".join(f"X-{number}: y\r\n" for number in range(10_000))
    request = (
        f"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{lines}\r\n".encode()
    )
    async with serving() as interface:
        whole = await exchange(interface, request)
        few = await ask(interface, "/healthz", {f"X-{n}": "y" for n in range(HEADER_LIMIT)})
        after = await ask(interface, "/healthz")
    assert whole.status in (400, 431)
    assert (few.status, after.status) == (431, 200)


async def test_a_header_without_end_is_refused() -> None:
    """What is buffered of an unfinished request stays bounded."""
    async with serving() as interface:
        reader, writer = await connect(interface)
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: ")
        for _ in range(HEADER_LIMIT_BYTES // 1024 + 1):
            writer.write(b"y" * 1024)
            await asyncio.sleep(0)
        answer = await reader.readline()
        writer.close()
        assert answer.startswith(b"HTTP/1.1 4")


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET /healthz\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\n\r\n",
        b"GET /\x00 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: a\r\nHost: localhost\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(100) + b"\r\n\r\n",
    ],
)
async def test_what_is_not_http_is_refused(request_bytes: bytes) -> None:
    """Garbage gets an error and a closed connection; the next client is served."""
    async with serving() as interface:
        broken = await asyncio.wait_for(exchange(interface, request_bytes), PATIENCE_S)
        next_one = await ask(interface, "/healthz")
    assert broken.status in (400, 403, 405, 501, 505)
    assert next_one.status == 200


async def test_a_body_that_nobody_asked_for_is_not_kept() -> None:
    """A GET that announces a huge body is answered without waiting for it."""
    head = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9999999999\r\n"
    async with serving() as interface:
        reader, writer = await connect(interface)
        writer.write(head + b"\r\n" + bytes(100_000))
        status_line = await asyncio.wait_for(reader.readline(), PATIENCE_S)
        writer.close()
        assert (int(status_line.split()[1])) == 200


async def test_slow_clients_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients that send nothing, or byte by byte, lose their connection and its descriptor."""
    monkeypatch.setattr(connection, "LIFETIME_S", 0.3)

    async with serving() as interface:
        before = open_descriptors()
        silent = [await connect(interface) for _ in range(10)]
        dripping = [await connect(interface) for _ in range(10)]
        for _, writer in dripping:
            writer.write(b"GET /healthz HTTP/1.1\r\nX-Slow: ")
        for reader, writer in silent + dripping:
            assert await asyncio.wait_for(_end(reader), PATIENCE_S) == b""
            writer.close()
        await asyncio.sleep(0)
        assert (open_descriptors() - before, (await ask(interface, "/healthz")).status) == (0, 200)


async def test_a_client_that_does_not_read_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer that nobody takes is thrown away with its connection."""
    monkeypatch.setattr(connection, "LIFETIME_S", 0.5)
    view = PlainView(kept=[result(number) for number in range(500)] * 20)

    async with serving(view) as interface:
        before = open_descriptors()
        reader, writer = await connect(interface)
        writer.transport.pause_reading()  # type: ignore[attr-defined]  # of the socket's kind
        for _ in range(40):
            writer.write(b"GET /api/results?limit=500 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        async with asyncio.timeout(PATIENCE_S):
            # The client keeps its end. No event tells that a descriptor is closed.
            while open_descriptors() > before + 1:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        writer.close()
        assert reader is not None  # a reader that is dropped closes its transport


@pytest.mark.usefixtures("many_descriptors")
async def test_a_thousand_connections_leave_the_interface_usable() -> None:
    """A flood of idle connections is bounded in descriptors and locks nobody out."""
    async with serving() as interface:
        before = open_descriptors()
        most, statuses, clients = 0, [], []
        for number in range(1000):
            clients.append(await connect(interface))
            if number % 100 == 99:
                statuses.append((await ask(interface, "/healthz")).status)
                most = max(most, open_descriptors() - before - len(clients))
        for _, writer in clients:
            writer.close()
        most, statuses = most, statuses
    assert most <= CONNECTION_LIMIT + BACKLOG
    assert statuses == [200] * 10


async def test_descriptors_stay_constant_over_many_requests() -> None:
    """Neither good nor bad requests leave a descriptor behind."""
    async with serving() as interface:
        await ask(interface, "/metrics")
        before = open_descriptors()
        for _ in range(50):
            await ask(interface, "/metrics")
            await ask(interface, "/nothing")
            await exchange(interface, b"garbage\r\n\r\n")
        await asyncio.sleep(0)
        assert (open_descriptors() - before) <= 1


async def test_the_stop_does_not_wait_for_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    """Idle and half-sent connections, which have their whole lifetime left, are cut."""
    monkeypatch.setattr(connection, "LIFETIME_S", 10 * PATIENCE_S)
    async with asyncio.timeout(PATIENCE_S):
        async with serving() as interface:
            clients = [await connect(interface) for _ in range(5)]
            clients[0][1].write(b"GET /healthz HTTP/1.1\r\n")
            await ask(interface, "/healthz")
        for reader, writer in clients:
            assert await _end(reader) == b""
            writer.close()


async def test_a_unix_socket_has_the_same_bounds(tmp_path: Path) -> None:
    """Foreign hosts and writing methods are refused there too."""
    async with serving(address=UnixAddress(tmp_path / "http.sock")) as interface:
        foreign = await ask(interface, "/healthz", {"Host": "evil.example"})
        assert (foreign.status, (await ask(interface, "/healthz", method="POST")).status) == (
            403,
            405,
        )


async def _end(reader: asyncio.StreamReader) -> bytes:
    """Read to the end, by close or by reset."""
    try:
        return await reader.read()
    except ConnectionResetError:
        return b""
