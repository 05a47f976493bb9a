"""The composition root: builds the parts, starts and stops them in order."""

import asyncio
import signal
import time
from collections.abc import Callable, Coroutine, Iterable, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog

from carbon_node import __version__
from carbon_node.daemon import heap, limits, parts, presence
from carbon_node.daemon.failure import failure
from carbon_node.daemon.operation import OperatorInterface, StatusLine, degraded, report
from carbon_node.daemon.settings_in_force import SettingsInForce
from carbon_node.daemon.transport import NodeTransport, node_transport
from carbon_node.daemon.view import PeerView, PublishedResults
from carbon_node.observability.heartbeat import Heartbeat
from carbon_node.observability.metrics import Metrics
from carbon_node.observability.redaction import Secrets
from carbon_node.observability.supervisor import supervisor
from carbon_node.pipeline.announcer import StatusAnnouncer
from carbon_node.pipeline.answering import Answering
from carbon_node.pipeline.baseline import Baseline
from carbon_node.pipeline.control import CommandCounts, Control
from carbon_node.pipeline.endpoints import RpcEndpoint, TopicEndpoint
from carbon_node.pipeline.facts import FactsSource
from carbon_node.pipeline.former_outputs import FormerOutputs
from carbon_node.pipeline.join import Join
from carbon_node.pipeline.keeping import Keeping
from carbon_node.pipeline.outputs import Outputs
from carbon_node.pipeline.pacing import Pacing
from carbon_node.pipeline.pipeline import Pipeline
from carbon_node.pipeline.publishing import Publishing
from carbon_node.pipeline.raw_models import RawModels
from carbon_node.pipeline.reception import Reception
from carbon_node.pipeline.register import TaskRegister
from carbon_node.settings import Configuration, Loaded, supervision
from carbon_node.store import Store, open_store
from carbon_node.store.spool import FileSpool
from carbon_node.tasks.key import TaskKey
from carbon_node.tracking.pool import TrackerPool
from carbon_node.transport.choice import TransportChoice, choose
from carbon_node.wire.contract import Peer, Topic
from carbon_node.wire.samples import NO_TASK

DISCOVERY_S = 0.1
"""Seconds in which another node of the domain usually shows up: it answers a new participant within
some 20 ms."""

LATE_DISCOVERY_S = 10.0
"""Seconds in which it shows up for certain: Fast DDS announces itself every 3 s unless told
otherwise."""

LEASE_MARGIN_S = 1.0
"""Seconds after the end of a lease in which peers have noticed it."""

