"""The real node against a peer on CycloneDDS, an implementation of DDS that is not Fast DDS."""

# CycloneDDS describes wire types by annotations that are no types to a checker.
# mypy: disable-error-code="arg-type, call-overload"

import json
from pathlib import Path

from tests.dds.cyclone import (
    CO2FootprintImpl,
    HWResourceImpl,
    MLModelImpl,
    NodeStatusImpl,
    TaskIdImpl,
    UserInputImpl,
    cyclone_peer,
)
from tests.domains import fresh_domain
from tests.program.processes import running_node

IDLE, INITIALIZING, RUNNING, TERMINATING = 2, 3, 4, 5
SUCCEEDED = 3
NOBODY = TaskIdImpl()


def test_a_foreign_peer_gets_its_answer_and_sees_the_status(tmp_path: Path) -> None:
    """Three inputs give one output; status goes through idle, running, idle, terminating."""
    domain = fresh_domain()
    task_id = TaskIdImpl(7, 2)
    with cyclone_peer(domain) as peer, running_node(domain, tmp_path) as node:
        peer.wait_for_node()
        peer.wait_for(NodeStatusImpl, lambda status: status.node_status == IDLE)
        extra = json.dumps({"num_outputs": 2, "model_restrains": ["earlier"]}).encode()
        peer.write(
            HWResourceImpl("board", power_consumption=20.0, latency=0.5, task_id=task_id),
            UserInputImpl(geo_location_region="Norway", extra_data=list(extra), task_id=task_id),
            MLModelImpl(model="tiny", task_id=task_id),
        )

        footprint = peer.wait_for(CO2FootprintImpl)
        ended = peer.wait_for(
            NodeStatusImpl,
            lambda status: status.task_id == task_id and status.task_status == SUCCEEDED,
        )
        assert node.stop() == 0
        peer.wait_for(NodeStatusImpl, lambda status: status.node_status == TERMINATING)

        assert footprint.task_id == task_id
        product = footprint.energy_consumption * footprint.carbon_intensity
        assert footprint.carbon_footprint == product > 0
        content = json.loads(bytes(footprint.extra_data))
        assert (content["num_outputs"], content["model_restrains"]) == (2, ["tiny", "earlier"])
        assert content["place"]["code"] == "NO"
        assert (ended.node_status, ended.node_name) == (IDLE, "CARBON_FOOTPRINT_NODE")
        of_node = [
            status.node_status
            for status in peer.received(NodeStatusImpl)
            if status.task_id == NOBODY
        ]
        assert of_node[-1] == TERMINATING
        assert IDLE in of_node
        assert peer.received(CO2FootprintImpl) == [footprint]


def test_inputs_written_before_the_node_started_are_answered(tmp_path: Path) -> None:
    """Peers retain their samples, so a node that starts late still gets the task."""
    domain = fresh_domain()
    task_id = TaskIdImpl(1, 1)
    with cyclone_peer(domain) as peer:
        peer.write(
            UserInputImpl(task_id=task_id),
            MLModelImpl(model="m", task_id=task_id),
            HWResourceImpl("hw", 1.0, 1.0, task_id=task_id),
        )
        with running_node(domain, tmp_path) as node:
            assert peer.wait_for(CO2FootprintImpl).task_id == task_id
            assert node.stop() == 0
