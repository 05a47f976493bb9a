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
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median, quantiles

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


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured quantity.

    Args:
        question: what was measured.
        unit: of the numbers.
        runs: how many there were.
        median: of the runs.
        p95: 95th percentile.
        p99: 99th percentile.
        reference: the same measured of the reference, if there is one.
    """

    question: str
    unit: str
    runs: int
    median: float
    p95: float
    p99: float
    reference: float | None = None


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(dir=".") as place:
        figures = asyncio.run(_living(Path(place) / "living")) + _large(Path(place) / "large")
    if "--json" in sys.argv:
        print(json.dumps([asdict(figure) for figure in figures], indent=1))
        return
    print(f"{'question':58} {'unit':8} {'median':>9} {'p95':>9} {'p99':>9} {'reference':>9}")
    for figure in figures:
        reference = "" if figure.reference is None else f"{figure.reference:9.2f}"
        numbers = f"{figure.median:9.2f} {figure.p95:9.2f} {figure.p99:9.2f} {reference}"
        print(f"{figure.question:58} {figure.unit:8} {numbers}")


async def _living(directory: Path) -> list[Figure]:
    async with open_store(StoreConfig(directory), print) as store:
        single_ms = [await _timed_ms(store, number) for number in range(1, 501)]
        burst = [await _burst_per_s(store, first * 10_000) for first in range(1, 6)]
        before_kib = _peak_kib()
        for first in range(10, 19):
            await _burst_per_s(store, first * 10_000)
        growth_mb = (_peak_kib() - before_kib) / 1024
    return [
        _figure("one task alone, accept and save", "ms", single_ms, _synced_append_ms(directory)),
        _figure("tasks a second in a burst of 2,000", "1/s", burst),
        _figure("memory that 18,000 further tasks cost", "MB", [growth_mb] * 2),
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
        _figure("opening a store of 100,000 results", "ms", open_ms),
        _figure("last 20 of 100,000 by model, with totals", "ms", query_ms),
        _figure("size of 100,000 results with 2.5 kB of provenance", "MB", [size_mb] * 2),
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


def _synced_append_ms(directory: Path) -> float:
    def append() -> None:
        os.write(file, EXTRA_DATA)
        os.fdatasync(file)

    file = os.open(directory / "reference", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    times_ms = [_once_ms(append) for _ in range(500)]
    os.close(file)
    return median(times_ms)


def _once_ms(work: Callable[[], object]) -> float:
    start_s = time.perf_counter()
    work()
    return (time.perf_counter() - start_s) * 1000


def _figure(
    question: str, unit: str, values: list[float], reference: float | None = None
) -> Figure:
    cuts = quantiles(values, n=100, method="inclusive")
    return Figure(question, unit, len(values), median(values), cuts[94], cuts[98], reference)


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
