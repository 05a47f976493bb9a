"""The bytes of models: hashed, set aside or dropped, and held by nobody afterwards."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import pytest
from tests.pipelines import World, running_world

from carbon_node.daemon import parts
from carbon_node.pipeline.baseline import Baseline
from carbon_node.pipeline.control import Control
from carbon_node.pipeline.endpoints import TopicEndpoint
from carbon_node.pipeline.join import Join
from carbon_node.pipeline.raw_models import DetachedModel, RawModels, raw_model_of
from carbon_node.pipeline.reception import Reception
from carbon_node.settings import load
from carbon_node.store.spool import FileSpool
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
