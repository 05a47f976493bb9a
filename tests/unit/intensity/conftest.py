"""The look-up with the shipped tables, read once."""

import pytest

from carbon_node.intensity import IntensityConfig, IntensityLookup
from carbon_node.intensity.tables import Tables, load_tables, shipped_data


@pytest.fixture(scope="session")
def tables() -> Tables:
    """The shipped tables."""
    return load_tables(shipped_data())


@pytest.fixture(scope="session")
def lookup() -> IntensityLookup:
    """A look-up without default place and live provider."""
    return IntensityLookup(IntensityConfig())
