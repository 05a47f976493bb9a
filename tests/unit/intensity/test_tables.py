"""The shipped tables: that they are whole, agree with each other, and are small."""

import json
import shutil
import tracemalloc
from pathlib import Path

import pytest

from carbon_node.errors import IntensityError
from carbon_node.estimation import Place
from carbon_node.intensity import IntensityConfig, IntensityLookup
from carbon_node.intensity.names import CONTINENT
from carbon_node.intensity.tables import Tables, load_tables, shipped_data

JSON_FILES = (
    "aliases.json",
    "cloud.json",
    "countries.json",
    "grid.json",
    "languages.json",
    "postal_codes.json",
    "subdivisions.json",
    "zones.json",
)

NAME_FILES = (
    "abbreviations.tsv",
    "city_names.tsv",
    "continent_names.tsv",
    "counties.tsv",
    "country_names.tsv",
    "official_names.tsv",
    "subdivision_names.tsv",
    "subdivision_titles.tsv",
    "time_zones.tsv",
)

FILES = (*JSON_FILES, *NAME_FILES)


def copy_of_the_tables(folder: Path) -> Path:
    """Copy the shipped tables to where a test may damage them."""
    return Path(shutil.copytree(str(shipped_data()), folder / "data"))


@pytest.mark.parametrize("name", FILES)
def test_every_table_says_where_it_comes_from(name: str) -> None:
    """Source and licence lead every file."""
    text = (shipped_data() / name).read_text(encoding="utf-8")
    about = json.loads(text.partition("\n")[0]) if name in NAME_FILES else json.loads(text)["about"]
    assert about["source"]
    assert about["licence"]


def test_the_files_that_are_read_are_those_that_are_shipped() -> None:
    """No table lies there unread, and none is read that nobody checks here."""
    shipped = {entry.name for entry in shipped_data().iterdir()}
    assert {name for name in shipped if name.endswith((".json", ".tsv"))} == set(FILES)


def test_the_share_alike_table_stands_alone_with_its_licence() -> None:
    """The values of grid zones come with the notice of the Open Database License."""
    about = json.loads((shipped_data() / "zones.json").read_text(encoding="utf-8"))["about"]
    assert about["licence"] == "ODbL 1.0, see ODBL-NOTICE.txt"
    notice = (shipped_data() / "ODBL-NOTICE.txt").read_text(encoding="utf-8")
    assert "Electricity Maps" in notice
    assert "Open Database License" in notice


def test_values_lie_within_what_grids_emit(tables: Tables) -> None:
    """No value is zero, none is above the dirtiest grid known."""
    countries = tables.intensities.countries.values()
    values = [land.g_per_kwh for land in countries if land.g_per_kwh is not None]
    values += [entry.g_per_kwh for entry in tables.intensities.subdivisions.values()]
    assert len(values) > 250
    assert all(20 < value < 1400 for value in values)


def test_known_traps_of_other_tables(tables: Tables) -> None:
    """NA is Namibia and has a value, the Central African Republic is not at zero."""
    countries = tables.intensities.countries
    assert (countries["NA"].name, countries["NA"].g_per_kwh) == ("Namibia", 48.78)
    assert countries["CF"].g_per_kwh == 111.11
    assert countries["XK"].name == "Kosovo"


def test_states_and_provinces_are_whole(tables: Tables) -> None:
    """50 states and the capital, 13 provinces and territories."""
    codes = tables.intensities.subdivisions
    assert sum(code.startswith("US-") for code in codes) == 51
    assert sum(code.startswith("CA-") for code in codes) == 13


def test_every_area_of_every_name_exists(tables: Tables) -> None:
    """No alias, cloud region or city points to a country or subdivision that is not there."""
    names = tables.names
    regions = (region for row in names.clouds.providers.values() for region in row.regions.values())
    areas = {
        *names.codes.values(),
        *names.territories.values(),
        *names.sovereigns,
        *(region.split()[0] for region in regions),
        *(a for found in names.own.values() if found[0] != CONTINENT for a in found[2:].split()),
        *(area for found in names.countries.values() for area in found.split()),
        *(area for found in names.official.values() for area in found.split()),
        *(area for found in names.counties.values() for area in found.split()),
        *names.time_zones.values(),
    }
    cities = {
        area.rstrip("+").upper()
        for found in names.cities.values()
        for area in found.lstrip("!").split()
    }
    known = tables.intensities.countries.keys() | names.titles.keys()
    assert {area for area in areas if names.territories.get(area, area) not in known} == set()
    # A few provinces of GeoNames were renumbered since: their country is right.
    assert {area[:2] for area in cities} <= known
    assert len(cities - known) < 10


def test_every_zone_that_supplies_a_place_has_a_value(tables: Tables) -> None:
    """Neither an area nor a cloud region points to a zone that is not there."""
    regions = (r for p in tables.names.clouds.providers.values() for r in p.regions.values())
    zones = {zone for region in regions for zone in region.split()[1:]}
    zones |= {zone for codes in tables.grid.supplied.values() for zone in codes}
    assert zones <= tables.grid.zones.keys()
    assert len(tables.grid.zones) == 352