NO_KEY = TaskKey(NO_TASK, writer="")
"""Key of no task, by which the store is asked for a sign of life."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Node:
    pipeline: Pipeline
    publishing: Publishing
    metrics: Metrics
    services: tuple[Coroutine[Any, Any, None], ...]
    settings: SettingsInForce
    operators: OperatorInterface


def serve(loaded: Loaded, load: Callable[[], Loaded], secrets: Secrets) -> int:
    """Run the node until a signal ends it; the log has to be configured.

    Args:
        loaded: the settings to run with.
        load: loads them again, when SIGHUP asks for that.
        secrets: what the log hides; grows with the secrets that tasks carry.

    Returns:
        Exit status: 0 after a graceful stop, 1 after one that a second signal hurried.

    Raises:
        CarbonNodeError: the node could not start, or could not go on.
    """
    limits.check()
    limits.decline_core_dumps()
    for warning in loaded.warnings:
        log.warning("settings", problem=warning)
    heap.keep_large_apart()
    try:
        asyncio.run(_serve(loaded.configuration, load, secrets))
    except asyncio.CancelledError:
        log.warning("stopped at once by a second signal; running tasks were left unanswered")
        return 1
    except Exception as error:
        raise failure(error) from error
    return 0


async def _serve(
    configuration: Configuration, load: Callable[[], Loaded], secrets: Secrets
) -> None:
    settings = configuration.settings
    since_s, started_ns = time.monotonic(), time.time_ns()
    stop, reload = asyncio.Event(), asyncio.Event()
    async with AsyncExitStack() as opened:
        opened.enter_context(_signals(stop, reload))
        opened.enter_context(presence.claimed(settings.domain))
        store = await opened.enter_async_context(open_store(parts.store_config(settings), report))
        choice = await asyncio.to_thread(choose, settings.transport)
        log.info("transport chosen", transport=choice.kind, reason=choice.reason)
        transport = node_transport(choice.kind, configuration, started_ns)
        await transport.open()
        opened.push_async_callback(transport.close)
        announcer = StatusAnnouncer(transport)
        transport.connect(Topic.STATUS)
        announcer.open()
        tracker = await opened.enter_async_context(TrackerPool(parts.tracker_config(settings)))
        await _yield_to_rivals(transport, settings.domain, started_ns, is_running=False)
        transport.connect(*parts.NODE_TOPICS)
        announcer.ready()
        log.info("ready", domain=settings.domain, seconds=round(time.monotonic() - since_s, 3))
        former = FormerOutputs(
            transport, store, await store.left_with_readers(), settings.lease_duration_s
        )
        node = _node(
            configuration, choice, transport, announcer, tracker, store, former, stop, secrets
        )
        node.operators.ready()
        if settings.place:
            await asyncio.to_thread(node.settings.check_place)
        async with asyncio.TaskGroup() as services:
            # They go on during the stop: whoever asks then is still answered.
            serving = [
                services.create_task(service)
                for service in (
                    *node.services,
                    _reload_when_told(reload, node, load),
                    former.run(),
                    _stay_known(transport, node, announcer),
                    _outlive_predecessor(announcer, settings.lease_duration_s),
                    _yield_to_rivals(transport, settings.domain, started_ns, is_running=True),
                    *node.operators.services(stop),
                )
            ]
            await node.pipeline.run(stop, settings.stop_budget_s)
            for service in serving:
                service.cancel()
    log.info("stopped")


def _node(
    configuration: Configuration,
    choice: TransportChoice,
    transport: NodeTransport,
    announcer: StatusAnnouncer,
    tracker: TrackerPool,
    store: Store,
    former: FormerOutputs,
    stop: asyncio.Event,
    secrets: Secrets,
) -> _Node:
    settings = configuration.settings
    asked = supervision()
    told = supervisor(asked.notify_socket, asked.watchdog_usec)
    metrics, status_line, commands = Metrics(), StatusLine(told), CommandCounts()
    register = TaskRegister(metrics, on_change=status_line.changed)
    join = Join(parts.join_bounds(settings))
    facts = FactsSource(
        parts.identity(settings, choice),
        announcer,
        register,
        lambda: join.incomplete_count,
        commands,
        transport.overload,
        lambda: degraded(store.health),
    )
    if asked.notify_socket:
        status_line.follow(facts.facts)
    results = PublishedResults(store.page)
    in_force = SettingsInForce(configuration, PeerView(facts, results), tracker)
    baseline = Baseline(transport, settings.baseline)
    outputs = Outputs(transport, store, former)
    pacing = Pacing(
        in_force.output_gap_s,
        partial(transport.is_acknowledged, Topic.FOOTPRINT),
        partial(transport.wait_for_acknowledgments, Topic.FOOTPRINT),
    )
    publishing = Publishing(outputs, announcer, baseline, pacing)
    pipeline = Pipeline(
        Keeping(store, parts.keeping_policy(settings, choice.kind)),
        Answering(in_force, __version__),
        publishing,
        announcer,
        register,
        secrets,
    )

    def terminate() -> bool:
        if settings.allow_remote_terminate:
            stop.set()
        return stop.is_set()

    control = Control(pipeline, in_force.service.reset, terminate, commands, metrics)
    spool = FileSpool(settings.state_dir)
    spool.clear()
    models = RawModels(spool, in_force)
    topics = TopicEndpoint(transport, in_force.service, metrics)
    calls = RpcEndpoint(transport, in_force.service, metrics)
    reception = Reception(join, models, baseline, pipeline, control, topics, store)
    heartbeats = [
        Heartbeat("the transport", transport.sign_of_life),
        Heartbeat("the store", lambda: store.editions(NO_KEY)),
    ]
    operators = OperatorInterface(
        told, metrics, facts, results, in_force.service, heartbeats, secrets
    )
    services = (reception.run(transport.arrivals()), topics.run(), calls.run())
    return _Node(pipeline, publishing, metrics, services, in_force, operators)


async def _reload_when_told(told: asyncio.Event, node: _Node, load: Callable[[], Loaded]) -> None:
    while True:
        await told.wait()
        told.clear()
        with node.operators.reloading():
            node.settings.reload(load)


async def _stay_known(transport: NodeTransport, node: _Node, announcer: StatusAnnouncer) -> None:
    while True:
        loss = await transport.loss()
        log.warning(
            "peers may have given this node up",
            reason=loss.reason,
            action="joins again" if loss.is_lasting else "none, they find it again",
        )
        node.metrics.peers_lost(has_rejoined=loss.is_lasting)
        if loss.is_lasting:
            count = await node.publishing.rejoin(partial(_join_again, transport, announcer))
            log.info("joined again", outputs_published_again=count)
            # The former participant had samples and instances of its own.
            await asyncio.to_thread(heap.give_back)
        else:
            node.publishing.go_on()
        # Whoever took the silence for the node's end is put right.
        announcer.repeat()


def _join_again(transport: NodeTransport, announcer: StatusAnnouncer) -> None:
    transport.rejoin()
    # Peers get it as they discover the new participant; the outputs may take their time.
    announcer.repeat()


async def _outlive_predecessor(announcer: StatusAnnouncer, lease_duration_s: float) -> None:
    """Say the status again once peers have noticed the death of a predecessor that was killed.

    They take it for the death of this node, whose name it had.
    """
    await asyncio.sleep(lease_duration_s + LEASE_MARGIN_S)
    announcer.repeat()


async def _yield_to_rivals(
    transport: NodeTransport, domain: int, started_ns: int, *, is_running: bool
) -> None:
    def rivals(peers: Iterable[Peer]) -> tuple[str, ...]:
        return presence.rivals(peers, started_ns, is_running=is_running)

    within_s = LATE_DISCOVERY_S if is_running else DISCOVERY_S
    if await transport.wait_for_peers(lambda peers: bool(rivals(peers)), within_s):
        raise presence.already_present(domain, rivals(transport.peers()))
    for guid in presence.unverified(transport.peers()):
        log.warning(
            "another participant has this node's name and does not say since when: if it is a "
            "carbon node, stop one of the two, or both answer",
            guid=guid,
        )


@contextmanager
def _signals(stop: asyncio.Event, reload: asyncio.Event) -> Iterator[None]:
    loop, serving = asyncio.get_running_loop(), asyncio.current_task()

    def on_stop() -> None:
        if stop.is_set() and serving is not None:
            serving.cancel()
        stop.set()

    # Installed even where a launching shell has SIGINT ignored: a node must not be hard to stop.
    actions = {signal.SIGTERM: on_stop, signal.SIGINT: on_stop, signal.SIGHUP: reload.set}
    for number, action in actions.items():
        loop.add_signal_handler(number, action)
    try:
        yield
    finally:
        for number in actions:
            loop.remove_signal_handler(number)
