"""The service around the pure function: who is told of changes, what lasts, what is too much."""

import asyncio
import gc
import json
import stat
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.unit.settings.conftest import NodeWithResults

import carbon_node.settings.service
from carbon_node.settings import (
    Change,
    Configuration,
    ConfigurationService,
    NodeQuestions,
    Source,
    load,
)

pytestmark = pytest.mark.anyio


class Clock:
    """Time that passes only when a test lets it."""

    now_s = 0.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now_s


@pytest.fixture
def told() -> list[Change]:
    """Return the list of changes that the service reported."""
    return []


@pytest.fixture
def serve(
    node: NodeQuestions, told: list[Change]
) -> Callable[[Configuration], ConfigurationService]:
    """Return a factory of services whose clock stands still."""
    return lambda configuration: ConfigurationService(configuration, node, told.extend, Clock())


def configured(state_dir: Path, **options: object) -> Configuration:
    """Load a configuration that persists changes."""
    given = {"state_dir": str(state_dir), "persist_configuration": True, "domain": 0, **options}
    return load(given, {}, system_file=state_dir / "none.toml").configuration


async def body(service: ConfigurationService, request: object) -> dict[str, Any]:
    """Return the reply to a request."""
    reply: dict[str, Any] = json.loads((await service.answer(json.dumps(request))).text)
    return reply


Serve = Callable[[Configuration], ConfigurationService]


async def test_every_change_is_told_with_old_and_new_value(
    serve: Serve, told: list[Change]
) -> None:
    """Each change is reported once, and a request that changes nothing reports none."""
    service = serve(load({}, {}).configuration)
    await body(service, {"set": {"pue": 1.2, "place": "FR"}})
    await body(service, {"set": {"pue": 1.2}})
    await body(service, {"set": {"pue": 99}})
    await body(service, {"reset": ["pue"]})
    assert [
        Change("pue", 1.58, 1.2, 1),
        Change("place", "", "FR", 1),
        Change("pue", 1.2, 1.58, 2),
    ] == told
    assert service.current.revision == 2


async def test_a_task_that_read_the_configuration_keeps_it(serve: Serve) -> None:
    """A change does not affect settings that were read before it."""
    service = serve(load({}, {}).configuration)
    read = service.current
    await body(service, {"set": {"pue": 1.2}})
    assert (read.settings.pue, read.revision) == (1.58, 0)
    assert (service.current.settings.pue, service.current.revision) == (1.2, 1)


async def test_changes_last_over_a_restart(serve: Serve, tmp_path: Path) -> None:
    """A restart keeps changed values, names their file, and continues the revision."""
    state_dir = tmp_path / "state"
    await body(serve(configured(state_dir)), {"set": {"pue": 1.2, "intensity_g_per_kwh": 56}})
    again = configured(state_dir)
    assert (again.settings.pue, again.settings.intensity_g_per_kwh) == (1.2, 56.0)
    assert again.revision == 1
    assert again.origins["pue"].source is Source.PERSISTED
    assert str(again.origins["pue"]) == f"persisted {state_dir / 'configuration.json'}"

    await body(serve(again), {"reset": "all"})
    reset = configured(state_dir)
    assert (reset.settings.pue, reset.revision) == (1.58, 2)


async def test_nobody_else_reads_the_state(serve: Serve, tmp_path: Path) -> None:
    """The state directory belongs to its owner only, and holds no half-written file."""
    state_dir = tmp_path / "state"
    await body(serve(configured(state_dir)), {"set": {"pue": 1.2}})
    assert stat.S_IMODE(state_dir.stat().st_mode) == 0o700
    assert [path.name for path in state_dir.iterdir()] == ["configuration.json"]


async def test_changes_are_not_kept_without_leave(serve: Serve, tmp_path: Path) -> None:
    """Without `persist_configuration` nothing is written."""
    await body(serve(configured(tmp_path, persist_configuration=False)), {"set": {"pue": 1.2}})
    assert list(tmp_path.iterdir()) == []


async def test_a_change_that_cannot_be_kept_still_applies(serve: Serve, tmp_path: Path) -> None:
    """Where the file cannot be written, the answer is a success that warns."""
    (tmp_path / "file").touch()
    service = serve(configured(tmp_path / "file"))
    reply = await body(service, {"set": {"pue": 1.2}})
    assert reply["success"]
    assert "until the next start only" in reply["warnings"][0]
    assert service.current.settings.pue == 1.2


async def test_a_change_that_the_next_start_overrides_is_announced(
    serve: Serve, tmp_path: Path
) -> None:
    """A change of a setting given by option applies, and its answer warns that it will not last."""
    reply = await body(serve(configured(tmp_path, pue=1.4)), {"set": {"pue": 1.2}})
    assert reply["configuration"]["pue"] == 1.2
    assert "option --pue has the last word" in reply["warnings"][0]
    assert configured(tmp_path, pue=1.4).settings.pue == 1.4


