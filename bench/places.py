"""How long does it take to find the carbon intensity of a place?"""

import time

from bench.effort import Effort
from bench.figures import Figure, figure
from carbon_node.estimation import Place
from carbon_node.intensity import IntensityConfig, IntensityLookup

KNOWN = Place("France")
TEXTS = ("Germny", "Paris", "a b c", "東京")
"""A typing error, a city, nothing, and another script; each is followed by a number, so that none
is answered from memory."""


def figures(effort: Effort) -> list[Figure]:
    """Read the tables several times, then look up texts that were not asked for before."""
    first_ms = [_ms(IntensityLookup(IntensityConfig()), KNOWN) for _ in range(effort.starts)]
    lookup = IntensityLookup(IntensityConfig())
    lookup.lookup(KNOWN)
    places = [Place(f"{text} {n}", "Europe") for n in range(effort.requests) for text in TEXTS]
    return [
        figure("first look-up, reading the tables", "ms", first_ms),
        figure("look-up of a new text", "ms", [_ms(lookup, place) for place in places]),
    ]


def _ms(lookup: IntensityLookup, place: Place) -> float:
    since_s = time.perf_counter()
    lookup.lookup(place)
    return (time.perf_counter() - since_s) * 1000
