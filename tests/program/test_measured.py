"""A model that comes with its task is measured on this host."""

import asyncio
import json
from pathlib import Path

from onnx import TensorProto, helper
from tests.domains import fresh_domain
from tests.program.processes import PATIENCE_S, running_node

from carbon_node.cli.peers import PEERS_ROLE, Answer, SimulatedPeers, SubmittedTask
from carbon_node.transport.fastdds import FastDdsConfig, FastDdsTransport
from carbon_node.wire.samples import HWResource, MLModel, TaskId, UserInput

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


def test_a_model_without_declared_power_is_measured_here(tmp_path: Path) -> None:
    """Hardware without power and latency leaves the measurement: energy per inference, and how."""
    domain = fresh_domain()

    async def scenario() -> Answer:
        transport = FastDdsTransport(FastDdsConfig(domain, PEERS_ROLE, loopback_only=True))
        peers = SimulatedPeers(transport, domain)
        async with peers.joined():
            await peers.wait_for_node(PATIENCE_S)
            task = SubmittedTask(
                UserInput(geo_location_region="France", task_id=TASK_ID),
                MLModel(model="relu", raw_model=_model(), task_id=TASK_ID),
                HWResource("some board", task_id=TASK_ID),
            )
            return await peers.submit(task, PATIENCE_S)

    with running_node(domain, tmp_path):
        footprint = asyncio.run(scenario()).footprint

    provenance = json.loads(footprint.extra_data)
    assert provenance["mode"] == "measured"
    assert provenance["tracker"]["inferences"] > 100
    measured_kwh = provenance["tracker"]["device_energy_kwh"] / provenance["tracker"]["inferences"]
    assert abs(footprint.energy_consumption - measured_kwh * 1.58) < 1e-9 * measured_kwh
