"""The local interface as its clients see it: real sockets, a real server."""

import asyncio
import json
import re
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.patience import PATIENCE_S
from tests.unit.http.node_view import ANY_PORT, Answer, PlainView, ask, connect, result, serving

from carbon_node.errors import ConfigError
from carbon_node.http.address import TcpAddress, UnixAddress
from carbon_node.http.server import HttpInterface
from carbon_node.http.view import ResultsPage
from carbon_node.observability.metrics import Metrics
from carbon_node.store import Cursor

pytestmark = pytest.mark.anyio


async def answer_of(
    path: str,
    view: PlainView | None = None,
    headers: Mapping[str, str] | None = None,
    method: str = "GET",
) -> Answer:
    """The answer of a fresh interface."""
    async with serving(view) as interface:
        return await ask(interface, path, headers, method)


async def test_the_status_tells_what_the_node_does_and_has_done() -> None:
    """The node's own summary is passed on whole, with the totals that were counted."""
    metrics = Metrics()
    metrics.task_finished("estimated", energy_kwh=0.5, carbon_g=100.0)
    metrics.task_finished("failed")
    async with serving(metrics=metrics) as interface:
        answer = await ask(interface, "/api/status")
    content = json.loads(answer.body)
    assert content["totals"] == {
        "tasks": {"estimated": 1, "failed": 1},
        "energy_kwh": 0.5,
        "carbon_g": 100.0,
    }
    assert content["node"]["running"] == [
        {"problem_id": 9, "iteration_id": 1, "stage": "tracker", "running_s": 0.4}
    ]
    assert content["node"]["degraded"] == ["live intensity is off: no key"]


async def test_results_come_newest_first_in_pages() -> None:
    """Each page leads to the next one, and the last to none; each result is told whole."""
    everything = await answer_of("/api/results")
    assert json.loads(everything.body) == [result(3), result(2), result(1)]
    assert "link" not in everything.headers

    path, found = "/api/results?limit=2", []
    while path:
        page = await answer_of(path)
        found.append([kept["problem_id"] for kept in json.loads(page.body)])
        link = re.fullmatch(
            r'<(/api/results\?limit=2&after=[^>]+)>; rel="next"', page.headers.get("link", "")
        )
        path = link[1] if link else ""
    assert found == [[3, 2], [1]]


@pytest.mark.parametrize(
    "query",
    [
        *("limit=0", "limit=501", "limit=-1", "limit=x", "limit=1.5", "limit="),
        *("after=", "after=1", "after=1.1.1", "after=-1.1.1.w", "after=%ff"),
        "after=99999999999.1.1.w",
        "after=1.1.1." + "w" * 5000,
    ],
)
async def test_a_page_out_of_range_is_refused(query: str) -> None:
    """A limit or place that is none is a bad request that says what is expected."""
    answer = await answer_of(f"/api/results?{query}")
    assert answer.status == 400
    assert "expected" in json.loads(answer.body)["detail"]


@pytest.mark.parametrize(
    ("path", "detail"),
    [
        (
            "/api/results?offset=2147483647",
            "unknown parameter 'offset': this path takes limit, after",
        ),
        ("/api/results?limit=1&Limit=2", "unknown parameter 'Limit': this path takes limit, after"),
        ("/api/results?limit=1&limit=2", "limit is given more than once"),
        ("/api/status?limit=1", "unknown parameter 'limit': this path takes none"),
        ("/api/results/2/1?problem=1", "unknown parameter 'problem': this path takes none"),
        ("/metrics?" + "x" * 200, f"unknown parameter '{'x' * 80}': this path takes none"),
    ],
)
async def test_what_a_path_does_not_take_is_refused(path: str, detail: str) -> None:
    """A parameter that would be ignored is a mistake, and the answer names those that exist."""
    answer = await answer_of(path)
    assert (answer.status, json.loads(answer.body)["detail"]) == (400, detail)


