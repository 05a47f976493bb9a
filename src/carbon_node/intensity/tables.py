"""The shipped tables: intensities and names of places, read once when they are first needed.

The files are described in data/README.md. A file that is missing or damaged raises `IntensityError`
that names it; the node then goes on with the world mean.
"""

import json
import math
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from carbon_node.errors import IntensityError
from carbon_node.intensity.name_table import NameTable
from carbon_node.intensity.text import normalised

_normalised = normalised.__wrapped__
"""Past its cache, which would keep names that are read once."""


@dataclass(frozen=True, slots=True)
class Country:
    """A country or territory with a code of ISO 3166-1.

    Args:
        alpha3: its code of three letters.
        name: its name in English.
        continents: codes of the continents that people rightly name for it, the first is its own.
        g_per_kwh: yearly lifecycle intensity, None if the table has none.
        year: year of the value.
        others: values of other tables, which only widen the interval.
    """

    alpha3: str
    name: str
    continents: tuple[str, ...]
    g_per_kwh: float | None
    year: int | None
    others: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Mean:
    """Generation-weighted mean of a continent or of the world."""

    name: str
    g_per_kwh: float
    year: int


@dataclass(frozen=True, slots=True)
class SubdivisionValue:
    """Intensity of a state or province."""

    g_per_kwh: float
    year: int
    source: str


@dataclass(frozen=True, slots=True)
class Intensities:
    """Values by code.

    Args:
        source: who published the values of countries, continents and the world.
        world: mean of the world.
        continents: means by continent code.
        countries: countries by alpha-2 code.
        subdivisions: values by ISO 3166-2 code.
    """

    source: str
    world: Mean
    continents: Mapping[str, Mean]
    countries: Mapping[str, Country]
    subdivisions: Mapping[str, SubdivisionValue]


@dataclass(frozen=True, slots=True)
class Names:
    """Normalised names and the areas that bear them; an area is "FR" or "US-CA".

    Where several areas bear a name, they stand behind each other, with a space between.

    Args:
        codes: areas by codes beside ISO's, such as those of grid zones, in small letters.
        cloud: areas by cloud regions.
        alpha2: alpha-2 codes by alpha-2 and alpha-3 codes.
        titles: names of subdivisions by ISO 3166-2 code.
        countries: names of countries in many languages; several areas where a name is ambiguous.
        subdivisions: names of subdivisions; several areas where several bear the name.
        evident: names of subdivisions that are meant whatever else bears them.
        cities: names of cities: areas by falling size, led by "!" if the first is meant by the
            name.
        continents: names of continents and larger regions, with the codes of their continents.
        world: names of the whole world.
        nowhere: texts that name no place.
        words: names that are ordinary words and decide nothing alone.
        needs_capitals: codes that are ordinary words unless in capitals.
        leading: countries whose subdivisions are meant before foreign namesakes.
        deciding: countries whose subdivisions are known enough to decide alone.
        by_initial: names of countries and well-known subdivisions by their first character, a line
            for each.
    """

    codes: Mapping[str, str]
    cloud: Mapping[str, str]
    alpha2: Mapping[str, str]
    titles: Mapping[str, str]
    countries: Mapping[str, str]
    subdivisions: Mapping[str, str]
    evident: Mapping[str, str]
    cities: Mapping[str, str]
    continents: Mapping[str, str]
    world: frozenset[str]
    nowhere: frozenset[str]
    words: frozenset[str]
    needs_capitals: frozenset[str]
    leading: frozenset[str]
    deciding: frozenset[str]
    by_initial: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Tables:
    """Everything that the ladder looks up."""

    intensities: Intensities
    names: Names


def shipped_data() -> Traversable:
    """Return the folder of the shipped tables."""
    return files("carbon_node.intensity") / "data"


def tables_edition() -> date:
    """Return the day of the edition of the shipped table of countries.

    Raises:
        IntensityError: if the table is missing or damaged.
    """
    with _reading(shipped_data(), "countries.json") as table:
        return date.fromisoformat(table["about"]["edition"])


def load_tables(folder: Traversable) -> Tables:
    """Read all tables.

    Takes some 40 ms, 2 MB, and 10 MB more while it reads; once.

    Args:
        folder: where the JSON files lie.

    Raises:
        IntensityError: if a file is missing, not JSON, or not of the expected shape.
    """
    return Tables(_intensities(folder), _names(folder))


