"""Models run on this host in a real measuring process."""

import asyncio
from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

from carbon_node.errors import TrackerError
from carbon_node.estimation.measurement import Measurement, ModelRun
from carbon_node.tracking import FailureName, TrackerConfig, TrackerPool

DEADLINE_S = 30.0


def _model(rows: int | str = "batch", columns: int | str = "features") -> bytes:
    """Return an ONNX model that multiplies its input by itself, with open axes where given names."""
    given = helper.make_tensor_value_info("given", TensorProto.FLOAT, [rows, columns])
    answer = helper.make_tensor_value_info("answer", TensorProto.FLOAT, None)
    nodes = [
        helper.make_node("Transpose", ["given"], ["turned"]),
        helper.make_node("MatMul", ["turned", "given"], ["square"]),
        helper.make_node("Relu", ["square"], ["answer"]),
    ]
    graph = helper.make_graph(nodes, "square", [given], [answer])
    opset = helper.make_opsetid("", 17)
    model: bytes = helper.make_model(graph, opset_imports=[opset], ir_version=9).SerializeToString()
    return model


def _measure(config: TrackerConfig, *runs: ModelRun) -> list[Measurement]:
    async def scenario() -> list[Measurement]:
        async with TrackerPool(config) as pool:
            return [await pool.measure(run, DEADLINE_S) for run in runs]

    return asyncio.run(scenario())


def _failure(config: TrackerConfig, run: ModelRun) -> str:
    with pytest.raises(TrackerError) as caught:
        _measure(config, run)
    return caught.value.failure


@pytest.fixture
def config(tmp_path: Path) -> TrackerConfig:
    """Return a configuration with one model root and short windows."""
    root, work = tmp_path / "models", tmp_path / "work"
    root.mkdir()
    work.mkdir()
    return TrackerConfig(window_s=0.2, model_roots=(root,), work_dir=work)


def test_energy_per_inference_of_an_onnx_model_is_stable(config: TrackerConfig) -> None:
    """Five runs of one model agree on its energy per inference within a factor of two."""
    runs = [ModelRun("square", raw_model=_model())] * 5
    measurements = _measure(config, *runs)
    assert all(measurement.inferences > 10 for measurement in measurements)
    energies = [each.device_energy_kwh / each.inferences for each in measurements]
    assert max(energies) < 2 * min(energies)
