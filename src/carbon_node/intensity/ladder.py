"""From a place to its carbon intensity: the steps, from the most to the least certain.

    explicit > live > code > country > subdivision > city > continent > default > world

Each step is recorded. What contradicts or could mean several countries decides nothing: the answer
widens to the next step and says so.
"""

from collections.abc import Iterable
from dataclasses import replace

from carbon_node.estimation import CarbonIntensity, Interval, Place, Step, within_factor
from carbon_node.intensity.gazetteer import Rung, country
from carbon_node.intensity.location import (
    Location,
    area_title,
    lies_in,
    located,
    names_something,
    quoted,
)
from carbon_node.intensity.tables import Country, Intensities, Tables

TABLE_FACTOR = 1.20
"""Five tables differ for the same country by 20 % in the median: no single value is better."""

LONE_TABLE_FACTOR = 1.56
"""Their 90th percentile is 56 %: so uncertain is a value that no second table confirms."""


def climb(place: Place, default: Place, tables: Tables) -> CarbonIntensity:
    """Find the intensity of a place in the tables.

    Args:
        place: as sent.
        default: where the node believes itself to be; asked if the place says nothing usable.
        tables: the shipped tables.

    Returns:
        The intensity of the first step that is certain; the last one, the world, always is.
    """
    location = located(place, tables)
    if (answer := _of_location(location, tables)) is not None:
        return answer
    home, outcome, unusable = _home(default, location, tables)
    warnings = (*location.warnings, *_without_a_mean(location), *unusable)
    if home is not None:
        step = Step(Rung.DEFAULT, outcome, home.place, home.code)
        return replace(home, steps=(*location.steps, step), warnings=(*warnings, *home.warnings))
    world = _world(tables.intensities)
    steps = (*location.steps, Step(Rung.DEFAULT, outcome), Step(Rung.WORLD, "taken", world.place))
    return replace(world, steps=steps, warnings=warnings)


def _without_a_mean(location: Location) -> tuple[str, ...]:
    if location.continents is None:
        return ()
    return ("the place spans several continents, for which there is no mean",)


def _home(
    default: Place, location: Location, tables: Tables
) -> tuple[CarbonIntensity | None, str, tuple[str, ...]]:
    """Ask the default place, unless the task's place is known to be another one."""
    if not names_something(default.region + default.continent):
        return None, "not set", ()
    home = located(default, tables)
    answer = _of_location(home, tables)
    if answer is None:
        return None, "no match", (f"default place {quoted(default.region)} is not known",)
    is_here = home.area is None or lies_in(home.area, location.continents, tables.intensities)
    if location.is_doubtful or not is_here:
        return None, "not asked", ()
    return replace(answer, warnings=home.warnings), "taken", ()


def _of_location(location: Location, tables: Tables) -> CarbonIntensity | None:
    answer = _of_area(location, tables) or _of_continent(location, tables.intensities)
    if answer is None:
        return None
    return replace(answer, warnings=(*location.warnings, *answer.warnings))


def _of_area(location: Location, tables: Tables) -> CarbonIntensity | None:
    area, intensities = location.area, tables.intensities
    if area is None:
        return None
    if (value := intensities.subdivisions.get(area)) is not None:
        interval = within_factor(value.g_per_kwh, LONE_TABLE_FACTOR)
        title = area_title(area, tables)
        return CarbonIntensity(interval, title, area, value.year, value.source, location.steps)
    land = intensities.countries[country(area)]
    if land.g_per_kwh is not None:
        interval = _country_interval(land, land.g_per_kwh)
        code = country(area)
        return CarbonIntensity(
            interval, land.name, code, land.year, intensities.source, location.steps
        )
    warning = f"the table has no value for {land.name}; that of its continent is used"
    widened = replace(location, area=None, continents=frozenset(land.continents[:1]))
    answer = _of_continent(widened, intensities)
    return answer and replace(answer, warnings=(warning,))


def _country_interval(land: Country, value: float) -> Interval:
    if not land.others:
        return within_factor(value, LONE_TABLE_FACTOR)
    interval = within_factor(value, TABLE_FACTOR)
    return Interval(
        min(interval.low, *land.others), interval.value, max(interval.high, *land.others)
    )


def _of_continent(location: Location, intensities: Intensities) -> CarbonIntensity | None:
    """Answer with a continent's mean; two continents together have none."""
    if location.continents is None or len(location.continents) != 1:
        return None
    (code,) = location.continents
    mean = intensities.continents[code]
    members = [land for land in intensities.countries.values() if code in land.continents[:1]]
    interval = _hull(mean.g_per_kwh, members)
    if location.rejected is not None:
        interval = _hull(
            mean.g_per_kwh, [*members, intensities.countries[country(location.rejected)]]
        )
    step = Step(Rung.CONTINENT, "taken", mean.name)
    steps = (*location.steps, step)
    return CarbonIntensity(interval, mean.name, "", mean.year, intensities.source, steps)


def _world(intensities: Intensities) -> CarbonIntensity:
    world = intensities.world
    interval = _hull(world.g_per_kwh, intensities.countries.values())
    return CarbonIntensity(interval, world.name, "", world.year, intensities.source)


def _hull(value: float, members: Iterable[Country]) -> Interval:
    """Stretch a mean over all countries that the place could be in."""
    known = [land.g_per_kwh for land in members if land.g_per_kwh is not None]
    return Interval(min(value, *known), value, max(value, *known))