def _intensities(folder: Traversable) -> Intensities:
    with _reading(folder, "countries.json") as table:
        source = str(table["about"]["source"])
        world = _mean(table["world"])
        continents = {code: _mean(row) for code, row in table["continents"].items()}
        countries = {code: _country(row) for code, row in table["countries"].items()}
    with _reading(folder, "subdivisions.json") as table:
        sources = table["sources"]
        subdivisions = {
            code: _subdivision_value(value, sources[code[:2]])
            for code, value in table["values"].items()
        }
    return Intensities(source, world, continents, countries, subdivisions)


def _names(folder: Traversable) -> Names:
    # What lasts is made from small files first: a small object among the remains of a large file
    # would keep the megabyte around it from being given back.
    with _reading(folder, "countries.json") as table:
        rows = table["countries"]
        alpha2 = {code: code for code in rows} | {rows[code]["alpha3"]: code for code in rows}
    with _reading(folder, "cloud.json") as table:
        cloud = dict(table["regions"])
    with _reading(folder, "aliases.json") as own:
        own_countries = _own_names(own["countries"]) | _own_names(own["ambiguous"])
        own_continents, own_cities = _own_names(own["continents"]), _own_names(own["cities"])
        accented = _texts(own["accented"])
        evident = _own_names(own["subdivisions"])
        codes = {code.casefold(): area for code, area in own["codes"].items()}
        world, nowhere, words = (_name_set(own[key]) for key in ("world", "nowhere", "words"))
        needs_capitals = frozenset(own["needs_capitals"])
        leading = frozenset(own["subdivisions_lead"])
        deciding = frozenset(own["subdivisions_decide"])
    with _reading(folder, "subdivisions.json") as table:
        titles, subdivisions = NameTable(table["titles"]), NameTable(table["names"])
    with _reading(folder, "names.json") as table:
        names = _texts(table["countries"]) | own_countries
        countries, by_initial = NameTable(names | accented), _by_initial([*names, *evident])
        continents = NameTable(_texts(table["continents"]) | own_continents)
    del names
    return Names(
        codes=codes,
        cloud=cloud,
        alpha2=alpha2,
        titles=titles,
        countries=countries,
        subdivisions=subdivisions,
        evident=evident,
        cities=_cities(folder, own_cities),
        continents=continents,
        world=world,
        nowhere=nowhere,
        words=words,
        needs_capitals=needs_capitals,
        leading=leading,
        deciding=deciding,
        by_initial=by_initial,
    )


def _cities(folder: Traversable, evident: Mapping[str, str]) -> NameTable:
    with _reading(folder, "cities.json") as table:
        cities = _texts(table["names"])
        for name, area in evident.items():
            cities[name] = f"!{area} {cities.get(name, '').removeprefix('!')}"
        return NameTable(cities)


@contextmanager
def _reading(folder: Traversable, name: str) -> Iterator[Any]:
    """Read one file and blame it for whatever goes wrong with its content."""
    try:
        yield json.loads((folder / name).read_text(encoding="utf-8"))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise IntensityError(
            f"intensity table {name} is missing or damaged ({type(error).__name__}: {error});"
            " install carbon-node again"
        ) from error


def _mean(row: dict[str, Any]) -> Mean:
    return Mean(str(row["name"]), _positive(row["g_per_kwh"]), int(row["year"]))


def _country(row: dict[str, Any]) -> Country:
    value = row["g_per_kwh"]
    return Country(
        alpha3=str(row["alpha3"]),
        name=str(row["name"]),
        continents=tuple(row["continents"]),
        g_per_kwh=None if value is None else _positive(value),
        year=row["year"],
        others=tuple(map(_positive, row["others"])),
    )


def _subdivision_value(value: float, source: dict[str, Any]) -> SubdivisionValue:
    return SubdivisionValue(_positive(value), int(source["year"]), str(source["source"]))


def _positive(value: float) -> float:
    if not 0 < value < math.inf:
        raise ValueError(f"{value} is no intensity")
    return float(value)


def _texts(names: dict[str, str]) -> dict[str, str]:
    # What is no text fails here, while its own file can be blamed for it.
    return {name: areas.strip() for name, areas in names.items()}


def _own_names(names: dict[str, str]) -> dict[str, str]:
    return {_normalised(name): area for name, area in names.items()}


def _by_initial(names: list[str]) -> NameTable:
    groups: dict[str, list[str]] = defaultdict(list)
    for name in names:
        groups[name[0]].append(name)
    return NameTable({initial: "\n".join(group) for initial, group in groups.items()})


def _name_set(names: list[str]) -> frozenset[str]:
    return frozenset(map(_normalised, names))