def test_every_value_belongs_to_a_known_subdivision(tables: Tables) -> None:
    """A value whose code nobody can name would never be found."""
    assert tables.intensities.subdivisions.keys() <= tables.names.titles.keys()


def test_names_of_countries_in_many_languages(lookup: IntensityLookup) -> None:
    """Germany in 20 languages."""
    spellings = (
        *("germany", "deutschland", "allemagne", "alemania", "germania", "alemanha", "duitsland"),
        *("niemcy", "tyskland", "saksa", "německo", "németország", "almanya", "германия"),
        *("德国", "ドイツ", "독일", "ألمانيا", "जर्मनी", "γερμανία"),
    )
    assert {lookup.lookup(Place(spelling)).code for spelling in spellings} == {"DE"}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("content", [None, b"", b"{", b"[]", b"\xff\xfe", b'{"about": {}}'])
def test_a_damaged_table_is_blamed_by_name(
    tmp_path: Path, name: str, content: bytes | None
) -> None:
    """A file that is missing, empty, cut or of another shape is named, with what to do."""
    folder = copy_of_the_tables(tmp_path)
    (folder / name).unlink() if content is None else (folder / name).write_bytes(content)
    with pytest.raises(IntensityError, match=f"{name} is missing or damaged.*install") as raised:
        load_tables(folder)
    assert raised.value.__cause__ is not None


@pytest.mark.parametrize(
    ("name", "section"),
    [("subdivisions.json", "parents"), ("aliases.json", "accented"), ("aliases.json", "cities")],
)
def test_a_name_that_stands_for_no_text_is_damage_of_its_table(
    tmp_path: Path, name: str, section: str
) -> None:
    """A number in a text's place is found when the tables are read, and its file is named."""
    folder = copy_of_the_tables(tmp_path)
    table = json.loads((folder / name).read_text(encoding="utf-8"))
    table[section]["atlantis"] = 7
    (folder / name).write_text(json.dumps(table), encoding="utf-8")
    with pytest.raises(IntensityError, match=f"{name} is missing or damaged"):
        load_tables(folder)


@pytest.mark.parametrize("name", NAME_FILES)
def test_a_table_of_names_that_was_cut_is_blamed(tmp_path: Path, name: str) -> None:
    """A file that lost its end does not silently know fewer places."""
    folder = copy_of_the_tables(tmp_path)
    (folder / name).write_bytes((folder / name).read_bytes()[:-10])
    with pytest.raises(IntensityError, match=f"{name} is missing or damaged"):
        load_tables(folder)


def test_a_supplied_area_without_a_zone_is_damage(tmp_path: Path) -> None:
    """An area whose zone has no value is found when the tables are read."""
    folder = copy_of_the_tables(tmp_path)
    table = json.loads((folder / "grid.json").read_text(encoding="utf-8"))
    table["zones"]["FR-BRE"] = "FR-NOWHERE"
    (folder / "grid.json").write_text(json.dumps(table), encoding="utf-8")
    with pytest.raises(IntensityError, match="FR-NOWHERE"):
        load_tables(folder)


def test_the_tables_stay_small_once_they_are_read() -> None:
    """Some 100,000 names and all values take less than 4 MB."""
    tracemalloc.start()
    tables = load_tables(shipped_data())
    held_bytes = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert len(tables.names.cities) > 60_000
    assert held_bytes < 4e6


@pytest.mark.parametrize("value", [0, -5, "41", None, 1e999])
def test_an_absurd_value_in_a_table_is_damage(tmp_path: Path, value: object) -> None:
    """A country of zero or negative grams is not believed; one without a value is fine."""
    folder = copy_of_the_tables(tmp_path)
    table = json.loads((folder / "countries.json").read_text(encoding="utf-8"))
    table["countries"]["FR"]["g_per_kwh"] = value
    (folder / "countries.json").write_text(json.dumps(table), encoding="utf-8")
    if value is None:
        assert load_tables(folder).intensities.countries["FR"].g_per_kwh is None
    else:
        with pytest.raises(IntensityError, match=r"countries\.json"):
            load_tables(folder)


def test_with_a_damaged_table_the_node_goes_on_with_the_world(tmp_path: Path) -> None:
    """The answer is the world mean, and its warning names the damaged file."""
    folder = copy_of_the_tables(tmp_path)
    (folder / "city_names.tsv").write_bytes(b"damaged")
    answer = IntensityLookup(IntensityConfig(), data=folder).lookup(Place("France"))
    assert (answer.place, answer.g_per_kwh.value) == ("World", 458)
    assert "city_names.tsv" in answer.warnings[0]


def test_the_world_in_the_program_is_the_world_of_the_tables(tmp_path: Path) -> None:
    """What remains without tables does not drift from them."""
    answers = [
        IntensityLookup(IntensityConfig(), data=data).lookup(Place("")).g_per_kwh
        for data in (None, tmp_path)
    ]
    assert answers[1].value == answers[0].value
    assert answers[1].low <= answers[0].low
    assert answers[1].high >= answers[0].high


def test_reading_the_tables_takes_little_memory() -> None:
    """Less than 12 MB at any moment."""
    tracemalloc.start()
    load_tables(shipped_data())
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak_bytes < 12e6
