"""A pool around a misbehaving workload, and what must be true after it."""

import asyncio
import secrets
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from tests.patience import PATIENCE_S
from tests.trackers import tracker_config

from carbon_node.errors import TrackerError
from carbon_node.estimation.measurement import Measurement, ModelRun, Run
from carbon_node.tracking import TrackerConfig
from carbon_node.tracking.pool import TrackerPool

DEADLINES_S = (0.3, 3.0, 30.0)
"""For what never ends, each if it had not even begun at the one before."""

AMPLE_DEADLINE_S = PATIENCE_S
"""For what ends by itself, however busy the machine is."""

Outcome: TypeAlias = Measurement | TrackerError
CaseT = TypeVar("CaseT")


async def outcome_of(
    pool: TrackerPool,
    run: Run,
    deadline_s: float | None = None,
    config: TrackerConfig | None = None,
) -> Outcome:
    """Return what a measurement ends in."""
    try:
        return await pool.measure(run, deadline_s, config)
    except TrackerError as error:
        return error


def measurement_in(outcomes: Mapping[CaseT, Outcome], case: CaseT) -> Measurement:
    """Return the measurement of a case that must not have failed."""
    outcome = outcomes[case]
    assert isinstance(outcome, Measurement), outcome
    return outcome


def config_of(work_dir: Path, **changes: Any) -> TrackerConfig:  # noqa: ANN401 - any field
    """Return the configuration of a pool that runs `tracking_workloads`, with a mark of its own."""
    mark = ("CARBON_NODE_TEST", secrets.token_hex(8))
    return tracker_config(
        work_dir=work_dir,
        environment=(*changes.pop("environment", ()), mark),
        **{"workload": "tests.fault.tracking_workloads:run", "grace_s": 0.2, **changes},
    )


async def outcome(
    config: TrackerConfig, behaviour: str, deadline_s: float = AMPLE_DEADLINE_S
) -> Outcome:
    """Return what a behaviour ends in; it must not leave anything or hurt another."""
    async with TrackerPool(config) as pool:
        await measure_well(pool)
        result = await attempt(pool, behaviour, deadline_s)
        assert list(config.work_dir.iterdir()) == []
        await measure_well(pool)
    assert processes_of(config) == {}
    return result


async def failure_of(
    config: TrackerConfig, behaviour: str, deadline_s: float = AMPLE_DEADLINE_S
) -> str:
    """Return the name of the failure that a behaviour ends in; see `outcome`."""
    result = await outcome(config, behaviour, deadline_s)
    assert isinstance(result, TrackerError), result
    return result.failure


async def failure_at_deadline(place: Path, behaviour: str, **changes: Any) -> str:  # noqa: ANN401
    """Return the name of the failure in which a behaviour that never ends is ended.

    Args:
        place: empty folder.
        behaviour: says that it has begun, by the file that `BEGUN` names.
        changes: to the configuration.
    """
    begun, work = begun_and_work(place)
    config = config_of(work, environment=(("BEGUN", str(begun)),), **changes)
    for deadline_s in DEADLINES_S:
        failure = await failure_of(config, behaviour, deadline_s)
        if has_begun(begun):
            return failure
    raise AssertionError(f"{behaviour} does not begin within {DEADLINES_S[-1]} s")


def begun_and_work(place: Path) -> tuple[Path, Path]:
    """Return where a behaviour says that it has begun, and a folder where it can work."""
    work = place / "work"
    work.mkdir()
    return place / "begun", work


def has_begun(begun: Path) -> bool:
    """Whether a behaviour has said so."""
    return begun.exists() and begun.stat().st_size > 0


async def attempt(pool: TrackerPool, behaviour: str, deadline_s: float) -> Outcome:
    """Return what a behaviour ends in; one that never ends by itself ends at its deadline."""
    async with asyncio.timeout(deadline_s + PATIENCE_S):
        return await outcome_of(pool, ModelRun(behaviour), deadline_s)


async def measure_well(pool: TrackerPool) -> Measurement:
    """Measure what cannot fail, with time for the forkserver to get warm."""
    return await pool.measure(ModelRun("succeed"), PATIENCE_S)


def processes_of(config: TrackerConfig) -> dict[int, str]:
    """Return the state of every process that carries a configuration's mark, by process id."""
    mark = "=".join(config.environment[-1]).encode()
    found = {}
    for process in Path("/proc").iterdir():
        with suppress(OSError):
            if process.name.isdecimal() and mark in (process / "environ").read_bytes():
                found[int(process.name)] = (process / "stat").read_text().rpartition(")")[2][1]
    return found
