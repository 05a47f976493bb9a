"""Who restarted, who was there, who had acknowledged what: each row of the rule, on two vendors.

The readers have the orchestrator's habits; the rule is the table in
`carbon_node.tasks.publication`.
"""

import asyncio
import signal
import sqlite3
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest
from tests.answered_peer import Received, Vendor, answered_peer
from tests.calling_transport import participant
from tests.domains import fresh_domain
from tests.loads import INPUTS, outputs_asked, task_inputs
from tests.orchestrator_reader import READERS, CycloneReader, FastDdsReader, orchestrator_reader
from tests.patience import PATIENCE_S
from tests.program.processes import NodeProcess, running_node
from tests.transports import wait_for

from carbon_node.pipeline.outputs import TAKEN_S
from carbon_node.transport.fastdds import FastDdsTransport
from carbon_node.wire.contract import Role

FORMULA = {"CARBON_NODE_TRACKER__MODE": "formula"}
WRITERS = Role("test_writers", reads=(), writes=INPUTS)
ASKED = 3
"""`num_outputs` that every task asks for."""

EARLIER = range(1, 11)
LATER = range(11, 19)
LAST = range(19, 22)

pytestmark = pytest.mark.anyio
both_vendors = pytest.mark.parametrize("vendor", READERS)


@asynccontextmanager
async def writers(domain: int) -> AsyncIterator[FastDdsTransport]:
    """The inputs' side of an orchestrator, without a reader of outputs."""
    async with participant(domain, WRITERS, is_matched=False) as transport:
        yield transport


def send(peer: FastDdsTransport, tasks: Iterable[int], *, power_w: float | None = None) -> None:
    """Write the inputs of tasks."""
    for number in tasks:
        for each in task_inputs(number, outputs=ASKED, power_w=power_w):
            peer.publish(each.topic, each.sample)


async def answered(node: NodeProcess, number: int) -> None:
    """Wait until the node says that it has answered a task."""
    await asyncio.to_thread(
        node.wait_for_event, "task answered", lambda event: event["task_id"] == f"{number}.1"
    )


def seen(reader: FastDdsReader | CycloneReader) -> list[tuple[int, int]]:
    """The task of each output that a reader has seen, and how many outputs it asks for."""
    return [(each.task_id.problem_id, outputs_asked(each)) for each in reader.seen]


async def sees(reader: FastDdsReader | CycloneReader, *outputs: tuple[int, int]) -> None:
    """Assert that a reader sees these outputs, once each and no others."""
    await asyncio.to_thread(reader.wait_for_count, len(outputs))
    assert sorted(seen(reader)) == sorted(outputs)


def as_asked(tasks: Iterable[int]) -> list[tuple[int, int]]:
    """Outputs of tasks as they were asked for."""
    return [(number, ASKED) for number in tasks]


@both_vendors
async def test_a_reader_that_starts_late_is_spared_what_others_have(
    vendor: str, tmp_path: Path
) -> None:
    """A restarted backend does not iterate the tasks of the one before."""
    domain = fresh_domain()
    async with writers(domain) as peer:
        with running_node(domain, tmp_path, env=FORMULA):
            with orchestrator_reader(domain, vendor) as first:
                await asyncio.to_thread(first.wait_until_matched)
                send(peer, [1])
                await sees(first, (1, ASKED))
                # What is tested is that time passes; longer is no harm.
                await asyncio.sleep(TAKEN_S + 1.5)
            with orchestrator_reader(domain, vendor) as late:
                await asyncio.to_thread(late.wait_until_matched)
                send(peer, [11])
                await sees(late, (11, ASKED))


@both_vendors
async def test_what_nobody_was_there_for_waits_and_asks_for_one_output(
    vendor: str, tmp_path: Path
) -> None:
    """A late reader gets the answer, and is not made to iterate; after a SIGKILL too, once."""
    domain = fresh_domain()
    async with writers(domain) as peer:
        with running_node(domain, tmp_path, env=FORMULA) as node:
            send(peer, [1])
            await answered(node, 1)
            with orchestrator_reader(domain, vendor) as late:
                await sees(late, (1, 1))
            send(peer, [2])
            await answered(node, 2)
            # By SIGKILL.
            await asyncio.to_thread(node.close)
        with (
            running_node(domain, tmp_path, env=FORMULA),
            orchestrator_reader(domain, vendor) as late,
        ):
            await asyncio.to_thread(late.wait_for, lambda outputs: len(outputs) > 0)
            send(peer, [3])
            await asyncio.to_thread(
                late.wait_for, lambda outputs: outputs[-1].task_id.problem_id == 3
            )
            assert {(2, 1), (3, ASKED)} <= set(seen(late))
            assert len(set(seen(late))) == len(seen(late))


