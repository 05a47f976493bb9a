"""A model that comes with its task is measured on this host."""

import json
import socket
from pathlib import Path

import pytest
from onnx import TensorProto, helper
from tests.domains import fresh_domain
from tests.program.peers import footprint_of, peers_of
from tests.program.processes import running_node

from carbon_node.cli.peers import SubmittedTask
from carbon_node.wire.samples import CO2Footprint, HWResource, MLModel, TaskId, UserInput

pytestmark = pytest.mark.anyio

TASK_ID = TaskId(1, 1)


def _model() -> bytes:
    shape = [1, 64]
    graph = helper.make_graph(
        [helper.make_node("Relu", ["x"], ["y"])],
        "relu",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)],
    )
    opset = helper.make_opsetid("", 17)
    model: bytes = helper.make_model(graph, opset_imports=[opset], ir_version=9).SerializeToString()
    return model


async def _answered(tmp_path: Path, hardware: str) -> CO2Footprint:
    domain = fresh_domain()
    with running_node(domain, tmp_path):
        async with peers_of(domain) as (peers, _):
            task = SubmittedTask(
                UserInput(geo_location_region="France", task_id=TASK_ID),
                MLModel(model="relu", raw_model=_model(), task_id=TASK_ID),
                HWResource(hardware, task_id=TASK_ID),
            )
            return await footprint_of(peers, task)


async def test_a_model_for_this_host_is_measured_here(tmp_path: Path) -> None:
    """Without declared numbers the run stands: energy per inference, where, and by what."""
    footprint = await _answered(tmp_path, socket.gethostname())
    provenance = json.loads(footprint.extra_data)
    assert provenance["mode"] in ("measured", "estimated")
    assert provenance["measured_on"]["host"] == socket.gethostname()
    assert provenance["tracker"]["inferences"] > 1
    measured_kwh = provenance["tracker"]["device_energy_kwh"] / provenance["tracker"]["inferences"]
    assert footprint.energy_consumption == pytest.approx(measured_kwh * 1.58, rel=1e-9)
    is_guessed = any("is a guess" in warning for warning in provenance["warnings"])
    assert is_guessed == (provenance["mode"] == "estimated")


async def test_a_model_for_other_hardware_is_not_measured_here(tmp_path: Path) -> None:
    """A board without numbers gets a reason, never the energy of the node's own processor."""
    footprint = await _answered(tmp_path, "Zynq UltraScale+ ZCU102")
    assert (footprint.energy_consumption, footprint.carbon_footprint) == (0, 0)
    provenance = json.loads(footprint.extra_data)
    assert provenance["not_computed"]["reason"] == "no power"
    assert "ZCU102" in provenance["not_computed"]["detail"]
