"""Nodes that live on offer the samples of an earlier session."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TypeAlias

import pytest
from structlog.testing import capture_logs
from tests.dds import cyclone
from tests.dds.cyclone import TaskIdImpl, cyclone_peer
from tests.domains import fresh_domain
from tests.pipelines import NODE, World, joined, remembering_node

from carbon_node.pipeline import freshness
from carbon_node.transport.fastdds import FastDdsConfig, FastDdsTransport
from carbon_node.wire.contract import ORCHESTRATOR_NAME, Role, Topic
from carbon_node.wire.samples import HWResource, MLModel, TaskId, UserInput

pytestmark = pytest.mark.anyio

ID = TaskId(1, 1)
HOUR_S = 3600.0
ORCHESTRATOR = Role(ORCHESTRATOR_NAME, (Topic.FOOTPRINT, Topic.STATUS), (Topic.USER_INPUT,))
PROVIDERS = Role("PROVIDERS", (), (Topic.ML_MODEL, Topic.HW_RESOURCE))

Provide: TypeAlias = Callable[[str], None]
"""Writes model and hardware of the task, named after a session."""


def participant(domain: int, role: Role) -> AbstractAsyncContextManager[FastDdsTransport]:
    """A participant on loopback that leaves in the end."""
    return joined(FastDdsTransport(FastDdsConfig(domain, role, loopback_only=True)))


def node(
    domain: int, orchestrator: FastDdsTransport, state_dir: Path
) -> AbstractAsyncContextManager[World]:
    """A node that answers at once, and remembers in its state directory."""
    transport = FastDdsTransport(FastDdsConfig(domain, NODE, loopback_only=True))
    return remembering_node(transport, orchestrator, state_dir)


@asynccontextmanager
async def fastdds_providers(domain: int) -> AsyncIterator[Provide]:
    """Nodes for models and hardware on Fast DDS."""
    async with participant(domain, PROVIDERS) as transport:

        def provide(session: str) -> None:
            transport.publish(Topic.ML_MODEL, MLModel(model=session, task_id=ID))
            hardware = HWResource(session, 300.0, 1.0, task_id=ID)
            transport.publish(Topic.HW_RESOURCE, hardware)

        yield provide


@asynccontextmanager
async def cyclone_providers(domain: int, ahead_s: float) -> AsyncIterator[Provide]:
    """Nodes for models and hardware on CycloneDDS, on a host whose clock is ahead."""
    with cyclone_peer(domain) as peer:

        def provide(session: str) -> None:
            task_id = TaskIdImpl(*ID)
            model = cyclone.MLModelImpl(model=session, task_id=task_id)
            hardware = cyclone.HWResourceImpl(session, 300.0, 1.0, task_id=task_id)
            peer.write(model, hardware, ahead_s=ahead_s)

        yield provide


PROVIDING: dict[str, Callable[[int], AbstractAsyncContextManager[Provide]]] = {
    "fastdds": fastdds_providers,
    "cyclonedds": partial(cyclone_providers, ahead_s=0.0),
    "cyclonedds an hour ahead": partial(cyclone_providers, ahead_s=HOUR_S),
    "cyclonedds an hour behind": partial(cyclone_providers, ahead_s=-HOUR_S),
}


@pytest.mark.parametrize("vendor", PROVIDING)
async def test_a_new_session_gets_no_answer_from_samples_of_the_old_one(
    vendor: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Node and orchestrator restart; task (1, 1) waits until model and hardware are its own."""
    domain = fresh_domain()
    async with PROVIDING[vendor](domain) as provide:
        async with participant(domain, ORCHESTRATOR) as orchestrator:
            # As if all had been there for a while.
            monkeypatch.setattr(freshness, "DELIVERY_S", 0.0)
            async with node(domain, orchestrator, tmp_path) as world:
                orchestrator.publish(Topic.USER_INPUT, UserInput(task_id=ID))
                await world.until(lambda: world.reception.incomplete_count == 1)
                provide("old")
                await world.answered()
        monkeypatch.undo()
        with capture_logs() as lines:
            async with participant(domain, ORCHESTRATOR) as orchestrator:
                orchestrator.publish(Topic.USER_INPUT, UserInput(task_id=ID))
                async with node(domain, orchestrator, tmp_path) as world:
                    await world.until(lambda: any("used_before" in line for line in lines))
                    assert not world.outputs
                    provide("new")
                    await world.answered()
                    kept = world.register.find_answered(ID)

    assert kept is not None
    assert (kept.ml_model.model, kept.hw_resource.hw_description) == ("new", "new")


@pytest.mark.parametrize("vendor", ["fastdds", "cyclonedds"])
async def test_a_task_that_was_there_before_the_node_is_answered(
    vendor: str, tmp_path: Path
) -> None:
    """The node restarts alone, in the middle of a task, and gets all three samples as retained."""
    domain = fresh_domain()
    async with (
        PROVIDING[vendor](domain) as provide,
        participant(domain, ORCHESTRATOR) as orchestrator,
    ):
        orchestrator.publish(Topic.USER_INPUT, UserInput(task_id=ID))
        provide("own")
        async with node(domain, orchestrator, tmp_path) as world:
            await world.answered()
            kept = world.register.find_answered(ID)
        async with node(domain, orchestrator, tmp_path) as world:
            await world.until(lambda: world.register.find_answered(ID) is not None)

    assert kept is not None
    assert kept.older == ()
