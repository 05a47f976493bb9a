"""What the pipeline needs from the world; adapters satisfy these without knowing the pipeline."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

from carbon_node.estimation import Assumptions, CarbonIntensity, LatencyUnit, Place
from carbon_node.estimation.measurement import Measurement, Run
from carbon_node.transport.contract import Arrival, Peer, Topic
from carbon_node.transport.wire import Sample


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


class Tracker(Protocol):
    """Guarded measurements."""

    async def measure(self, run: Run) -> Measurement:
        """Measure; cancelling ends the measurement and its processes.

        Raises:
            TrackerError: there is no trustworthy number; the name of the failure says why.
        """
        ...


class IntensitySource(Protocol):
    """Carbon intensity of places."""

    def lookup(self, place: Place) -> CarbonIntensity:
        """Find the intensity of a place; may block, so it is called in a thread."""
        ...


@dataclass(frozen=True, slots=True)
class Conditions:
    """Settings that one task is computed under; they never change within it.

    Args:
        assumptions: what estimation takes for granted.
        latency_unit: unit of `HWResource.latency`, which the wire does not state.
        output_gap_s: least time between two outputs, in seconds, >= 0.
    """

    assumptions: Assumptions
    latency_unit: LatencyUnit
    output_gap_s: float


class ConditionsSource(Protocol):
    """Where a task's conditions come from."""

    def conditions(self) -> Conditions:
        """Conditions of a task that starts now."""
        ...
