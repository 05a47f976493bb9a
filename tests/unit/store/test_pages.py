"""Pages of the history: complete, in order, and read with little work each."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.disks import full_disk
from tests.unit.store.samples import MANY, Steps, answer, edition, summary, task

from carbon_node.store import Cursor, Page, Query
from carbon_node.store.database import DATABASE_NAME, Database
from carbon_node.store.editions import Accept, Edition, Mark, Save, State
from carbon_node.store.ledger import Ledger
from carbon_node.store.pages import ROWS_READ, look

LIMIT = 500
PLENTY_BYTES = 2**30

MAX_STEPS = 50_000
"""Instructions of SQLite that a look may take: some milliseconds, on any machine far from 50."""


def page_of(ledger: Ledger, query: Query, limit: int, cursor: Cursor | None = None) -> Page:
    """A page as the store reads it."""
    page = Page(query, limit, PLENTY_BYTES, cursor)
    while not page.is_complete:
        ledger.look(page)
    return page


def pages_of(ledger: Ledger, limit: int, query: Query = Query()) -> list[list[Edition]]:  # noqa: B008 - frozen
    """All pages of a history."""
    page = page_of(ledger, query, limit)
    pages = [page.editions]
    while page.following is not None:
        page = page_of(ledger, query, limit, page.following)
        pages.append(page.editions)
    return pages


def problem_ids(editions: list[Edition]) -> list[int]:
    """First parts of the editions' task ids."""
    return [each.key.task_id.problem_id for each in editions]


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """An empty ledger on disk."""
    ledger = Ledger(tmp_path)
    ledger.open()
    yield ledger
    ledger.close()


def save(ledger: Ledger, *numbers: int) -> None:
    """Save answers to tasks."""
    ledger.commit([Save(task(each), "d", summary(), answer(task(each)), each) for each in numbers])


@given(limit=st.integers(1, 9), count=st.integers(0, 20))
def test_pages_are_the_whole_history_in_order(limit: int, count: int) -> None:
    """Every result is on one page, newest first, and all pages but the last are full."""
    with closing(Ledger(None)) as ledger:
        ledger.open()
        save(ledger, *range(1, count + 1))
        pages = pages_of(ledger, limit)

    assert [each for page in pages for each in problem_ids(page)] == [*range(count, 0, -1)]
    assert all(len(page) == limit for page in pages[:-1])
    assert pages[-1] or count == 0


def test_what_comes_meanwhile_shifts_no_page(ledger: Ledger) -> None:
    """Results that are added between two pages are on neither."""
    save(ledger, 1, 2, 3, 4)
    first = page_of(ledger, Query(), 2)
    save(ledger, 5, 6)
    second = page_of(ledger, Query(), 2, first.following)
    assert [problem_ids(page.editions) for page in (first, second)] == [[4, 3], [2, 1]]


def test_what_is_in_memory_only_is_on_the_pages_too(ledger: Ledger) -> None:
    """While the disk is full, pages go on from memory to disk, and show what was marked once.

    A place in memory is still one when all is written.
    """
    save(ledger, 1, 2, 3, 4)
    with full_disk():
        save(ledger, 5, 6)
        ledger.commit([Mark(task(3), 1, State.PUBLISHED)])
        assert ledger.trouble
        pages = pages_of(ledger, 2)
        last_of_first = page_of(ledger, Query(), 2).following
    ledger.recover()
    assert not ledger.trouble

    assert [problem_ids(page) for page in pages] == [[3, 6], [5, 4], [2, 1]]
    assert pages[0][0].state is State.PUBLISHED
    assert problem_ids(page_of(ledger, Query(), 9, last_of_first).editions) == [5, 4, 3, 2, 1]


def test_a_place_whose_result_was_deleted_is_the_end(ledger: Ledger) -> None:
    """What is older than a deleted result was deleted with it."""
    save(ledger, 1, 2, 3)
    page = page_of(ledger, Query(), 2)
    assert ledger.prune(max_results=1, accepted_before_ms=0)
    following = page_of(ledger, Query(), 2, page.following)
    assert (following.editions, following.following) == ([], None)


