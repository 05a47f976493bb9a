"""The shipped tables: intensities and names of places, read once when they are first needed.

The files are described in data/README.md. A file that is missing or damaged raises `IntensityError`
that names it; the node then goes on with the world mean.
"""

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, TypeVar

from carbon_node.errors import IntensityError
from carbon_node.estimation import Factor, Interval
from carbon_node.intensity.clouds import Clouds, Provider
from carbon_node.intensity.grid import (
    Country,
    Grid,
    Group,
    Intensities,
    Mean,
    SubdivisionValue,
    Zone,
)
from carbon_node.intensity.name_table import NameTable
from carbon_node.intensity.names import (
    ABBREVIATED,
    CITY,
    CONTINENT,
    COUNTRY,
    DIVISION,
    Names,
)
from carbon_node.intensity.postal import PostalCodes
from carbon_node.intensity.text import normalised

_normalised = normalised.__wrapped__
"""Past its cache, which would keep names that are read once."""

_PLAIN = re.compile(r"(?!the |st |ste |.* (?:st|ste)\b)[a-z0-9]+(?: [a-z0-9]+)*")

_Read = TypeVar("_Read")


@dataclass(frozen=True, slots=True)
class Tables:
    """Everything that the ladder looks up."""

    intensities: Intensities
    names: Names
    grid: Grid


def shipped_data() -> Traversable:
    """Return the folder of the shipped tables."""
    return files("carbon_node.intensity") / "data"


def tables_edition() -> date:
    """Return the day of the edition of the shipped table of countries.

    Raises:
        IntensityError: if the table is missing or damaged.
    """
    with _blamed("countries.json"):
        table = json.loads((shipped_data() / "countries.json").read_text(encoding="utf-8"))
        return date.fromisoformat(table["about"]["edition"])


def load_tables(folder: Traversable) -> Tables:
    """Read all tables.

    Takes some 20 ms and 4 MB, once.

    Args:
        folder: where the files lie.

    Raises:
        IntensityError: if a file is missing, not of its format, or not of the expected shape.
    """
    return Tables(_intensities(folder), _names(folder), _grid(folder))


def _intensities(folder: Traversable) -> Intensities:
    divisions, parents = _json(folder, "subdivisions.json", _division_values)
    return _json(folder, "countries.json", lambda table: _of_countries(table, divisions, parents))


def _of_countries(
    table: dict[str, Any],
    divisions: Mapping[str, SubdivisionValue],
    parents: Mapping[str, str],
) -> Intensities:
    return Intensities(
        source=str(table["about"]["source"]),
        world=_mean(table["world"]),
        continents={code: _mean(row) for code, row in table["continents"].items()},
        groups={
            key: Group(_mean(row), frozenset(row["members"]))
            for key, row in table["groups"].items()
        },
        countries={code: _country(row) for code, row in table["countries"].items()},
        subdivisions=divisions,
        parents=parents,
    )


def _division_values(
    table: dict[str, Any],
) -> tuple[dict[str, SubdivisionValue], dict[str, str]]:
    sources = table["sources"]
    values = {
        code: _subdivision_value(value, sources[code[:2]])
        for code, value in table["values"].items()
    }
    return values, _texts(table["parents"])


def _grid(folder: Traversable) -> Grid:
    zones, source = _json(
        folder,
        "zones.json",
        lambda table: (
            {code: _zone(row, table["about"]["years"]) for code, row in table["zones"].items()},
            str(table["about"]["source"]),
        ),
    )
    supplied = _json(
        folder,
        "grid.json",
        lambda table: {area: tuple(codes.split()) for area, codes in table["zones"].items()},
    )
    with _blamed("grid.json"):
        return Grid.of(source, zones, supplied)


def _zone(row: dict[str, Any], years: list[int]) -> Zone:
    values = {
        int(year): _positive(value)
        for year, value in zip(years, row["g_per_kwh"], strict=True)
        if value is not None
    }
    return Zone(str(row["name"]), values)


def _names(folder: Traversable) -> Names:
    own = _json(folder, "aliases.json", _own_names)
    countries, continents = _json(
        folder, "countries.json", lambda table: (table["countries"], table["continents"])
    )
    codes = {code: code for code in countries} | {
        str(row["alpha3"]): code for code, row in countries.items()
    }
    return Names(
        alpha2=codes,
        titles=_table(folder, "subdivision_titles"),
        parents=_json(folder, "subdivisions.json", lambda table: _texts(table["parents"])),
        abbreviations=_table(folder, "abbreviations"),
        countries=_table(folder, "country_names"),
        official=_table(folder, "official_names"),
        subdivisions=_table(folder, "subdivision_names"),
        counties=_table(folder, "counties"),
        cities=_table(folder, "city_names"),
        continents=_table(folder, "continent_names"),
        continent_codes=frozenset(code.casefold() for code in continents if code in codes),
        time_zones=_table(folder, "time_zones"),
        languages=_json(folder, "languages.json", lambda table: frozenset(table["codes"])),
        clouds=_json(folder, "cloud.json", _clouds),
        postal_codes=_json(folder, "postal_codes.json", _postal_codes),
        **own,
    )


