"""Print of how many places another source's value, and next year's, lie inside the interval.

    scripts/intensity_coverage

It reads the shipped tables and nothing else. For every place that has a value of more than one
source or year it asks three questions:

    both    does the shipped interval hold the value of each source?
    unseen  does an interval that was made without the second source hold its value?
    next    does an interval that was made from values up to the year before hold the latest one?

Exits with 1 if a share is below 90 % over all, or below 85 % of a kind.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from carbon_node.intensity.grid import Grid, Intensities, Zone
from carbon_node.intensity.tables import Tables, load_tables, shipped_data
from carbon_node.intensity.values import Value, value_of

OVERALL, EACH = 0.90, 0.85

ISLANDS = frozenset(
    "AG AW BB BH BS CK CU CV CW CY DM DO FJ FK FM FO GB GD GL GP GU HT ID IE IS JM JP KI KM KN KY"
    " LC LK MG MQ MS MT MU MV NC NR NZ PF PG PH PM PR PW RE SB SC SG SH ST TC TL TO TT TW VC VG VI"
    " VU WS YT".split()
)
"""Countries and territories that are islands."""

PARTS_THAT_ARE_ISLANDS = frozenset(
    "AU-TAS ES-CN ES-TF ES-GC ES-IB FR-COR FR-20R GB-ORK IT-88 IT-82 PT-30 US-HI JP-01 JP-47"
    " CA-PE CA-NL MY-12 MY-13".split()
)


@dataclass(frozen=True, slots=True)
class Place:
    """A place whose interval is checked."""

    kind: str
    area: str
    zones: tuple[str, ...]


def places(tables: Tables) -> Iterator[Place]:
    """Return every place that the tables have values for."""
    for code in tables.intensities.countries:
        yield Place("island" if code in ISLANDS else "country", code, ())
    for area in sorted({*tables.grid.supplied, *tables.intensities.subdivisions}):
        if "-" in area and "*" not in area:
            kind = "island" if area in PARTS_THAT_ARE_ISLANDS else "state"
            yield Place(kind, area, ())
    for provider in tables.names.clouds.providers.values():
        for entry in sorted(set(provider.regions.values())):
            area, *zones = entry.split()
            yield Place("cloud region", area, tuple(zones))


def asked(place: Place, tables: Tables) -> Value | None:
    """Return what the node would answer."""
    return value_of(place.area, tables, place.zones, is_town=place.kind == "cloud region")


def zones_of(place: Place, tables: Tables) -> tuple[str, ...]:
    """Return the grid zones of a place."""
    known = tables.grid.zones_of(place.area, tables.intensities.parents)
    return place.zones or known or ()


def second(place: Place, intensities: Intensities) -> float | None:
    """Return the value of the source that knows areas rather than zones."""
    if (division := intensities.subdivisions.get(place.area)) is not None:
        return division.g_per_kwh
    is_whole = "-" not in place.area
    return intensities.countries[place.area].g_per_kwh if is_whole else None


def both(place: Place, tables: Tables) -> bool | None:
    """Whether the shipped interval holds each source's value; None without two sources."""
    other = second(place, tables.intensities)
    zones = zones_of(place, tables)
    answer = asked(place, tables)
    if other is None or not zones or answer is None:
        return None
    return inside(other, answer) and inside(tables.grid.zones[zones[0]].latest, answer)


def unseen(place: Place, tables: Tables) -> bool | None:
    """Whether an interval without the table of zones holds the zone's value."""
    other = second(place, tables.intensities)
    zones = zones_of(place, tables)
    if other is None or not zones:
        return None
    grid = replace(tables.grid, zones={}, supplied={})
    answer = asked(replace(place, zones=()), replace(tables, grid=grid))
    return answer is not None and inside(tables.grid.zones[zones[0]].latest, answer)


def following(place: Place, tables: Tables) -> bool | None:
    """Whether an interval up to the year before holds the latest year's value of the zone."""
    zones = zones_of(place, tables)
    if not zones or len(tables.grid.zones[zones[0]].g_per_kwh) < 2:
        return None
    answer = asked(place, before(tables))
    return answer is not None and inside(tables.grid.zones[zones[0]].latest, answer)


def before(tables: Tables) -> Tables:
    """Return the tables without values of the latest year."""
    latest = max(zone.year for zone in tables.grid.zones.values())
    zones = {code: earlier(zone, latest) for code, zone in tables.grid.zones.items()}
    countries = {
        code: land if land.year != latest else replace(land, g_per_kwh=None, year=None)
        for code, land in tables.intensities.countries.items()
    }
    grid: Grid = replace(tables.grid, zones=zones)
    return replace(tables, grid=grid, intensities=replace(tables.intensities, countries=countries))


def earlier(zone: Zone, latest: int) -> Zone:
    """Return a zone without its latest year, unless it has no other."""
    values = {year: value for year, value in zone.g_per_kwh.items() if year != latest}
    return replace(zone, g_per_kwh=values) if values else zone


def inside(g_per_kwh: float, answer: Value) -> bool:
    """Whether a value lies in an answer's interval."""
    return answer.g_per_kwh.low <= g_per_kwh <= answer.g_per_kwh.high


def main() -> int:
    """Print one line for each kind."""
    tables = load_tables(shipped_data())
    known = list(places(tables))
    kinds = ["country", "state", "island", "cloud region", "all"]
    print(f"{'kind':14}{'both':>16}{'unseen':>16}{'next':>16}")
    is_met = True
    for kind in kinds:
        chosen = [place for place in known if kind in {place.kind, "all"}]
        shares = [share(test, chosen, tables) for test in (both, unseen, following)]
        cells = (f"{hits:6} of {count:3} {hits / count:4.0%}" for hits, count in shares)
        print(f"{kind:14}" + "".join(cells))
        least = OVERALL if kind == "all" else EACH
        is_met &= all(hits >= least * count for hits, count in shares)
    return 0 if is_met else 1


def share(
    test: Callable[[Place, Tables], bool | None], chosen: list[Place], tables: Tables
) -> tuple[int, int]:
    """Count the places that pass, of those that can be asked."""
    results = [result for place in chosen if (result := test(place, tables)) is not None]
    return sum(results), max(len(results), 1)


if __name__ == "__main__":
    raise SystemExit(main())
