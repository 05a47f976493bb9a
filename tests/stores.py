"""Stores for tests: bounds that no test reaches unless it sets its own."""

from pathlib import Path

from carbon_node.store import StoreConfig


def store_config(
    directory: Path | None,
    *,
    max_results: int = 100_000,
    max_age_days: float = 400.0,
    **rest: float,
) -> StoreConfig:
    """Where a test keeps results; None keeps them in memory."""
    return StoreConfig(directory, max_results, max_age_days, **rest)
