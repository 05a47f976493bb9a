"""Everything by which a running node is watched: supervisor, local interface, health."""

import asyncio
from collections.abc import Coroutine, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import structlog

from carbon_node.daemon.heap import settle
from carbon_node.daemon.status_line import status_text
from carbon_node.daemon.view import EditionSource, LocalView
from carbon_node.http.address import parse_address
from carbon_node.http.server import HttpInterface
from carbon_node.observability.heartbeat import Heartbeat
from carbon_node.observability.metrics import Metrics
from carbon_node.observability.supervisor import Supervisor
from carbon_node.pipeline.view import NodeView
from carbon_node.settings import ConfigurationService

log = structlog.get_logger(__name__)


class Operation:
    """Shows a node to those who operate it.

    Args:
        supervisor: who started the node.
        metrics: what is counted.
        view: what the node knows of itself.
        service: holds the settings in force.
        heartbeats: signs of life of the node's parts: while one is missing, the watchdog is not
            fed and the health probe fails.
        editions: finds results in the store.
    """

    def __init__(
        self,
        supervisor: Supervisor,
        metrics: Metrics,
        view: NodeView,
        service: ConfigurationService,
        heartbeats: Iterable[Heartbeat],
        editions: EditionSource,
    ) -> None:
        self._supervisor = supervisor
        self._view = view
        self._heartbeats = tuple(heartbeats)
        checks = [heartbeat.check for heartbeat in self._heartbeats]
        self._checks = checks
        address = parse_address(service.current.settings.http_listen)
        self._interface = HttpInterface(
            address, LocalView(view, service, checks, editions), metrics
        )

    def ready(self) -> None:
        """Say that the node answers tasks."""
        self._supervisor.ready(status_text(self._view.facts()))

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
        return [watching, self._serve_interface(), self._tell_stop(stop), *beating]

    async def _tell_stop(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._supervisor.stopping()
        facts = self._view.facts()
        log.info("stopping", waiting=facts.waiting_count, running=len(facts.running))

    async def _serve_interface(self) -> None:
        try:
            problem = await self._interface.start()
            if problem is not None:
                log.warning("no local interface", problem=problem)
            elif self._interface.listens_at is not None:
                log.info("local interface", address=self._interface.listens_at)
            settle()  # Its modules are the last that a start loads.
            await asyncio.get_running_loop().create_future()
        finally:
            await self._interface.stop()
