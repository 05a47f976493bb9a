"""The annotated example file says all that the code knows, and nothing else."""

import re
from pathlib import Path

from carbon_node.settings import Settings
from carbon_node.settings.catalogue import Entry, catalogue, flat
from carbon_node.settings.loading import problems_of_file
from carbon_node.settings.sources import from_file
from carbon_node.settings.validation import settings_of

EXAMPLE = Path(__file__).parents[3] / "packaging" / "carbon-node.toml"
SETTING = re.compile(r"#(?P<name>[a-z_]+) = (?P<value>.+)")
WITHOUT_DEFAULT = {key for key, entry in catalogue().items() if entry.default is None}


def switched_on(tmp_path: Path) -> Path:
    """Return a copy of the example in which every setting is enabled."""
    lines = EXAMPLE.read_text().splitlines()
    copy = tmp_path / "carbon-node.toml"
    copy.write_text("\n".join(line[1:] if SETTING.fullmatch(line) else line for line in lines))
    return copy


def annotations() -> dict[str, str]:
    """Return the comment before each setting, as one line."""
    comments: dict[str, str] = {}
    section, words = "", ""
    for line in EXAMPLE.read_text().splitlines():
        if found := SETTING.fullmatch(line):
            comments[section + found["name"]] = words.strip()
        if line.startswith("["):
            section = line.strip("[]") + "."
        words = f"{words} {line[2:]}" if line.startswith("# ") else ""
    return comments


def annotation_of(entry: Entry) -> str:
    """Return what the example must say above a setting."""
    allowed = f"{entry.allowed} {entry.unit}".rstrip()
    changes = "at restart" if entry.fixed else "at any time, by request or reload"
    said = f"{entry.description} Allowed: {allowed}. Changes {changes}."
    return said if entry.default is not None else f"{said} Not set by default; for example:"


def test_the_example_as_shipped_sets_nothing() -> None:
    """Installing the example changes no setting."""
    assert problems_of_file(EXAMPLE) == ()
    assert from_file(EXAMPLE).values == {}


def test_the_example_has_every_setting_with_its_default(tmp_path: Path) -> None:
    """With all lines enabled, the example states the defaults, and a value where there is none."""
    values = from_file(switched_on(tmp_path)).values
    assert sorted(catalogue()) == sorted(values)
    settings = settings_of(values)
    assert isinstance(settings, Settings)
    given, defaults = flat(settings), flat(Settings())
    assert {key for key in given if given[key] != defaults[key]} == WITHOUT_DEFAULT


def test_the_example_says_meaning_unit_range_and_change_of_every_setting() -> None:
    """The comment before each setting is what the code says about it."""
    expected = {key: annotation_of(entry) for key, entry in catalogue().items()}
    assert expected == annotations()
