"""A state directory, and a place for what a store says about its health."""

from pathlib import Path

import pytest

from carbon_node.store import Health


@pytest.fixture
def state_dir(tmp_path: Path) -> Path:
    """A state directory that does not exist yet."""
    return tmp_path / "state"


@pytest.fixture
def told() -> list[Health]:
    """Collects what a store says: give its `append` as `notify`."""
    return []