@pytest.mark.parametrize(
    ("vendor", "end"),
    [
        ("fastdds", signal.SIGTERM),
        ("fastdds", signal.SIGKILL),
        ("cyclonedds", signal.SIGKILL),
    ],
)
async def test_after_a_restart_of_the_node_each_new_result_is_seen_at_once(
    vendor: str, end: signal.Signals, tmp_path: Path
) -> None:
    """What the former life left does not swallow the notifications of new results, nor repeat."""
    domain = fresh_domain()
    async with writers(domain) as peer:
        with orchestrator_reader(domain, vendor) as reader:
            with running_node(domain, tmp_path, env=FORMULA) as node:
                await asyncio.to_thread(reader.wait_until_matched)
                send(peer, EARLIER)
                await sees(reader, *as_asked(EARLIER))
                await acknowledged(node)
                await asyncio.to_thread(node.stop, end)
            with running_node(domain, tmp_path, env=FORMULA) as node:
                for number in LATER:
                    send(peer, [number])
                    await answered(node, number)
                    await sees(reader, *as_asked([*EARLIER, *range(LATER[0], number + 1)]))


async def acknowledged(node: NodeProcess) -> None:
    """Let the mark of the last outputs reach the disk."""
    assert node.process.poll() is None
    await asyncio.sleep(1.0)


async def test_a_restarted_orchestrator_gets_its_own_answer_to_the_same_task_id(
    tmp_path: Path,
) -> None:
    """It counts from (1, 1) again, with other inputs, and the last that it sees is its own."""
    domain = fresh_domain()
    with running_node(domain, tmp_path, env=FORMULA):
        async with writers(domain) as peer:
            with orchestrator_reader(domain) as reader:
                await asyncio.to_thread(reader.wait_until_matched)
                send(peer, [1])
                await sees(reader, (1, ASKED))
                first = reader.seen[0].carbon_footprint
        async with writers(domain) as peer:
            with orchestrator_reader(domain) as reader:
                await asyncio.to_thread(reader.wait_until_matched)
                send(peer, [1], power_w=900.0)
                await asyncio.to_thread(
                    reader.wait_for,
                    lambda outputs: any(each.carbon_footprint > first for each in outputs),
                )
                assert seen(reader)[-1] == (1, ASKED)


def acknowledged_count(state_dir: Path) -> int:
    """How many answers are marked on disk as acknowledged."""
    with closing(sqlite3.connect(state_dir / "results.sqlite3")) as database:
        (row,) = database.execute("SELECT count(*) FROM history WHERE state = 'acknowledged'")
    count: int = row[0]
    return count


def test_a_reader_that_died_makes_nothing_come_twice_to_those_that_live(tmp_path: Path) -> None:
    """What they have is marked within its lease, so a crash in that time repeats nothing."""
    domain = fresh_domain()
    with (
        answered_peer(Vendor.FAST_DDS, domain) as living,
        answered_peer(Vendor.CYCLONE_DDS, domain, lease_duration_s=3 * PATIENCE_S) as dying,
    ):
        with running_node(domain, tmp_path, env=FORMULA) as node:
            for peer in (living, dying):
                peer.wait_until_met()
            living.send(EARLIER)
            for peer in (living, dying):
                assert peer.wait_for(len(EARLIER)).outputs == len(EARLIER)
            dying.process.kill()
            living.send(LATER)
            wait_for(lambda: acknowledged_count(tmp_path) == len(EARLIER) + len(LATER))
            node.stop(signal.SIGKILL)
        with running_node(domain, tmp_path, env=FORMULA):
            living.send(LAST)
            count = len(EARLIER) + len(LATER) + len(LAST)
            assert living.wait_for(count) == Received(tasks=count, outputs=count)
