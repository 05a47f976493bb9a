"""The node's side of guarded measurements: how many at once, how long, and what came of each."""

import asyncio
import logging
import os
import secrets
import socket
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, suppress
from shutil import rmtree
from types import TracebackType
from typing import Final, Self

from carbon_node.errors import TrackerDied, TrackerError, TrackerTimeout
from carbon_node.estimation.measurement import (
    Measurement,
    ModelRun,
    RawModel,
    Run,
    SimulatedRun,
)
from carbon_node.tracking.config import TrackerConfig
from carbon_node.tracking.conversation import Conversation
from carbon_node.tracking.failures import FailureName
from carbon_node.tracking.grouping import Groups, Verdict, no_worker
from carbon_node.tracking.launcher import Forkserver
from carbon_node.tracking.messages import Job, Report, SimulatedGroup
from carbon_node.tracking.models import PATH_LIMIT_CHARACTERS
from carbon_node.tracking.verdict import judge, judge_group

ANSWER_MARGIN_S: Final = 1.0
"""Beyond deadline and grace, for a keeper to kill, reap and report; then it is given up."""

ATTEMPTS: Final = 2
"""A forkserver that ends between a request and its fork is replaced, and asked once more."""

_log = logging.getLogger(__name__)


class TrackerPool:
    """Measurements under CarbonTracker in guarded processes, a few at a time.

    An asynchronous context manager for one event loop. Entering it starts the forkserver and does
    not wait for it; leaving it ends the forkserver and whatever still measures, within the grace
    and a second.

    Args:
        config: how measurements run.
    """

    def __init__(self, config: TrackerConfig) -> None:
        self._config = config
        self._workers = asyncio.Semaphore(config.workers)
        self._groups = Groups(lambda: self._workers, self._measure_together)
        self._host = asyncio.Lock()  # two models at once would each be charged for both
        self._forkserver: Forkserver | None = None
        self._conversations: set[Conversation] = set()
        self._was_left = False

    async def __aenter__(self) -> Self:
        """Start to get warm."""
        with suppress(OSError):  # the first measurement tries again, and says what is wrong
            self._warm_forkserver()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End every process of the pool."""
        self._was_left = True
        for conversation in self._conversations:
            conversation.close()
        if self._forkserver is not None:
            await self._forkserver.close(self._config.grace_s + ANSWER_MARGIN_S)
        await self._groups.close()

    def reconfigure(self, config: TrackerConfig) -> None:
        """Measure by another configuration from the next call on.

        Calls that already wait or run keep theirs, so that for a while more than the new number of
        workers may be busy. What the forkserver was started with, its environment and workload,
        stays.

        Args:
            config: how measurements run.
        """
        if config.workers != self._config.workers:
            self._workers = asyncio.Semaphore(config.workers)
        self._config = config

    async def measure(
        self,
        run: Run,
        deadline_s: float | None = None,
        config: TrackerConfig | None = None,
        on_begin: Callable[[], None] = lambda: None,
    ) -> Measurement:
        """Measure a run once a worker is free.

        Models have this host for themselves, one by one. Simulated runs that wait share a process.

        Cancelling the call ends the measurement, with SIGTERM and grace, before the cancellation
        goes on.

        Args:
            run: what to measure.
            deadline_s: seconds that it may take once a worker is free; None takes the configured
                ones.
            config: how to measure; None takes the pool's at the time of the call. The number of
                workers is the pool's in any case.
            on_begin: called once a worker is free; the deadline runs from then on.

        Returns:
            The measurement, within `queue_wait_s`, the deadline, the grace and a second.

        Raises:
            TrackerError: there is none; its `failure` is a `FailureName`.
        """
        config = self._config if config is None else config
        if deadline_s is None:
            deadline_s = config.deadline_s
        match run:
            case SimulatedRun():
                return await self._groups.measure(run, config, deadline_s, on_begin)
            case ModelRun():
                _require_acceptable_size(run, config.model_limit_bytes)
                async with self._host_and_worker():
                    on_begin()
                    return await self._measure_one(run, config, deadline_s)

    async def _measure_together(
        self, runs: Sequence[SimulatedRun], config: TrackerConfig, deadline_s: float
    ) -> Sequence[Verdict]:
        if len(runs) == 1:
            return [await self._measure_one(runs[0], config, deadline_s)]
        group = SimulatedGroup(tuple(run.power_w for run in runs))
        report = await self._report_on(group, config, deadline_s)
        return judge_group(report, len(runs), deadline_s)

    async def _measure_one(self, run: Run, config: TrackerConfig, deadline_s: float) -> Measurement:
        report = await self._report_on(run, config, deadline_s)
        try:
            return judge(report, deadline_s, config.processor_power_w)
        except TrackerError as error:
            # The failure itself is logged by whoever knows the task.
            _log.info("a failed measurement's last output: %s", error, extra=_tails(report))
            raise

    @asynccontextmanager
    async def _host_and_worker(self) -> AsyncIterator[None]:
        wait_s, workers = self._config.queue_wait_s, self._workers
        async with AsyncExitStack() as held:
            try:
                async with asyncio.timeout(wait_s):
                    await held.enter_async_context(self._host)
                    await held.enter_async_context(workers)
            except TimeoutError as error:
                raise no_worker(wait_s) from error
            yield

    async def _report_on(
        self, run: Run | SimulatedGroup, config: TrackerConfig, deadline_s: float
    ) -> Report:
        job = _job(run, config, deadline_s)
        model = run.raw_model if isinstance(run, ModelRun) else b""
        try:
            for _ in range(ATTEMPTS):
                forkserver = self._warm_forkserver()
                report = await self._attempt(forkserver, job, model)
                if report is not None:
                    return report
                await forkserver.close(self._config.grace_s + ANSWER_MARGIN_S)
        except OSError as error:
            raise TrackerDied(
                FailureName.GUARD_FAILED, f"no measuring process can be started: {error}"
            ) from error
        raise TrackerDied(
            FailureName.GUARD_FAILED, "the forkserver ended before it forked a guard, twice"
        )

    async def _attempt(self, forkserver: Forkserver, job: Job, model: RawModel) -> Report | None:
        try:
            async with self._conversation(forkserver, job, model) as conversation:
                return await self._outcome(forkserver, conversation, job)
        except (EOFError, ConnectionError):  # no keeper took it up
            return None

    async def _outcome(
        self, forkserver: Forkserver, conversation: Conversation, job: Job
    ) -> Report:
        answer_s = job.deadline_monotonic_s + job.grace_s + ANSWER_MARGIN_S
        try:
            async with asyncio.timeout(answer_s - time.monotonic()):
                await conversation.greeting()
                return await self._report_of_keeper(forkserver, conversation, job)
        except TimeoutError as error:
            if conversation.keeper_pid is not None:
                conversation.kill_keeper()
                await asyncio.to_thread(rmtree, job.directory, ignore_errors=True)
                raise TrackerDied(
                    FailureName.GUARD_FAILED, "its guard did not answer and was killed"
                ) from error
            if forkserver.is_overdue:
                forkserver.kill()
            raise TrackerTimeout(
                FailureName.TIMEOUT, "no measuring process was ready before the deadline"
            ) from error

    async def _report_of_keeper(
        self, forkserver: Forkserver, conversation: Conversation, job: Job
    ) -> Report:
        try:
            return await conversation.report()
        except (EOFError, ConnectionError) as error:
            await asyncio.to_thread(rmtree, job.directory, ignore_errors=True)
            raise TrackerDied(FailureName.GUARD_FAILED, "its guard was killed") from error
        finally:
            if forkserver.has_ended and conversation.keeper_pid is not None:
                await asyncio.to_thread(_reap_if_adopted, conversation.keeper_pid)

    @asynccontextmanager
    async def _conversation(
        self, forkserver: Forkserver, job: Job, model: RawModel
    ) -> AsyncIterator[Conversation]:
        conversation = await _conversation_with_keeper(forkserver, model)
        self._conversations.add(conversation)
        try:
            self._require_not_left()
            conversation.hand_over(job)
            yield conversation
        except asyncio.CancelledError:
            with suppress(TimeoutError, ConnectionError):
                async with asyncio.timeout(job.grace_s + ANSWER_MARGIN_S):
                    await conversation.stop()
            raise
        finally:
            self._conversations.discard(conversation)
            conversation.close()

    def _warm_forkserver(self) -> Forkserver:
        self._require_not_left()
        if self._forkserver is None or self._forkserver.has_ended:
            self._forkserver = Forkserver.start(self._config)
        return self._forkserver

    def _require_not_left(self) -> None:
        if self._was_left:
            raise TrackerDied(FailureName.GUARD_FAILED, "the node stops and measures no more")


def _require_acceptable_size(run: ModelRun, limit_bytes: int) -> None:
    if max(len(run.model), len(run.model_path)) > PATH_LIMIT_CHARACTERS:
        raise TrackerError(FailureName.NO_MODEL, "the model's name is longer than any path")
    size_bytes = _size_bytes(run.raw_model)
    if size_bytes > limit_bytes:
        raise TrackerError(
            FailureName.MODEL_TOO_LARGE,
            f"the model has {size_bytes} bytes; the limit is {limit_bytes}",
        )


def _size_bytes(model: RawModel) -> int:
    return len(model) if isinstance(model, bytes | memoryview) else model.size_bytes


def _job(run: Run | SimulatedGroup, config: TrackerConfig, deadline_s: float) -> Job:
    return Job(
        run=run,
        workload=config.workload,
        directory=config.work_dir / f"carbon-node-{secrets.token_hex(8)}",
        window_s=config.window_s,
        deadline_monotonic_s=time.monotonic() + deadline_s,
        grace_s=config.grace_s,
        output_limit_bytes=config.output_limit_bytes,
        tail_bytes=config.tail_bytes,
        limits=config.limits,
        model_roots=config.model_roots,
        model_limit_bytes=config.model_limit_bytes,
        devices=config.devices,
        unmetered=config.unmetered,
    )


async def _conversation_with_keeper(forkserver: Forkserver, model: RawModel) -> Conversation:
    with ExitStack() as handed_over, ExitStack() as kept:
        ours, theirs = socket.socketpair()
        kept.enter_context(ours)
        descriptors = [handed_over.enter_context(theirs).fileno()]
        if _size_bytes(model) > 0:
            descriptors.append(await _file_of(model))
            handed_over.callback(os.close, descriptors[-1])
        forkserver.request(descriptors)
        conversation = await Conversation.over(ours)
        kept.pop_all()
        return conversation


async def _file_of(model: RawModel) -> int:
    opening = asyncio.create_task(asyncio.to_thread(_opened, model))
    try:
        return await asyncio.shield(opening)
    except asyncio.CancelledError:
        # The thread cannot be cancelled, and what it returns would stay open.
        opening.add_done_callback(_close_opened)
        raise


def _opened(model: RawModel) -> int:
    if isinstance(model, bytes | memoryview):
        return _written_to_memory(model)
    return model.open()


def _close_opened(opening: asyncio.Task[int]) -> None:
    if opening.exception() is None:
        os.close(opening.result())


def _written_to_memory(content: bytes | memoryview) -> int:
    descriptor = os.memfd_create("model")
    try:
        with os.fdopen(descriptor, "wb", closefd=False) as file:
            file.write(content)
        os.lseek(descriptor, 0, os.SEEK_SET)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _reap_if_adopted(pid: int) -> None:
    # Where the node is process 1 or a child reaper, the keepers of a killed forkserver become its
    # own children.
    with suppress(ChildProcessError):
        os.waitpid(pid, 0)


def _tails(report: Report) -> dict[str, str]:
    return {"stdout_tail": report.stdout_tail, "stderr_tail": report.stderr_tail}
