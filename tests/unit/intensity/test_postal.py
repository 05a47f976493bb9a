"""Postal codes: which countries and states one can be of."""

import pytest

from carbon_node.intensity.postal import Fit
from carbon_node.intensity.tables import Tables


@pytest.mark.parametrize(
    ("code", "area", "fit"),
    [
        ("75460", "US-TX", Fit.PLACE),
        ("75460", "US-OH", Fit.NONE),
        ("75460", "US", Fit.SHAPE),
        ("75460", "FR", Fit.SHAPE),
        ("75460", "GB", Fit.NONE),
        ("7546", "US-TX", Fit.NONE),
        ("cb2 1tn", "GB", Fit.PLACE),
        ("CB2 1TN", "GB-ENG", Fit.PLACE),
        ("N6A 3K7", "CA-ON", Fit.PLACE),
        ("N6A 3K7", "CA-BC", Fit.NONE),
        ("75460", "ZZ", Fit.NONE),
    ],
)
def test_a_code_fits_the_places_that_write_it(
    tables: Tables, code: str, area: str, fit: Fit
) -> None:
    """Letters, and a state's first characters, decide; the same five digits are many countries'."""
    assert tables.names.postal_codes.fit(code, area) is fit


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("75460", True),
        ("cb2 1tn", True),
        ("N6A 3K7", True),
        ("12", False),
        ("12345678901", False),
        ("ABCDE", False),
        ("CB2 1TN, UK", False),
        ("", False),
    ],
)
def test_what_is_written_like_a_code(tables: Tables, text: str, expected: bool) -> None:  # noqa: FBT001
    """A digit at least, and no longer than codes are."""
    assert tables.names.postal_codes.is_one(text) is expected


def test_a_place_fits_better_than_a_shape() -> None:
    """The best fit is the largest."""
    assert Fit.NONE < Fit.SHAPE < Fit.PLACE
