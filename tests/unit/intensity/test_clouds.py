"""Regions of cloud providers: whose code is meant."""

import pytest

from carbon_node.intensity.clouds import CloudRegion, Clouds, Provider

CLOUDS = Clouds(
    providers={
        "aws": Provider(
            "AWS", None, {"us-east-1": "US-VA PJM", "ap-1": "AU"}, {"virginia": "us-east-1"}
        ),
        "azure": Provider("Azure", None, {"eastus": "US-VA", "ap-1": "TH"}, {"east us": "eastus"}),
        "google": Provider("Google", None, {"us-east1": "US-SC"}, {}),
        "small": Provider("Small", None, {"fsn1": "DE", "ash": "US-VA", "x-1": "FR"}, {}),
        "other": Provider("Other", None, {"x-1": "DE", "fr-par": "FR-IDF", "ap-1": "MY"}, {}),
        "third": Provider("Third", None, {"fr-par": "FR-OCC"}, {}),
    },
    keys={},
    displays=frozenset(),
)
NOBODY: frozenset[str] = frozenset()


@pytest.mark.parametrize(
    ("code", "named", "areas"),
    [
        ("us-east-1", (), ["US-VA"]),
        ("US_EAST_1", (), ["US-VA"]),
        ("us-east-1a", (), ["US-VA"]),
        ("us-east-1-f", (), ["US-VA"]),
        ("us-east-1g", (), []),
        ("us-east-1-lax-1a", (), ["US-VA"]),
        ("fsn1", (), ["DE"]),
        ("ash", (), []),
        ("ash", ("small",), ["US-VA"]),
        ("ap-1", (), ["AU"]),
        ("ap-1", ("azure",), ["TH"]),
        ("ap-1", ("azure", "other"), ["MY", "TH"]),
        ("x-1", (), []),
        ("fr-par", (), ["FR-IDF"]),
        ("fr-par-2", (), ["FR-IDF"]),
        ("fr-par-4", (), []),
        ("us-east-1", ("small",), []),
        ("nowhere", (), []),
        ("", (), []),
    ],
)
def test_a_code_is_read_in_the_list_of_who_is_meant(
    code: str, named: tuple[str, ...], areas: list[str]
) -> None:
    """The named provider's; else the largest ones', or all of the others' if they agree."""
    found = CLOUDS.by_code(code, frozenset(named))
    assert sorted(region.area for region in found) == areas


def test_a_region_has_its_grid_zones() -> None:
    """They stand behind the area."""
    assert CLOUDS.by_code("us-east-1", NOBODY) == (CloudRegion("aws", "US-VA", ("PJM",)),)


@pytest.mark.parametrize(
    ("name", "named", "providers"),
    [
        ("virginia", (), ["aws"]),
        ("east us", (), ["azure"]),
        ("east us", ("aws",), []),
        ("east us", ("azure",), ["azure"]),
        ("nowhere", (), []),
    ],
)
def test_a_display_name_is_a_providers_too(
    name: str, named: tuple[str, ...], providers: list[str]
) -> None:
    """As with codes, a named provider's alone."""
    found = CLOUDS.by_display_name(name, frozenset(named))
    assert [region.provider for region in found] == providers
