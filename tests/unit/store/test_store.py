"""The store as the daemon uses it."""

import asyncio
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from tests.patience import PATIENCE_S
from tests.stores import editions_in, store_config
from tests.unit.store.samples import answer, failure, summary, task

from carbon_node.errors import StateDirectoryInUse
from carbon_node.store import (
    Clocks,
    Health,
    Page,
    Query,
    State,
    Store,
    StoreConfig,
    open_store,
)
from carbon_node.store import store as store_module
from carbon_node.store.ledger import Ledger
from carbon_node.tasks.answer import Kept
from carbon_node.tasks.decision import Answered, Compute, ComputeReason
from carbon_node.tasks.key import Summary, TaskKey
from carbon_node.tasks.lineage import SampleId, Sources, Span, Use
from carbon_node.wire.samples import TaskId

pytestmark = pytest.mark.anyio


def _nobody(_health: Health) -> None:
    """What a store says where nobody listens."""


async def _unanswered(store: Store) -> int:
    found = await editions_in(store)
    return sum(each.answer is None and not each.is_superseded for each in found)


async def _answer(store: Store, key: TaskKey, digest: str = "a", carbon_g: float = 2.0) -> Kept:
    await store.accept(key, digest, summary())
    return await store.save(key, digest, summary(), answer(key, carbon_g))


@pytest.fixture(params=["file", "memory"])
def config(request: pytest.FixtureRequest, state_dir: Path) -> StoreConfig:
    """A store on disk, and the null object that keeps results in memory."""
    return store_config(state_dir if request.param == "file" else None)


async def test_task_is_due_until_it_is_answered(config: StoreConfig) -> None:
    """Never measured twice in one life of the node."""
    told: list[Health] = []
    async with open_store(config, told.append) as store:
        assert await store.accept(task(), "a", summary()) == Compute(ComputeReason.NEW)
        kept = await store.save(task(), "a", summary(), answer(task()))
        assert kept == Kept(task(), 1, answer(task()))
        assert await store.accept(task(), "a", summary()) == Answered(kept, is_acknowledged=False)
        assert await store.accept(task(), "b", summary()) == Compute(ComputeReason.CHANGED)
    assert told == []


async def test_same_task_id_of_another_orchestrator_is_another_task(config: StoreConfig) -> None:
    """A restarted orchestrator counts from (1, 1) again."""
    async with open_store(config, _nobody) as store:
        await _answer(store, task(writer="before"))
        assert await store.accept(task(writer="after"), "a", summary()) == Compute(
            ComputeReason.NEW
        )


async def test_first_save_of_the_same_inputs_stands(config: StoreConfig) -> None:
    """Saves that race, also within one transaction, all publish the same value."""
    async with open_store(config, _nobody) as store:
        saves = [store.save(task(), "a", summary(), answer(task(), n)) for n in (1.0, 2.0, 3.0)]
        assert {kept.answer.carbon_g for kept in await asyncio.gather(*saves)} == {1.0}


async def test_marks_are_seen_by_the_next_acceptance(config: StoreConfig) -> None:
    """A mark is on record although nobody waited for it."""
    async with open_store(config, _nobody) as store:
        kept = await _answer(store, task())
        store.mark_published(kept)
        store.mark_acknowledged(kept)
        await _answer(store, task(2))
        assert await store.accept(task(), "a", summary()) == Answered(kept, is_acknowledged=True)


async def test_mark_that_no_write_follows_is_written_a_moment_later(state_dir: Path) -> None:
    """The last mark of a burst does not wait for the next task."""
    async with open_store(store_config(state_dir), _nobody) as store:
        store.mark_published(await _answer(store, task()))
        async with asyncio.timeout(PATIENCE_S):
            while (await store.editions(task()))[0].state is not State.PUBLISHED:  # noqa: ASYNC110  # asks the disk
                await asyncio.sleep(0.01)


async def test_a_later_life_knows_what_readers_may_hold(state_dir: Path) -> None:
    """What was saved counts, since a crash may have lost its mark; what has ended does not."""
    async with open_store(store_config(state_dir), _nobody) as store:
        ended, again, acknowledged = [await _answer(store, task(n)) for n in (1, 2, 3)]
        await _answer(store, task(4))
        await store.accept(task(5), "a", summary())
        store.mark_acknowledged(acknowledged)
        for kept in (ended, again):
            store.mark_published(kept)
            store.mark_ended(kept)
        store.mark_published(again)
    async with open_store(store_config(state_dir), _nobody) as store:
        left = [kept.key for kept in await store.left_with_readers()]
        assert left == [task(2), task(3), task(4)]
        decision = await store.accept(task(1), "a", summary())
        assert decision == Answered(ended, is_acknowledged=False)