class SlowView(PlainView):
    """A view whose results never come; it notes when nobody waits for them any more."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = asyncio.Event()
        self.given_up = asyncio.Event()

    async def results(self, limit: int, after: Cursor | None) -> ResultsPage:
        """Wait until it is cancelled."""
        self.asked.set()
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            self.given_up.set()
        return await super().results(limit, after)


async def test_nothing_is_read_for_a_caller_who_has_gone() -> None:
    """Whoever closes the connection ends the work for it, which is counted as such."""
    view, metrics = SlowView(), Metrics()
    async with serving(view, metrics) as interface, asyncio.timeout(PATIENCE_S):
        _, writer = await connect(interface)
        writer.write(b"GET /api/results HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await view.asked.wait()
        writer.close()
        await view.given_up.wait()
        while ("http", "499") not in metrics.requests:  # noqa: ASYNC110 - counted a turn later
            await asyncio.sleep(0)
        assert (await ask(interface, "/healthz")).status == 200


TOKEN = "planted-token-of-the-interface"  # noqa: S105 - planted to be looked for


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        (None, 401),
        ("", 401),
        (TOKEN, 401),
        (f"Basic {TOKEN}", 401),
        ("Bearer", 401),
        (f"Bearer {TOKEN[:-1]}", 401),
        (f"Bearer {TOKEN}x", 401),
        ("Bearer \u00e9", 401),
        (f"Bearer {TOKEN}", 200),
        (f"bearer  {TOKEN}", 200),
    ],
)
async def test_a_token_is_asked_for_on_every_path(authorization: str | None, status: int) -> None:
    """With a token, nothing is told to those who do not show it, and the answer says how."""
    headers = {} if authorization is None else {"Authorization": authorization}
    async with serving(token=TOKEN) as interface:
        for path in ("/healthz", "/metrics", "/api/results", "/openapi.json"):
            answer = await ask(interface, path, headers)
            assert answer.status == status
            assert status == 200 or answer.headers["www-authenticate"] == "Bearer"
            assert TOKEN.encode() not in answer.body


async def test_an_unusable_token_keeps_the_interface_from_starting() -> None:
    """A node whose token cannot be read shows nothing to anybody, and says why."""

    def no_token() -> str:
        raise ConfigError("http_token_file /t is open to others")

    interface = HttpInterface(ANY_PORT, PlainView(), Metrics(), no_token)
    assert await interface.start() == "http_token_file /t is open to others"
    assert interface.listens_at is None


@pytest.mark.parametrize(
    ("host", "token", "is_exposed"),
    [("127.0.0.1", "", False), ("0.0.0.0", TOKEN, False), ("0.0.0.0", "", True)],  # noqa: S104 - said so
)
async def test_an_interface_that_strangers_can_read_says_so(
    host: str,
    token: str,
    is_exposed: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """Beyond loopback and without a token, the address and the remedy are named."""
    async with serving(address=TcpAddress(host, 0), token=token) as interface:
        exposure = interface.exposure
        assert (exposure is not None) is is_exposed
        assert exposure is None or str(interface.listens_at) in exposure
    assert interface.exposure is None


async def test_one_result_is_found_by_its_task_id() -> None:
    """A result has an address of its own."""
    answer = await answer_of("/api/results/2/1")
    assert json.loads(answer.body) == result(2)


@pytest.mark.parametrize(
    "path",
    [
        "/api/results/9/9",
        "/api/results/0/4294967296",
        "/api/results/-1/1",
        "/api/results/x/1",
        "/api/results/%32/%01",
        "/api/results/" + "9" * 5000 + "/1",
        "/api/results/2",
        "/api/results/2/1/",
        "/api/results/../../etc/passwd",
        "/api/results/%2e%2e%2f%2e%2e%2fetc/passwd",
        "/..%2f..%2fetc/passwd",
        "//etc/passwd",
        "/",
        "/nothing",
    ],
)
async def test_an_unknown_path_is_not_found(path: str) -> None:
    """Unknown ids, traversals and other paths get JSON that says so."""
    answer = await answer_of(path)
    assert answer.status in (404, 307)
    assert answer.status == 307 or set(json.loads(answer.body)) == {"error", "detail"}


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"])
async def test_the_interface_is_read_only(method: str) -> None:
    """Every method that does not read is refused, on every path."""
    for path in ("/api/settings", "/nothing"):
        answer = await answer_of(path, method=method)
        assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")


async def test_head_answers_without_content() -> None:
    """HEAD tells what GET would, without its body."""
    answer = await answer_of("/api/status", method="HEAD")
    assert (answer.status, answer.body) == (200, b"")
    assert int(answer.headers["content-length"]) > 0


@pytest.mark.parametrize("host", ["evil.example", "evil.example:9415", "", "localhost.evil", "[::"])
async def test_a_foreign_host_is_refused(host: str) -> None:
    """A page under a name that was made to point here (DNS rebinding) reads nothing."""
    assert (await answer_of("/api/results", headers={"Host": host})).status == 403


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:9415", "127.0.0.1:1", "[::1]:9415"])
async def test_addresses_and_localhost_are_let_in(host: str) -> None:
    """Names that no attacker can own are accepted with any port."""
    assert (await answer_of("/healthz", headers={"Host": host})).status == 200


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://localhost", "x"])
async def test_a_foreign_origin_is_refused(origin: str) -> None:
    """A script of another site reads nothing."""
    assert (await answer_of("/api/results", headers={"Origin": origin})).status == 403


async def test_the_own_origin_is_let_in() -> None:
    """A page from this very address may read."""
    headers = {"Host": "localhost:9415", "Origin": "http://localhost:9415"}
    assert (await answer_of("/api/status", headers=headers)).status == 200


async def test_answers_are_kept_from_browsers() -> None:
    """No answer, good or bad, is cached, guessed at or shared with other sites."""
    for path in ("/api/status", "/nothing"):
        headers = (await answer_of(path)).headers
        assert headers["cache-control"] == "no-store"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cross-origin-resource-policy"] == "same-origin"


async def test_the_probes_follow_the_node() -> None:
    """Ready needs a node that answers tasks; healthy one that makes progress."""
    view = PlainView()

    async def probes() -> tuple[int, int]:
        return (await answer_of("/healthz", view)).status, (await answer_of("/readyz", view)).status

    assert await probes() == (200, 200)
    view.change(is_ready=False)
    assert await probes() == (200, 503)
    view.change(is_ready=True, stalled=("the loop stands",))
    assert await probes() == (503, 503)
    assert json.loads((await answer_of("/healthz", view)).body)["reasons"][0] == "the loop stands"


async def test_settings_come_with_their_sources() -> None:
    """Each setting is told with where it came from."""
    content = json.loads((await answer_of("/api/settings")).body)
    assert content["pue"] == {"value": 1.58, "source": "default"}
    assert content["intensity_g_per_kwh"]["value"] is None


async def test_a_failing_store_is_an_answer() -> None:
    """What the node cannot read is told with its reason, and the interface goes on."""
    view = PlainView(is_broken=True)
    async with serving(view) as interface:
        failed, healthy = await ask(interface, "/api/results"), await ask(interface, "/healthz")
    assert failed.status == 503
    assert json.loads(failed.body)["detail"] == "results.db cannot be read: disk I/O error"
    assert healthy.status == 200


async def test_a_defect_is_logged_and_answered(caplog: pytest.LogCaptureFixture) -> None:
    """A bug behind one path costs one answer, and its traceback is in the log."""
    view = PlainView()
    view.summary = None  # type: ignore[assignment]
    answer = await answer_of("/healthz", view)
    assert answer.status == 500
    assert json.loads(answer.body)["detail"] == "the node's log says what happened"
    assert any(record.exc_info for record in caplog.records)


async def test_good_and_bad_requests_leave_no_log_line(caplog: pytest.LogCaptureFixture) -> None:
    """Neither a scrape nor a stray client fills the log."""
    caplog.set_level("DEBUG", logger="uvicorn")

    async with serving() as interface:
        await ask(interface, "/metrics")
        await ask(interface, "/nothing", {"Upgrade": "websocket", "Connection": "upgrade, close"})
    assert [record for record in caplog.records if record.name != "asyncio"] == []


async def test_a_taken_port_is_a_reason_to_warn() -> None:
    """The node goes on without its interface, and says why."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = TcpAddress("127.0.0.1", taken.getsockname()[1])
        interface = HttpInterface(address, PlainView(), Metrics())
        reason = await interface.start()
        await interface.stop()
        listens_at = interface.listens_at
    assert reason is not None
    assert reason.startswith("cannot listen at 127.0.0.1:")
    assert reason.endswith("Address already in use")
    assert listens_at is None


