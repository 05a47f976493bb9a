"""The configuration service of the real program, through both of its endpoints."""

import asyncio
import itertools
import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from tests.callers import calling
from tests.domains import fresh_domain
from tests.program.processes import NodeProcess, running_node

from carbon_node.wire.contract import Topic
from carbon_node.wire.samples import ConfigurationRequest, ErrorCode

pytestmark = pytest.mark.anyio

FORMULA = {"CARBON_NODE_TRACKER__MODE": "formula"}


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[NodeProcess, int]]:
    """A node without tracker and its domain; it has to survive all that is asked."""
    domain = fresh_domain()
    env = {**FORMULA, "CARBON_NODE_CONFIGURATION_REQUESTS_PER_S": "100000"}
    with running_node(domain, tmp_path_factory.mktemp("state"), env=env) as running:
        yield running, domain
        assert running.stop() == 0
        assert not any(event.get("level") == "error" for event in running.events())


async def test_both_endpoints_give_the_same_answers(node: tuple[NodeProcess, int]) -> None:
    """What is set through one endpoint is seen through the other."""
    async with calling(node[1]) as caller:
        by_topic, by_call = await caller.ask_both({"get": "all"})
        assert by_topic == by_call
        assert by_topic["configuration"]["tracker.mode"] == "formula"

        response = await caller.ask('{"set": {"pue": 1.25}}')
        assert (response.success, response.err_code) == (True, ErrorCode.NO_ERROR)
        assert (await caller.call('{"get": ["pue"]}'))["configuration"] == {"pue": 1.25}
        await caller.call('{"reset": "all"}')
        response = await caller.ask('{"get": ["pue"]}')
        assert json.loads(response.configuration)["configuration"] == {"pue": 1.58}


async def test_a_change_reaches_the_next_result_which_names_its_revision(
    node: tuple[NodeProcess, int],
) -> None:
    """Numbers before and after a change differ as the change says."""
    async with calling(node[1]) as caller:
        before = await caller.output(caller.submit())
        changed = await caller.call(
            '{"set": {"pue": 1.0, "latency_unit": "ms", "intensity_g_per_kwh": 50}}'
        )
        after = await caller.output(caller.submit())

        assert after.carbon_intensity == 50
        assert after.energy_consumption == pytest.approx(
            before.energy_consumption / 1.58 / 1000, rel=1e-12
        )
        revisions = [
            json.loads(output.extra_data)["settings_revision"] for output in (before, after)
        ]
        assert revisions == [changed["revision"] - 1, changed["revision"]]
        await caller.call('{"reset": "all"}')


async def test_status_and_results_are_told(node: tuple[NodeProcess, int]) -> None:
    """The latest result is the one that was published."""
    async with calling(node[1]) as caller:
        output = await caller.output(caller.submit("Poland"))
        problem, iteration = output.task_id

        by_topic, by_call = await caller.ask_both({"results": {"last": 1}})

        (result,), (same,) = by_topic["results"], by_call["results"]
        # A reader may have acknowledged it meanwhile.
        assert result | {"state": ""} == same | {"state": ""}
        assert (result["problem_id"], result["iteration_id"]) == (problem, iteration)
        assert result["carbon_g"] == output.carbon_footprint
        assert result["extra_data"] == json.loads(output.extra_data)
        own = await caller.call(
            json.dumps({"results": {"problem_id": problem, "iteration_id": iteration}})
        )
        assert own["results"][0] | {"state": ""} == result | {"state": ""}
        status = await caller.status()
        assert status["node"] == "IDLE"
        assert status["tasks"]["answered"] >= 1
        assert status["transport"]["name"] == "fastdds"
        assert status["transport"]["reason"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("nonsense", "not_json"),
        ("[" * 1000, "not_json"),
        ('{"set": ' + "[" * 1000 + "]" * 1000 + "}", "not_json"),
        ("x" * 5_000_000, "too_large"),
        ('{"set": {"pue": NaN}}', "not_json"),
        ('{"set": {"pue": "1.2"}}', "invalid_value"),
        ('{"set": {"peu": 1.2}}', "unknown_key"),
        ('{"set": {"pue": 1.2, "pue": 1.3}}', "duplicate_key"),
        ('{"set": {"state_dir": "/etc"}}', "not_changeable"),
        ('{"set": {"pue": 1.2}, "revision": 12345}', "revision_conflict"),
        ("{" + "\ud800".encode(errors="replace").decode() + "\x01", "not_json"),
        ("[]", "invalid_request"),
    ],
    ids=[
        "no-json",
        "open-brackets",
        "deep",
        "5-MB",
        "nan",
        "type",
        "unknown",
        "twice",
        "file",
        "revision",
        "control-character",
        "list",
    ],
)
async def test_bad_requests_are_answered_through_both_endpoints(
    node: tuple[NodeProcess, int], text: str, code: str
) -> None:
    """A reply comes that says why not, with the ids, and the node goes on unchanged."""
    async with calling(node[1]) as caller:
        before = await caller.call('{"get": "all"}')
        response = await caller.ask(text)
        by_call = await caller.call(text)
        by_topic = json.loads(response.configuration)

        assert (response.success, response.err_code) == (False, ErrorCode.INTERNAL_ERROR)
        assert by_topic == by_call
        assert by_call["error"]["code"] == code
        assert await caller.call('{"get": "all"}') == before


