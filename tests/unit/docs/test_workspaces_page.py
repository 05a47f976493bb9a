"""The page for workspaces says what the program says."""

from pathlib import Path

from carbon_node.transport.sustainml.transport import LIMITATIONS

PAGE = Path(__file__).parents[3] / "docs" / "workspaces.md"


def test_the_page_lists_the_limitations_of_the_library() -> None:
    """As `doctor` prints them, and no others."""
    section = PAGE.read_text().split("## What the node cannot do on sustainml_py")[1].split("##")[0]
    assert [line[2:] for line in section.splitlines() if line.startswith("- ")] == [*LIMITATIONS]
