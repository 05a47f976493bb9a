"""A pipeline that runs, for the tests of its parts."""

from collections.abc import AsyncIterator

import pytest
from tests.pipelines import World, running_world


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """A pipeline of its own for each test."""
    async with running_world() as world:
        yield world
