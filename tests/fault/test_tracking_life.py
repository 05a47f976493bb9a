"""Ends that come from elsewhere: of the call, of the forkserver, of the node, and of patience."""

import asyncio
import os
import signal
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from tests.fault.guarded import (
    DEADLINES_S,
    attempt,
    config_of,
    failure_of,
    measure_well,
    measurement_in,
    outcome_of,
    processes_of,
)
from tests.fault.tracking_workloads import FATAL_W, HANGING_W
from tests.patience import PATIENCE_S
from tests.transports import wait_for

from carbon_node.errors import TrackerError
from carbon_node.estimation.measurement import ModelRun, Run, SimulatedRun
from carbon_node.tracking import FailureName, TrackerConfig
from carbon_node.tracking.pool import TrackerPool

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[2]
HANGING = SimulatedRun(power_w=300.0)
"""What `tracking_workloads` hangs in."""


async def _appears(path: Path) -> None:
    while not path.exists():  # noqa: ASYNC110 - another process makes it
        await asyncio.sleep(0.01)


def _count(folder: Path) -> int:
    return len(list(folder.iterdir()))


async def _descriptors() -> int:
    # The last connection closes in the next round of the loop.
    await asyncio.sleep(0)
    return _count(Path("/proc/self/fd"))


def _forkserver_of(config: TrackerConfig) -> int:
    """Return the process id of the forkserver: all others descend from it, so it is the oldest."""
    return min(processes_of(config))


async def test_deadline_that_nothing_can_meet_is_a_timeout(tmp_path: Path) -> None:
    """A deadline of 50 ms ends a measurement, whatever it was just doing."""
    assert await failure_of(config_of(tmp_path), "hang", deadline_s=0.05) == FailureName.TIMEOUT


async def test_deadline_passes_while_the_forkserver_is_cold(tmp_path: Path) -> None:
    """A deadline that passes before anything is warm is a timeout too, and warming goes on."""
    async with TrackerPool(config_of(tmp_path)) as pool:
        result = await attempt(pool, "hang", deadline_s=0.01)
        await measure_well(pool)
    assert isinstance(result, TrackerError)
    assert result.failure == FailureName.TIMEOUT


async def test_cancelled_call_leaves_no_process(tmp_path: Path) -> None:
    """When a cancelled call returns, everything that it had started is gone."""
    started = tmp_path / "started"
    work = tmp_path / "work"
    work.mkdir()
    config = config_of(work, environment=(("STARTED", str(started)),))
    async with TrackerPool(config) as pool:
        task = asyncio.create_task(pool.measure(ModelRun("touch_and_hang"), PATIENCE_S))
        await _appears(started)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert list(processes_of(config)) == [_forkserver_of(config)]
        assert list(work.iterdir()) == []
        await measure_well(pool)


async def test_leaving_the_pool_ends_what_still_measures(tmp_path: Path) -> None:
    """A pool that is left while a call runs kills the measurement, and the call fails by name."""
    started = tmp_path / "started"
    config = config_of(tmp_path, environment=(("STARTED", str(started)),))
    async with TrackerPool(config) as pool:
        task = asyncio.create_task(attempt(pool, "touch_and_hang", PATIENCE_S))
        await _appears(started)
    assert processes_of(config) == {}
    result = await task
    assert isinstance(result, TrackerError)
    assert result.failure == FailureName.GUARD_FAILED


async def test_call_after_the_pool_was_left_is_refused(tmp_path: Path) -> None:
    """A call that was still waiting when its pool was left starts nothing any more."""
    config = config_of(tmp_path)
    async with TrackerPool(config) as pool:
        task = asyncio.create_task(attempt(pool, "succeed", PATIENCE_S))
        # It has sent its request, and the forkserver is still cold.
        await asyncio.sleep(0)
    result = await task
    assert isinstance(result, TrackerError)
    assert (result.failure, processes_of(config)) == (FailureName.GUARD_FAILED, {})


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
async def test_idle_forkserver_that_dies_is_replaced(
    number: signal.Signals, tmp_path: Path
) -> None:
    """The measurement after a forkserver's death runs on a new one."""
    config = config_of(tmp_path)
    async with TrackerPool(config) as pool:
        await measure_well(pool)
        first = _forkserver_of(config)
        os.kill(first, number)
        await measure_well(pool)
        assert _forkserver_of(config) != first


