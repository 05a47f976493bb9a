"""What the node asks of a provider of live intensities, and what one may answer."""

from dataclasses import dataclass
from typing import Protocol, TypeAlias

from carbon_node.estimation import CarbonIntensity


@dataclass(frozen=True, slots=True)
class Reading:
    """What the provider says about a zone.

    Args:
        g_per_kwh: gCO2e per kilowatt-hour, as stated, unchecked.
        measured_at: time that the value belongs to, as stated.
    """

    g_per_kwh: float
    measured_at: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """The provider gave no value.

    Args:
        reason: one line for people; never holds the key.
        scope_is_zone: whether another zone might still be answered.
        wait_s: seconds after which asking again makes sense, None if that is unknown.
    """

    reason: str
    scope_is_zone: bool = False
    wait_s: float | None = None


Answer: TypeAlias = Reading | Refusal


@dataclass(frozen=True, slots=True)
class NoZone:
    """The provider is not asked, and why."""

    reason: str


class Provider(Protocol):
    """Somebody who knows the intensity of the hour, zone by zone."""

    @property
    def title(self) -> str:
        """Name of the provider, for results."""
        ...

    def zone(self, answer: CarbonIntensity) -> str | NoZone:
        """Return the provider's zone of a place, or why it has none.

        Args:
            answer: what the tables say of the place.
        """
        ...

    def latest(self, zone: str) -> Answer:
        """Ask for the latest intensity of a zone. Blocks, at most for the provider's timeout.

        Args:
            zone: zone of the provider.
        """
        ...
