"""What holds for every test."""

import pytest
from hypothesis import settings

# A deadline would fail a property on a machine that has other work to do.
settings.register_profile("carbon_node", deadline=None)
settings.load_profile("carbon_node")


@pytest.fixture
def anyio_backend() -> str:
    """Run coroutines on asyncio, as the daemon does."""
    return "asyncio"
