"""A node for the configuration service to tell about."""

from collections.abc import Mapping, Sequence

import pytest

from carbon_node.errors import StoreError


class NodeWithResults:
    """A node with two results, whose store can be made unreadable."""

    def __init__(self) -> None:
        self.is_readable = True

    def status(self) -> Mapping[str, str]:
        """Return a status."""
        return {"node": "IDLE"}

    async def last_results(self, count: int) -> Sequence[Mapping[str, int]]:
        """Return the latest results."""
        if not self.is_readable:
            raise StoreError("the disk is gone")
        return [{"problem_id": 2}, {"problem_id": 1}][:count]

    async def results_of(self, problem_id: int, iteration_id: int) -> Sequence[Mapping[str, int]]:
        """Return the results of a task."""
        results = await self.last_results(2)
        return [one for one in results if (one["problem_id"], 1) == (problem_id, iteration_id)]


@pytest.fixture
def node() -> NodeWithResults:
    """Return a node with two results."""
    return NodeWithResults()
