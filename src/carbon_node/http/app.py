"""Routes of the local interface and their answers."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from pydantic import BaseModel, TypeAdapter, create_model
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from carbon_node.errors import CarbonNodeError
from carbon_node.http.departure import unless_gone
from carbon_node.http.guard import Guard, error_response
from carbon_node.http.metrics_page import MetricsPage
from carbon_node.http.openapi import Endpoint, Operation, description
from carbon_node.http.parameters import (
    Number,
    Text,
    number_in_query,
    refusal,
    refuse_others,
    whole_number,
)
from carbon_node.http.view import NodeSummary, NodeView, ResultsPage, SettingValue
from carbon_node.observability.metrics import Metrics
from carbon_node.store import Cursor
from carbon_node.store.result import COLUMNS

RESULTS_LIMIT = 500
"""Results per answer at most."""

RESULTS_DEFAULT = 50
"""Results per answer where the request does not say."""

CLIENT_GONE = 499
"""Status that is counted for a caller who did not wait, as nginx has it."""

_LARGEST_UINT32 = 2**32 - 1


@dataclass(frozen=True, slots=True)
class SinceStart:
    """What the node has published since its start.

    Args:
        tasks: how many tasks, by outcome.
        energy_kwh: sum of their facility energy, kWh.
        carbon_g: sum of their carbon, gCO2e.
    """

    tasks: Mapping[str, int]
    energy_kwh: float
    carbon_g: float


@dataclass(frozen=True, slots=True)
class StatusAnswer:
    """What the node is doing, and what it has done since its start."""

    node: NodeSummary
    totals: SinceStart


@dataclass(frozen=True, slots=True)
class Liveness:
    """Answer of the probes.

    Args:
        ok: what the status code says too.
        state: the node's status as published.
        reasons: why not ok, and what works less well than configured; one line each.
    """

    ok: bool
    state: str
    reasons: tuple[str, ...]


def application(view: NodeView, metrics: Metrics, host: str, token: str) -> ASGIApp:
    """Return the guarded application.

    Args:
        view: where the answers come from.
        metrics: what `/metrics` shows, and where requests are counted.
        host: configured host name, which requests may name as Host.
        token: what requests have to carry; empty for nothing.
    """
    app = Starlette(
        routes=[Route(known.path, _strict(known)) for known in operations(view, metrics)],
        exception_handlers={
            HTTPException: _http_error,
            CarbonNodeError: _node_error,
            Exception: _defect,
        },
    )
    return Guard(app, metrics, host, token)


def operations(view: NodeView, metrics: Metrics) -> tuple[Operation, ...]:
    """Return what the interface offers: its routes and its description are made from this."""
    return _Endpoints(view, metrics).operations()


def _strict(operation: Operation) -> Endpoint:
    """Return the endpoint behind a look at what the query carries."""

    async def answer(request: Request) -> Response:
        refuse_others(request, operation.parameters)
        return await operation.endpoint(request)

    return answer


class _Endpoints:
    def __init__(self, view: NodeView, metrics: Metrics) -> None:
        self._view = view
        self._metrics = metrics
        self._page = MetricsPage(metrics, view)
        self._status = TypeAdapter(StatusAnswer)
        self._liveness = TypeAdapter(Liveness)
        result = _result_type()
        self._results = TypeAdapter(list[result])  # type: ignore[valid-type]
        self._result = TypeAdapter(result)
        self._settings = TypeAdapter(dict[str, SettingValue])

    def operations(self) -> tuple[Operation, ...]:
        probe = (200, 503)
        return (
            Operation("/healthz", self.healthz, "Whether it lives.", self._liveness, (), probe),
            Operation("/readyz", self.readyz, "Whether it answers.", self._liveness, (), probe),
            Operation("/metrics", self.metrics, "Metrics for Prometheus.", None),
            Operation("/api/status", self.status, "What the node does.", self._status),
            Operation(
                "/api/results",
                self.results,
                "Published results, newest first.",
                self._results,
                (_LIMIT, _AFTER),
                failures=(400, 503),
                link="The next page, as rel=next; none behind the oldest result.",
            ),
            Operation(
                "/api/results/{problem}/{iteration}",
                self.result,
                "The newest result of a task.",
                self._result,
                _TASK_ID,
                failures=(404, 503),
            ),
            Operation("/api/settings", self.settings, "The settings.", self._settings),
            Operation("/openapi.json", self.openapi, "This description.", TypeAdapter(dict)),
        )

    async def healthz(self, _request: Request) -> Response:
        summary = self._view.status()
        return self._probe(summary, is_ok=not summary.stalled)

    async def readyz(self, _request: Request) -> Response:
        summary = self._view.status()
        return self._probe(summary, is_ok=summary.is_ready and not summary.stalled)

    def _probe(self, summary: NodeSummary, *, is_ok: bool) -> Response:
        liveness = Liveness(is_ok, summary.state, summary.stalled + summary.degraded)
        return _json(self._liveness, liveness, 200 if is_ok else 503)

    async def metrics(self, request: Request) -> Response:
        content_type, page = self._page.render(request.headers.get("accept", ""))
        return Response(page, media_type=content_type)

    async def status(self, _request: Request) -> Response:
        counted = self._metrics
        totals = SinceStart(counted.tasks, counted.energy_kwh, counted.carbon_g)
        return _json(self._status, StatusAnswer(self._view.status(), totals))

    async def results(self, request: Request) -> Response:
        limit, after = number_in_query(request, _LIMIT), _cursor(request)
        page = await unless_gone(request, self._view.results(limit, after))
        if page is None:
            return Response(status_code=CLIENT_GONE)
        return _json_text(f"[{','.join(page.results)}]", _link(page, limit))

    async def result(self, request: Request) -> Response:
        texts = [request.path_params[parameter.name] for parameter in _TASK_ID]
        problem, iteration = (whole_number(text, _LARGEST_UINT32) for text in texts)
        found = None
        if problem is not None and iteration is not None:
            found = await unless_gone(request, self._view.result(problem, iteration))
        if found is None:
            raise HTTPException(404, f"no result of task {'/'.join(texts)[:80]}")
        return _json_text(found)

    async def settings(self, _request: Request) -> Response:
        return _json(self._settings, dict(self._view.settings()))

    async def openapi(self, _request: Request) -> Response:
        return JSONResponse(description(self.operations(), self._view.status().version))


_TASK_ID = (
    Number("problem", "path", "First part of the task id.", 0, _LARGEST_UINT32),
    Number("iteration", "path", "Second part of the task id.", 0, _LARGEST_UINT32),
)
_LIMIT = Number("limit", "query", "Results at most.", 1, RESULTS_LIMIT, RESULTS_DEFAULT)
_AFTER = Text("after", "Where the page begins: taken from the Link header of the one before.")


def _result_type() -> type[BaseModel]:
    """Describe the columns of a result: a new one is in the description without a line here."""
    types: dict[str, Any] = {
        "integer": int,
        "number": float,
        "boolean": bool,
        "text": str,
        "time": datetime,
        "json": Any,
    }
    columns: dict[str, Any] = {name: (types[kind] | None, ...) for name, kind in COLUMNS.items()}
    return create_model("TaskResult", **columns)


def _cursor(request: Request) -> Cursor | None:
    text = request.query_params.get(_AFTER.name)
    if text is None:
        return None
    try:
        return Cursor.parsed(text)
    except ValueError as error:
        raise refusal(_AFTER, text, "what the Link header of an earlier page has") from error


def _link(page: ResultsPage, limit: int) -> dict[str, str]:
    """Return the header that leads to the next page, see RFC 8288."""
    if page.following is None:
        return {}
    query = urlencode({_LIMIT.name: limit, _AFTER.name: str(page.following)})
    return {"link": f'</api/results?{query}>; rel="next"'}


def _json(adapter: TypeAdapter[Any], content: object, status: int = 200) -> Response:
    return Response(adapter.dump_json(content), status, media_type="application/json")


def _json_text(text: str, headers: Mapping[str, str] | None = None) -> Response:
    return Response(text, headers=headers, media_type="application/json")


async def _http_error(_request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise TypeError("registered for HTTPException only") from error
    return error_response(error.status_code, error.detail, error.headers)


async def _node_error(_request: Request, error: Exception) -> Response:
    return error_response(503, str(error))


async def _defect(_request: Request, _error: Exception) -> Response:
    return error_response(500, "the node's log says what happened")
