"""What comes in as extra_data is not trusted; what goes out keeps the consumers alive."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbon_node.wire import extra_data

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=10,
)


@pytest.mark.parametrize(
    ("octets", "problem"),
    [
        (b"{", "not JSON"),
        (b"[1]", "a JSON list instead of an object"),
        (b"null", "a JSON NoneType instead of an object"),
        (b'{"a": "\xff"}', "not UTF-8 at byte 7"),
        (b"[" * 200_000, "JSON nested deeper than 64 levels"),
        (b"9" * 5_000, "not JSON"),
        (b" " * (8 * 2**20 + 1), "8388609 bytes are more than the 8388608 that are read"),
    ],
    ids=["broken", "list", "null", "not-utf8", "deep", "huge-number", "too-long"],
)
def test_what_cannot_be_read_has_no_content_and_a_problem(octets: bytes, problem: str) -> None:
    """Unreadable octets are named, never raised."""
    assert extra_data.read(octets) == extra_data.ExtraData({}, problem)


@given(st.binary(max_size=200))
def test_reading_never_raises(octets: bytes) -> None:
    """Any octets give either content or a problem."""
    read = extra_data.read(octets)

    assert not read.content or not read.problem


def test_the_representation_hides_values() -> None:
    """A secret does not get into a log by way of repr."""
    read = extra_data.read(b'{"hf_token": "hf_secret"}')

    assert "hf_secret" not in repr(read)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (3, 3),
        (1, 1),
        (0, 1),
        (-2, 1),
        (None, 1),
        ("3", 1),
        (3.0, 1),
        (True, 1),
        ([2], 1),
        (10**30, 10**30),
    ],
)
def test_num_outputs_is_an_integer_of_at_least_one(value: object, expected: int) -> None:
    """Only an integer of at least one is taken over."""
    assert extra_data.number_of_outputs({"num_outputs": value}) == expected


def test_num_outputs_defaults_to_one() -> None:
    """A user input without num_outputs wants one result."""
    assert extra_data.number_of_outputs({}) == 1


@pytest.mark.parametrize(
    ("earlier", "expected"),
    [
        (["a", "b"], ["m", "a", "b"]),
        (["m", "a", "a"], ["m", "a"]),
        ([1, None, "a", ["b"]], ["m", "a"]),
        ("a", ["m"]),
        (None, ["m"]),
    ],
)
def test_this_model_leads_the_restrains(earlier: object, expected: list[str]) -> None:
    """This model leads, the user input's follow without repeats, what is not text goes."""
    assert extra_data.model_restrains({"model_restrains": earlier}, "m") == expected


@given(JSON, JSON, st.text(), st.none() | st.text())
def test_output_is_always_what_consumers_parse(
    outputs: object, earlier: object, model: str, error: str | None
) -> None:
    """Whatever a client sent, the output is a JSON object with the keys that consumers index."""
    content = {"num_outputs": outputs, "model_restrains": earlier}

    octets = extra_data.write(
        extra_data.number_of_outputs(content),
        extra_data.model_restrains(content, model),
        {"schema": 1},
        error,
    )

    parsed = json.loads(octets.decode("utf-8"))
    assert isinstance(parsed["num_outputs"], int)
    assert parsed["num_outputs"] >= 1
    assert all(isinstance(name, str) for name in parsed["model_restrains"])
    assert ("error" in parsed) == (error is not None)
    assert parsed["schema"] == 1


def test_half_a_surrogate_pair_does_not_reach_consumers() -> None:
    """A name that no UTF-8 can spell is written with a replacement."""
    octets = extra_data.write(1, ["a\ud800b"], {"note": "\udfff"})

    assert json.loads(octets.decode("utf-8")) == {
        "num_outputs": 1,
        "model_restrains": ["a?b"],
        "note": "?",
    }


def test_the_consumers_keys_cannot_be_overwritten() -> None:
    """Provenance never replaces what keeps the orchestrator alive."""
    octets = extra_data.write(
        2, ["m"], {"num_outputs": "x", "error": "kept out?"}, error="no power"
    )

    assert json.loads(octets) == {"num_outputs": 2, "model_restrains": ["m"], "error": "no power"}


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_what_json_cannot_spell_is_never_written(number: float) -> None:
    """A parser that keeps to the standard would refuse all of it."""
    with pytest.raises(ValueError, match="not JSON compliant"):
        extra_data.write(1, ["m"], {"energy_kwh": [number]})


def test_other_keys_stay_when_an_output_leaves_again() -> None:
    """Only the number of outputs is rewritten; an output that asked for one stays as it is."""
    first = extra_data.write(3, ["é"], {"schema": 1}, error="no power")
    again = extra_data.with_single_output(first)
    assert json.loads(again) == json.loads(first) | {"num_outputs": 1}
    assert extra_data.with_single_output(again) is again
    assert extra_data.error_in(again) == "no power"
    assert extra_data.error_in(extra_data.write(1, [], {})) is None
