"""The composition root: builds the parts, starts and stops them in order."""

import asyncio
import importlib.metadata
import signal
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager

import structlog

from carbon_node import composition, presence
from carbon_node.errors import NodeAlreadyPresent
from carbon_node.intensity import IntensityLadder
from carbon_node.pipeline.announcer import StatusAnnouncer
from carbon_node.pipeline.answering import Answering
from carbon_node.pipeline.baseline import Baseline, BaselinePolicy
from carbon_node.pipeline.intake import Intake
from carbon_node.pipeline.join import Join
from carbon_node.pipeline.pipeline import Pipeline
from carbon_node.pipeline.ports import Conditions
from carbon_node.pipeline.publishing import Publishing
from carbon_node.settings import Configuration, Loaded
from carbon_node.tracking import TrackerPool
from carbon_node.transport.contract import Topic
from carbon_node.transport.fastdds import FastDdsTransport

DISCOVERY_S = 0.2
"""Seconds in which another node of the domain shows up: it answers the first announcement at once,
and a second announcement follows after 0.1 s."""

log = structlog.get_logger(__name__)


def serve(loaded: Loaded) -> int:
    """Run the node until a signal ends it; the log has to be configured.

    Args:
        loaded: the settings to run with.

    Returns:
        Exit status: 0 after a graceful stop, 1 after one that a second signal hurried.

    Raises:
        CarbonNodeError: the node could not start.
    """
    for warning in loaded.warnings:
        log.warning("settings", problem=warning)
    try:
        asyncio.run(_serve(loaded.configuration))
    except asyncio.CancelledError:
        log.warning("stopped at once by a second signal; running tasks were left unanswered")
        return 1
    return 0


async def _serve(configuration: Configuration) -> None:
    settings = configuration.settings
    since_s, started_ns = time.monotonic(), time.time_ns()
    stop = asyncio.Event()
    async with AsyncExitStack() as parts:
        parts.enter_context(_stopped_by_signals(stop))
        transport = FastDdsTransport(composition.fastdds_config(settings, started_ns))
        await transport.open()
        parts.push_async_callback(transport.close)
        announcer = StatusAnnouncer(transport)
        transport.connect(Topic.STATUS)
        announcer.open()
        tracker = await parts.enter_async_context(TrackerPool(composition.tracker_config(settings)))
        await _refuse_rivals(transport, settings.domain, started_ns)
        transport.connect(*composition.NODE_TOPICS)
        announcer.ready()
        log.info("ready", domain=settings.domain, seconds=round(time.monotonic() - since_s, 3))
        pipeline = _pipeline(configuration, transport, announcer, tracker)
        await pipeline.run(stop, settings.stop_budget_s)
    log.info("stopped")


class _FixedConditions:
    def __init__(self, configuration: Configuration) -> None:
        self._conditions = composition.conditions(configuration)

    def conditions(self) -> Conditions:
        return self._conditions


def _pipeline(
    configuration: Configuration,
    transport: FastDdsTransport,
    announcer: StatusAnnouncer,
    tracker: TrackerPool,
) -> Pipeline:
    settings = configuration.settings
    conditions = _FixedConditions(configuration)
    baseline = Baseline(transport, BaselinePolicy(settings.baseline))
    intensity = IntensityLadder(composition.intensity_config(settings))
    answering = Answering(tracker, intensity, conditions, importlib.metadata.version("carbon-node"))
    publishing = Publishing(
        transport, announcer, baseline, lambda: conditions.conditions().output_gap_s
    )
    intake = Intake(Join(composition.join_bounds(settings)), baseline)
    return Pipeline(transport, intake, answering, publishing, announcer)


async def _refuse_rivals(transport: FastDdsTransport, domain: int, started_ns: int) -> None:
    await asyncio.sleep(DISCOVERY_S)
    rivals = presence.rivals(transport.peers(), started_ns)
    if rivals:
        raise NodeAlreadyPresent(
            f"domain {domain} has a carbon node already: {', '.join(rivals)}; "
            "stop it, or choose another domain with --domain"
        )


@contextmanager
def _stopped_by_signals(stop: asyncio.Event) -> Iterator[None]:
    loop, serving = asyncio.get_running_loop(), asyncio.current_task()
    assert serving is not None

    def on_signal() -> None:
        if stop.is_set():
            serving.cancel()
        stop.set()

    # Installed even where a launching shell has SIGINT ignored: a node must not be hard to stop.
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal)
    try:
        yield
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