def _own_names(table: dict[str, Any]) -> dict[str, Any]:
    """Read what is collected by hand."""
    countries = _keyed(table["countries"]) | _keyed(table["ambiguous"])
    abbreviated = _led(ABBREVIATED, _keyed(table["abbreviated"]))
    evident = _led(DIVISION, _keyed(table["subdivisions"]))
    cities = _keyed(table["cities"]) | _keyed(table["sites"])
    continents = _led(CONTINENT, _keyed(table["continents"]))
    sets = ("world", "nowhere", "says_nothing", "words", "never_towns")
    return {
        "codes": {code.casefold(): area for code, area in table["codes"].items()},
        "zone_codes": _texts(table["zone_codes"]),
        "territories": _texts(table["territories"]),
        "sovereigns": _texts(table["sovereigns"]),
        "accented": _texts(table["accented"]),
        "groups": _keyed(table["groups"]),
        **{key: frozenset(map(_key, table[key])) for key in sets},
        "small_words": frozenset(table["small_words"]),
        "needs_capitals": frozenset(table["needs_capitals"]),
        "leading": frozenset(table["subdivisions_lead"]),
        "deciding": frozenset(table["subdivisions_decide"]),
        "own": NameTable.of(
            continents | abbreviated | _led(CITY, cities) | evident | _led(COUNTRY, countries)
        ),
    }


def _led(mark: str, names: Mapping[str, str]) -> dict[str, str]:
    return {name: f"{mark} {areas}" for name, areas in names.items()}


def _clouds(table: dict[str, Any]) -> Clouds:
    providers = {key: _provider(row) for key, row in table["providers"].items()}
    names = {_key(name): key for key, row in table["providers"].items() for name in row["names"]}
    return Clouds(providers, names)


def _provider(row: dict[str, Any]) -> Provider:
    pue = None
    if row["pue"] is not None:
        low, value, high = map(_positive, row["pue"]["interval"])
        pue = Factor(Interval(low, value, high), str(row["pue"]["source"]))
    return Provider(str(row["title"]), pue, _texts(row["regions"]), _texts(row["displays"]))


def _postal_codes(table: dict[str, Any]) -> PostalCodes:
    countries = _texts(table["countries"])
    any_country = "|".join(sorted({f"(?:{pattern})" for pattern in countries.values()}))
    return PostalCodes(countries, _texts(table["subdivisions"]), any_country)


def _json(folder: Traversable, name: str, read: Callable[[dict[str, Any]], _Read]) -> _Read:
    with _blamed(name):
        return read(json.loads((folder / name).read_text(encoding="utf-8")))


def _table(folder: Traversable, name: str) -> NameTable:
    with _blamed(f"{name}.tsv"):
        return NameTable.from_file((folder / f"{name}.tsv").read_bytes())


@contextmanager
def _blamed(name: str) -> Iterator[None]:
    """Blame a file for whatever goes wrong with its content."""
    try:
        yield
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
        name=str(row["name"]),
        continents=tuple(row["continents"]),
        g_per_kwh=None if value is None else _positive(value),
        year=row["year"],
        others=tuple(map(_positive, row["others"])),
    )


def _subdivision_value(value: float, source: dict[str, Any]) -> SubdivisionValue:
    return SubdivisionValue(
        _positive(value), int(source["year"]), str(source["source"]), str(source["counted"])
    )


def _positive(value: float) -> float:
    if not 0 < value < math.inf:
        raise ValueError(f"{value} is no intensity")
    return float(value)


def _texts(names: Mapping[str, str]) -> dict[str, str]:
    # What is no text fails here, while its own file can be blamed for it.
    return {name: areas.strip() for name, areas in names.items()}


def _keyed(names: Mapping[str, str]) -> dict[str, str]:
    return {_key(name): area.strip() for name, area in names.items()}


def _key(name: str) -> str:
    # Most are written as they are compared, which costs 50 us to find out otherwise.
    is_plain = _PLAIN.fullmatch(name) is not None
    return name if is_plain else _normalised(name)
