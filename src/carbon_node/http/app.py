"""Routes of the local interface and their answers."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import BaseModel, TypeAdapter, create_model
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from carbon_node.errors import CarbonNodeError
from carbon_node.http.guard import Guard, error_response
from carbon_node.http.metrics_page import MetricsPage
from carbon_node.http.openapi import Operation, Parameter, description
from carbon_node.http.view import NodeSummary, NodeView, SettingValue
from carbon_node.observability.metrics import Metrics
from carbon_node.store.result import COLUMNS

RESULTS_LIMIT = 500
"""Results per answer at most."""

RESULTS_DEFAULT = 50
"""Results per answer where the request does not say."""

_LARGEST_UINT32 = 2**32 - 1
_LARGEST_OFFSET = 2**31 - 1


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


def application(view: NodeView, metrics: Metrics, host: str) -> ASGIApp:
    """Return the guarded application.

    Args:
        view: where the answers come from.
        metrics: what `/metrics` shows, and where requests are counted.
        host: configured host name, which requests may name as Host.
    """
    app = Starlette(
        routes=[Route(known.path, known.endpoint) for known in operations(view, metrics)],
        exception_handlers={
            HTTPException: _http_error,
            CarbonNodeError: _node_error,
            Exception: _defect,
        },
    )
    return Guard(app, metrics, host)


def operations(view: NodeView, metrics: Metrics) -> tuple[Operation, ...]:
    """Return what the interface offers: its routes and its description are made from this."""
    return _Endpoints(view, metrics).operations()


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
                _PAGE,
                failures=(400, 503),
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
        limit, offset = (_query_number(request, parameter) for parameter in _PAGE)
        return JSONResponse(await self._view.results(limit, offset))

    async def result(self, request: Request) -> Response:
        texts = [request.path_params[parameter.name] for parameter in _TASK_ID]
        problem, iteration = (_number(text, _LARGEST_UINT32) for text in texts)
        found = None
        if problem is not None and iteration is not None:
            found = await self._view.result(problem, iteration)
        if found is None:
            raise HTTPException(404, f"no result of task {'/'.join(texts)[:80]}")
        return JSONResponse(found)

    async def settings(self, _request: Request) -> Response:
        return _json(self._settings, dict(self._view.settings()))

    async def openapi(self, _request: Request) -> Response:
        return JSONResponse(description(self.operations(), self._view.status().version))


_TASK_ID = (
    Parameter("problem", "path", "First part of the task id.", 0, _LARGEST_UINT32),
    Parameter("iteration", "path", "Second part of the task id.", 0, _LARGEST_UINT32),
)
_PAGE = (
    Parameter("limit", "query", "Results at most.", 1, RESULTS_LIMIT, RESULTS_DEFAULT),
    Parameter("offset", "query", "Newest results to leave out.", 0, _LARGEST_OFFSET, 0),
)


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


def _query_number(request: Request, parameter: Parameter) -> int:
    text = request.query_params.get(parameter.name, str(parameter.default))
    number = _number(text, parameter.maximum)
    if number is None or number < parameter.minimum:
        bounds = f"{parameter.minimum}..{parameter.maximum}"
        raise HTTPException(400, f"{parameter.name} is {text[:80]!r}, expected {bounds}")
    return number


def _number(text: str, maximum: int) -> int | None:
    """Return the decimal number up to `maximum`, None if the text is anything else."""
    is_number = text.isascii() and text.isdecimal() and len(text) <= len(str(maximum))
    return int(text) if is_number and int(text) <= maximum else None


def _json(adapter: TypeAdapter[Any], content: object, status: int = 200) -> Response:
    return Response(adapter.dump_json(content), status, media_type="application/json")


async def _http_error(_request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise TypeError("registered for HTTPException only") from error
    return error_response(error.status_code, error.detail, error.headers)


async def _node_error(_request: Request, error: Exception) -> Response:
    return error_response(503, str(error))


async def _defect(_request: Request, _error: Exception) -> Response:
    return error_response(500, "the node's log says what happened")