async def test_forkserver_that_dies_with_requests_is_replaced(tmp_path: Path) -> None:
    """Measurements that wait for a forkserver to get warm are asked of the next one if it dies."""
    config = config_of(tmp_path)
    async with TrackerPool(config) as pool:
        waiting = [asyncio.create_task(measure_well(pool)) for _ in range(2)]
        # Both have sent their requests.
        await asyncio.sleep(0)
        os.kill(_forkserver_of(config), signal.SIGKILL)
        await asyncio.gather(*waiting)


async def test_burst_of_hanging_tasks_is_answered(tmp_path: Path) -> None:
    """Of 50 tasks whose measurements all hang, each is answered: by deadline or without worker."""
    wait_s = 2.0
    config = config_of(tmp_path, queue_wait_s=wait_s)

    async def failure(pool: TrackerPool) -> str:
        with pytest.raises(TrackerError) as caught:
            await pool.measure(HANGING, DEADLINES_S[0])
        return caught.value.failure

    async with TrackerPool(config) as pool:
        await measure_well(pool)
        failures = Counter(await asyncio.gather(*(failure(pool) for _ in range(50))))
    assert set(failures) == {FailureName.TIMEOUT, FailureName.NO_WORKER}
    assert failures.total() == 50
    assert processes_of(config) == {}


async def _most_at_once(
    count: int, pool_config: TrackerConfig, run: Run, later: TrackerConfig | None = None
) -> int:
    """Return how many of six hanging measurements run at once, when so many do and a bit later."""
    async with TrackerPool(pool_config) as pool:
        await measure_well(pool)
        pool.reconfigure(later or pool_config)
        # Runs of different configurations do not share a process.
        configs = [replace(later or pool_config, tail_bytes=each) for each in range(1, 7)]
        tasks = [asyncio.create_task(pool.measure(run, PATIENCE_S, each)) for each in configs]
        async with asyncio.timeout(PATIENCE_S):
            while _count(pool_config.work_dir) < count:  # noqa: ASYNC110 - others make it
                await asyncio.sleep(0.01)
        # In which one too many would show.
        await asyncio.sleep(0.2)
        running = _count(pool_config.work_dir)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        return running


async def test_only_so_many_measure_at_once(tmp_path: Path) -> None:
    """No more processes measure than there are workers."""
    assert await _most_at_once(3, config_of(tmp_path, workers=3), HANGING) == 3


async def test_number_of_workers_can_be_changed(tmp_path: Path) -> None:
    """A pool that is given another number of workers uses it from the next call on."""
    config = config_of(tmp_path, workers=1)
    assert await _most_at_once(4, config, HANGING, replace(config, workers=4)) == 4


async def test_models_are_measured_one_by_one(tmp_path: Path) -> None:
    """Two models at once would each be charged for both, so that workers do not count for them."""
    assert await _most_at_once(1, config_of(tmp_path, workers=3), ModelRun("hang")) == 1


async def test_simulated_runs_that_share_a_process_harm_no_other(tmp_path: Path) -> None:
    """Whoever dies or hangs in company is found; all others get a measurement of their own."""
    config = config_of(
        tmp_path, workers=2, window_s=0.2, workload="tests.fault.tracking_workloads:die_or_hang"
    )
    powers_w = [*range(100, 106), FATAL_W, HANGING_W, *range(106, 110)]
    # Only what hangs has a deadline that comes; in company it counts for all, who then run alone.
    deadlines_s = dict.fromkeys(powers_w, PATIENCE_S) | {HANGING_W: 6.0}
    async with TrackerPool(config) as pool:
        # Warm, so that the deadline is for measuring.
        await pool.measure(SimulatedRun(1.0), PATIENCE_S)
        calls = (outcome_of(pool, SimulatedRun(each), deadlines_s[each]) for each in powers_w)
        found = dict(zip(powers_w, await asyncio.gather(*calls), strict=True))
    died, hung = found.pop(FATAL_W), found.pop(HANGING_W)
    assert isinstance(died, TrackerError)
    assert died.failure == FailureName.SIGNAL
    assert isinstance(hung, TrackerError)
    assert hung.failure == FailureName.TIMEOUT
    for power_w in found:
        measurement = measurement_in(found, power_w)
        energy_kwh = power_w * measurement.duration_s / 3.6e6
        assert measurement.device_energy_kwh == pytest.approx(energy_kwh, rel=0.05)
    assert processes_of(config) == {}
    assert list(tmp_path.iterdir()) == []


