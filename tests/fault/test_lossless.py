"""The real daemon between real peers: every task is answered once, whatever happens."""

import asyncio
import os
import random
import signal
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from tests.calling_transport import participant
from tests.domains import fresh_domain
from tests.loads import (
    INPUTS,
    PATIENCE_S,
    Input,
    Load,
    loading,
    numbers,
    outputs_asked,
    task_inputs,
)
from tests.orchestrator_reader import orchestrator_reader
from tests.program.processes import COMMAND, NodeProcess, environment, run_arguments, running_node

from carbon_node.pipeline.outputs import MAX_RETAINED
from carbon_node.store import Edition
from carbon_node.store.database import DATABASE_NAME, Database
from carbon_node.wire.contract import Role
from carbon_node.wire.samples import MLModel, Status

FORMULA = {"CARBON_NODE_TRACKER__MODE": "formula"}
UNPACED = FORMULA | {"CARBON_NODE_OUTPUT_GAP_MS": "0"}
KILLS = 30
TASKS_PER_LIFE = 10

pytestmark = pytest.mark.anyio

STOPPED_READER = """
import asyncio, sys
from tests.loads import loading

async def main():
    async with loading(int(sys.argv[1])) as load:
        print("matched", flush=True)
        await load.wait_for_answers(int(sys.argv[2]))
        print("all", flush=True)

asyncio.run(main())
"""


def editions(state_dir: Path) -> list[Edition]:
    """What the history holds."""
    with closing(Database.open_read_only(state_dir / DATABASE_NAME)) as database:
        return list(database.select("ORDER BY id"))


def shuffled(inputs: list[Input], seed: int) -> list[Input]:
    """The same inputs in a random order."""
    return random.Random(seed).sample(inputs, len(inputs))  # noqa: S311 - an order, not a key