async def test_an_empty_request_is_answered_with_the_configuration(
    node: tuple[NodeProcess, int],
) -> None:
    """The existing orchestrator sends one to read the configuration."""
    async with calling(node[1]) as caller:
        by_topic, by_call = await caller.ask_both("")
        assert by_topic == by_call == await caller.call('{"get": "all"}')


async def test_requests_to_other_nodes_are_never_answered(node: tuple[NodeProcess, int]) -> None:
    """Every node of a pipeline gets every request; this one answers its own alone."""
    async with calling(node[1]) as caller:
        for node_id in (0, 2, 3, -1):
            caller.transport.publish(
                Topic.REQUEST, ConfigurationRequest(node_id, 1_000_000, '{"get": "all"}')
            )
        # The answer to this one would come after theirs.
        await caller.ask('{"get": ["pue"]}')
        assert caller.responses(1_000_000) == []


async def test_the_same_transaction_is_answered_again(node: tuple[NodeProcess, int]) -> None:
    """An orchestrator that restarts counts its transactions from the beginning."""
    async with calling(node[1]) as caller:
        texts = ['{"get": ["pue"]}', '{"get": ["place"]}', "nonsense"]
        responses = [await caller.ask(text, transaction=77) for text in texts]
        assert [response.success for response in responses] == [True, True, False]
        assert {response.transaction_id for response in responses} == {77}


async def test_two_callers_at_once_are_both_answered(node: tuple[NodeProcess, int]) -> None:
    """Changes through both endpoints at the same time are applied one after the other."""
    async with calling(node[1]) as caller:
        before = (await caller.call('{"get": ["pue"]}'))["revision"]
        changes = [json.dumps({"set": {"pue": 1 + number / 100}}) for number in range(1, 41)]

        async def by_topic() -> list[int]:
            answers = [await caller.ask(text) for text in changes[::2]]
            return [json.loads(answer.configuration)["revision"] for answer in answers]

        async def by_call() -> list[int]:
            return [(await caller.call(text))["revision"] for text in changes[1::2]]

        revisions = list(itertools.chain(*await asyncio.gather(by_topic(), by_call())))
        assert sorted(revisions) == list(range(before + 1, before + 41))
        await caller.call('{"reset": "all"}')


async def test_a_thousand_requests_in_a_row_leave_nothing_behind(
    node: tuple[NodeProcess, int],
) -> None:
    """All are answered through either endpoint, and memory, descriptors and threads stay."""
    running, domain = node
    process = psutil.Process(running.process.pid)
    async with calling(domain) as caller:

        async def thousand() -> None:
            for number in range(500):
                response = await caller.ask('{"get": "all"}' if number % 2 else "nonsense")
                assert response.success == bool(number % 2)
                assert (await caller.call('{"get": "all"}'))["success"]

        await thousand()
        before = (process.memory_info().rss, process.num_fds(), process.num_threads())
        await thousand()
        after = (process.memory_info().rss, process.num_fds(), process.num_threads())
        assert after[1:] == before[1:]
        assert after[0] - before[0] < 2 * 2**20


