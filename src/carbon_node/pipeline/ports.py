"""What the pipeline needs from the world; adapters satisfy these without knowing the pipeline."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Protocol

from carbon_node.estimation import Assumptions, CarbonIntensity, LatencyUnit, NamedHardware, Place
from carbon_node.estimation.measurement import Measurement, ModelRun, Run, SpooledBytes
from carbon_node.tasks.answer import Answer, Kept
from carbon_node.tasks.decision import Decision
from carbon_node.tasks.key import Summary, TaskKey
from carbon_node.tasks.lineage import UNKNOWN, SampleId, Sources, Span, Use
from carbon_node.wire.contract import Arrival, ConfigurationCall, Peer, Receipt, Topic
from carbon_node.wire.samples import Octets, Sample, TaskId


class Transport(Protocol):
    """Samples in and out. All calls come from the event loop's thread."""

    def arrivals(self) -> AsyncIterator[Arrival]:
        """Yield samples of all topics read, until closed; one consumer at a time."""
        ...

    def publish(self, topic: Topic, sample: Sample) -> None:
        """Write a sample.

        Raises:
            TransportError: it could not be written.
        """
        ...

    def retire(self, topic: Topic, sample: Sample) -> None:
        """End the instance that the sample's key names, here and at the readers.

        Raises:
            TransportError: it could not be ended.
        """
        ...

    def adopt(self, topic: Topic, sample: Sample) -> None:
        """Take over an instance that an earlier life of the node published, so as to retire it.

        Raises:
            TransportError: it could not be taken over.
        """
        ...

    def peers(self) -> tuple[Peer, ...]:
        """Other participants of the domain."""
        ...

    def matched(self, topic: Topic) -> int | None:
        """Count the endpoints of others that match ours of a topic; None if that is unknown."""
        ...

    async def wait_for_match(self, topic: Topic, count: int = 1, *, timeout_s: float) -> bool:
        """Wait until `count` endpoints of others match ours of a topic; False if none in time."""
        ...

    def is_acknowledged(self, topic: Topic) -> bool:
        """Whether all matched readers have all that was published; never blocks.

        True if none is matched, or if it cannot be known.

        Raises:
            TransportError: the topic has no writer.
        """
        ...

    def is_instance_acknowledged(self, topic: Topic, sample: Sample) -> bool:
        """Whether all matched readers have the last sample of an instance, as far as is known."""
        ...

    def is_in_doubt(self) -> bool:
        """Whether peers may have lost this node a moment ago, which is looked into."""
        ...

    async def wait_for_acknowledgments(self, topic: Topic, timeout_s: float) -> bool:
        """Wait until all matched readers have all that was published.

        Returns:
            False if not in time, or if it cannot be known.

        Raises:
            TransportError: it cannot be waited for.
        """
        ...

    async def wait_for_receipt(self, topic: Topic, timeout_s: float) -> Receipt:
        """Wait until the matched readers, or all that still answer, have what was published.

        Raises:
            TransportError: it cannot be waited for.
        """
        ...


class TaskStore(Protocol):
    """What was accepted and answered, across restarts. A failing disk is no error here."""

    async def accept(
        self,
        key: TaskKey,
        digest: str,
        summary: Summary,
        *,
        repeat: bool = False,
        sources: Sources = UNKNOWN,
    ) -> Decision:
        """Record that a task's inputs are complete; say whether it has to be computed."""
        ...

    async def save(
        self,
        key: TaskKey,
        digest: str,
        summary: Summary,
        answer: Answer,
        *,
        sources: Sources = UNKNOWN,
    ) -> Kept:
        """Keep an answer durably; return the one to publish."""
        ...

    async def past(self) -> tuple[Span, ...] | None:
        """Tell which samples earlier lives of the node used; None if that cannot be read now."""
        ...

    async def uses(
        self, task_id: TaskId, ml_model: SampleId, hw_resource: SampleId
    ) -> tuple[Use, ...]:
        """Tell what the writers of two samples gave to tasks of an id, as far as it is known."""
        ...

    def mark_published(self, kept: Kept) -> None:
        """Note that an answer was written to the output topic."""
        ...

    def mark_acknowledged(self, kept: Kept) -> None:
        """Note that the matched readers, or all that still answered, have an answer."""
        ...

    def mark_ended(self, kept: Kept) -> None:
        """Note that no reader holds an answer's instance any more."""
        ...

    async def left_with_readers(self) -> tuple[Kept, ...]:
        """Return the answers whose instances readers may hold, oldest first."""
        ...

    def note_ignored(self, key: TaskKey, digest: str, ignored_digest: str) -> None:
        """Note that other inputs came while a task ran, and were not run."""
        ...


