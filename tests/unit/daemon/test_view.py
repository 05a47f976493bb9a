"""What the node tells of its results: the same to everyone, from the store."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.memory_transport import MemoryBus, MemoryTransport
from tests.stores import store_config
from tests.unit.store.samples import answer, failure, summary, task

from carbon_node.daemon.view import MAX_RESULTS_BYTES, LocalView, PeerView, PublishedResults
from carbon_node.observability.metrics import Metrics
from carbon_node.pipeline.announcer import StatusAnnouncer
from carbon_node.pipeline.control import CommandCounts
from carbon_node.pipeline.facts import FactsSource, Identity
from carbon_node.pipeline.register import TaskRegister
from carbon_node.settings import ConfigurationService, load
from carbon_node.store import Edition, Store, open_store
from carbon_node.tasks.answer import Answer
from carbon_node.tasks.key import TaskKey
from carbon_node.wire.contract import NODE_NAME, Role, Topic

pytestmark = pytest.mark.anyio

ROLE = Role(NODE_NAME, reads=(), writes=(Topic.STATUS,))


def facts_with(
    overload: str | None, transport: MemoryTransport | None = None
) -> tuple[FactsSource, StatusAnnouncer]:
    """What a node knows of itself, and who announces its status."""
    announcer = StatusAnnouncer(transport or MemoryTransport(MemoryBus(), ROLE))
    facts = FactsSource(
        Identity("1.0", 7, "fastdds", "transport = auto (default)", started_s=0.0),
        announcer,
        TaskRegister(Metrics()),
        lambda: 3,
        CommandCounts(),
        lambda: overload,
        lambda: ["slow"],
    )
    return facts, announcer


FACTS, _ = facts_with(None)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """A store on disk."""
    async with open_store(store_config(tmp_path), lambda _: None) as store:
        yield store


def problem_id_of(edition: Edition) -> int:
    """First part of a result's task id."""
    return edition.key.task_id.problem_id


async def keep(store: Store, key: TaskKey, found: Answer, digest: str = "d") -> None:
    """Accept and answer a task."""
    await store.accept(key, digest, summary())
    await store.save(key, digest, summary(), found)


async def test_results_are_answered_ones_only_and_as_many_as_asked_for(store: Store) -> None:
    """Tasks that wait take no place, and the newest come first."""
    for problem_id in range(1, 6):
        await keep(store, task(problem_id), answer(task(problem_id)))
        await store.accept(task(problem_id + 100), "d", summary())
    results = PublishedResults(store.page)

    first, following = await results.page(problem_id_of, 3)
    assert first == [5, 4, 3]
    assert await results.page(problem_id_of, 3, following) == ([2, 1], None)


async def test_peers_and_the_local_interface_get_the_same_json(store: Store) -> None:
    """Numbers, reasons and the published sample, in one shape."""
    await keep(store, task(1), answer(task(1), carbon_g=2.0))
    await keep(store, task(2), failure(task(2)))
    results = PublishedResults(store.page)
    service = ConfigurationService(
        load({}, {}).configuration, PeerView(FACTS, results), lambda _: None
    )
    local = LocalView(FACTS, results, service, [])

    to_peers = (await service.answer('{"results": {"last": 2}}')).body["results"]

    assert isinstance(to_peers, list)
    assert [json.loads(text) for text in (await local.results(2, None)).results] == to_peers
    assert [to_peers[1]] == (
        await service.answer('{"results": {"problem_id": 1, "iteration_id": 1}}')
    ).body["results"]
    failed, good = to_peers
    assert isinstance(failed, dict)
    assert isinstance(good, dict)
    assert (good["outcome"], good["carbon_g"], good["place_code"]) == ("computed", 2.0, "ES")
    assert (failed["outcome"], failed["reason"], failed["carbon_g"]) == (
        "not_computed",
        "no power",
        None,
    )
    assert good == json.loads(str(await local.result(1, 1)))
    assert await local.result(9, 9) is None


async def test_a_task_that_was_answered_twice_has_two_results(store: Store) -> None:
    """Both are there, newest first."""
    await keep(store, task(1), answer(task(1), 1.0), "a")
    await keep(store, task(1), answer(task(1), 2.0), "b")
    results = await PeerView(FACTS, PublishedResults(store.page)).results_of(1, 1)

    assert [each["carbon_g"] for each in results] == [2.0, 1.0]


async def test_an_answer_is_bounded_in_bytes(store: Store) -> None:
    """Large results come fewer at a time, and one comes however large it is."""
    for problem_id, share in ((1, 2), (2, 0.4), (3, 0.4), (4, 0.4)):
        footprint = answer(task(problem_id)).footprint
        octets = b'{"a": "' + b"x" * int(share * MAX_RESULTS_BYTES) + b'"}'
        large = replace(answer(task(problem_id)), footprint=replace(footprint, extra_data=octets))
        await keep(store, task(problem_id), large)
    results = PublishedResults(store.page)

    pages, following = [], None
    for _ in range(3):
        page, following = await results.page(problem_id_of, 4, following)
        pages.append(page)
    assert pages == [[4, 3], [2], [1]]


async def test_results_that_are_not_on_disk_are_told_too(tmp_path: Path) -> None:
    """While the database cannot be written, pages are made of both memory and disk."""
    async with open_store(store_config(tmp_path), lambda _: None) as store:
        for problem_id in (1, 2):
            await keep(store, task(problem_id), answer(task(problem_id)))
        (tmp_path / "results.sqlite3").rename(tmp_path / "elsewhere")
        (tmp_path / "results.sqlite3").mkdir()
        for problem_id in (3, 4):
            await keep(store, task(problem_id), answer(task(problem_id)))
        assert store.health.is_degraded
        results = PublishedResults(store.page)

        newest, following = await results.page(problem_id_of, 1)
        assert newest == [4]
        assert (await results.page(problem_id_of, 9, following))[0] == [3]


def test_peers_are_told_how_the_node_is() -> None:
    """Status, tasks, commands and identity are in one answer."""
    status = dict(PeerView(FACTS, PublishedResults(None)).status())  # type: ignore[arg-type]

    uptime_s = status.pop("uptime_s")
    assert isinstance(uptime_s, float)
    assert uptime_s > 0
    assert status == {
        "node": "INACTIVE",
        "is_paused": False,
        "degraded": ["slow"],
        "tasks": {"incomplete": 3, "waiting": 0, "running": 0, "answered": 0, "failed": 0},
        "commands": {"obeyed": 0, "foreign": 0, "unknown": 0, "refused": 0},
        "domain": 7,
        "transport": {"name": "fastdds", "reason": "transport = auto (default)"},
        "version": "1.0",
    }


@pytest.mark.parametrize(("overload", "is_ready"), [(None, True), ("no room", False)])
async def test_a_node_that_refuses_samples_is_not_ready(
    store: Store,
    overload: str | None,
    is_ready: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """A balancer sees it, and the reason is among what is degraded."""
    transport = MemoryTransport(MemoryBus(), ROLE)
    await transport.open()
    transport.connect()
    facts, announcer = facts_with(overload, transport)
    announcer.open()
    announcer.ready()
    results = PublishedResults(store.page)
    service = ConfigurationService(
        load({}, {}).configuration, PeerView(facts, results), lambda _: None
    )
    summary = LocalView(facts, results, service, []).status()
    assert summary.is_ready is is_ready
    assert summary.degraded == ("slow", *filter(None, [overload]))
    await transport.close()