async def test_requests_beyond_the_rate_are_refused_and_answered(tmp_path: Path) -> None:
    """A caller that floods the node is told so."""
    domain = fresh_domain()
    env = {**FORMULA, "CARBON_NODE_CONFIGURATION_REQUESTS_PER_S": "5"}
    with running_node(domain, tmp_path, env=env):
        async with calling(domain) as caller:
            answers = [await caller.call('{"get": ["pue"]}') for _ in range(10)]
            refused = [answer["error"]["code"] for answer in answers if not answer["success"]]
            assert refused
            assert set(refused) == {"too_many_requests"}
            assert not (await caller.ask('{"get": ["pue"]}')).success


async def test_requests_are_answered_while_measurements_run(tmp_path: Path) -> None:
    """Measurements are done by other processes, so that requests do not wait for them."""
    domain = fresh_domain()
    env = {"CARBON_NODE_TRACKER__MODE": "declared", "CARBON_NODE_TRACKER__WINDOW_S": "600"}
    with running_node(domain, tmp_path, env=env):
        async with calling(domain) as caller:
            task_ids = [caller.submit() for _ in range(2)]
            await caller.wait_for_status(lambda status: status["tasks"]["running"] == len(task_ids))
            for _ in range(50):
                assert (await caller.call('{"get": "all"}'))["success"]
            assert (await caller.status())["tasks"]["running"] == len(task_ids)


async def test_requests_are_answered_while_the_node_shuts_down(tmp_path: Path) -> None:
    """As long as a running task has its budget, both endpoints are open, and say TERMINATING."""
    domain = fresh_domain()
    env = {
        "CARBON_NODE_TRACKER__MODE": "declared",
        "CARBON_NODE_TRACKER__WINDOW_S": "10",
        "CARBON_NODE_STOP_BUDGET_S": "600",
    }
    with running_node(domain, tmp_path, env=env) as node:
        async with calling(domain) as caller:
            task_id = caller.submit()
            await caller.wait_for_status(lambda status: status["tasks"]["running"] == 1)
            node.process.terminate()
            await caller.wait_for_status(lambda status: status["node"] == "TERMINATING")
            by_topic, by_call = await caller.ask_both({"set": {"pue": 1.1}})
            assert by_topic["success"]
            assert by_topic["revision"] == by_call["revision"] == 1
            output = await caller.output(task_id)
            assert json.loads(output.extra_data)["settings_revision"] == 0
        assert node.wait() == 0


async def test_changes_last_over_a_restart_if_the_operator_allows(tmp_path: Path) -> None:
    """The next start has the value and the revision, and a result names it."""
    domain = fresh_domain()
    env = {**FORMULA, "CARBON_NODE_PERSIST_CONFIGURATION": "true"}
    with running_node(domain, tmp_path, env=env) as node:
        async with calling(domain) as caller:
            assert (await caller.call('{"set": {"pue": 1.25}}'))["revision"] == 1
        assert node.stop() == 0
    with running_node(domain, tmp_path, env=env):
        async with calling(domain) as caller:
            answer = await caller.call('{"get": ["pue"]}')
            assert (answer["revision"], answer["configuration"]) == (1, {"pue": 1.25})
            output = await caller.output(caller.submit())
    extra = json.loads(output.extra_data)
    assert extra["settings_revision"] == 1
    assert "persisted" in extra["factors"]["pue"]["source"]


async def test_sighup_reads_the_file_again(tmp_path: Path) -> None:
    """New values apply, requests' changes stay, an unusable file changes nothing."""
    domain = fresh_domain()
    file = tmp_path / "node.toml"
    file.write_text("pue = 1.3\n[tracker]\nmode = 'formula'\n")
    with running_node(domain, tmp_path / "state", f"--config={file}") as node:
        async with calling(domain) as caller:
            await caller.call('{"set": {"place": "France"}}')
            file.write_text(
                "pue = 1.4\ndomain = 99\nplace = 'Poland'\n[tracker]\nmode = 'formula'\n"
            )
            await _reloaded(node, "configuration reloaded")
            values = (await caller.call('{"get": ["pue", "place"]}'))["configuration"]
            assert values == {"pue": 1.4, "place": "France"}

            file.write_text("peu = 1.4\n")
            event = await _reloaded(node, "configuration not reloaded")
            assert "did you mean pue?" in event["problem"]
            assert (await caller.call('{"get": ["pue"]}'))["configuration"] == {"pue": 1.4}
        assert node.stop() == 0


async def _reloaded(node: NodeProcess, event: str) -> dict[str, Any]:
    psutil.Process(node.process.pid).send_signal(signal.SIGHUP)
    return await asyncio.to_thread(node.wait_for_event, event)
