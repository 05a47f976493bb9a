"""The composition root: builds the parts, starts and stops them in order."""

import asyncio
import signal
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager

import structlog

from carbon_node import __version__, composition, presence
from carbon_node.intensity import IntensityLookup
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

DISCOVERY_S = 0.1
"""Seconds in which another node of the domain usually shows up: it answers a new participant within
some 20 ms."""

LATE_DISCOVERY_S = 10.0
"""Seconds in which it shows up for certain: Fast DDS announces itself every 3 s unless told
otherwise."""

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
    except ExceptionGroup as group:
        raise _cause(group) from group
    return 0


def _cause(error: Exception) -> Exception:
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return error


async def _serve(configuration: Configuration) -> None:
    settings = configuration.settings
    since_s, started_ns = time.monotonic(), time.time_ns()
    stop = asyncio.Event()
    async with AsyncExitStack() as parts:
        parts.enter_context(_stopped_by_signals(stop))
        parts.enter_context(presence.claimed(settings.domain))
        transport = FastDdsTransport(composition.fastdds_config(settings, started_ns))
        await transport.open()
        parts.push_async_callback(transport.close)
        announcer = StatusAnnouncer(transport)
        transport.connect(Topic.STATUS)
        announcer.open()
        tracker = await parts.enter_async_context(TrackerPool(composition.tracker_config(settings)))
        await _yield_to_rivals(transport, settings.domain, started_ns, DISCOVERY_S)
        transport.connect(*composition.NODE_TOPICS)
        announcer.ready()
        log.info("ready", domain=settings.domain, seconds=round(time.monotonic() - since_s, 3))
        pipeline = _pipeline(configuration, transport, announcer, tracker)
        async with asyncio.TaskGroup() as tasks:
            late = tasks.create_task(
                _yield_to_rivals(transport, settings.domain, started_ns, LATE_DISCOVERY_S)
            )
            await pipeline.run(stop, settings.stop_budget_s)
            late.cancel()
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
    intensity = IntensityLookup(composition.intensity_config(settings))
    answering = Answering(tracker, intensity, conditions, __version__)
    publishing = Publishing(
        transport, announcer, baseline, lambda: conditions.conditions().output_gap_s
    )
    intake = Intake(Join(composition.join_bounds(settings)), baseline)
    return Pipeline(transport, intake, answering, publishing, announcer)


async def _yield_to_rivals(
    transport: FastDdsTransport, domain: int, started_ns: int, within_s: float
) -> None:
    await transport.wait_until(
        lambda: bool(presence.rivals(transport.peers(), started_ns)), within_s
    )
    rivals = presence.rivals(transport.peers(), started_ns)
    if rivals:
        raise presence.already_present(domain, rivals)


@contextmanager
def _stopped_by_signals(stop: asyncio.Event) -> Iterator[None]:
    loop, serving = asyncio.get_running_loop(), asyncio.current_task()

    def on_signal() -> None:
        if stop.is_set() and serving is not None:
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
