"""Participants restart, and samples of an earlier session are still there."""

from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from tests.memory_transport import MemoryBus, MemoryTransport
from tests.pipelines import NODE, World, joined, remembering_node

from carbon_node.wire.contract import Role, Topic
from carbon_node.wire.samples import HWResource, MLModel, TaskId, UserInput

pytestmark = pytest.mark.anyio

ID = TaskId(1, 1)
ORCHESTRATOR = Role(
    "ORCHESTRATOR", reads=(Topic.FOOTPRINT, Topic.STATUS), writes=(Topic.USER_INPUT,)
)
MODEL_NODE = Role("MODEL_NODE", reads=(), writes=(Topic.ML_MODEL,))
HARDWARE_NODE = Role("HARDWARE_NODE", reads=(), writes=(Topic.HW_RESOURCE,))


def participant(bus: MemoryBus, role: Role) -> AbstractAsyncContextManager[MemoryTransport]:
    """A participant that leaves in the end, and its retained samples with it."""
    return joined(MemoryTransport(bus, role))


def node(
    bus: MemoryBus, orchestrator: MemoryTransport, state_dir: Path
) -> AbstractAsyncContextManager[World]:
    """A node that answers at once, and remembers in its state directory."""
    return remembering_node(MemoryTransport(bus, NODE), orchestrator, state_dir)


async def test_a_new_session_gets_no_answer_from_samples_of_the_old_one(tmp_path: Path) -> None:
    """Node and orchestrator restart; task (1, 1) waits until model and hardware are its own."""
    bus = MemoryBus()
    async with participant(bus, MODEL_NODE) as models, participant(bus, HARDWARE_NODE) as hardware:
        async with participant(bus, ORCHESTRATOR) as peer, node(bus, peer, tmp_path) as world:
            peer.publish(Topic.USER_INPUT, UserInput(task_id=ID))
            models.publish(Topic.ML_MODEL, MLModel(model="old", task_id=ID))
            hardware.publish(Topic.HW_RESOURCE, HWResource("old", 300.0, 1.0, task_id=ID))
            await world.answered()
        async with participant(bus, ORCHESTRATOR) as peer, node(bus, peer, tmp_path) as world:
            with capture_logs() as lines:
                peer.publish(Topic.USER_INPUT, UserInput(task_id=ID))
                await world.until(lambda: bool(lines))
            waiting, *_ = lines
            assert waiting["used_before"] == ("ML model", "hardware resource")
            models.publish(Topic.ML_MODEL, MLModel(model="new", task_id=ID))
            hardware.publish(Topic.HW_RESOURCE, HWResource("new", 100.0, 1.0, task_id=ID))
            await world.answered()
            kept = world.register.find_answered(ID)

    assert kept is not None
    assert (kept.ml_model.model, kept.hw_resource.hw_description) == ("new", "new")
