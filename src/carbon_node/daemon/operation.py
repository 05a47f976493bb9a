"""Everything by which a running node is watched: supervisor, local interface, log of its health."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import structlog

from carbon_node.daemon.heap import settle
from carbon_node.daemon.view import LocalView, PublishedResults
from carbon_node.http.address import parse_address
from carbon_node.http.server import HttpInterface
from carbon_node.http.token import read_token
from carbon_node.observability.heartbeat import Heartbeat
from carbon_node.observability.logs import log_left_out
from carbon_node.observability.metrics import Metrics
from carbon_node.observability.redaction import Secrets
from carbon_node.observability.supervisor import Supervisor
from carbon_node.pipeline.facts import FactsSource, NodeFacts
from carbon_node.settings import ConfigurationService
from carbon_node.store import Health

PERIOD_S = 1.0
"""Least seconds between two status lines, while tasks come and go; without tasks none is sent."""

LEFT_OUT_PERIOD_S = 10.0
"""Seconds between two looks for log records that were left out as repetitions."""

log = structlog.get_logger(__name__)


class OperatorInterface:
    """Shows a node to those who operate it.

    Args:
        supervisor: who started the node.
        metrics: what is counted.
        facts: knows how the node is.
        results: what was published.
        service: holds the settings in force.
        heartbeats: signs of life of the node's parts: while one is missing, the watchdog is not
            fed and the health probe fails.
        secrets: what the log hides; the interface's token is added.
    """

    def __init__(
        self,
        supervisor: Supervisor,
        metrics: Metrics,
        facts: FactsSource,
        results: PublishedResults,
        service: ConfigurationService,
        heartbeats: Iterable[Heartbeat],
        secrets: Secrets,
    ) -> None:
        self._supervisor = supervisor
        self._facts = facts
        self._heartbeats = tuple(heartbeats)
        checks = [heartbeat.check for heartbeat in self._heartbeats]
        self._checks = checks
        settings = service.current.settings
        self._token_file, self._secrets = settings.http_token_file, secrets
        view = LocalView(facts, results, service, checks, self._warnings)
        address = parse_address(settings.http_listen)
        self._interface = HttpInterface(address, view, metrics, self._token)

    def ready(self) -> None:
        """Say that the node answers tasks."""
        self._supervisor.ready(status_text(self._facts.facts()))

    @contextmanager
    def reloading(self) -> Iterator[None]:
        """Say that the configuration is being read again, and when that is over."""
        self._supervisor.reloading()
        try:
            yield
        finally:
            self.ready()

    def services(self, stop: asyncio.Event) -> list[Coroutine[Any, Any, None]]:
        """Return what has to run beside the node, each until cancelled.

        Args:
            stop: set when the node begins to end.
        """
        beating = [heartbeat.run() for heartbeat in self._heartbeats]
        watching = self._supervisor.watch(self._checks)
        return [
            watching,
            self._serve_interface(),
            self._tell_stop(stop),
            _count_left_out(),
            *beating,
        ]

    async def _tell_stop(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._supervisor.stopping()
        facts = self._facts.facts()
        log.info(
            "stopping",
            incomplete=facts.incomplete_count,
            waiting=facts.waiting_count,
            running=len(facts.running),
        )

    def _token(self) -> str:
        if self._token_file is None:
            return ""
        token = read_token(self._token_file)
        self._secrets.register(token)
        return token

    def _warnings(self) -> tuple[str, ...]:
        exposure = self._interface.exposure
        return () if exposure is None else (exposure,)

    async def _serve_interface(self) -> None:
        try:
            problem = await self._interface.start()
            if problem is not None:
                log.warning("no local interface", problem=problem)
            elif self._interface.listens_at is not None:
                log.info("local interface", address=self._interface.listens_at)
            for warning in self._warnings():
                log.warning("local interface is open to others", problem=warning)
            # Its modules are the last that a start loads.
            settle()
            await asyncio.get_running_loop().create_future()
        finally:
            await self._interface.stop()


async def _count_left_out() -> None:
    try:
        while True:
            await asyncio.sleep(LEFT_OUT_PERIOD_S)
            log_left_out()
    finally:
        log_left_out(is_end=True)


class StatusReceiver(Protocol):
    """Shows the line."""

    def status(self, text: str) -> None:
        """Take the line."""
        ...


def status_text(facts: NodeFacts) -> str:
    """Return the line."""
    state = "paused" if facts.is_paused else facts.status.name.lower()
    running, answered = len(facts.running), facts.answered_count
    counts = f"{facts.waiting_count} waiting, {running} running, {answered} done"
    failed = f" ({facts.failed_count} without a result)" if facts.failed_count else ""
    incomplete = f", {facts.incomplete_count} without all inputs" if facts.incomplete_count else ""
    return f"{state}: {counts}{failed}{incomplete}"


class StatusLine:
    """Tells the supervisor when the line has changed, without a wake-up while nothing happens.

    Args:
        receiver: who shows the line.
    """

    def __init__(self, receiver: StatusReceiver) -> None:
        self._receiver = receiver
        self._facts: Callable[[], NodeFacts] | None = None
        self._timer: asyncio.TimerHandle | None = None

    def follow(self, facts: Callable[[], NodeFacts]) -> None:
        """Begin to tell these facts; without, there is nothing to tell."""
        self._facts = facts

    def changed(self) -> None:
        """Note that tasks have come or gone; belongs to the loop's thread."""
        if self._facts is not None and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(PERIOD_S, self._tell)

    def _tell(self) -> None:
        self._timer = None
        if self._facts is None:
            return
        facts = self._facts()
        self._receiver.status(status_text(facts))
        if facts.running or facts.waiting_count:
            self.changed()


def report(health: Health) -> None:
    """Log a change of the store's health."""
    if health.moved_aside is not None:
        log.error(
            "results database was damaged; it was moved aside and a new one begun",
            moved_to=str(health.moved_aside),
        )
    if health.is_degraded:
        log.error("degraded: results are kept in memory only", problem=health.trouble)
    else:
        log.info("results are kept on disk", lost=health.lost)


def degraded(health: Health) -> list[str]:
    """Say what works less well than it should and why, one line each."""
    lines = []
    if health.is_degraded:
        lines.append(f"results: {health.unwritten} tasks are in memory only: {health.trouble}")
    if health.lost:
        lines.append(
            f"results: {health.lost} answers were published and are missing from the history"
        )
    if health.moved_aside is not None:
        lines.append(f"results: the damaged database was moved to {health.moved_aside}")
    return lines
