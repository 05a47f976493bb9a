"""Models run on this host in a real measuring process."""

import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from onnx import TensorProto, helper
from tests.trackers import LIMITS, tracker_config

from carbon_node.errors import TrackerError
from carbon_node.estimation.measurement import Measurement, ModelRun
from carbon_node.store.spool import FileSpool
from carbon_node.tracking import FailureName, TrackerConfig
from carbon_node.tracking.circumstances import GUESS_FACTOR
from carbon_node.tracking.pool import TrackerPool

pytestmark = pytest.mark.anyio

DEADLINE_S = 30.0


def _model(side: int = 256) -> bytes:
    """Return an ONNX model with a batch axis left open, of some work per inference."""
    given = helper.make_tensor_value_info("given", TensorProto.FLOAT, ["batch", side, side])
    answer = helper.make_empty_tensor_value_info("answer")
    nodes = [
        helper.make_node("MatMul", ["given", "given"], ["square"]),
        helper.make_node("Relu", ["square"], ["answer"]),
    ]
    graph = helper.make_graph(nodes, "square", [given], [answer])
    opset = helper.make_opsetid("", 17)
    model: bytes = helper.make_model(graph, opset_imports=[opset], ir_version=9).SerializeToString()
    return model


async def _measure(config: TrackerConfig, *runs: ModelRun) -> list[Measurement]:
    async with TrackerPool(config) as pool:
        return [await pool.measure(run, DEADLINE_S) for run in runs]


async def _failure(config: TrackerConfig, run: ModelRun) -> str:
    with pytest.raises(TrackerError) as caught:
        await _measure(config, run)
    return caught.value.failure


@pytest.fixture
def config(tmp_path: Path) -> TrackerConfig:
    """Return a configuration with one model root and short windows."""
    root, work = tmp_path / "models", tmp_path / "work"
    root.mkdir()
    work.mkdir()
    return tracker_config(window_s=0.2, model_roots=(root,), work_dir=work)


async def test_energy_per_inference_of_an_onnx_model_is_stable(config: TrackerConfig) -> None:
    """In five runs of one model, energy per inference stays well within the interval of a guess.

    A run that others disturbed says so, and may differ.
    """
    runs = [ModelRun("square", raw_model=_model())] * 5
    energies_kwh = [
        measurement.device_energy_kwh / measurement.inferences
        for measurement in await _measure(config, *runs)
        if not measurement.others
    ]
    if len(energies_kwh) < 2:
        pytest.skip("other work on this host disturbed the runs")
    assert max(energies_kwh) < GUESS_FACTOR / 2 * min(energies_kwh)


async def test_larger_model_takes_more_energy(config: TrackerConfig) -> None:
    """Twice the side of a matrix product, eight times the work, is more energy per inference."""
    small, large = await _measure(
        config, ModelRun("s", raw_model=_model(128)), ModelRun("l", raw_model=_model(512))
    )
    assert (
        large.device_energy_kwh / large.inferences > 4 * small.device_energy_kwh / small.inferences
    )


async def test_onnx_file_below_a_root_is_measured(config: TrackerConfig) -> None:
    """A path below a model root is run, with this host's components named."""
    (config.model_roots[0] / "square.onnx").write_bytes(_model())
    (measurement,) = await _measure(config, ModelRun("square", "square.onnx"))
    assert measurement.inferences >= 1
    assert measurement.duration_s >= config.window_s
    assert any(name.startswith("cpu:") for name in measurement.components)


@pytest.mark.gpu
@pytest.mark.skipif(not Path("/dev/nvidiactl").exists(), reason="no NVIDIA GPU is at hand")
async def test_gpu_of_this_host_is_measured_and_named(config: TrackerConfig) -> None:
    """Where there is an NVIDIA GPU, NVML reads its power, and the measurement names it."""
    (measurement,) = await _measure(config, ModelRun("square", raw_model=_model()))
    assert any(name.startswith("gpu:NVIDIA") for name in measurement.components)


async def test_model_elsewhere_is_a_named_failure(config: TrackerConfig) -> None:
    """A path of another host is no model here, and says so."""
    assert (
        await _failure(config, ModelRun("m", "/models/m.onnx")) == FailureName.MODEL_OUTSIDE_ROOTS
    )


async def test_bytes_beyond_the_limit_are_refused(config: TrackerConfig) -> None:
    """Bytes beyond the limit are refused before a process is started."""
    small = replace(config, model_limit_bytes=10)
    assert await _failure(small, ModelRun("m", raw_model=bytes(11))) == FailureName.MODEL_TOO_LARGE


async def test_model_that_waits_in_a_file_is_measured_from_there(
    config: TrackerConfig, tmp_path: Path
) -> None:
    """The measuring process gets the file itself; it is read from its start each time."""
    spooled = FileSpool(tmp_path).put(_model())
    for measurement in await _measure(config, *[ModelRun("square", raw_model=spooled)] * 2):
        assert measurement.inferences >= 1


async def test_waiting_model_beyond_the_limit_is_refused_unopened(
    config: TrackerConfig, tmp_path: Path
) -> None:
    """The limit holds for models that wait in a file, and these are not even opened."""
    spooled = FileSpool(tmp_path).put(bytes(11))
    shutil.rmtree(tmp_path / "waiting-models")
    small = replace(config, model_limit_bytes=10)
    assert await _failure(small, ModelRun("m", raw_model=spooled)) == FailureName.MODEL_TOO_LARGE


async def test_lost_file_of_a_waiting_model_is_a_named_failure(
    config: TrackerConfig, tmp_path: Path
) -> None:
    """A file that somebody removed costs one measurement, with the reason in its failure."""
    spooled = FileSpool(tmp_path).put(bytes(11))
    shutil.rmtree(tmp_path / "waiting-models")
    with pytest.raises(TrackerError, match="waiting-models"):
        await _measure(config, ModelRun("m", raw_model=spooled))


async def test_name_of_a_megabyte_is_refused(config: TrackerConfig) -> None:
    """A name that no file can have is refused before a process is started."""
    assert await _failure(config, ModelRun("m" * 2**20)) == FailureName.NO_MODEL


async def test_model_that_outgrows_its_memory_is_a_named_failure(config: TrackerConfig) -> None:
    """A model whose inputs alone exceed the limit ends in its own process."""
    limits = replace(LIMITS, address_space_bytes=2 << 30)
    run = ModelRun("m", raw_model=_model(side=50_000))
    assert await _failure(replace(config, limits=limits), run) == FailureName.OUT_OF_MEMORY


async def test_missing_extra_is_a_named_failure(config: TrackerConfig, tmp_path: Path) -> None:
    """Without onnxruntime the failure says what to install."""
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / "onnxruntime.py").write_text(
        "raise ModuleNotFoundError('hidden by a test', name='onnxruntime')"
    )
    import_path = ":".join([str(hidden), *filter(None, sys.path)])
    without = replace(config, environment=(("PYTHONPATH", import_path),))
    with pytest.raises(TrackerError, match=r"extra_missing: .*pip install 'carbon-node\[onnx\]'"):
        await _measure(without, ModelRun("m", raw_model=_model()))
