"""One bound on the nesting of JSON, whatever Python reads it."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import carbon_node
from carbon_node.wire import bounded_json
from carbon_node.wire.bounded_json import MAX_DEPTH, NestedTooDeep

SHIPPED_DATA = {
    *("hardware/catalogue.py", "hardware/map.py"),
    *("intensity/name_table.py", "intensity/tables.py"),
}
"""Modules that read JSON which the package brings itself."""

SCALARS = st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from(('"[', "\\", "{"))


def nested(levels: int, core: object = "", *, as_objects: bool = False) -> Any:  # noqa: ANN401
    """Put a value into so many levels of arrays, or of objects."""
    value = core
    for _ in range(levels):
        value = {"]": value} if as_objects else [value]
    return value


@given(
    core=SCALARS, levels=st.integers(1, MAX_DEPTH), as_objects=st.booleans(), spaces=st.booleans()
)
def test_up_to_the_bound_json_is_read_as_ever(
    core: object, levels: int, *, as_objects: bool, spaces: bool
) -> None:
    """Brackets in strings, behind escapes and beside each other are no levels."""
    value = [nested(levels - 1, core, as_objects=as_objects)] * MAX_DEPTH
    document = json.dumps(value, indent=1 if spaces else None)
    assert bounded_json.loads(document) == value
    assert bounded_json.loads(document.encode("utf-16")) == value


@given(core=SCALARS, beyond=st.integers(1, 40), as_objects=st.booleans(), before=SCALARS)
def test_beyond_the_bound_it_is_refused(
    core: object, beyond: int, before: object, *, as_objects: bool
) -> None:
    """One level too many is enough, wherever it is and whatever stands before it."""
    deep = nested(MAX_DEPTH + beyond - 1, core, as_objects=as_objects)
    document = json.dumps([before, deep])
    with pytest.raises(NestedTooDeep, match=f"deeper than {MAX_DEPTH} levels"):
        bounded_json.loads(document)
    with pytest.raises(NestedTooDeep):
        bounded_json.loads(document.encode())


@pytest.mark.parametrize("opening", ["[", '{"a":', '["x",{"\\\\":'])
@pytest.mark.parametrize("levels", [MAX_DEPTH + 1, 1000, 2_000_000])
def test_what_never_closes_is_refused_before_it_is_parsed(opening: str, levels: int) -> None:
    """Depths at which one release of Python gives up and another goes on are the same to us."""
    with pytest.raises(NestedTooDeep):
        bounded_json.loads(opening * levels)


@pytest.mark.parametrize("document", ["", "[", "nonsense", '"\\', "[]" * 999, "9" * 5000])
def test_what_is_no_json_is_refused_by_the_parser(document: str) -> None:
    """Its error is the parser's, which says where."""
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - any of the parser's
        bounded_json.loads(document)
    assert not isinstance(caught.value, NestedTooDeep)


def test_values_of_other_parsers_meet_the_same_bound() -> None:
    """What was read from TOML counts its levels as JSON does."""
    bounded_json.check_depth(3)
    bounded_json.check_depth(nested(MAX_DEPTH))
    bounded_json.check_depth(nested(MAX_DEPTH, as_objects=True))
    for as_objects in (False, True):
        with pytest.raises(NestedTooDeep):
            bounded_json.check_depth([1, nested(MAX_DEPTH - 1, [], as_objects=as_objects)])


def test_all_json_from_outside_is_read_here() -> None:
    """No other module parses JSON, save those that read what the package ships."""
    package = Path(carbon_node.__file__).parent
    parsing = {
        str(path.relative_to(package))
        for path in package.rglob("*.py")
        if any(call in path.read_text() for call in (" json.load", "(json.load", "JSONDecoder("))
    }
    assert parsing == SHIPPED_DATA | {"wire/bounded_json.py"}
