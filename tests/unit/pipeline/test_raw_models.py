"""The bytes of models: hashed, set aside or dropped, and held by nobody afterwards."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import pytest
from tests.pipelines import PatientTracker, World, running_world

from carbon_node.daemon import parts
from carbon_node.estimation.measurement import ModelRun
from carbon_node.pipeline.baseline import Baseline
from carbon_node.pipeline.control import Control
from carbon_node.pipeline.endpoints import TopicEndpoint
from carbon_node.pipeline.join import Join
from carbon_node.pipeline.raw_models import DetachedModel, RawModels, claim, raw_model_of
from carbon_node.pipeline.reception import Reception
from carbon_node.settings import load
from carbon_node.store.spool import FileSpool, Spooled
from carbon_node.wire.contract import Arrival, Topic
from carbon_node.wire.samples import MLModel, TaskId

pytestmark = pytest.mark.anyio

LARGE = bytes(range(256)) * 1000
SMALL = bytes(range(256))


def measuring(world: World) -> World:
    """Let models be run."""
    world.configuration = load({"tracker.mode": "measured"}, {}).configuration
    return world


def is_free(octets: bytearray) -> bool:
    """Whether no view of these octets is left: as long as there is one, they cannot change size."""
    try:
        octets.append(0)
    except BufferError:
        return False
    return True


def is_empty(directory: Path) -> bool:
    """Whether nothing waits on disk."""
    return not list(directory.iterdir())


def read(model: MLModel) -> bytes:
    """Read the bytes of a model as a measurement does."""
    raw_model = raw_model_of(model)
    assert not isinstance(raw_model, bytes | memoryview)
    with os.fdopen(raw_model.open(), "rb") as file:
        return file.read()


async def test_large_models_wait_in_a_private_file_that_goes_with_them(tmp_path: Path) -> None:
    """Where models may be run, their bytes can be read as often as needed; nothing is left."""
    async with running_world() as world:
        models = RawModels(FileSpool(tmp_path), measuring(world))
        light = await models.detached(MLModel(model="m", raw_model=memoryview(LARGE)))
        assert isinstance(light, DetachedModel)
        assert light.raw_model == b""
        assert light.raw_model_sha256 == hashlib.sha256(LARGE).hexdigest()
        (file,) = (tmp_path / "waiting-models").iterdir()
        assert file.stat().st_mode & 0o777 == 0o600
        assert read(light) == read(light) == LARGE
        del light
        await world.until(lambda: not file.exists())  # its thread may hold it a moment longer


def test_an_opened_model_outlives_its_file(tmp_path: Path) -> None:
    """A measurement goes on when the task that it was for is gone."""
    spooled = FileSpool(tmp_path).put(LARGE)
    descriptor = spooled.open()
    del spooled
    assert list((tmp_path / "waiting-models").iterdir()) == []
    with os.fdopen(descriptor, "rb") as file:
        assert file.read() == LARGE


@pytest.mark.parametrize("octets", [LARGE, SMALL])
async def test_models_that_nothing_runs_are_dropped(tmp_path: Path, octets: bytes) -> None:
    """Neither memory nor disk holds what no mode needs; the digest is known."""
    async with running_world() as world:
        light = await RawModels(FileSpool(tmp_path), world).detached(
            MLModel(model="m", raw_model=octets)
        )
        assert isinstance(light, DetachedModel)
        assert raw_model_of(light) == b""
        assert light.raw_model_sha256 == hashlib.sha256(octets).hexdigest()
    assert is_empty(tmp_path)


class Runner(PatientTracker):
    """A tracker that can run some models."""

    def __init__(self, *, can: bool) -> None:
        super().__init__()
        self.asked: list[ModelRun] = []
        self._can = can

    def can_run(self, run: ModelRun) -> bool:
        """Note the question."""
        self.asked.append(run)
        return self._can


@pytest.mark.parametrize("octets", [LARGE, SMALL])
@pytest.mark.parametrize("can", [True, False])
async def test_the_automatic_choice_keeps_what_can_be_run(
    octets: bytes, tmp_path: Path, *, can: bool
) -> None:
    """It is asked of the bytes themselves, and the rest is dropped."""
    runner = Runner(can=can)
    async with running_world(runner) as world:
        model = MLModel(model="m", raw_model=octets)
        light = await RawModels(FileSpool(tmp_path), world).detached(model)
        kept = raw_model_of(light)
    assert runner.asked == [ModelRun("m", raw_model=octets)]
    assert bool(kept) == can


async def test_without_bytes_a_model_is_what_it_was(tmp_path: Path) -> None:
    """Nothing is asked, hashed or copied."""
    runner = Runner(can=True)
    async with running_world(runner) as world:
        model = MLModel(model="m", model_path="/m.onnx")
        assert await RawModels(FileSpool(tmp_path), world).detached(model) is model
    assert runner.asked == []


@pytest.mark.parametrize("mode", ["declared", "formula"])
async def test_modes_that_run_no_model_keep_no_bytes(mode: str, tmp_path: Path) -> None:
    """Whatever the tracker could run."""
    runner = Runner(can=True)
    async with running_world(runner) as world:
        world.configuration = load({"tracker.mode": mode}, {}).configuration
        models = RawModels(FileSpool(tmp_path), world)
        light = await models.detached(MLModel(model="m", raw_model=SMALL, target_latency=2.0))
    assert isinstance(light, DetachedModel)
    assert (light.model, light.target_latency, light.spooled_bytes) == ("m", 2.0, 0)
    assert runner.asked == []


@pytest.mark.parametrize(("size_bytes", "is_on_disk"), [(65_536, False), (65_537, True)])
async def test_models_above_a_bound_wait_on_disk_until_they_are_claimed(
    size_bytes: int, tmp_path: Path, *, is_on_disk: bool
) -> None:
    """Those whose task is complete are kept whatever else comes."""
    async with running_world() as world:
        models = RawModels(FileSpool(tmp_path), measuring(world))
        light = await models.detached(MLModel(model="m", raw_model=bytes(size_bytes)))
        claim(light)
    assert isinstance(light, DetachedModel) == is_on_disk
    if isinstance(light, DetachedModel):
        assert isinstance(light.spooled, Spooled)
        assert light.spooled.is_claimed
        assert light.spooled_bytes == size_bytes


async def test_small_models_wait_in_memory(tmp_path: Path) -> None:
    """Bytes that cost nothing stay where they are if they may be run."""
    async with running_world() as world:
        models = RawModels(FileSpool(tmp_path), measuring(world))
        model = await models.detached(MLModel(model="m", raw_model=SMALL))
        assert raw_model_of(model) == SMALL
    assert is_empty(tmp_path)


async def test_without_a_disk_large_models_wait_in_memory(tmp_path: Path) -> None:
    """A spool that cannot be written costs memory, but no task."""
    (tmp_path / "waiting-models").write_text("no folder")

    async with running_world() as world:
        models = RawModels(FileSpool(tmp_path), measuring(world))
        model = await models.detached(MLModel(model="m", raw_model=LARGE))
        assert raw_model_of(model) == LARGE


@pytest.mark.parametrize("is_run", [False, True])
async def test_nothing_holds_what_was_received(tmp_path: Path, *, is_run: bool) -> None:
    """Once a model is light, its message is free, also while no further sample comes."""
    octets, asked_again = bytearray(LARGE), asyncio.Event()

    async def one_model() -> AsyncIterator[Arrival]:
        model = MLModel(model="m", raw_model=memoryview(octets), task_id=TaskId(1, 1))
        arrivals = [Arrival(Topic.ML_MODEL, model, model.task_id, "w", 1)]
        del model
        yield arrivals.pop()
        asked_again.set()
        await asyncio.Event().wait()

    async with running_world() as world:
        if is_run:
            measuring(world)
        reception = Reception(
            Join(parts.join_bounds(world.configuration.settings)),
            RawModels(FileSpool(tmp_path), world),
            cast(Baseline, None),
            world.pipeline,
            cast(Control, None),
            cast(TopicEndpoint, None),
            world.store,
        )
        running = asyncio.create_task(reception.run(one_model()))
        await asked_again.wait()
        await world.until(lambda: is_free(octets))
        running.cancel()