async def test_a_host_that_does_not_exist_is_a_reason_to_warn() -> None:
    """A name without an address does not keep the node from working."""
    address = TcpAddress("no-such-host.invalid", 9415)
    reason = await HttpInterface(address, PlainView(), Metrics()).start()
    assert str(reason).startswith("cannot listen at no-such-host.invalid:9415")


async def test_off_serves_nothing() -> None:
    """Without an address nothing starts, and nothing has to be stopped."""
    interface = HttpInterface(None, PlainView(), Metrics())
    assert await interface.start() is None
    await interface.stop()
    assert interface.listens_at is None


async def test_ipv6_is_served() -> None:
    """The loopback address of IPv6 works like that of IPv4."""
    async with serving(address=TcpAddress("::1", 0)) as interface:
        assert (await ask(interface, "/healthz", {"Host": "[::1]"})).status == 200


async def test_a_unix_socket_is_served_and_removed(tmp_path: Path) -> None:
    """A socket file is for its owner and group, and is gone after the stop."""
    path = tmp_path / "http.sock"

    async with serving(address=UnixAddress(path)) as interface:
        assert stat.S_IMODE(path.stat().st_mode) == 0o660
        assert (await ask(interface, "/healthz")).status == 200
    assert not path.exists()


async def test_a_stale_unix_socket_is_replaced(tmp_path: Path) -> None:
    """The socket of a node that was killed does not keep the next one from listening."""
    path = tmp_path / "http.sock"
    with socket.socket(socket.AF_UNIX) as killed:
        killed.bind(str(path))

    async with serving(address=UnixAddress(path)) as interface:
        assert (await ask(interface, "/healthz")).status == 200