async def test_measurements_leave_no_descriptor(tmp_path: Path) -> None:
    """However they end, the node has as many descriptors after its measurements as before."""
    async with TrackerPool(config_of(tmp_path)) as pool:
        await measure_well(pool)
        before = await _descriptors()
        for behaviour in ("succeed", "kill_itself", "double", "hang", "kill_keeper") * 2:
            await attempt(pool, behaviour, 1.0)
        before, after = before, await _descriptors()
    assert after == before


NODE = """
import asyncio, sys
from pathlib import Path
from carbon_node.estimation.measurement import ModelRun
from carbon_node.tracking.pool import TrackerPool
from tests.trackers import tracker_config

async def main():
    work, started, mark, behaviour = sys.argv[1:]
    environment = (("STARTED", started), ("CARBON_NODE_TEST", mark))
    config = tracker_config(
        workload="tests.fault.tracking_workloads:run",
        work_dir=Path(work),
        environment=environment,
        grace_s=10.0,
    )
    async with TrackerPool(config) as pool:
        await pool.measure(ModelRun(behaviour), 600.0)

asyncio.run(main())
"""


@pytest.mark.parametrize(
    ("behaviour", "folders"), [("touch_and_hang", 0), ("stop_keeper_and_hang", 1)]
)
async def test_nothing_survives_a_killed_node(behaviour: str, folders: int, tmp_path: Path) -> None:
    """Once the node was killed every process ends, and removes its folder if its guard lived."""
    work, started = tmp_path / "work", tmp_path / "started"
    work.mkdir()
    config = config_of(work)
    arguments = [str(work), str(started), config.environment[-1][1], behaviour]
    command = [sys.executable, "-c", NODE, *arguments]
    environment = {"PYTHONPATH": f"{ROOT}:{ROOT / 'src'}"}
    with subprocess.Popen(command, cwd=ROOT, env=environment) as node:
        await asyncio.wait_for(_appears(started), PATIENCE_S)
        assert len(processes_of(config)) > 3
        node.kill()
        node.wait()
    wait_for(lambda: processes_of(config) == {})
    assert _count(work) == folders


PROCESS_1 = """
import asyncio, os, sys
from pathlib import Path
from tests.fault.guarded import attempt, config_of, measure_well, processes_of
from carbon_node.tracking.pool import TrackerPool

async def main():
    async with TrackerPool(config_of(Path(sys.argv[1]))) as pool:
        await measure_well(pool)
        await attempt(pool, "kill_forkserver", 60.0)
        await attempt(pool, "kill_keeper", 60.0)
        await measure_well(pool)

assert os.getpid() == 1
asyncio.run(main())
print([entry.name for entry in Path("/proc").iterdir() if entry.name.isdecimal()])
"""


def test_node_as_process_1_keeps_no_zombie(tmp_path: Path) -> None:
    """A node that is a container's first process reaps what a killed forkserver leaves to it."""
    container = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"]
    if subprocess.run([*container, "true"], check=False, capture_output=True).returncode != 0:
        pytest.skip("a process namespace takes root")
    done = subprocess.run(
        [*container, sys.executable, "-c", PROCESS_1, str(tmp_path)],
        cwd=ROOT,
        env={"PYTHONPATH": f"{ROOT}:{ROOT / 'src'}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.returncode) == ("['1']\n", 0), done.stderr
