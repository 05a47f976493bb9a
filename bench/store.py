"""How quickly tasks are kept durably: `python -m bench.store [--json]`.

Every task is accepted, saved, marked published and marked acknowledged. The reference, measured in
the same run on the same disk, is the same number of bytes appended to a file and synced at once.
"""

import asyncio
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, replace
from pathlib import Path

from bench.figures import Figure, figure_of, print_table

from carbon_node.answers import Answer, Outcome, Summary, TaskKey
from carbon_node.store import Query, Store, StoreConfig, open_store
from carbon_node.store.database import DATABASE_NAME, Database
from carbon_node.store.editions import Edition, State
from carbon_node.store.history import editions, open_history, totals
from carbon_node.transport import wire

EXTRA_DATA = b'{"num_outputs": 1, "model_restrains": [], "provenance": "' + b"x" * 2500 + b'"}'
"""The size of a usual result's provenance."""

SUMMARY = Summary("google/vit-base-patch16-224", "NVIDIA H100 PCIe 80GB", "Madrid, Spain")
DIGEST = "0" * 64


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(dir=".") as place:
        figures = asyncio.run(_living(Path(place) / "living")) + _large(Path(place) / "large")
    if "--json" in sys.argv:
        print(json.dumps([asdict(figure) for figure in figures], indent=1))
        return
    print_table(figures)


async def _living(directory: Path) -> list[Figure]:
    async with open_store(StoreConfig(directory), print) as store:
        single_ms = [await _timed_ms(store, number) for number in range(1, 501)]
        burst = [await _burst_per_s(store, first * 10_000) for first in range(1, 6)]
        before_kib = _peak_kib()
        for first in range(10, 19):
            await _burst_per_s(store, first * 10_000)
        growth_mb = (_peak_kib() - before_kib) / 1024
    return [
        figure_of("one task alone, accept and save", "ms", single_ms, _synced_append_ms(directory)),
        figure_of("tasks a second in a burst of 2,000", "1/s", burst),
        figure_of("memory that 18,000 further tasks cost", "MB", [growth_mb]),
    ]


def _large(directory: Path) -> list[Figure]:
    directory.mkdir()
    path = directory / DATABASE_NAME
    with closing(Database.open(path)) as database:
        for first in range(1, 100_001, 5000):
            database.write(_edition(number) for number in range(first, first + 5000))
    size_mb = path.stat().st_size / 1e6
    open_ms = [_once_ms(lambda: Database.open(path).close()) for _ in range(20)]
    query = Query(model="vit", last=20)
    with closing(open_history(directory)) as database:
        ask = lambda: (list(editions(database, query)), totals(database, query))  # noqa: E731
        query_ms = [_once_ms(ask) for _ in range(20)]
    return [
        figure_of("opening a store of 100,000 results", "ms", open_ms),
        figure_of("last 20 of 100,000 by model, with totals", "ms", query_ms),
        figure_of("size of 100,000 results with 2.5 kB of provenance", "MB", [size_mb]),
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


async def _burst_per_s(store: Store, first: int) -> float:
    start_s = time.perf_counter()
    await asyncio.gather(*(_task(store, first + number) for number in range(2000)))
    return 2000 / (time.perf_counter() - start_s)


def _synced_append_ms(directory: Path) -> list[float]:
    def append() -> None:
        os.write(file, EXTRA_DATA)
        os.fdatasync(file)

    file = os.open(directory / "reference", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    times_ms = [_once_ms(append) for _ in range(500)]
    os.close(file)
    return times_ms


def _once_ms(work: Callable[[], object]) -> float:
    start_s = time.perf_counter()
    work()
    return (time.perf_counter() - start_s) * 1000


def _peak_kib() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _key(number: int) -> TaskKey:
    return TaskKey(wire.TaskId(number, 1), "01.0f.aa.bb.cc.dd.ee.ff.00.00.00.01|0.0.1.2")


def _answer(key: TaskKey) -> Answer:
    return Answer(
        wire.CO2Footprint(2.0, 0.01, 200.0, EXTRA_DATA, key.task_id),
        Outcome.COMPUTED,
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


if __name__ == "__main__":
    main()
