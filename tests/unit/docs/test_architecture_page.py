"""docs/architecture.md and the map in the package's docstring name what is there."""

import re
from pathlib import Path

import carbon_node

ROOT = Path(__file__).parents[3]
SOURCES = ROOT / "src" / "carbon_node"
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")


def test_every_path_on_the_page_exists() -> None:
    """Who follows the page finds the file that it names."""
    paths = re.findall(r"`((?:[\w-]+/)*(?:[\w-]+\.(?:py|json|toml|md)|[\w-]+/))`", PAGE)
    missing = [path for path in paths if not any((at / path).exists() for at in (ROOT, SOURCES))]
    assert len(paths) > 30
    assert missing == []


def test_the_map_has_a_line_for_every_room() -> None:
    """A room that the map does not name could not be found by a newcomer."""
    named = set(re.findall(r"^    ([\w.]+)/?: ", carbon_node.__doc__ or "", re.MULTILINE))
    rooms = {path.name for path in SOURCES.iterdir() if (path / "__init__.py").exists()}
    modules = {path.name for path in SOURCES.glob("*.py")} - {"__init__.py", "__main__.py"}
    assert (rooms | modules) - named == set()