def test_conditions_hold_on_every_page(ledger: Ledger) -> None:
    """What was not asked for takes no place."""
    for number in range(1, 6):
        save(ledger, number)
        ledger.accept(Accept(task(number + 100), "d", summary(model="vit"), 0))
    answered = pages_of(ledger, 2, Query(is_answered=True))
    assert [problem_ids(page) for page in answered] == [[5, 4], [3, 2], [1]]
    assert problem_ids(page_of(ledger, Query(model="vit"), 2).editions) == [105, 104]


def test_a_page_is_bounded_in_bytes() -> None:
    """It ends before it is too large, but has one result in any case."""
    page = Page(Query(), limit=9, max_bytes=10)
    kept = edition(1)
    assert kept.answer is not None
    size_bytes = len(kept.answer.footprint.extra_data)
    assert page.offer(kept)
    assert not page.offer(edition(2))
    page = Page(Query(), limit=9, max_bytes=2 * size_bytes)
    assert [page.offer(edition(number)) for number in range(3)] == [True, True, False]
    assert page.following == Cursor.behind(edition(1))


@given(
    problem=st.integers(0, 2**32 - 1),
    number=st.integers(1, 2**41),
    writer=st.text(max_size=60),
    is_in_memory=st.booleans(),
)
def test_a_place_survives_as_text(
    problem: int,
    number: int,
    writer: str,
    is_in_memory: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """What is handed out is understood again."""
    cursor = Cursor(task(problem, 7, writer), number, is_in_memory=is_in_memory)
    assert Cursor.parsed(str(cursor)) == cursor


RARE = (
    Query(hardware="nothing"),
    Query(model="model-7", place="nothing"),
    Query(task_id=task(2).task_id),
)


def looks_at(database: Database, query: Query, cursor: Cursor | None, steps: Steps) -> list[int]:
    """Instructions of each look that a page takes."""
    page, counts = Page(query, LIMIT, PLENTY_BYTES, cursor), []
    while not page.is_complete:
        counts.append(steps(lambda: look(database, page, page.cursor, lambda _: False)))
    return counts


@pytest.mark.parametrize("depth", [0, MANY // 2, MANY - LIMIT])
def test_a_page_takes_the_same_work_however_deep_it_is(
    large: Path, depth: int, steps: Steps
) -> None:
    """In a history of 100,000 results, a page of 500 takes six looks of a few rows each."""
    cursor = Cursor(task(MANY - depth + 1), 1) if depth else None
    with closing(Database.open(large / DATABASE_NAME)) as database:
        counts = looks_at(database, Query(is_answered=True), cursor, steps)
    assert len(counts) <= LIMIT / ROWS_READ + 1
    assert max(counts) < MAX_STEPS, counts


@pytest.mark.parametrize("query", RARE)
def test_a_look_is_short_however_rare_the_results_are(
    large: Path, query: Query, steps: Steps
) -> None:
    """What is not there takes no more than a pass over a part of the history at a time."""
    with closing(Database.open(large / DATABASE_NAME)) as database:
        counts = looks_at(database, query, None, steps)
    assert max(counts) < MAX_STEPS, counts
    assert len(counts) > 1 or query.task_id is not None


def test_results_of_one_task_are_found_at_once(large: Path, steps: Steps) -> None:
    """The index on task ids leads to them, wherever they are."""
    with closing(Database.open(large / DATABASE_NAME)) as database:
        counts = looks_at(database, Query(task_id=task(2).task_id), None, steps)
    assert len(counts) == 1
    assert counts[0] < 1_000


def test_editions_of_a_task_count_as_one_place_each(ledger: Ledger) -> None:
    """A task that was answered for other inputs has a place for each answer."""
    for digest in "abc":
        ledger.accept(Accept(task(1), digest, summary(), 0))
        ledger.commit([Save(task(1), digest, summary(), answer(task(1)), 0)])
    numbers = [[each.number for each in page] for page in pages_of(ledger, 1)]
    assert numbers == [[3], [2], [1]]
