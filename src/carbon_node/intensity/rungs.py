"""The steps from a place to its intensity."""

from enum import StrEnum


class Rung(StrEnum):
    """Steps of the ladder from the most to the least certain."""

    EXPLICIT = "explicit"
    LIVE = "live"
    CODE = "code"
    COUNTRY = "country"
    SUBDIVISION = "subdivision"
    CITY = "city"
    CONTINENT = "continent"
    DEFAULT = "default"
    WORLD = "world"
