"""Results on disk: what was accepted, answered, published and acknowledged, across restarts.

The daemon opens a `Store` and gives it to the pipeline; `carbon-node history` reads the same file
beside it. `editions` says what becomes of a task, `ledger` how that reaches the disk, `store` when;
`database`, `rows` and `schema` know SQL.
"""

from carbon_node.store.editions import Edition, Editions, State
from carbon_node.store.history import Query
from carbon_node.store.ledger import Health
from carbon_node.store.pages import Cursor, Page
from carbon_node.store.store import Clocks, Store, StoreConfig, open_store

__all__ = [
    "Clocks",
    "Cursor",
    "Edition",
    "Editions",
    "Health",
    "Page",
    "Query",
    "State",
    "Store",
    "StoreConfig",
    "open_store",
]