async def test_requests_beyond_the_rate_are_refused_until_time_passes(node: NodeQuestions) -> None:
    """One second's worth passes at once, the next is refused until a second has passed."""
    clock = Clock()
    configuration = load({"configuration_requests_per_s": 10}, {}).configuration
    service = ConfigurationService(configuration, node, lambda _: None, clock)
    assert [(await service.answer("")).success for _ in range(11)] == [True] * 10 + [False]
    assert (await body(service, {"get": "all"}))["error"]["code"] == "too_many_requests"
    clock.now_s = 0.1
    assert [(await service.answer("")).success for _ in range(2)] == [True, False]
    clock.now_s = 1e9
    assert [(await service.answer("")).success for _ in range(11)] == [True] * 10 + [False]


async def test_a_thousand_requests_in_a_row_are_answered_without_growth(
    node: NodeQuestions,
) -> None:
    """By default a thousand requests pass at once, and memory does not grow."""
    service = ConfigurationService(load({}, {}).configuration, node, lambda _: None, Clock())
    requests = ['{"get": "all"}', '{"set": {"pue": 1.2}}', '{"reset": "all"}', '{"get": ["peu"]}']

    async def objects_after_500() -> int:
        for number in range(500):
            assert "too_many" not in (await service.answer(requests[number % 4])).text
        gc.collect()
        return len(gc.get_objects())

    first = await objects_after_500()
    assert await objects_after_500() - first < 50


async def test_reset_of_the_node_returns_to_the_start(serve: Serve, told: list[Change]) -> None:
    """A reset undoes all changes by request, even with access off."""
    service = serve(load({"pue": 1.3}, {}).configuration)
    await body(service, {"set": {"pue": 1.2}})
    service.reset()
    assert service.current.settings.pue == 1.3
    assert Change("pue", 1.2, 1.3, 2) == told[-1]


async def test_a_reload_takes_what_can_change(serve: Serve, told: list[Change]) -> None:
    """A reload applies what it can, keeps changes by request, and names what needs a restart."""
    service = serve(load({"pue": 1.3}, {}).configuration)
    await body(service, {"set": {"place": "FR"}})
    fresh = load({"pue": 1.4, "place": "DE", "domain": 3, "live_key": "key"}, {}).configuration
    assert service.reload(fresh) == ("domain", "live_key")
    current = service.current
    assert (current.settings.pue, current.settings.place, current.settings.domain) == (
        1.4,
        "FR",
        0,
    )
    assert current.revision == 2
    assert [str(current.origins[key]) for key in ("pue", "place", "domain")] == [
        "option --pue",
        "request of revision 1",
        "default",
    ]
    assert Change("pue", 1.3, 1.4, 2) == told[-1]
    service.reset()
    assert service.current.settings.place == "DE"
    assert str(service.current.origins["place"]) == "option --place"


def test_a_reload_without_news_changes_nothing(serve: Serve, told: list[Change]) -> None:
    """Reloading the same sources changes nothing."""
    configuration = load({"pue": 1.3}, {}).configuration
    service = serve(configuration)
    assert service.reload(replace(configuration)) == ()
    assert (service.current.revision, told) == (0, [])


class SlowNode(NodeWithResults):
    """A node whose results come when the test lets them."""

    def __init__(self) -> None:
        super().__init__()
        self.may_end = asyncio.Event()

    async def last_results(self, count: int) -> Sequence[Mapping[str, int]]:
        """Wait for the test."""
        await self.may_end.wait()
        return await super().last_results(count)


async def test_a_change_while_results_are_read_stays() -> None:
    """A question that waits for the store holds up no other request, and undoes none."""
    node = SlowNode()
    service = ConfigurationService(load({}, {}).configuration, node, lambda _: None, Clock())
    asking = asyncio.create_task(service.answer('{"results": {"last": 1}}'))
    await asyncio.sleep(0)
    assert (await service.answer('{"set": {"pue": 1.2}}')).success
    node.may_end.set()

    reply = await asking

    assert reply.body["results"] == [{"problem_id": 2}]
    assert (reply.body["revision"], service.current.settings.pue) == (1, 1.2)


async def test_results_that_do_not_come_are_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that hangs leaves no caller without a reply."""
    monkeypatch.setattr(carbon_node.settings.service, "RESULTS_WAIT_S", 0.01)
    service = ConfigurationService(load({}, {}).configuration, SlowNode(), lambda _: None, Clock())

    reply = await service.answer('{"results": {"last": 1}}')

    assert not reply.success
    assert reply.body["error"] == {
        "code": "unavailable",
        "message": "the results were not read within 0.01 s",
        "hint": "ask again later",
    }
