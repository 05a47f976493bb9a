"""The intensity of a place, by the operator's word, a live provider or the shipped tables."""

import math
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from importlib.resources.abc import Traversable

from carbon_node.errors import ConfigError, IntensityError
from carbon_node.estimation import (
    MAX_G_PER_KWH,
    CarbonIntensity,
    IntensityOrigin,
    Interval,
    Place,
    Step,
    exact,
    within_factor,
)
from carbon_node.intensity.ladder import climb
from carbon_node.intensity.live import LiveIntensity, LiveMiss
from carbon_node.intensity.location import Locator
from carbon_node.intensity.provider import NoZone
from carbon_node.intensity.rungs import Rung
from carbon_node.intensity.tables import load_tables, shipped_data
from carbon_node.intensity.values import CONSUMED, TABLE_FACTOR
from carbon_node.intensity.wording import MAX_TEXT, names_something

WORLD_WITHOUT_TABLES = CarbonIntensity(
    Interval(20.0, 458.0, 1307.0), "World", "", 2025, "Ember (2026), kept in the program"
)
"""What remains if the tables cannot be read; low and high are the cleanest and dirtiest grid."""

KEPT_ANSWERS = 1024
"""Places whose answers are kept in memory."""


@dataclass(frozen=True, slots=True)
class IntensityConfig:
    """How intensities are found.

    Args:
        default_place: where the node believes itself to be, empty if unknown.
        g_per_kwh: one intensity for everything, in gCO2e/kWh, from above 0 to 3000; None if unset.
        stated_by: who states that intensity, as results name it.
        origin: the same in one word.

    Raises:
        ConfigError: if the explicit intensity is not within its range.
    """

    default_place: Place = field(default_factory=Place)
    g_per_kwh: float | None = None
    stated_by: str = "set by the operator"
    origin: IntensityOrigin = IntensityOrigin.SETTING

    def __post_init__(self) -> None:
        if self.g_per_kwh is not None:
            check_intensity(self.g_per_kwh)


def check_intensity(g_per_kwh: float) -> float:
    """Return an intensity that somebody stated, if it can be one.

    Args:
        g_per_kwh: gCO2e per kilowatt-hour.

    Raises:
        ConfigError: if it is not finite, not positive, or above 3000.
    """
    if not math.isfinite(g_per_kwh) or not 0 < g_per_kwh <= MAX_G_PER_KWH:
        raise ConfigError(
            f"intensity {g_per_kwh:g} g/kWh is outside 0 to {MAX_G_PER_KWH:g};"
            " state grams of CO2e per kilowatt-hour, greater than 0"
        )
    return g_per_kwh


class IntensityLookup:
    """Looks up intensities; may be used from several threads at once.

    The tables are read at the first look-up, some 30 ms.

    Args:
        config: how intensities are found.
        live: provider of live intensities, None to use the tables alone.
        data: folder of the tables, None for the shipped ones.
        tables_read: called once the tables were read, which frees twice their size.
    """

    def __init__(
        self,
        config: IntensityConfig,
        live: LiveIntensity | None = None,
        data: Traversable | None = None,
        tables_read: Callable[[], None] = lambda: None,
    ) -> None:
        self._config = config
        self._live = live
        self._data = data
        self._tables_read = tables_read
        self._loading = threading.Lock()
        self._keeping = threading.Lock()
        self._locator: Locator | IntensityError | None = None
        self._kept: OrderedDict[Place, CarbonIntensity] = OrderedDict()

    def known(self, place: Place) -> CarbonIntensity | None:
        """Return the intensity of a place if it needs neither tables nor provider; never blocks.

        Args:
            place: as sent.

        Returns:
            What `lookup` would return; None if that has to be looked up.
        """
        if self._config.g_per_kwh is not None:
            return _explicit(self._config.g_per_kwh, self._config)
        return self._kept.get(place) if self._live is None else None

    def lookup(self, place: Place) -> CarbonIntensity:
        """Find the intensity of a place. Nothing that a place says raises.

        Blocks for the request's timeout at most, where a live provider is asked.

        Args:
            place: as sent.

        Returns:
            The intensity with its interval, its source and the steps that led to it.
        """
        if self._config.g_per_kwh is not None:
            return _explicit(self._config.g_per_kwh, self._config)
        answer = self._kept.get(place) or self._keep(place, self._climb(place))
        return answer if self._live is None else _refined(answer, self._live)

    def not_understood(self, place: Place) -> str | None:
        """Say what is wrong with a place that somebody configured, None if nothing is.

        Blocks while the tables are read.

        Args:
            place: as configured; an empty one is fine.
        """
        locator = self._loaded()
        if isinstance(locator, IntensityError):
            return str(locator)
        if not names_something(place.region + place.continent):
            return None
        location = locator.located(place)
        is_known = location.area is not None or location.continents is not None
        return (
            None
            if is_known and not location.warnings
            else "; ".join(location.warnings or (f"{place.region!r} names no place",))
        )

    def _keep(self, place: Place, answer: CarbonIntensity) -> CarbonIntensity:
        if len(place.region) <= MAX_TEXT and len(place.continent) <= MAX_TEXT:
            with self._keeping:
                self._kept[place] = answer
                if len(self._kept) > KEPT_ANSWERS:
                    self._kept.popitem(last=False)
        return answer

    def _climb(self, place: Place) -> CarbonIntensity:
        locator = self._loaded()
        if isinstance(locator, IntensityError):
            steps = (Step(Rung.WORLD, "taken", "World"),)
            return replace(WORLD_WITHOUT_TABLES, steps=steps, warnings=(str(locator),))
        return climb(place, self._config.default_place, locator)

    def _loaded(self) -> Locator | IntensityError:
        """Read the tables once; what is wrong with them is an answer too."""
        with self._loading:
            if self._locator is None:
                try:
                    self._locator = Locator(load_tables(self._data or shipped_data()))
                    self._tables_read()
                except IntensityError as error:
                    self._locator = error
            return self._locator


def _refined(answer: CarbonIntensity, live: LiveIntensity) -> CarbonIntensity:
    """Replace the yearly value by the live one; where there is none, say why not."""
    zone = live.provider.zone(answer)
    if isinstance(zone, NoZone):
        return _with_step(answer, f"not asked: {zone.reason}", answer.warnings)
    reading = live.intensity(zone)
    if isinstance(reading, LiveMiss):
        warning = f"live intensity failed ({reading.reason}); the table is used"
        return _with_step(answer, f"failed: {reading.reason}", (*answer.warnings, warning))
    warnings = answer.warnings
    if reading.failure is not None:
        warnings = (*warnings, f"live intensity is {reading.age_s:.0f} s old ({reading.failure})")
    return replace(
        _with_step(answer, f"taken, {reading.age_s:.0f} s old", warnings),
        g_per_kwh=within_factor(reading.value.g_per_kwh, TABLE_FACTOR),
        year=None,
        counted=CONSUMED,
        source=f"{live.provider.title}, live, of {reading.value.measured_at or 'unknown time'}",
        origin=IntensityOrigin.LIVE,
    )


def _with_step(answer: CarbonIntensity, outcome: str, warnings: tuple[str, ...]) -> CarbonIntensity:
    return replace(answer, steps=(*answer.steps, Step(Rung.LIVE, outcome)), warnings=warnings)


def _explicit(g_per_kwh: float, config: IntensityConfig) -> CarbonIntensity:
    return CarbonIntensity(
        g_per_kwh=exact(g_per_kwh),
        place="as set",
        code="",
        year=None,
        source=config.stated_by,
        origin=config.origin,
        steps=(Step(Rung.EXPLICIT, "taken"),),
    )
