"""The store as the daemon sees it: asynchronous, one thread, one commit for all that wait.

A save is awaited until it is committed and synced, which is what "save before publish" needs. Saves
that come in while a commit runs share the next one, so the time of a sync bounds the latency of a
task but not the number of tasks a second. What needs no guarantee (acceptances, marks) is written
with the next save or, without one, a moment later. Losing it to SIGKILL is safe: a task whose
acceptance was lost is new when its retained inputs come again, and an answer whose mark was lost is
published again with the same values.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import ParamSpec, TypeVar

from carbon_node.errors import StoreError
from carbon_node.store.editions import (
    Accept,
    Change,
    Editions,
    End,
    Ignore,
    Mark,
    Save,
    State,
)
from carbon_node.store.ledger import Health, Ledger
from carbon_node.store.pages import Page
from carbon_node.tasks.answer import Answer, Kept
from carbon_node.tasks.decision import Compute, ComputeReason, Decision
from carbon_node.tasks.key import Summary, TaskKey
from carbon_node.tasks.lineage import UNKNOWN, SampleId, Sources, Span, Use
from carbon_node.tasks.memory import KnownTasks
from carbon_node.wire.samples import TaskId

_P = ParamSpec("_P")
_T = TypeVar("_T")

_LINGER_S = 0.02
"""How long a change that nobody awaits waits to be batched with later writes."""

_LONG_LINGER_S = 1.0
"""The same for a change whose loss costs nothing but work: that an output has ended. A sync for
each would be a third one for every task."""

READ_ATTEMPTS = 12
"""Attempts to read what is known of a task, `retry_s` apart; a minute by default. After that it is
computed: its consumers have no timeout, and an answer that is sent twice is the lesser evil."""

_TEXT_LIMIT = 1000
"""Characters of each text of a summary that are kept; peers may send a megabyte."""

_MS_PER_DAY = 86_400_000


@dataclass(frozen=True, slots=True)
class StoreConfig:
    """Where results are kept, and how many.

    Args:
        directory: state directory, made with mode 0700 if it is missing; None keeps results in
            memory only.
        max_results: editions kept; the oldest go first. More than the 5,000 tasks that peers may
            retain.
        max_age_days: days that an edition is kept.
        retry_s: seconds between attempts to write after a failure.
        prune_every_s: seconds between looks for what is too many or too old, and before the first:
            a wrong clock may be set right soon after boot.
    """

    directory: Path | None
    max_results: int
    max_age_days: float
    retry_s: float = 5.0
    prune_every_s: float = 60.0


@dataclass(frozen=True, slots=True)
class Clocks:
    """Where times come from.

    Args:
        wall: seconds since the epoch; may jump.
        monotonic: seconds that never jump.
    """

    wall: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic


@asynccontextmanager
async def open_store(
    config: StoreConfig, notify: Callable[[Health], None], clocks: Clocks = Clocks()
) -> AsyncIterator["Store"]:
    """Open the store for the body of an `async with`; what waits is written when the body ends.

    A directory or database that cannot be used is no error: the store works from memory, says so,
    and tries again.

    Args:
        config: where and how many.
        notify: called in the loop when the health changes, and at once if the store opens in
            trouble.
        clocks: where times come from.

    Raises:
        StateDirectoryInUse: another node keeps its results there.
    """
    ledger = Ledger(config.directory)
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="store") as thread:
        await asyncio.get_running_loop().run_in_executor(thread, ledger.open)
        store = Store(config, ledger, thread, notify, clocks)
        store.tell()
        services = [
            asyncio.create_task(service())
            for service in (store.load_known_tasks, store.repair, store.prune_periodically)
        ]
        try:
            yield store
        finally:
            for service in services:
                service.cancel()
            await store.close()


class Store:
    """Results of this node's tasks; made by `open_store`. Every method is called in the loop.

    Nothing here fails because of the disk: `health` says what is wrong, and memory stands in until
    it is fixed.
    """

    def __init__(
        self,
        config: StoreConfig,
        ledger: Ledger,
        thread: Executor,
        notify: Callable[[Health], None],
        clocks: Clocks,
    ) -> None:
        self._config = config
        self._ledger = ledger
        self._thread = thread
        self._notify = notify
        self._clocks = clocks
        self._opened_at = (clocks.wall(), clocks.monotonic())
        self._told: tuple[str, Path | None] = ("", None)
        self._is_in_trouble = asyncio.Event()
        self._look_turn = asyncio.Lock()
        self._known_tasks = KnownTasks()
        self._changes: list[Change] = []
        self._running_commit: asyncio.Future[dict[int, Kept]] | None = None
        self._is_next_wanted = False
        # By their positions in the changes.
        self._waiting: dict[int, asyncio.Future[Kept]] = {}
        self._linger: asyncio.TimerHandle | None = None

    @property
    def health(self) -> Health:
        """How well results are kept now."""
        return self._ledger.health

    async def accept(
        self,
        key: TaskKey,
        digest: str,
        summary: Summary,
        *,
        repeat: bool = False,
        sources: Sources = UNKNOWN,
    ) -> Decision:
        """Record that a task's three inputs are complete and return whether it has to be computed.

        The caller knows which tasks it is computing: a second `accept` of one of them says
        INTERRUPTED.

        Args:
            key: the task.
            digest: digest of its inputs.
            summary: what it is about.
            repeat: compute it again even if these inputs are answered; the earlier answer stays in
                the history.
            sources: the samples that completed it.
        """
        event = Accept(
            key, digest, _bounded(summary), self._now_ms(), is_repeat=repeat, sources=sources
        )
        is_new = self._known_tasks.is_new(key)
        self._known_tasks.add(key)
        if is_new:
            # Nothing to look up: that spares the task the hop to the store's thread and back.
            self._queue(replace(event, is_first=True))
            return Compute(ComputeReason.NEW)
        decision = await self._accepted(event)
        self._commit_within()
        return decision

    async def _accepted(self, event: Accept) -> Decision:
        """Have an acceptance recorded; wait a while for what is known of its task."""
        for _ in range(READ_ATTEMPTS):
            try:
                return await self._call(self._ledger.accept, event)
            except StoreError:
                await asyncio.sleep(self._config.retry_s)
        return await self._call(self._ledger.accept, event, is_urgent=True)

    async def save(
        self,
        key: TaskKey,
        digest: str,
        summary: Summary,
        answer: Answer,
        *,
        sources: Sources = UNKNOWN,
    ) -> Kept:
        """Keep an answer; return the one to publish, once it is on disk or the store degraded.

        That is the first answer that was saved for these inputs. Cancelling the caller does not
        undo the save.
        """
        event = Save(key, digest, _bounded(summary), answer, self._now_ms(), sources)
        waiting: asyncio.Future[Kept] = asyncio.get_running_loop().create_future()
        self._waiting[len(self._changes)] = waiting
        self._changes.append(event)
        self._commit()
        return await waiting

    def mark_published(self, kept: Kept) -> None:
        """Note that an answer was written to the output topic; on disk a moment later."""
        self._queue(Mark(kept.key, kept.edition, State.PUBLISHED))

    def mark_acknowledged(self, kept: Kept) -> None:
        """Note that the readers that answer have an answer; on disk a moment later."""
        self._queue(Mark(kept.key, kept.edition, State.ACKNOWLEDGED))

    def mark_ended(self, kept: Kept) -> None:
        """Note that no reader holds an answer's instance any more; on disk with the next write.

        If that is lost, the instance is ended once more after a restart.
        """
        self._queue(End(kept.key, kept.edition), _LONG_LINGER_S)

    async def left_with_readers(self) -> tuple[Kept, ...]:
        """Return the answers whose instances readers may hold, oldest first.

        Those that were saved and not marked count too, since a SIGKILL may have lost their marks.
        There are none while the database cannot be read.
        """
        return await self._call(self._ledger.left_with_readers)

    def note_ignored(self, key: TaskKey, digest: str, ignored_digest: str) -> None:
        """Note that other inputs came while a task ran and were not run; on disk a moment later."""
        self._queue(Ignore(key, digest, ignored_digest))

    async def editions(self, key: TaskKey) -> Editions:
        """Return everything that is known about a task, oldest first.

        For a watchdog: it returns only while the store makes progress.
        """
        return await self._call(self._ledger.editions, key)

    async def past(self) -> tuple[Span, ...] | None:
        """Tell which samples earlier lives of the node used; None if that cannot be read now."""
        try:
            return await self._call(self._ledger.past)
        except StoreError:
            return None

    async def uses(
        self, task_id: TaskId, ml_model: SampleId, hw_resource: SampleId
    ) -> tuple[Use, ...]:
        """Tell what the writers of two samples gave to tasks of an id, as far as it is known."""
        return await self._call(self._ledger.uses, task_id, ml_model, hw_resource)

    async def page(self, page: Page) -> Page:
        """Fill a page of the history and return it.

        Saves go between its looks, and pages take turns, so that a save waits for one look at most.
        Cancelling the caller ends it with the look that runs.

        Raises:
            StoreError: the database cannot be read now.
        """
        while not page.is_complete:
            async with self._look_turn:
                await self._call(self._ledger.look, page)
        return page

    async def load_known_tasks(self) -> None:
        """Learn whose tasks the database holds, so that those of others need no look there.

        While it cannot be read, every task is looked up, and this ends without having learnt.
        """
        with suppress(StoreError):
            self._known_tasks.load(await self._call(self._ledger.writers))

    async def repair(self) -> None:
        """Try to write again, as long as there is trouble; runs until it is cancelled."""
        while True:
            await self._is_in_trouble.wait()
            await asyncio.sleep(self._config.retry_s)
            await self._call(self._ledger.recover)
            if not self._known_tasks.is_loaded:
                await self.load_known_tasks()

    async def prune_periodically(self) -> None:
        """Prune now and then; runs until it is cancelled."""
        while True:
            await asyncio.sleep(self._config.prune_every_s)
            await self.prune()

    async def prune(self) -> None:
        """Delete what is too many or too old, a short transaction at a time for saves between."""
        max_age_ms = round(self._config.max_age_days * _MS_PER_DAY)
        bounds = self._config.max_results, self._earliest_now_ms() - max_age_ms
        while await self._call(self._ledger.prune, *bounds):
            pass

    def tell(self) -> None:
        """Report the health if it has changed since it was told last."""
        news = (self._ledger.trouble, self._ledger.moved_aside)
        if news == self._told:
            return
        self._told = news
        if self._ledger.trouble:
            self._is_in_trouble.set()
        else:
            self._is_in_trouble.clear()
        self._notify(self._ledger.health)

    async def close(self) -> None:
        """Write what waits, as far as that is possible, and give the state directory back."""
        self._commit()
        while self._running_commit is not None:
            await asyncio.wait([self._running_commit])
        await self._call(self._ledger.close)

    def _queue(self, change: Change, linger_s: float = _LINGER_S) -> None:
        self._changes.append(change)
        self._commit_within(linger_s)

    def _commit_within(self, linger_s: float = _LINGER_S) -> None:
        if self._is_next_wanted:
            return
        loop = asyncio.get_running_loop()
        if self._linger is not None:
            if self._linger.when() <= loop.time() + linger_s:
                return
            self._linger.cancel()
        self._linger = loop.call_later(linger_s, self._commit)

    def _commit(self) -> None:
        """Commit all that waits: now, or once the commit that runs has ended.

        It needs no task of its own, through which every save would yield to the loop more often.
        """
        if self._linger is not None:
            self._linger.cancel()
            self._linger = None
        if self._running_commit is None:
            self._start_commit()
        else:
            self._is_next_wanted = True

    def _start_commit(self) -> None:
        changes, self._changes = self._changes, []
        waiting, self._waiting = self._waiting, {}
        loop = asyncio.get_running_loop()
        self._running_commit = loop.run_in_executor(self._thread, self._ledger.commit, changes)
        self._running_commit.add_done_callback(partial(self._on_committed, waiting))

    def _on_committed(
        self, waiting: Mapping[int, asyncio.Future[Kept]], commit: asyncio.Future[dict[int, Kept]]
    ) -> None:
        self._running_commit = None
        self.tell()
        for position, saved in waiting.items():
            _settle(saved, commit, position)
        if self._is_next_wanted:
            self._is_next_wanted = False
            self._start_commit()

    async def _call(self, function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Run a function of the ledger in the store's thread."""
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._thread, partial(function, *args, **kwargs))
        finally:
            self.tell()

    def _now_ms(self) -> int:
        return round(self._clocks.wall() * 1000)

    def _earliest_now_ms(self) -> int:
        """Return the time that ages are judged by: a clock that was set forward ages nothing."""
        wall, monotonic = self._opened_at
        return round(min(self._clocks.wall(), wall + self._clocks.monotonic() - monotonic) * 1000)


def _settle(
    saved: asyncio.Future[Kept], commit: asyncio.Future[dict[int, Kept]], position: int
) -> None:
    """Give a save its outcome, unless its task was cancelled meanwhile."""
    if saved.done():
        return
    if (error := commit.exception()) is not None:
        saved.set_exception(error)
    else:
        saved.set_result(commit.result()[position])


def _bounded(summary: Summary) -> Summary:
    """Return a summary that can be kept: of bounded length, without what UTF-8 cannot carry."""
    return Summary(*map(_storable, (summary.model, summary.hardware, summary.place)))


def _storable(text: str) -> str:
    return text[:_TEXT_LIMIT].encode(errors="replace").decode()
