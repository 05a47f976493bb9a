"""Estimates side by side: which of them really differ."""

from collections.abc import Sequence

from carbon_node.estimation.result import Estimate


def indistinct(estimates: Sequence[Estimate]) -> tuple[tuple[int, ...], ...]:
    """Find the estimates whose carbon intervals overlap.

    What two estimates share, such as the PUE, is uncertain for both in the same way: two that
    overlap may still differ, but two that do not overlap surely do.

    Args:
        estimates: what to compare.

    Returns:
        For each estimate, the indices of the others that it cannot be told apart from.
    """
    return tuple(
        tuple(
            other
            for other, candidate in enumerate(estimates)
            if other != index and candidate.carbon_g.overlaps(estimate.carbon_g)
        )
        for index, estimate in enumerate(estimates)
    )
