"""The transport that a node runs on, made from its settings.

Only the chosen one is imported: the embedded Fast DDS and a workspace's must not meet in one
process.
"""

import logging
from collections.abc import Callable, Collection
from functools import partial
from typing import Protocol, assert_never

from carbon_node import __version__
from carbon_node.daemon import parts
from carbon_node.estimation import NotComputed, Reason
from carbon_node.observability.noise import OWN
from carbon_node.pipeline import translate
from carbon_node.pipeline.ports import CallTransport, Transport
from carbon_node.pipeline.task import TaskInputs
from carbon_node.settings import Configuration, Settings
from carbon_node.tasks.key import TaskKey
from carbon_node.transport.choice import TransportKind
from carbon_node.transport.sustainml.callbacks import Deadlines, Unanswered
from carbon_node.transport.sustainml.transport import SustainmlConfig, SustainmlTransport
from carbon_node.wire.contract import Loss, Peer, Topic
from carbon_node.wire.samples import CO2Footprint, HWResource, MLModel, UserInput

MARGIN_S = 5.0
"""Seconds that a task may take beyond its measurement and its intensity, before its callback gives
it up: the node's own work on a busy host."""


_log = logging.getLogger("fastdds")
_own_log = logging.getLogger(__name__)


class NodeTransport(Transport, CallTransport, Protocol):
    """What the node needs of the transport that it runs on."""

    async def open(self) -> None:
        """Join the domain."""
        ...

    async def close(self) -> None:
        """Leave the domain."""
        ...

    def connect(self, *topics: Topic) -> None:
        """Create readers and writers."""
        ...

    async def wait_for_peers(
        self, fact: Callable[[Collection[Peer]], bool], timeout_s: float
    ) -> bool:
        """Wait until a fact about the peers holds; False if not in time."""
        ...

    async def loss(self) -> Loss:
        """Wait until peers have probably lost this node, and say why."""
        ...

    def rejoin(self) -> None:
        """Join the domain as a new participant, with the same endpoints.

        Raises:
            TransportError: it cannot.
        """
        ...

    def overload(self) -> str | None:
        """Say what is refused for lack of room now; None if nothing is."""
        ...

    async def sign_of_life(self) -> None:
        """Return once the transport has shown that it makes progress.

        Raises:
            TransportError: it cannot.
        """
        ...


def node_transport(
    kind: TransportKind, configuration: Configuration, started_ns: int
) -> NodeTransport:
    """Make the transport of a node.

    Args:
        kind: which one.
        configuration: the one at start; what is changed later has no effect here.
        started_ns: when the process started, nanoseconds since the epoch.

    Raises:
        BindingUnavailable: the embedded Fast DDS cannot be loaded.
    """
    match kind:
        case TransportKind.FASTDDS:
            return _fastdds(configuration.settings, started_ns)
        case TransportKind.SUSTAINML:
            return SustainmlTransport(sustainml_config(configuration))
        case _:
            assert_never(kind)


def sustainml_config(configuration: Configuration) -> SustainmlConfig:
    """Derive how the node runs on the library of a workspace."""
    settings, tracker = configuration.settings, configuration.settings.tracker
    task_s = (
        tracker.queue_wait_s
        + tracker.deadline_s
        + tracker.grace_s
        + settings.live_timeout_s
        + settings.output_gap_ms / 1000
        + MARGIN_S
    )
    failed = partial(_failed, configuration.revision)
    return SustainmlConfig(settings.domain, Deadlines(task_s), failed, log_line)


def _fastdds(settings: Settings, started_ns: int) -> NodeTransport:
    # Imported here, because it loads Fast DDS.
    from carbon_node.transport.fastdds import FastDdsConfig, FastDdsTransport

    return FastDdsTransport(
        FastDdsConfig(
            domain=settings.domain,
            role=parts.node_role(started_ns),
            lease_duration_s=settings.lease_duration_s,
            log=log_line,
        )
    )


def _failed(
    revision: int,
    user_input: UserInput,
    ml_model: MLModel,
    hw_resource: HWResource,
    why: Unanswered,
) -> CO2Footprint:
    key = TaskKey(user_input.task_id, writer="")
    inputs = TaskInputs(key, user_input, ml_model, hw_resource)
    reason = Reason.STOPPED if why is Unanswered.STOPPED else Reason.INTERNAL_ERROR
    return translate.to_footprint(inputs, NotComputed(reason, why.value), __version__, revision)


def log_line(severity: str, category: str, message: str) -> None:
    """Log a line of Fast DDS with the weight that it has for this node.

    Args:
        severity: error, warning, info or debug.
        category: part of Fast DDS that says it.
        message: what it says.
    """
    # What the node's own transport says must not be left out among repetitions of Fast DDS.
    log = _own_log if category == OWN else _log
    level = logging.getLevelNamesMapping()[severity.upper()]
    log.log(level, message.strip(), extra={"category": category})
