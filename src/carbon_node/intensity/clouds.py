"""Regions of cloud providers: where they stand, and what their sites use beside the computers.

Codes collide: ap-southeast-2 is Sydney for one provider and Bangkok for another. A named provider's
code is read in its own list alone. Without a provider the three largest are meant, or all of the
others, where they agree.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from carbon_node.estimation import Factor

LARGEST = ("aws", "azure", "google")
"""Providers whose codes are meant where none is named, in this order."""

_ZONE = re.compile(r"([a-z]+-[a-z]+-\d)-[a-z]+-\d+[a-z]?|(.*\d)-?[a-f]|(.+)-[1-3]")
"""A part of a region: us-east-1a, fr-par-1, us-west-2-lax-1a."""

_CODE = re.compile(r"[a-z]+[-\d].*")
"""What can be a code without a provider's name beside it: "ash" and "sin" are words."""


@dataclass(frozen=True, slots=True)
class CloudRegion:
    """A region of a provider.

    Args:
        provider: key of the provider.
        area: country or subdivision in which it stands.
        zones: grid zones that supply it; empty where they are those of its area.
    """

    provider: str
    area: str
    zones: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Provider:
    """A cloud provider.

    Args:
        title: its name.
        pue: published facility energy over device energy, None if it publishes none.
        regions: "area zone zone" by code.
        displays: codes by display name, normalised.
    """

    title: str
    pue: Factor | None
    regions: Mapping[str, str]
    displays: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Clouds:
    """All providers.

    Args:
        providers: by key.
        keys: keys by normalised name.
        displays: display names of all of them, normalised.
    """

    providers: Mapping[str, Provider]
    keys: Mapping[str, str]
    displays: frozenset[str]

    def by_code(self, code: str, named: frozenset[str]) -> tuple[CloudRegion, ...]:
        """Return the region of a code.

        Args:
            code: as written.
            named: keys of the providers that the text names.

        Returns:
            One region, or one for each named provider that has the code.
        """
        plain = code.casefold().replace("_", "-")
        if named:
            return tuple(self._regions(plain, named))
        found = list(self._regions(plain, LARGEST))
        if not found and _CODE.fullmatch(plain):
            found = list(self._regions(plain, self.providers))
        is_largest = bool(found) and found[0].provider in LARGEST
        countries = {region.area[:2] for region in found}
        return tuple(found[:1]) if is_largest or len(countries) == 1 else ()

    def by_display_name(self, name: str, named: frozenset[str]) -> tuple[CloudRegion, ...]:
        """Return the regions of a display name, of the named providers or of the largest.

        Args:
            name: normalised.
            named: keys of the providers that the text names.
        """
        keys = named or LARGEST
        codes = ((key, self.providers[key].displays.get(name)) for key in keys)
        return tuple(region for key, code in codes if code for region in self._regions(code, [key]))

    def _regions(self, code: str, keys: Iterable[str]) -> Iterable[CloudRegion]:
        has_parts = "-" in code or code[-1:].isdigit() or code[-2:-1].isdigit()
        zone = _ZONE.fullmatch(code) if has_parts else None
        region = next(filter(None, zone.groups()), "") if zone else ""
        for key in keys:
            regions = self.providers[key].regions
            if entry := regions.get(code) or regions.get(region):
                area, *zones = entry.split()
                yield CloudRegion(key, area, tuple(zones))