class Spool(Protocol):
    """Where bytes wait outside of memory."""

    def put(self, octets: Octets) -> SpooledBytes:
        """Set bytes aside; blocks.

        Raises:
            OSError: they cannot be written.
        """
        ...


class Tracker(Protocol):
    """Guarded measurements."""

    def can_run(self, run: ModelRun) -> bool:
        """Tell whether a model could be measured here; may block, so it is called in a thread."""
        ...

    async def measure(self, run: Run, on_begin: Callable[[], None]) -> Measurement:
        """Measure; cancelling ends the measurement and its processes.

        Args:
            run: what to measure.
            on_begin: called once the run waits for a worker no longer.

        Raises:
            TrackerError: there is no trustworthy number; the name of the failure says why.
        """
        ...


class HardwareKnowledge(Protocol):
    """What is known of hardware by the names that tasks use."""

    def known(self, name: str) -> NamedHardware:
        """Tell what is known of a name; never raises, whatever the name is."""
        ...


class IntensitySource(Protocol):
    """Carbon intensity of places."""

    def known(self, place: Place) -> CarbonIntensity | None:
        """Return the intensity of a place if it is at hand; never blocks."""
        ...

    def lookup(self, place: Place) -> CarbonIntensity:
        """Find the intensity of a place; may block, so it is called in a thread."""
        ...


@dataclass(frozen=True, slots=True)
class Conditions:
    """What settings make of one task's computation; it never changes within the task.

    Args:
        assumptions: what estimation takes for granted.
        latency_unit: unit of `HWResource.latency` where none is known for the hardware.
        hardware: what is known of hardware by its names.
        tracker: guarded measurements.
        intensity: carbon intensity of places.
    """

    assumptions: Assumptions
    latency_unit: LatencyUnit
    hardware: HardwareKnowledge
    tracker: Tracker
    intensity: IntensitySource


class ConditionsSource(Protocol):
    """Where a task's conditions come from."""

    def conditions(self) -> Conditions:
        """Conditions of a task that starts now."""
        ...


class ConfigurationAnswer(Protocol):
    """What a configuration request is answered with."""

    @property
    def success(self) -> bool:
        """Whether the request was granted."""
        ...

    @property
    def text(self) -> str:
        """The reply for the one who asked."""
        ...


class ConfigurationService(Protocol):
    """What answers configuration requests."""

    async def answer(self, text: str) -> ConfigurationAnswer:
        """Answer one request; never raises, whatever the text is."""
        ...


class CallTransport(Protocol):
    """Configuration requests of main's orchestrator. All calls come from the loop's thread."""

    def configuration_calls(self) -> AsyncIterator[ConfigurationCall]:
        """Serve from now on, and yield calls until closed.

        Raises:
            TransportError: they cannot be served.
        """
        ...

    def answer(self, call: ConfigurationCall, text: str) -> None:
        """Answer a call.

        Raises:
            TransportError: it could not be answered.
        """
        ...


class Observer(Protocol):
    """Counts what the node does; no call blocks or raises. Names come from closed lists."""

    def task_finished(self, outcome: str, energy_kwh: float = 0.0, carbon_g: float = 0.0) -> None:
        """Count an answered task, with what was published for it."""
        ...

    def stage(self, name: str, seconds: float) -> None:
        """Count one passage of a task through a stage."""
        ...

    def tracker_failed(self, failure: str) -> None:
        """Count a measurement without a trustworthy number, by the failure's name."""
        ...

    def request(self, interface: str, outcome: str) -> None:
        """Count a request to one of the node's interfaces."""
        ...


class SecretKeeper(Protocol):
    """Keeps secrets out of everything that is written."""

    def register(self, secret: str) -> None:
        """Hide this value from now on."""
        ...
