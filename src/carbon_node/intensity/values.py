"""The value and interval of an area, from all tables that have one.

An interval means one thing everywhere: of ten places at least nine have the value of another
source, and next year's value, inside. `scripts/intensity_coverage` prints how far that holds.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from carbon_node.estimation import Interval, within_factor
from carbon_node.intensity.grid import Country, Grid, Intensities, SubdivisionValue, Zone
from carbon_node.intensity.pieces import country
from carbon_node.intensity.tables import Tables

TABLE_FACTOR = 1.20
"""Five tables differ for the same country by 20 % in the median: no single value is better."""

YEAR_FACTOR = 1.15
"""Of ten zones, nine stay so near to the hull of the years before."""

LONE_COUNTRY_FACTOR = 1.75
"""Of ten countries, nine have another source's value so near to that of one source."""

LONE_PART_FACTOR = 2.0
"""Of ten states, nine have another source's value so near to that of one source."""

PARTS_FACTOR = 5.0
"""Of ten parts of countries that have a value of their own, nine are so near to their country's."""

AGED_FACTOR = 1.5
"""What an old value is widened by, on top."""

OLD_YEARS = 3
"""Years after which a value is old."""

GENERATED = "generation, life cycle"
CONSUMED = "consumption, life cycle"


@dataclass(frozen=True, slots=True)
class Value:
    """What the tables say of an area.

    Args:
        g_per_kwh: value and interval.
        year: year of the value.
        source: who published it.
        counted: what it counts.
        zones: grid zones that it is of; empty for countries.
        is_own: whether it is the area's own, not its country's.
        warnings: what a reader should know.
    """

    g_per_kwh: Interval
    year: int
    source: str
    counted: str
    zones: tuple[str, ...] = ()
    is_own: bool = True
    warnings: tuple[str, ...] = ()


def value_of(
    area: str,
    tables: Tables,
    zones: tuple[str, ...] = (),
    *,
    is_town: bool = False,
) -> Value | None:
    """Return what the tables say of an area, None if they say nothing of its country either.

    Args:
        area: country or subdivision.
        tables: the shipped tables.
        zones: grid zones that are meant; empty for those of the area.
        is_town: whether a town in the area is meant, which stands on its country's grid unless a
            table says otherwise.
    """
    intensities, grid = tables.intensities, tables.grid
    if area == country(area) and not zones:
        return _of_country(area, intensities, grid)
    supplied = zones or grid.zones_of(area, intensities.parents)
    if supplied and supplied != (country(area),):
        return _of_zones(supplied, _second(area, intensities), grid)
    if (other := intensities.subdivisions.get(area)) is not None:
        return _of_table(other)
    whole = _of_country(country(area), intensities, grid)
    is_national = supplied == (country(area),) or (supplied is None and is_town)
    return whole if is_national else _of_part(area, whole, tables)


def _second(area: str, intensities: Intensities) -> float | None:
    """Return what a second table says of an area."""
    if "-" in area:
        other = intensities.subdivisions.get(area)
        return None if other is None else other.g_per_kwh
    return intensities.countries[area].g_per_kwh


def _of_zones(
    codes: tuple[str, ...], second: float | None, grid: Grid, lone_factor: float = LONE_PART_FACTOR
) -> Value:
    zones = [grid.zones[code] for code in codes]
    yearly = [value for zone in zones for value in zone.g_per_kwh.values()]
    others = [second] if second is not None else []
    factor = YEAR_FACTOR if second is not None else lone_factor
    interval = _hull(zones[0].latest, yearly, others, factor)
    warnings = (
        ("the place lies in several grid zones; the interval covers them all",)
        if len(codes) > 1
        else ()
    )
    return _aged(Value(interval, zones[0].year, grid.source, CONSUMED, codes, warnings=warnings))


def _hull(
    value: float, yearly: Iterable[float], others: Iterable[float], factor: float
) -> Interval:
    """Cover what is known of the years, widened by a factor, and what other tables say."""
    known = [value, *yearly]
    low, high = min(known) / factor, max(known) * factor
    return Interval(min([low, *others]), value, max([high, *others]))


def _of_table(other: SubdivisionValue) -> Value:
    interval = within_factor(other.g_per_kwh, LONE_PART_FACTOR)
    return _aged(Value(interval, other.year, other.source, other.counted))


def _of_country(code: str, intensities: Intensities, grid: Grid) -> Value | None:
    land = intensities.countries[code]
    supplied = grid.zones_of(code, intensities.parents) or ()
    zones = [grid.zones[zone] for zone in supplied]
    if land.g_per_kwh is not None and land.year is not None:
        interval = _country_interval(land, land.g_per_kwh, zones)
        return _aged(Value(interval, land.year, intensities.source, GENERATED))
    if zones:
        return _of_zones(supplied, None, grid, LONE_COUNTRY_FACTOR)
    return None


def _country_interval(land: Country, value: float, zones: list[Zone]) -> Interval:
    yearly = [known for zone in zones for known in zone.g_per_kwh.values()]
    if not yearly:
        return _hull(value, [], land.others, LONE_COUNTRY_FACTOR)
    spread = _hull(value, [], [*land.others, *yearly], TABLE_FACTOR)
    # A source may move as far as the other one did.
    return Interval(
        min(spread.low, min(yearly) / YEAR_FACTOR),
        value,
        max(spread.high, max(yearly) * YEAR_FACTOR),
    )


def _of_part(area: str, whole: Value | None, tables: Tables) -> Value | None:
    """Widen a country's value to what parts of countries are known to be."""
    if whole is None:
        return None
    interval = whole.g_per_kwh
    cleanest, dirtiest = tables.grid.extremes
    widened = Interval(
        min(interval.low, max(interval.low / PARTS_FACTOR, cleanest)),
        interval.value,
        max(interval.high, min(interval.high * PARTS_FACTOR, dirtiest)),
    )
    name = tables.names.titles.get(area, area)
    warning = (
        f"no table has a value for {name}; its country's is used, and the interval covers what"
        " parts of countries are known to be"
    )
    return Value(
        widened,
        whole.year,
        whole.source,
        whole.counted,
        is_own=False,
        warnings=(*whole.warnings, warning),
    )


LATEST_YEAR = 2025
"""Year of most values of this edition."""


def _aged(value: Value) -> Value:
    """Widen an old value, and say how old it is."""
    if LATEST_YEAR - value.year < OLD_YEARS:
        return value
    interval = value.g_per_kwh
    return Value(
        Interval(interval.low / AGED_FACTOR, interval.value, interval.high * AGED_FACTOR),
        value.year,
        value.source,
        value.counted,
        value.zones,
        value.is_own,
        (*value.warnings, f"the value is of {value.year}; the interval is wider for its age"),
    )
