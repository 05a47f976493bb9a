"""A pool around a misbehaving workload, and what must be true after it."""

import asyncio
import secrets
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from carbon_node.errors import TrackerError
from carbon_node.estimation.measurement import Measurement, ModelRun
from carbon_node.tracking import TrackerConfig, TrackerPool

DEADLINE_S = 0.3
"""For what never ends."""

AMPLE_DEADLINE_S = 10.0
"""For what ends by itself, however busy the machine is."""

ALLOWED_LATENESS_S = 2.0


def config_of(work_dir: Path, **changes: Any) -> TrackerConfig:  # noqa: ANN401 - any field
    """Return the configuration of a pool that runs `tracking_workloads`, with a mark of its own."""
    mark = ("CARBON_NODE_TEST", secrets.token_hex(8))
    return TrackerConfig(
        work_dir=work_dir,
        environment=(*changes.pop("environment", ()), mark),
        **{"workload": "tests.fault.tracking_workloads:run", "grace_s": 0.2, **changes},
    )


def outcome(
    config: TrackerConfig, behaviour: str, deadline_s: float = DEADLINE_S
) -> Measurement | TrackerError:
    """Return what a behaviour ends in; it must not be late, leave anything or hurt another."""
    return asyncio.run(_outcome(config, behaviour, deadline_s))


def failure_of(config: TrackerConfig, behaviour: str, deadline_s: float = DEADLINE_S) -> str:
    """Return the name of the failure that a behaviour ends in; see `outcome`."""
    result = outcome(config, behaviour, deadline_s)
    assert isinstance(result, TrackerError), result
    return result.failure


async def _outcome(
    config: TrackerConfig, behaviour: str, deadline_s: float
) -> Measurement | TrackerError:
    async with TrackerPool(config) as pool:
        await measure_well(pool)
        result = await attempt(pool, behaviour, deadline_s)
        assert list(config.work_dir.iterdir()) == []
        await measure_well(pool)
    assert processes_of(config) == {}
    return result


async def attempt(
    pool: TrackerPool, behaviour: str, deadline_s: float = DEADLINE_S
) -> Measurement | TrackerError:
    """Return what a behaviour ends in, and check that it is not late."""
    started_s = time.monotonic()
    try:
        return await pool.measure(ModelRun(behaviour), deadline_s)
    except TrackerError as error:
        return error
    finally:
        assert time.monotonic() - started_s < deadline_s + ALLOWED_LATENESS_S


async def measure_well(pool: TrackerPool) -> Measurement:
    """Measure what cannot fail, with time for the forkserver to get warm."""
    return await pool.measure(ModelRun("succeed"), 30.0)


def processes_of(config: TrackerConfig) -> dict[int, str]:
    """Return the state of every process that carries a configuration's mark, by process id."""
    mark = "=".join(config.environment[-1]).encode()
    found = {}
    for process in Path("/proc").iterdir():
        with suppress(OSError):
            if process.name.isdecimal() and mark in (process / "environ").read_bytes():
                found[int(process.name)] = (process / "stat").read_text().rpartition(")")[2][1]
    return found
