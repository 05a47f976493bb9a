"""How quickly are tasks kept durably, and how quickly are they found again?

Every task is accepted, saved, marked published and marked acknowledged. The reference, measured in
the same run on the same disk, is the same number of bytes appended to a file and synced at once.
"""

import asyncio
import os
import resource
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from bench.effort import Effort
from bench.figures import Figure, figure
from carbon_node.store import Query, Store, StoreConfig, open_store
from carbon_node.store.database import DATABASE_NAME, Database
from carbon_node.store.editions import Edition, State
from carbon_node.store.history import editions, open_history, totals
from carbon_node.tasks.answer import Answer, Outcome
from carbon_node.tasks.key import Summary, TaskKey
from carbon_node.wire import samples

EXTRA_DATA = b'{"num_outputs": 1, "model_restrains": [], "provenance": "' + b"x" * 2500 + b'"}'
"""The size of a usual result's provenance."""

SUMMARY = Summary("google/vit-base-patch16-224", "NVIDIA H100 PCIe 80GB", "Madrid, Spain")
DIGEST = "0" * 64
FURTHER_BURSTS = 9
CHUNK = 1_000


def figures(effort: Effort) -> list[Figure]:
    """Keep tasks one by one and in bursts, then read a large store."""
    # Not in the folder for temporary files, which may be in memory, where a sync costs nothing.
    with tempfile.TemporaryDirectory(dir=".", prefix=".bench-store-") as place:
        living = asyncio.run(_living(Path(place) / "living", effort))
        return living + _large(Path(place) / "large", effort)


async def _living(directory: Path, effort: Effort) -> list[Figure]:
    async with open_store(
        StoreConfig(directory, max_results=100_000, max_age_days=400.0), print
    ) as store:
        single_ms = [
            await _timed_ms(store, number) for number in range(1, effort.single_tasks // 4 + 1)
        ]
        size = effort.burst_tasks
        firsts = range(10_000, 10_000 * (effort.bursts + 1), 10_000)
        burst = [await _burst_per_s(store, first, size) for first in firsts]
        before_kib = _peak_kib()
        for first in range(FURTHER_BURSTS):
            await _burst_per_s(store, 1_000_000 + first * 10_000, size)
        growth_mb = (_peak_kib() - before_kib) / 1024
    synced = ("the same bytes appended and synced", _synced_append_ms(directory, len(single_ms)))
    return [
        figure("one task alone, accept and save", "ms", single_ms, synced),
        figure(f"tasks a second in a burst of {size:,}", "1/s", burst),
        figure(f"memory that {FURTHER_BURSTS * size:,} further tasks add", "MB", [growth_mb]),
    ]


def _large(directory: Path, effort: Effort) -> list[Figure]:
    directory.mkdir()
    count = effort.store_results
    path = directory / DATABASE_NAME
    with closing(Database.open(path)) as database:
        for first in range(1, count + 1, CHUNK):
            database.write(_edition(number) for number in range(first, first + CHUNK))
    size_mb = path.stat().st_size / 1e6
    open_ms = [_once_ms(lambda: Database.open(path).close()) for _ in range(20)]
    query = Query(model="vit", last=20)
    with closing(open_history(directory)) as database:
        ask = lambda: (list(editions(database, query)), totals(database, query))  # noqa: E731
        query_ms = [_once_ms(ask) for _ in range(20)]
    return [
        figure(f"opening a store of {count:,} results", "ms", open_ms),
        figure(f"last 20 of {count:,} by model, with totals", "ms", query_ms),
        figure(f"size of {count:,} results with 2.5 kB of provenance", "MB", [size_mb]),
    ]


async def _task(store: Store, number: int) -> None:
    key = _key(number)
    await store.accept(key, DIGEST, SUMMARY)
    kept = await store.save(key, DIGEST, SUMMARY, _answer(key))
    store.mark_published(kept)
    store.mark_acknowledged(kept)


async def _timed_ms(store: Store, number: int) -> float:
    start_s = time.perf_counter()
    await _task(store, number)
    return (time.perf_counter() - start_s) * 1000


async def _burst_per_s(store: Store, first: int, size: int) -> float:
    start_s = time.perf_counter()
    await asyncio.gather(*(_task(store, first + number) for number in range(size)))
    return size / (time.perf_counter() - start_s)


def _synced_append_ms(directory: Path, runs: int) -> list[float]:
    def append() -> None:
        os.write(file, EXTRA_DATA)
        os.fdatasync(file)

    file = os.open(directory / "reference", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    times_ms = [_once_ms(append) for _ in range(runs)]
    os.close(file)
    return times_ms


def _once_ms(work: Callable[[], object]) -> float:
    start_s = time.perf_counter()
    work()
    return (time.perf_counter() - start_s) * 1000


def _peak_kib() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _key(number: int) -> TaskKey:
    return TaskKey(samples.TaskId(number, 1), "01.0f.aa.bb.cc.dd.ee.ff.00.00.00.01|0.0.1.2")


def _answer(key: TaskKey) -> Answer:
    return Answer(
        footprint=samples.CO2Footprint(2.0, 0.01, 200.0, EXTRA_DATA, key.task_id),
        outcome=Outcome.COMPUTED,
        mode="formula",
        place_code="ES-MD",
        energy_kwh=0.01,
        device_energy_kwh=0.006,
        intensity_g_per_kwh=200.0,
        carbon_g=2.0,
        carbon_low_g=1.0,
        carbon_high_g=3.0,
        stage_seconds={"plan": 0.0001, "measure": 0.5, "publish": 0.001},
    )


def _edition(number: int) -> Edition:
    key, about = _key(number), replace(SUMMARY, model=f"google/vit-{number % 40}")
    return Edition(key, 1, DIGEST, about, number, State.ACKNOWLEDGED, _answer(key), number)
