"""A node about which the configuration service has nothing to tell."""

from collections.abc import Mapping, Sequence

from carbon_node.json_value import Json


class QuietNode:
    """A node that is idle and has no results."""

    def status(self) -> Mapping[str, Json]:
        """Return one word."""
        return {"node": "IDLE"}

    async def last_results(self, count: int) -> Sequence[Mapping[str, Json]]:  # noqa: ARG002 - there are none
        """Return nothing."""
        return []

    async def results_of(self, problem_id: int, iteration_id: int) -> Sequence[Mapping[str, Json]]:  # noqa: ARG002 - there are none
        """Return nothing."""
        return []
