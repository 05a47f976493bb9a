"""Simulated runs that wait for a worker share the next process.

CarbonTracker on simulated hardware sleeps through its window, and costs about a millisecond of
processor time beside the fork: a process that runs thirty at once takes hardly longer than one that
runs one. A run that has a free worker begins at once, alone.

What one does to the process, all in it suffer. So a run that fails in company is measured once
more, alone, in what is left of its deadline, and that verdict counts. A group gets half of the
deadline, so that as much is left.
"""

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from carbon_node.errors import TrackerError, TrackerTimeout
from carbon_node.estimation.measurement import Measurement, SimulatedRun
from carbon_node.tracking.config import TrackerConfig
from carbon_node.tracking.failures import FailureName

GROUP_SIZE: Final = 32
"""Simulated runs in one process. With more, the first waits long for the last to begin."""

GROUP_SHARE: Final = 0.5
"""Of the deadline, for a group; the rest is for a run that has to be measured alone."""

Verdict: TypeAlias = Measurement | TrackerError

_log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class _Member:
    """A run on its way, and whoever waits for it."""

    run: SimulatedRun
    config: TrackerConfig
    deadline_s: float
    verdict: asyncio.Future[Measurement]
    on_begin: Callable[[], None]
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    deadline_monotonic_s: float = math.inf
    group: "_Group | None" = None
    is_alone: bool = False

    def begin(self) -> None:
        """Let the deadline run, unless it does."""
        if not self.begun.is_set():
            self.deadline_monotonic_s = time.monotonic() + self.deadline_s
            self.begun.set()
            self.on_begin()

    def left_s(self) -> float:
        """Return the seconds that are left of the deadline; infinite before it runs."""
        return self.deadline_monotonic_s - time.monotonic()

    def settle(self, verdict: Measurement | Exception) -> None:
        """Tell whoever waits, if somebody does."""
        if self.verdict.done():
            return
        if isinstance(verdict, Exception):
            self.verdict.set_exception(verdict)
        else:
            self.verdict.set_result(verdict)


@dataclass(slots=True, eq=False)
class _Group:
    """Runs that share a process."""

    members: list[_Member]
    task: asyncio.Task[None] | None = None

    def is_wanted(self) -> bool:
        """Whether anybody waits for one of its verdicts."""
        return not all(member.verdict.done() for member in self.members)


class Groups:
    """Simulated runs, as many to a process as wait for one; for one event loop.

    Args:
        workers: returns what is acquired for a process and released after it.
        measure: measures runs in one process within seconds, and returns a verdict for each;
            raises a TrackerError that is the verdict for all.
    """

    def __init__(
        self,
        workers: Callable[[], asyncio.Semaphore],
        measure: Callable[
            [Sequence[SimulatedRun], TrackerConfig, float], Awaitable[Sequence[Verdict]]
        ],
    ) -> None:
        self._workers, self._measure_together = workers, measure
        self._waiting: list[_Member] = []
        self._dispatcher: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def measure(
        self,
        run: SimulatedRun,
        config: TrackerConfig,
        deadline_s: float,
        on_begin: Callable[[], None] = lambda: None,
    ) -> Measurement:
        """Measure a run, in company or alone.

        Cancelling the last call of a group ends its measurement before the cancellation goes on.

        Args:
            run: what to measure.
            config: how; runs of different configurations share nothing.
            deadline_s: seconds that it may take once it has begun.
            on_begin: called once, when it begins.

        Raises:
            TrackerError: there is no measurement, or no worker within `queue_wait_s`.
        """
        verdict = asyncio.get_running_loop().create_future()
        member = _Member(run, config, deadline_s, verdict, on_begin)
        self._waiting.append(member)
        self._dispatch()
        try:
            await self._begin(member)
            return await member.verdict
        finally:
            await self._leave(member)

    async def close(self) -> None:
        """Wait until every group has ended; whatever they measure in has to be ended before."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def _begin(self, member: _Member) -> None:
        try:
            async with asyncio.timeout(member.config.queue_wait_s):
                await member.begun.wait()
        except TimeoutError as error:
            if not member.begun.is_set():
                raise no_worker(member.config.queue_wait_s) from error

    async def _leave(self, member: _Member) -> None:
        # Whoever leaves in the moment in which its group begins waits for no verdict.
        member.verdict.cancel()
        if member in self._waiting:
            self._waiting.remove(member)
        group = member.group
        if group is not None and group.task is not None and not group.is_wanted():
            group.task.cancel()
            await asyncio.wait([group.task])

    def _dispatch(self) -> None:
        if self._dispatcher is None:
            self._dispatcher = self._started(self._begin_groups())

    async def _begin_groups(self) -> None:
        """Begin a group whenever a worker is free, until nobody waits."""
        try:
            while self._waiting:
                workers = self._workers()
                await workers.acquire()
                group = _Group(self._next_members())
                for member in group.members:
                    member.group = group
                    member.begin()
                group.task = self._started(self._measure_group(group, workers))
        finally:
            self._dispatcher = None

    def _next_members(self) -> list[_Member]:
        company = [each for each in self._waiting if _may_share(self._waiting[0], each)]
        members = company[:GROUP_SIZE]
        self._waiting = [each for each in self._waiting if each not in members]
        return members

    async def _measure_group(self, group: _Group, workers: asyncio.Semaphore) -> None:
        members = group.members
        try:
            verdicts = await self._verdicts(members)
        except Exception as error:  # noqa: BLE001 - those who wait get it, and log it
            verdicts = [error] * len(members)
        finally:
            workers.release()
        failed = []
        for member, verdict in zip(members, verdicts, strict=True):
            if isinstance(verdict, TrackerError) and len(members) > 1:
                failed.append(member)
            else:
                member.settle(verdict)
        self._measure_alone([member for member in failed if not member.verdict.done()])

    def _measure_alone(self, members: list[_Member]) -> None:
        # Before those that have not begun: their deadline runs.
        self._waiting[:0] = members
        for member in members:
            member.is_alone = True
            asyncio.get_running_loop().call_later(member.left_s(), self._give_up, member)
        self._dispatch()

    def _give_up(self, member: _Member) -> None:
        if member in self._waiting:
            self._waiting.remove(member)
            member.settle(_late(member))

    async def _verdicts(self, members: list[_Member]) -> Sequence[Measurement | Exception]:
        if not members:
            return ()
        left_s = min(member.left_s() for member in members)
        share = GROUP_SHARE if len(members) > 1 else 1.0
        runs = [member.run for member in members]
        try:
            return await self._measure_together(runs, members[0].config, share * left_s)
        except TrackerError as error:
            if len(members) > 1:
                _log.info("%d simulated runs failed together and run alone: %s", len(runs), error)
            return [error] * len(members)

    def _started(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def no_worker(wait_s: float) -> TrackerError:
    """Return the failure of a run for which no worker was free in time."""
    return TrackerError(
        FailureName.NO_WORKER,
        f"no worker was free within {wait_s:g} s, which tracker.queue_wait_s bounds",
    )


def _may_share(first: _Member, other: _Member) -> bool:
    if first is other:
        return True
    # Twice the window: a process needs time beside it.
    has_time = 2 * other.config.window_s <= GROUP_SHARE * other.deadline_s
    return has_time and not (first.is_alone or other.is_alone) and first.config == other.config


def _late(member: _Member) -> TrackerError:
    return TrackerTimeout(
        FailureName.TIMEOUT,
        f"no result within {member.deadline_s:g} s: those that ran with it failed too, and no"
        " worker was free for it alone",
    )