async def test_a_living_unix_socket_is_left_alone(tmp_path: Path) -> None:
    """Two nodes do not take a socket from each other."""
    address = UnixAddress(tmp_path / "http.sock")

    async with serving(address=address) as first:
        second = HttpInterface(address, PlainView(), Metrics())
        reason, status = await second.start(), (await ask(first, "/healthz")).status
    assert str(reason).endswith("Address already in use")
    assert status == 200


async def test_a_file_is_not_replaced_by_a_socket(tmp_path: Path) -> None:
    """A path that holds something else stays as it is."""
    path = tmp_path / "precious"
    path.write_text("data")

    assert (await HttpInterface(UnixAddress(path), PlainView(), Metrics()).start()) is not None
    assert path.read_text() == "data"


async def test_signal_handlers_stay_the_nodes_own() -> None:
    """Serving installs no handler: signals belong to the daemon."""

    def handlers() -> list[object]:
        return [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]

    before = handlers()
    async with serving():
        assert handlers() == before


def test_nothing_is_imported_before_it_is_needed() -> None:
    """The node's start does not pay for the web server and the metrics' formats."""
    code = (
        "import sys, carbon_node.http.server, carbon_node.observability.metrics;"
        "print(*{'starlette', 'uvicorn', 'h11', 'prometheus_client', 'pydantic'} & {*sys.modules})"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).split() == []
