"""Simulated runs that share a process."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from typing import Any

import pytest
from tests.patience import PATIENCE_S
from tests.trackers import tracker_config

from carbon_node.errors import TrackerDied, TrackerError
from carbon_node.estimation.measurement import Measurement, SimulatedRun
from carbon_node.tracking.config import TrackerConfig
from carbon_node.tracking.failures import FailureName
from carbon_node.tracking.grouping import GROUP_SIZE, Groups, Verdict

pytestmark = pytest.mark.anyio

CONFIG = tracker_config(deadline_s=PATIENCE_S, queue_wait_s=PATIENCE_S)


def measured(run: SimulatedRun) -> Measurement:
    """A measurement that tells which run it is of."""
    return Measurement(run.power_w, 1.0, 0, ("simulated",))


def died(detail: str) -> TrackerError:
    """What a process that was killed gives."""
    return TrackerDied(FailureName.SIGNAL, detail)


class Processes:
    """Processes that measure what they are given, once they may.

    Args:
        verdicts: what a process gives for its runs.
        worker_count: how many there may be at once.
    """

    def __init__(
        self,
        verdicts: Callable[[Sequence[SimulatedRun]], Sequence[Verdict]],
        worker_count: int = 1,
    ) -> None:
        self._verdicts = verdicts
        self._worker_count = worker_count
        self.powers_w: list[list[float]] = []
        """Of each process that was started, in their order."""
        self.begun = asyncio.Event()
        self.may_end = asyncio.Event()
        self.running = 0

    def groups(self) -> Groups:
        """Runs that are measured in these."""
        workers = asyncio.Semaphore(self._worker_count)
        return Groups(lambda: workers, self._measure)

    async def _measure(
        self, runs: Sequence[SimulatedRun], _config: TrackerConfig, _deadline_s: float
    ) -> Sequence[Verdict]:
        self.powers_w.append([run.power_w for run in runs])
        self.running += 1
        self.begun.set()
        try:
            await self.may_end.wait()
            return self._verdicts(runs)
        finally:
            self.running -= 1


def all_measured(runs: Sequence[SimulatedRun]) -> Sequence[Verdict]:
    """Give each run its measurement."""
    return [measured(run) for run in runs]


async def all_of(
    processes: Processes, *calls: Callable[[Groups], Coroutine[Any, Any, Measurement]]
) -> list[Measurement | BaseException]:
    """What calls give, of which the first has begun when the others come."""
    groups = processes.groups()
    tasks = [asyncio.create_task(calls[0](groups))]
    await processes.begun.wait()
    tasks += [asyncio.create_task(call(groups)) for call in calls[1:]]
    # All have asked once each has had its turn of the loop.
    await asyncio.sleep(0)
    processes.may_end.set()
    async with asyncio.timeout(PATIENCE_S):
        return await asyncio.gather(*tasks, return_exceptions=True)


def call(
    power_w: float, config: TrackerConfig = CONFIG, deadline_s: float = PATIENCE_S
) -> Callable[[Groups], Coroutine[Any, Any, Measurement]]:
    """Measure a run of this power."""
    return lambda groups: groups.measure(SimulatedRun(power_w), config, deadline_s)


async def test_runs_that_wait_share_the_next_process() -> None:
    """The first has a free worker and runs alone; the others wait for it, and run together."""
    processes = Processes(all_measured)
    found = await all_of(processes, *map(call, range(1, 6)))
    assert found == [measured(SimulatedRun(power_w)) for power_w in range(1, 6)]
    assert processes.powers_w == [[1], [2, 3, 4, 5]]


async def test_a_process_has_so_many_runs_at_most() -> None:
    """What is too much for one process goes to the next."""
    processes = Processes(all_measured)
    await all_of(processes, *map(call, range(GROUP_SIZE + 3)))
    assert [len(powers_w) for powers_w in processes.powers_w] == [1, GROUP_SIZE, 2]


async def test_workers_run_beside_each_other() -> None:
    """As many processes run at once as there are workers."""
    processes = Processes(all_measured, worker_count=3)
    await all_of(processes, *map(call, range(1, 7)))
    assert processes.powers_w == [[1], [2, 3, 4, 5, 6]]


@pytest.mark.parametrize(
    "other",
    [
        call(3, replace(CONFIG, window_s=0.25)),
        # In half of it there would be no time for a process beside the window.
        call(3, deadline_s=3.9 * CONFIG.window_s),
    ],
)
async def test_what_differs_shares_nothing(
    other: Callable[[Groups], Coroutine[Any, Any, Measurement]],
) -> None:
    """Another configuration, or too short a deadline, is measured alone."""
    processes = Processes(all_measured)
    await all_of(processes, call(1), call(2), other, call(4))
    assert processes.powers_w == [[1], [2, 4], [3]]


async def test_each_run_of_a_process_that_died_is_measured_alone() -> None:
    """Who killed it gets that as its verdict; the others get their measurements."""

    def verdicts(runs: Sequence[SimulatedRun]) -> Sequence[Verdict]:
        if SimulatedRun(3) in runs:
            raise died("by run 3")
        return all_measured(runs)

    processes = Processes(verdicts)
    found = await all_of(processes, *map(call, range(1, 5)))
    assert sorted(processes.powers_w[2:]) == [[2], [3], [4]]
    assert isinstance(found[2], TrackerDied)
    assert [found[0], found[1], found[3]] == [measured(SimulatedRun(each)) for each in (1, 2, 4)]


async def test_only_what_failed_is_measured_again() -> None:
    """A verdict against one run of a process leaves those of the others."""

    def verdicts(runs: Sequence[SimulatedRun]) -> Sequence[Verdict]:
        in_company = len(runs) > 1
        return [
            died("in company") if in_company and run.power_w == 3 else measured(run) for run in runs
        ]

    processes = Processes(verdicts)
    found = await all_of(processes, *map(call, range(1, 5)))
    assert processes.powers_w == [[1], [2, 3, 4], [3]]
    assert found == [measured(SimulatedRun(power_w)) for power_w in range(1, 5)]


async def test_an_error_that_nobody_expects_reaches_those_who_wait() -> None:
    """A fault of the measuring itself leaves nobody waiting."""

    def verdicts(_runs: Sequence[SimulatedRun]) -> Sequence[Verdict]:
        raise RuntimeError("a fault")

    found = await all_of(Processes(verdicts), call(1), call(2), call(3))
    assert [str(error) for error in found] == ["a fault"] * 3


async def test_who_finds_no_worker_is_told() -> None:
    """Waiting for a worker is bounded, and leaves nothing in the queue."""
    processes = Processes(all_measured)
    impatient = call(2, replace(CONFIG, queue_wait_s=0.01))
    groups = processes.groups()
    first = asyncio.create_task(call(1)(groups))
    await processes.begun.wait()
    with pytest.raises(TrackerError, match="no worker was free"):
        await impatient(groups)
    processes.may_end.set()
    assert await first == measured(SimulatedRun(1))
    assert processes.powers_w == [[1]]


async def test_a_run_alone_has_no_more_than_its_deadline() -> None:
    """Who fails in company and then finds no worker is answered at its deadline."""
    blocked = asyncio.Event()

    async def measure(
        runs: Sequence[SimulatedRun], _config: TrackerConfig, _deadline_s: float
    ) -> Sequence[Verdict]:
        if len(runs) > 1:
            raise died("in company")
        await blocked.wait()
        return all_measured(runs)

    workers = asyncio.Semaphore(2)
    groups = Groups(lambda: workers, measure)
    config = replace(CONFIG, window_s=0.01)
    tasks = [asyncio.create_task(call(each, config, 1.0)(groups)) for each in (1, 2, 3)]
    async with asyncio.timeout(PATIENCE_S):
        with pytest.raises(TrackerError, match="no worker was free for it alone") as caught:
            await tasks[2]
    blocked.set()
    assert caught.value.failure == FailureName.TIMEOUT
    assert await asyncio.gather(*tasks[:2]) == [measured(SimulatedRun(each)) for each in (1, 2)]


async def test_a_run_tells_when_it_waits_for_a_worker_no_longer() -> None:
    """Those that find none free begin when the process before them has ended."""
    processes, begun = Processes(all_measured), []
    groups = processes.groups()

    async def measure(power_w: float) -> None:
        run = SimulatedRun(power_w)
        await groups.measure(run, CONFIG, PATIENCE_S, lambda: begun.append(power_w))

    tasks = [asyncio.create_task(measure(1))]
    await processes.begun.wait()
    tasks += [asyncio.create_task(measure(power_w)) for power_w in (2, 3)]
    await asyncio.sleep(0)
    assert begun == [1]
    processes.may_end.set()
    await asyncio.gather(*tasks)
    assert begun == [1, 2, 3]


async def cancelled(task: asyncio.Task[Measurement]) -> None:
    """Cancel and wait."""
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_group_ends_when_nobody_wants_it() -> None:
    """One call less harms no other; the last one ends the process before it is cancelled."""
    processes = Processes(all_measured)
    groups = processes.groups()
    first = asyncio.create_task(call(1)(groups))
    await processes.begun.wait()
    others = [asyncio.create_task(call(each)(groups)) for each in (2, 3)]
    await asyncio.sleep(0)
    await cancelled(first)
    while len(processes.powers_w) < 2:  # noqa: ASYNC110 - the group begins within a few turns
        await asyncio.sleep(0)
    await cancelled(others[0])
    assert processes.running == 1
    await cancelled(others[1])
    assert processes.running == 0
    async with asyncio.timeout(PATIENCE_S):
        await groups.close()
