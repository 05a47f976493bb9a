"""The configuration page cannot drift from the code: table compared, examples run."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from carbon_node.settings import ConfigurationService, NodeQuestions, load
from carbon_node.settings.catalogue import Entry, catalogue, shown
from carbon_node.settings.requests import Code

pytestmark = pytest.mark.anyio

PAGE = (Path(__file__).parents[3] / "docs" / "configuration.md").read_text()
EXAMPLES = re.findall(r"^```json\n(.*?)\n```$", PAGE, re.MULTILINE | re.DOTALL)


def rows_after(heading: str) -> list[str]:
    """Return the rows of the table after a heading, its head left out."""
    _, _, rest = PAGE.partition(f"\n{heading}\n")
    table = re.search(r"^\|.*?\n\n", rest, re.MULTILINE | re.DOTALL)
    assert table is not None
    return table[0].strip().splitlines()[2:]


def row_of(entry: Entry) -> str:
    """Return the row that the page must have for a setting."""
    match shown(entry.default):
        case None | "" | []:
            default = "none"
        case dict() as table if not table:
            default = "none"
        case list() as parts:
            default = ", ".join(map(str, parts))
        case bool() as fact:
            default = str(fact).lower()
        case float() as number:
            default = f"{number:.12g}"
        case other:
            default = str(other)
    changes = "at restart" if entry.fixed else "any time"
    cells = [f"`{entry.key}`", default, entry.unit, entry.allowed, changes, entry.description]
    return "| " + " | ".join(cells) + " |"


def test_the_page_has_the_row_of_every_setting() -> None:
    """Name, default, unit, range, change and meaning on the page are those of the code."""
    assert [row_of(entry) for entry in catalogue().values()] == rows_after("## Settings")


def test_the_page_says_what_peers_may_set() -> None:
    """The table for peers has every setting that a request can change, with its bounds."""
    expected = [
        f"| `{entry.key}` | {f'{entry.allowed_by_request} {entry.unit}'.rstrip()} |"
        for entry in catalogue().values()
        if not entry.fixed
    ]
    assert expected == rows_after("### Who may")


def test_the_page_has_every_error_code() -> None:
    """The page lists exactly the error codes that the service has."""
    codes = [row.split("`")[1] for row in rows_after("### Codes of errors")]
    assert [code.value for code in Code] == codes


async def test_the_requests_on_the_page_get_the_answers_on_the_page(node: NodeQuestions) -> None:
    """Each request of the page, sent in order, gets the answer printed below it."""
    service = ConfigurationService(load({}, {}).configuration, node, lambda _: None)
    assert len(EXAMPLES) > 10
    for request, answer in zip(EXAMPLES[::2], EXAMPLES[1::2], strict=True):
        expected: dict[str, Any] = json.loads(answer)
        found = json.loads((await service.answer(request)).text)
        assert expected == without_rest(found, expected), request


def without_rest(found: dict[str, Any], expected: dict[str, Any]) -> dict[str, Any]:
    """Return an answer without the part that the page abbreviates as "..."."""
    printed = expected.get("configuration", {})
    if "..." not in printed:
        return found
    part = {key: found["configuration"][key] for key in printed if key != "..."}
    return {**found, "configuration": {**part, "...": "..."}}
