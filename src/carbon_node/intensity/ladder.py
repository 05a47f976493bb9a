"""From a place to its carbon intensity: the steps, from the most to the least certain.

    explicit > live > code > country > subdivision > city > continent > default > world

Each step is recorded. What contradicts or could mean several countries decides nothing: the answer
widens to the next step and says so.
"""

from collections.abc import Iterable
from dataclasses import replace

from carbon_node.estimation import CarbonIntensity, Factor, Interval, Place, Step, Understood
from carbon_node.intensity.grid import Country, Intensities, Mean
from carbon_node.intensity.location import Location, Locator, lies_in
from carbon_node.intensity.pieces import Kind, Piece, country
from carbon_node.intensity.rungs import Rung
from carbon_node.intensity.tables import Tables
from carbon_node.intensity.values import GENERATED, Value, value_of
from carbon_node.intensity.wording import area_title, names_something, quoted


def climb(place: Place, default: Place, locator: Locator) -> CarbonIntensity:
    """Find the intensity of a place in the tables.

    Args:
        place: as sent.
        default: where the node believes itself to be; asked only if the place names nothing.
        locator: finds out what a place means, in the shipped tables.

    Returns:
        The intensity of the first step that is certain; the last one, the world, always is.
    """
    tables = locator.tables
    location = locator.located(place)
    if (answer := _of_location(location, tables)) is not None:
        return answer
    home, outcome, unusable = _home(default, location, locator)
    warnings = (*location.warnings, *_without_a_mean(location), *unusable)
    if home is not None:
        step = Step(Rung.DEFAULT, outcome, home.place, home.code)
        return replace(home, steps=(*location.steps, step), warnings=(*warnings, *home.warnings))
    world = _world(tables.intensities)
    steps = (*location.steps, Step(Rung.DEFAULT, outcome), Step(Rung.WORLD, "taken", world.place))
    return _told(replace(world, steps=steps, warnings=warnings), location)


def _without_a_mean(location: Location) -> tuple[str, ...]:
    if location.continents is None:
        return ()
    return ("the place spans several continents, for which there is no mean",)


def _home(
    default: Place, location: Location, locator: Locator
) -> tuple[CarbonIntensity | None, str, tuple[str, ...]]:
    """Ask the default place, unless the task names a place: then that one is never replaced."""
    if not names_something(default.region + default.continent):
        return None, "not set", ()
    home = locator.located(default)
    answer = _of_location(home, locator.tables)
    if answer is None:
        return None, "no match", (f"default place {quoted(default.region)} is not known",)
    is_here = home.area is None or lies_in(
        home.area, location.continents, locator.tables.intensities
    )
    if location.is_named or not is_here:
        return None, "not asked", ()
    return replace(answer, warnings=(*home.warnings, *answer.warnings)), "taken", ()


def _of_location(location: Location, tables: Tables) -> CarbonIntensity | None:
    answer = _of_area(location, tables) or _of_continent(location, tables.intensities)
    if answer is None:
        return None
    warnings = (*location.warnings, *answer.warnings)
    return _told(replace(answer, warnings=warnings), location)


def _told(answer: CarbonIntensity, location: Location) -> CarbonIntensity:
    """Add what of the text was accounted for."""
    understood = tuple(
        Understood(piece.text, _kind(piece, location.area).value) for piece in location.pieces
    )
    return replace(answer, understood=understood, not_understood=location.unread)


def _kind(piece: Piece, area: str | None) -> Kind:
    """Return as what a part of the text means the place that was taken."""
    kinds = {sense.kind for sense in piece.senses if sense.area == area}
    if piece.kind in {Kind.CODE, *kinds} or not kinds:
        return piece.kind
    return min(kinds)


def _of_area(location: Location, tables: Tables) -> CarbonIntensity | None:
    area = location.area
    if area is None:
        return None
    value = value_of(area, tables, location.zones, is_town=location.is_town)
    if value is None:
        return _of_lacking_country(location, tables)
    is_named = value.zones or not value.is_own or area in tables.intensities.subdivisions
    named = area if is_named else country(area)
    return CarbonIntensity(
        value.g_per_kwh,
        _title(named, location, value, tables),
        named,
        value.year,
        value.source,
        location.steps,
        value.warnings,
        value.counted,
        value.zones,
        site_pue=_site_pue(location, tables),
    )


def _title(area: str, location: Location, value: Value, tables: Tables) -> str:
    """Name what the value belongs to: a zone that was asked for is more exact than its country."""
    title = area_title(area, tables)
    if location.region is None and len(location.zones) == 1 and area == country(area):
        return f"{tables.grid.zones[value.zones[0]].name}, {title}" if value.zones else title
    return title


def _site_pue(location: Location, tables: Tables) -> Factor | None:
    if location.region is None:
        return None
    return tables.names.clouds.providers[location.region.provider].pue


def _of_lacking_country(location: Location, tables: Tables) -> CarbonIntensity | None:
    land = tables.intensities.countries[country(str(location.area))]
    warning = f"no table has a value for {land.name}; that of its continent is used"
    widened = replace(location, area=None, continents=frozenset(land.continents[:1]))
    answer = _of_continent(widened, tables.intensities)
    return answer and replace(answer, warnings=(warning,))


def _of_continent(location: Location, intensities: Intensities) -> CarbonIntensity | None:
    """Answer with the mean of a group or continent; two continents together have none."""
    if location.continents is None:
        return None
    if location.group:
        group = intensities.groups[location.group]
        return _mean_of(group.mean, group.members, location, intensities)
    if len(location.continents) != 1:
        return None
    (code,) = location.continents
    members = {key for key, land in intensities.countries.items() if code in land.continents[:1]}
    return _mean_of(intensities.continents[code], members, location, intensities)


def _mean_of(
    mean: Mean, members: Iterable[str], location: Location, intensities: Intensities
) -> CarbonIntensity:
    rejected = [] if location.rejected is None else [country(location.rejected)]
    lands = [intensities.countries[code] for code in (*members, *rejected)]
    steps = (*location.steps, Step(Rung.CONTINENT, "taken", mean.name))
    return CarbonIntensity(
        _hull(mean.g_per_kwh, lands),
        mean.name,
        "",
        mean.year,
        intensities.source,
        steps,
        counted=GENERATED,
    )


def _world(intensities: Intensities) -> CarbonIntensity:
    world = intensities.world
    interval = _hull(world.g_per_kwh, intensities.countries.values())
    return CarbonIntensity(
        interval, world.name, "", world.year, intensities.source, counted=GENERATED
    )


def _hull(value: float, members: Iterable[Country]) -> Interval:
    """Stretch a mean over all countries that the place could be in."""
    known = [land.g_per_kwh for land in members if land.g_per_kwh is not None]
    return Interval(min(value, *known), value, max(value, *known))