async def test_an_end_is_written_with_the_next_mark(
    state_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may wait longer than a mark, and does not let a mark wait as long."""
    monkeypatch.setattr(store_module, "_LONG_LINGER_S", 10 * PATIENCE_S)
    async with open_store(store_config(state_dir), _nobody) as store:
        kept = await _answer(store, task())
        store.mark_ended(kept)
        store.mark_acknowledged(kept)
        async with asyncio.timeout(PATIENCE_S):
            while (await store.editions(task()))[0].state is not State.ACKNOWLEDGED:  # noqa: ASYNC110  # asks the disk
                await asyncio.sleep(0.01)
        assert await store.left_with_readers() == ()


async def test_answers_survive_a_restart_as_they_were(state_dir: Path) -> None:
    """After a restart the stored answer is the one that was published, to the last bit."""
    key = task()
    told: list[Health] = []
    async with open_store(store_config(state_dir), told.append) as store:
        store.mark_acknowledged(await _answer(store, key, carbon_g=0.1 + 0.2))
        await _answer(store, task(2))
        await store.accept(task(3), "a", summary())
        await store.save(task(4), "a", summary(), failure(task(4)))
    async with open_store(store_config(state_dir), told.append) as store:
        kept = Kept(key, 1, answer(key, 0.1 + 0.2))
        assert await store.accept(key, "a", summary()) == Answered(kept, is_acknowledged=True)
        decision = await store.accept(task(2), "a", summary())
        assert decision == Answered(Kept(task(2), 1, answer(task(2))), is_acknowledged=False)
        assert await _unanswered(store) == 1
        assert await store.accept(task(3), "a", summary()) == Compute(ComputeReason.INTERRUPTED)
        failed = Kept(task(4), 1, failure(task(4)))
        assert await store.accept(task(4), "a", summary()) == Answered(
            failed, is_acknowledged=False
        )
    assert told == []


async def test_interrupted_task_whose_inputs_changed_is_not_unanswered(state_dir: Path) -> None:
    """Inputs that were overtaken do not count as a task that waits."""
    async with open_store(store_config(state_dir), _nobody) as store:
        await store.accept(task(), "a", summary())
        await _answer(store, task(), "b")
        assert await _unanswered(store) == 0


async def test_saves_that_wait_share_one_commit(
    config: StoreConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sync is paid once for a burst, which is what makes durable saves quick."""
    from carbon_node.store.editions import Change
    from carbon_node.store.ledger import Ledger

    commits: list[int] = []
    commit = Ledger.commit

    def counted(ledger: Ledger, changes: Sequence[Change] = ()) -> dict[int, Kept]:
        kept = commit(ledger, changes)
        commits.append(len(kept))
        return kept

    monkeypatch.setattr(Ledger, "commit", counted)

    async with open_store(config, _nobody) as store:
        await asyncio.gather(*(_answer(store, task(n)) for n in range(1, 301)))
    assert (sum(commits), len(commits) < 100) == (300, True)


async def test_save_outlives_the_cancellation_of_its_task(config: StoreConfig) -> None:
    """An answer that was about to be kept is kept."""
    async with open_store(config, _nobody) as store:
        saving = asyncio.create_task(store.save(task(), "a", summary(), answer(task())))
        await asyncio.sleep(0)
        saving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await saving
        kept = Kept(task(), 1, answer(task()))
        assert (await store.save(task(), "a", summary(), answer(task(), 9.0))) == kept


async def test_texts_of_peers_cannot_make_a_row_unwritable(config: StoreConfig) -> None:
    """A megabyte, a null character, half a surrogate pair and no number at all are kept."""
    odd = summary("m" * 1_000_000, "a\0b", "\ud800")
    key = task(2**32 - 1, 2**32 - 1)
    nan = replace(answer(key), carbon_g=float("inf"), energy_kwh=None, reason="'\"\0")

    told: list[Health] = []
    async with open_store(config, told.append) as store:
        await store.accept(key, "a", odd)
        await store.save(key, "a", odd, nan)
        (edition,) = await store.editions(key)
        assert (len(edition.summary.model), edition.summary.place) == (1000, "?")
        assert edition.answer == nan
    assert told == []


async def test_results_are_found_newest_last(config: StoreConfig) -> None:
    """The status page asks for the last few, or for one task."""
    async with open_store(config, _nobody) as store:
        for n in range(1, 6):
            await _answer(store, task(n))
        last = await editions_in(store, limit=2)
        one = await editions_in(store, Query(task_id=task(3).task_id))
        assert [edition.key.task_id.problem_id for edition in (*last, *one)] == [4, 5, 3]


async def test_second_store_is_refused_and_names_the_first(state_dir: Path) -> None:
    """Two nodes on one state directory would answer each other's tasks."""
    async with open_store(store_config(state_dir), _nobody):
        with pytest.raises(StateDirectoryInUse, match=r"belongs to carbon node pid \d+ on \w+"):
            async with open_store(store_config(state_dir), _nobody):
                pass

    told: list[Health] = []
    async with open_store(store_config(state_dir), told.append) as store:
        assert await _unanswered(store) == 0
    assert told == []


class _Time:
    """Clocks that are set by hand."""

    def __init__(self, wall: float) -> None:
        self.wall = wall
        self.monotonic = 100.0

    def pass_(self, seconds: float) -> None:
        self.wall += seconds
        self.monotonic += seconds

    def clocks(self) -> Clocks:
        return Clocks(lambda: self.wall, lambda: self.monotonic)


async def _kept(store: Store) -> list[int]:
    return [edition.key.task_id.problem_id for edition in await editions_in(store)]


async def test_oldest_results_go_when_there_are_too_many(state_dir: Path) -> None:
    """The database never grows without bound, even if thousands are too many at once."""
    async with open_store(store_config(state_dir), _nobody) as store:
        await asyncio.gather(*(_answer(store, task(n)) for n in range(1, 1303)))

    config = store_config(state_dir, max_results=50, prune_every_s=0.001)
    async with open_store(config, _nobody) as store, asyncio.timeout(PATIENCE_S):
        while len(await _kept(store)) > 50:  # noqa: ASYNC110  # asks the disk
            await asyncio.sleep(0.005)
        assert await _kept(store) == list(range(1253, 1303))
    with closing(sqlite3.connect(state_dir / "results.sqlite3")) as database:
        assert database.execute("SELECT count(*) FROM published").fetchone() == (50,)


async def test_results_go_when_they_are_too_old(state_dir: Path) -> None:
    """Age is counted from the acceptance."""
    time = _Time(1_000_000_000.0)

    async with open_store(store_config(state_dir, max_age_days=2), _nobody, time.clocks()) as store:
        await _answer(store, task(1))
        time.pass_(86_400 * 1.5)
        await _answer(store, task(2))
        await store.prune()
        assert await _kept(store) == [1, 2]
        time.pass_(86_400)
        await store.prune()
        assert await _kept(store) == [2]


@pytest.mark.parametrize("jump_s", [-1.7e9, 1e9])
async def test_clock_that_jumps_costs_no_result(state_dir: Path, jump_s: float) -> None:
    """Neither back to 1970 nor thirty years ahead."""
    time = _Time(1_700_000_000.0)

    async with open_store(store_config(state_dir, max_age_days=2), _nobody, time.clocks()) as store:
        kept = await _answer(store, task(1))
        time.wall += jump_s
        assert await store.accept(task(1), "a", summary()) == Answered(kept, is_acknowledged=False)
        await _answer(store, task(2))
        await store.prune()
        time.wall -= jump_s
        await store.prune()
        assert await _kept(store) == [1, 2]


class CountedLooks:
    """Counts the looks that pages take at the database.

    Args:
        monkeypatch: puts it in front of the ledger, each of whose looks passes one row then.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        true_look = Ledger.look

        def look(ledger: Ledger, page: Page) -> None:
            self.count += 1
            true_look(ledger, page)

        monkeypatch.setattr(Ledger, "look", look)
        monkeypatch.setattr("carbon_node.store.pages.ROWS_PASSED", 1)


async def _with_results(store: Store, count: int) -> None:
    await asyncio.gather(*(_answer(store, task(number)) for number in range(1, count + 1)))


NOWHERE = Query(hardware="nothing of this name")


async def test_a_save_waits_for_one_look_however_many_pages_are_read(
    state_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Eight pages that look through all results hold up nobody who has an answer to keep."""
    async with open_store(store_config(state_dir), _nobody) as store:
        await _with_results(store, 100)
        looks = CountedLooks(monkeypatch)
        pages = [asyncio.create_task(store.page(Page(NOWHERE, 50, 10_000))) for _ in range(8)]
        await asyncio.sleep(0)
        before = looks.count
        for number in range(101, 111):
            await _answer(store, task(number))
        assert looks.count - before <= 3 * 10
        assert [(await page).editions for page in pages] == [[]] * 8
        assert looks.count > 8 * 100


async def test_a_page_that_nobody_waits_for_is_read_no_further(
    state_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its caller's end is its own, and the next page is not held up by it."""
    async with open_store(store_config(state_dir), _nobody) as store:
        await _with_results(store, 100)
        looks = CountedLooks(monkeypatch)
        page = asyncio.create_task(store.page(Page(NOWHERE, 50, 10_000)))
        while looks.count < 3:  # noqa: ASYNC110 - counted in the thread of the store
            await asyncio.sleep(0)
        page.cancel()
        await asyncio.gather(page, return_exceptions=True)
        assert len(await editions_in(store, limit=1)) == 1
        assert looks.count < 10


async def test_samples_that_were_used_are_known_after_a_restart(state_dir: Path) -> None:
    """Which session used which, and since when; also those of a task that was not answered."""
    model, hardware = SampleId("models", 7), SampleId("hardware", 3)
    later = SampleId("models", 9)
    async with open_store(store_config(state_dir), _nobody) as store:
        certain = Sources(model, hardware, is_certain=True)
        await store.accept(task(1), "a", summary(), sources=certain)
        await store.save(task(1), "a", summary(), answer(task(1)), sources=certain)
        await store.accept(task(2), "a", summary(), sources=Sources(later, hardware))

    async with open_store(store_config(state_dir), _nobody) as store:
        writer = task().writer
        assert await store.past() == (
            Span(writer, "models", 7, 9),
            Span(writer, "hardware", 3, 3),
        )
        assert {*await store.uses(TaskId(1, 1), model, hardware)} == {
            Use(writer, model),
            Use(writer, hardware),
        }
        assert await store.uses(TaskId(2, 1), later, SampleId()) == (Use(writer, later),)
        assert await store.uses(TaskId(1, 1), SampleId("others", 7), SampleId()) == ()


async def test_trouble_is_told_and_over_once_the_place_is_free(tmp_path: Path) -> None:
    """Until then memory stands in; what it holds is on disk in the end."""
    place, told = tmp_path / "state", list[Health]()
    place.write_text("in the way")
    async with open_store(store_config(place, retry_s=0.001), told.append) as store:
        (first,) = told
        assert first.is_degraded
        assert f"{place}: " in first.trouble
        kept = await _answer(store, task())
        assert store.health.unwritten == 1
        assert await store.accept(task(), "a", summary()) == Answered(kept, is_acknowledged=False)
        assert [each.answer for each in await store.editions(task())] == [kept.answer]
        assert await _kept(store) == [1]
        place.unlink()
        async with asyncio.timeout(PATIENCE_S):
            while store.health.is_degraded:  # noqa: ASYNC110  # asks the disk
                await asyncio.sleep(0.005)
        await store.editions(task())
        assert told[-1] == Health()
    async with open_store(store_config(place), told.append) as store:
        again = await store.accept(task(), "a", summary())
    assert isinstance(again, Answered)
    # Its number among the editions was not known before.
    assert again.kept.answer == kept.answer


async def test_a_long_text_is_kept_in_part(config: StoreConfig) -> None:
    """A thousand characters of what peers call their models, hardware and places."""
    async with open_store(config, _nobody) as store:
        texts = Summary("m" * 1_000, "h" * 1_001, "p" * 999)
        await store.accept(task(), "a", texts)
        await store.save(task(), "a", texts, answer(task()))
        (edition,) = await store.editions(task())
    assert edition.summary == Summary("m" * 1_000, "h" * 1_000, "p" * 999)


async def test_inputs_that_were_not_run_are_on_record(config: StoreConfig) -> None:
    """A restart that delivers them again is no change then."""
    async with open_store(config, _nobody) as store:
        kept = await _answer(store, task())
        store.note_ignored(task(), "a", "b")
        await _answer(store, task(2))
        assert await store.accept(task(), "b", summary()) == Answered(kept, is_acknowledged=False)
        assert await store.accept(task(), "c", summary()) == Compute(ComputeReason.CHANGED)


async def test_a_repeat_is_another_edition(config: StoreConfig) -> None:
    """The earlier answer stays in the history, and counts no more."""
    async with open_store(config, _nobody) as store:
        await _answer(store, task())
        decision = await store.accept(task(), "a", summary(), repeat=True)
        assert decision == Compute(ComputeReason.REPEATED)
        await store.save(task(), "a", summary(), answer(task(), 3.0))
        found = [(each.number, each.is_superseded) for each in await store.editions(task())]
    assert found == [(1, True), (2, False)]


async def test_a_closed_store_does_nothing_more(config: StoreConfig) -> None:
    """Neither pruning nor repairing goes on, with a ledger that another node may have."""
    before = asyncio.all_tasks()
    async with open_store(config, _nobody) as store:
        await _answer(store, task())
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == before
