"""The consumer's side of the local interface for tests: a node that shows what it is told to."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tests.unit.store.samples import answer, summary, task

from carbon_node.errors import StoreError
from carbon_node.http.address import Address, TcpAddress, UnixAddress
from carbon_node.http.server import HttpInterface
from carbon_node.http.view import NodeSummary, NodeView, ResultsPage, RunningTask, SettingValue
from carbon_node.json_value import Json
from carbon_node.observability.metrics import Metrics
from carbon_node.store import Cursor
from carbon_node.store.editions import Edition, State
from carbon_node.store.result import as_json
from carbon_node.tasks.key import TaskKey
from carbon_node.wire.samples import TaskId

ANY_PORT = TcpAddress("127.0.0.1", 0)

SUMMARY = NodeSummary(
    version="1.2.3",
    state="RUNNING",
    is_ready=True,
    stalled=(),
    degraded=("live intensity is off: no key",),
    warnings=("anyone may read this",),
    pid=4711,
    domain=7,
    transport="fastdds",
    uptime_s=3725.5,
    incomplete=1,
    waiting=2,
    running=(RunningTask(9, 1, "tracker", 0.4),),
    intensity_table_age_s=86_400.0,
)


def result(problem_id: int, iteration_id: int = 1) -> dict[str, Json]:
    """A result that differs from others by its task id."""
    key = task(problem_id, iteration_id)
    found = replace(
        answer(key),
        carbon_g=0.0123,
        energy_kwh=2.6e-5,
        intensity_g_per_kwh=473.0,
        place_name="Spain",
    )
    about = summary(model="resnet-50", place="Madrid")
    return as_json(Edition(key, 1, "d", about, 0, State.PUBLISHED, found, 1_000))


def _place(found: Mapping[str, Any]) -> Cursor:
    task_id = TaskId(found["problem_id"], found["iteration_id"])
    return Cursor(TaskKey(task_id, found["writer"]), found["edition"])


@dataclass
class PlainView:
    """A `NodeView` of plain values.

    Args:
        summary: what `status` tells.
        kept: results, newest first.
        is_broken: whether the store fails.
    """

    summary: NodeSummary = SUMMARY
    kept: list[dict[str, Json]] = field(default_factory=lambda: [result(3), result(2), result(1)])
    is_broken: bool = False

    def change(self, **fields: object) -> None:
        """Replace fields of the summary."""
        self.summary = replace(self.summary, **fields)  # type: ignore[arg-type]

    def status(self) -> NodeSummary:
        """As told."""
        return self.summary

    async def results(self, limit: int, after: Cursor | None) -> ResultsPage:
        """As kept."""
        if self.is_broken:
            raise StoreError("results.db cannot be read: disk I/O error")
        places = [_place(each) for each in self.kept]
        begin = 0 if after is None else places.index(after) + 1
        page = self.kept[begin : begin + limit]
        has_more = begin + limit < len(self.kept)
        return ResultsPage([*map(json.dumps, page)], _place(page[-1]) if has_more else None)

    async def result(self, problem_id: int, iteration_id: int) -> str | None:
        """As kept."""
        wanted = (problem_id, iteration_id)
        found = [kept for kept in self.kept if (kept["problem_id"], kept["iteration_id"]) == wanted]
        return json.dumps(found[0]) if found else None

    def settings(self) -> Mapping[str, SettingValue]:
        """One of each kind."""
        return {
            "pue": SettingValue(1.58, "default"),
            "tracker.model_roots": SettingValue([], "file /etc/carbon-node/carbon-node.toml"),
            "intensity_g_per_kwh": SettingValue(None, "default"),
        }


@dataclass(frozen=True)
class Answer:
    """What came back for a request."""

    status: int
    headers: dict[str, str]
    body: bytes


@asynccontextmanager
async def serving(
    view: NodeView | None = None,
    metrics: Metrics | None = None,
    address: Address = ANY_PORT,
    token: str = "",
) -> AsyncIterator[HttpInterface]:
    """A served interface of a plain node."""
    interface = HttpInterface(address, view or PlainView(), metrics or Metrics(), lambda: token)
    assert await interface.start() is None
    try:
        yield interface
    finally:
        await interface.stop()


async def connect(
    interface: HttpInterface,
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A raw connection to the interface."""
    where = interface.listens_at
    assert where is not None
    if where.startswith("/"):
        return await asyncio.open_unix_connection(UnixAddress(Path(where)).path)
    host, _, port = where.rpartition(":")
    return await asyncio.open_connection(host.strip("[]"), int(port))


async def ask(
    interface: HttpInterface,
    path: str,
    headers: Mapping[str, str] | None = None,
    method: str = "GET",
) -> Answer:
    """Send one request as it is, unlike a client that would fix it, and read its answer."""
    sent = {"Host": "localhost", "Connection": "close"} | dict(headers or {})
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in sent.items())]
    return await exchange(interface, "\r\n".join([*lines, "", ""]).encode())


async def exchange(interface: HttpInterface, request: bytes) -> Answer:
    """Send bytes, and read the answer until its end."""
    reader, writer = await connect(interface)
    try:
        writer.write(request)
        raw = await reader.read()
    finally:
        writer.close()
    head, _, body = raw.partition(b"\r\n\r\n")
    status_line, *header_lines = head.decode("latin1").split("\r\n")
    pairs = (line.partition(": ") for line in header_lines)
    headers = {name.lower(): value for name, _, value in pairs}
    return Answer(int(status_line.split()[1]), headers, body)
