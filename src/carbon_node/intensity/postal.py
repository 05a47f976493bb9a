"""Postal codes: which places one can belong to."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

_SHAPE = re.compile(r"(?=.*\d)[A-Z0-9][A-Z0-9 -]{2,9}")
"""Nothing else is compared with the patterns of all countries."""


class Fit(IntEnum):
    """How well a postal code fits a place."""

    NONE = 0
    SHAPE = 1
    PLACE = 2


@dataclass(frozen=True, slots=True)
class PostalCodes:
    """Patterns of postal codes.

    Args:
        countries: pattern of a whole code by country.
        subdivisions: pattern of the first characters by subdivision.
        any_country: pattern of a whole code of any country.
    """

    countries: Mapping[str, str]
    subdivisions: Mapping[str, str]
    any_country: str

    def is_one(self, text: str) -> bool:
        """Whether a text is written like a postal code of some country."""
        plain = text.upper()
        return bool(_SHAPE.fullmatch(plain) and re.fullmatch(self.any_country, plain))

    def fit(self, code: str, area: str) -> Fit:
        """Compare a postal code with a country or subdivision.

        Args:
            code: as written.
            area: "FR" or "US-TX".

        Returns:
            `PLACE` where its first characters are the subdivision's, or where it has letters, as
            hardly two countries write it; `SHAPE` where only the country's way of writing fits.
        """
        plain = code.upper()
        pattern = self.countries.get(area[:2])
        if pattern is None or not re.fullmatch(pattern, plain):
            return Fit.NONE
        first = self.subdivisions.get(area)
        if first is None:
            return Fit.PLACE if any(map(str.isalpha, plain)) else Fit.SHAPE
        return Fit.PLACE if re.match(f"(?:{first})", plain) else Fit.NONE
