"""What the pipeline needs from the world; adapters satisfy these without knowing the pipeline."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Protocol

from carbon_node.estimation import Assumptions, CarbonIntensity, LatencyUnit, NamedHardware, Place
from carbon_node.estimation.measurement import Measurement, ModelRun, Run, SpooledBytes
from carbon_node.tasks.answer import Answer, Kept
from carbon_node.tasks.decision import Decision
from carbon_node.tasks.key import Summary, TaskKey
from carbon_node.wire.contract import Arrival, ConfigurationCall, Peer, Topic
from carbon_node.wire.samples import Octets, Sample


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

    def peers(self) -> tuple[Peer, ...]:
        """Other participants of the domain."""
        ...

    def matched(self, topic: Topic) -> int:
        """Count the endpoints of others that match ours of a topic; 0 if that is unknown."""
        ...

    async def wait_for_acknowledgments(self, topic: Topic, timeout_s: float) -> bool:
        """Wait until all matched readers have all that was published.

        Returns:
            False if not in time, or if it cannot be known.

        Raises:
            TransportError: it cannot be waited for.
        """
        ...


class TaskStore(Protocol):
    """What was accepted and answered, across restarts. A failing disk is no error here."""

    async def accept(
        self, key: TaskKey, digest: str, summary: Summary, *, repeat: bool = False
    ) -> Decision:
        """Record that a task's inputs are complete; say whether it has to be computed."""
        ...

    async def save(self, key: TaskKey, digest: str, summary: Summary, answer: Answer) -> Kept:
        """Keep an answer durably; return the one to publish."""
        ...

    def mark_published(self, kept: Kept) -> None:
        """Note that an answer was written to the output topic."""
        ...

    def mark_acknowledged(self, kept: Kept) -> None:
        """Note that all matched readers have an answer."""
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
