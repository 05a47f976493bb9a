"""Stores for tests: bounds that no test reaches unless it sets its own."""

from pathlib import Path

from carbon_node.store import Edition, Page, Query, Store, StoreConfig


def store_config(
    directory: Path | None,
    *,
    max_results: int = 100_000,
    max_age_days: float = 400.0,
    **rest: float,
) -> StoreConfig:
    """Where a test keeps results; None keeps them in memory."""
    return StoreConfig(directory, max_results, max_age_days, **rest)


async def editions_in(
    store: Store, query: Query | None = None, limit: int = 1_000
) -> list[Edition]:
    """The editions of a store that a query asks for, oldest first; the newest `limit` of them."""
    page = await store.page(Page(query or Query(), limit, max_bytes=2**30))
    return page.editions[::-1]