async def test_kills_at_random_moments_lose_and_double_nothing(tmp_path: Path) -> None:
    """30 SIGKILLs in a run of 300 tasks: all are answered, none twice with different values."""
    moments = random.Random(6)  # noqa: S311 - moments, not keys
    domain = fresh_domain()
    env = FORMULA | {"CARBON_NODE_LEASE_DURATION_S": "2"}

    async def life(load: Load, inputs: list[Input]) -> None:
        node = NodeProcess([*COMMAND, *run_arguments(domain, tmp_path)], env)
        try:
            load.send(inputs[: len(inputs) // 2])
            await asyncio.sleep(moments.uniform(0.0, 0.5))
            load.send(inputs[len(inputs) // 2 :])
            await asyncio.sleep(moments.uniform(0.0, 0.7))
        finally:
            # By SIGKILL.
            await asyncio.to_thread(node.close)

    async with loading(domain, is_matched=False) as load:
        for number in range(KILLS):
            tasks = range(number * TASKS_PER_LIFE + 1, (number + 1) * TASKS_PER_LIFE + 1)
            inputs = [each for task in tasks for each in task_inputs(task, outputs=3)]
            await life(load, shuffled(inputs, number))
        with running_node(domain, tmp_path, env=env) as node:
            await load.wait_for_answers(KILLS * TASKS_PER_LIFE)
            assert await asyncio.to_thread(node.stop) == 0

    assert set(load.outputs) == set(range(1, KILLS * TASKS_PER_LIFE + 1))
    for outputs in load.outputs.values():
        assert len(set(map(numbers, outputs))) == 1
        # Whatever leaves again must not start another iteration.
        assert [outputs_asked(output) for output in outputs[1:]] == [1] * (len(outputs) - 1)
    kept = editions(tmp_path)
    assert len(kept) == KILLS * TASKS_PER_LIFE
    assert all(edition.answer is not None for edition in kept)


async def test_a_burst_is_answered_once_each(tmp_path: Path) -> None:
    """2,000 tasks at once, each with one output."""
    domain = fresh_domain()
    with running_node(domain, tmp_path, env=UNPACED):
        async with loading(domain) as load:
            load.send_tasks(range(1, 2001))
            await load.wait_for_answers(2000)

    assert load.repeated() == {}


async def test_many_tasks_leave_a_reader_of_500_instances_unfilled(tmp_path: Path) -> None:
    """1,500 tasks of peers that never dispose, and the peer's small reader sees each, to the last.

    In their usual pace: without it, notifications merge on a busy machine.
    """
    domain = fresh_domain()
    with running_node(domain, tmp_path, env=FORMULA) as node, orchestrator_reader(domain) as reader:
        async with loading(domain) as load:
            await asyncio.to_thread(reader.wait_until_matched)
            for first in range(1, 1501, 250):
                load.send_tasks(range(first, first + 250))
                await load.wait_for_answers(first + 249)
            await asyncio.to_thread(reader.wait_for_count, 1500)
        assert node.stop() == 0

    assert load.repeated() == {}
    assert {each.task_id.problem_id for each in reader.seen} == set(range(1, 1501))


async def test_a_reader_that_takes_one_sample_per_notification_sees_all(tmp_path: Path) -> None:
    """Each output waits for the one before to be acknowledged: no notifications merge."""
    domain = fresh_domain()
    with running_node(domain, tmp_path, env=FORMULA), orchestrator_reader(domain) as reader:
        async with loading(domain) as load:
            await asyncio.to_thread(reader.wait_until_matched)
            load.send_tasks(range(1, 301))
            await asyncio.to_thread(reader.wait_for_count, 300)

    assert sorted(each.task_id.problem_id for each in reader.seen) == list(range(1, 301))


async def test_a_reader_that_is_slower_than_the_outputs_sees_all(tmp_path: Path) -> None:
    """A peer that is busy with each output for longer than the next one takes to come."""
    domain = fresh_domain()
    with running_node(domain, tmp_path, env=UNPACED), orchestrator_reader(domain) as reader:
        async with loading(domain) as load:
            await asyncio.to_thread(reader.wait_until_matched)
            reader.busy_s = 0.03
            load.send_tasks(range(1, 201))
            await asyncio.to_thread(reader.wait_for_count, 200)


async def test_a_late_reader_gets_the_outputs_that_nobody_had(tmp_path: Path) -> None:
    """Who joins after 450 tasks that nobody read gets the last 400 outputs."""
    domain = fresh_domain()
    with running_node(domain, tmp_path, env=UNPACED) as node:
        async with participant(domain, Role("test_writers", (), INPUTS)) as peer:
            for number in range(1, 451):
                for each in task_inputs(number):
                    peer.publish(each.topic, each.sample)
            async with asyncio.timeout(PATIENCE_S):
                while len(answered_by(node)) < 450:  # noqa: ASYNC110 - the log tells nobody
                    await asyncio.sleep(0.1)
            async with loading(domain) as late:
                await late.wait_for_answers(400)
                retained = set(late.outputs)

    assert retained >= set(answered_by(node)[-400:])


def answered_by(node: NodeProcess) -> list[int]:
    """The tasks that a node has answered, in that order."""
    ids = [event["task_id"] for event in node.events() if event.get("event") == "task answered"]
    return [int(each.removesuffix(".1")) for each in ids]


async def test_late_repeated_and_interleaved_inputs_give_one_output_each(tmp_path: Path) -> None:
    """Inputs of 500 tasks in any order, many of them twice, before the answer and after it."""
    domain = fresh_domain()
    inputs = [each for number in range(1, 501) for each in task_inputs(number)]
    marker = task_inputs(501)
    with running_node(domain, tmp_path, env=UNPACED) as node:
        async with loading(domain) as load:
            load.send(shuffled(inputs + inputs[:750], 1))
            await load.wait_for_answers(500)
            load.send(shuffled(inputs, 2))
            load.send(marker)
            await load.wait_for_answers(501)
        assert node.stop() == 0

    assert load.repeated() == {}


async def test_a_node_that_starts_late_answers_what_peers_have_written(tmp_path: Path) -> None:
    """Tasks that were there before the node are answered once each."""
    domain = fresh_domain()
    async with loading(domain, is_matched=False) as load:
        load.send_tasks(range(1, 101))
        with running_node(domain, tmp_path, env=UNPACED):
            await load.wait_for_answers(100)
        assert load.repeated() == {}


async def test_restarted_peers_get_answers_to_the_same_ids(tmp_path: Path) -> None:
    """An orchestrator that restarts counts from 1 again, and those are new tasks."""
    domain = fresh_domain()

    async def life(power_w: float, known: frozenset[tuple[float, ...]]) -> set[tuple[float, ...]]:
        async with loading(domain) as load:
            # Outputs of the life before may not have ended yet.
            def found() -> list[tuple[float, ...]]:
                answers = [numbers(each) for outputs in load.outputs.values() for each in outputs]
                return [each for each in answers if each not in known]

            load.send_tasks(range(1, 21), power_w=power_w)
            await load.wait_for(lambda: len(found()) >= 20)
            assert len(found()) == 20
            return set(found())

    with running_node(domain, tmp_path, env=UNPACED):
        first = await life(100.0, frozenset())
        second = await life(200.0, frozenset(first))

    assert (len(first), len(second)) == (1, 1)
    assert first != second


async def test_acknowledged_answers_do_not_leave_again(tmp_path: Path) -> None:
    """After a restart only what is new is answered, unless the operator wants all again."""
    domain = fresh_domain()
    async with loading(domain, is_matched=False) as load:
        load.send_tasks(range(1, 51), outputs=2)
        with running_node(domain, tmp_path, env=UNPACED) as node:
            await load.wait_for_answers(50)
            assert await asyncio.to_thread(node.stop) == 0
        load.send(task_inputs(51))
        with running_node(domain, tmp_path, env=UNPACED) as node:
            await load.wait_for_answers(51)
            await asyncio.to_thread(
                node.wait_for_event, "task answered", lambda event: event["task_id"] == "50.1"
            )
            origins = [event.get("origin") for event in node.events()]
            assert origins.count("store") == 50
            assert load.repeated() == {}
        with running_node(domain, tmp_path, env=UNPACED | {"CARBON_NODE_REPUBLISH": "all"}):
            await load.wait_for(lambda: len(load.repeated()) == 51)

    for outputs in load.outputs.values():
        first, again = outputs
        assert numbers(first) == numbers(again)
        assert outputs_asked(again) == 1
    assert outputs_asked(load.outputs[1][0]) == 2


async def test_the_status_is_said_again_once_the_old_lease_has_passed(tmp_path: Path) -> None:
    """Peers that mistake the end of a killed predecessor's lease for this node's are put right."""
    domain = fresh_domain()
    env = FORMULA | {"CARBON_NODE_LEASE_DURATION_S": "1"}
    with running_node(domain, tmp_path, env=env):
        async with loading(domain) as load:
            await load.wait_for(
                lambda: [s.node_status for s in load.statuses].count(Status.IDLE) > 0
            )
            known = len(load.statuses)
            await load.wait_for(
                lambda: any(s.node_status is Status.IDLE for s in load.statuses[known:])
            )


def with_bytes(model: Input, octets: bytes) -> Input:
    """The same model, serialised in its sample."""
    assert isinstance(model.sample, MLModel)
    return Input(model.topic, replace(model.sample, raw_model=octets))


async def test_large_models_cost_no_memory_while_their_tasks_wait(tmp_path: Path) -> None:
    """300 MB of models that no mode runs pass through a node that stays small."""
    domain = fresh_domain()
    with running_node(domain, tmp_path, env=UNPACED) as node:
        async with loading(domain) as load:
            before = psutil.Process(node.process.pid).memory_info().rss
            octets = bytes(range(256)) * (10 << 12)
            for number in range(1, 31):
                user, model, _ = task_inputs(number)
                load.send([user, with_bytes(model, octets)])
                assert await load.transport.wait_for_acknowledgments(model.topic, PATIENCE_S)
            load.send(task_inputs(number)[2] for number in range(1, 31))
            await load.wait_for_answers(30)
            grown: int = psutil.Process(node.process.pid).memory_info().rss - before
            assert grown < 200 << 20


async def test_a_reader_that_stands_still_for_a_while_loses_nothing(tmp_path: Path) -> None:
    """Outputs that it has not acknowledged stay, and further ones wait for it."""
    domain, count = fresh_domain(), 700
    command = [sys.executable, "-c", STOPPED_READER, str(domain), str(count)]
    env = {**environment(), "PYTHONPATH": os.pathsep.join(sys.path)}
    with (
        running_node(domain, tmp_path, env=UNPACED),
        subprocess.Popen(command, env=env, stdout=subprocess.PIPE) as stopped,
    ):
        try:
            assert stopped.stdout is not None
            assert stopped.stdout.readline() == b"matched\n"
            async with loading(domain) as load:
                stopped.send_signal(signal.SIGSTOP)
                load.send_tasks(range(1, count + 1))
                await load.wait_for_answers(MAX_RETAINED)
                stopped.send_signal(signal.SIGCONT)
                await load.wait_for_answers(count)
            assert stopped.stdout.readline() == b"all\n"
        finally:
            stopped.kill()
