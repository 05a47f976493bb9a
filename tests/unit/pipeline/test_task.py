"""The inputs of a task, and a task on its way."""

from dataclasses import replace
from typing import Any

import pytest

from carbon_node.pipeline.raw_models import DetachedModel
from carbon_node.pipeline.task import Progress, TaskInputs, size_bytes
from carbon_node.tasks.key import TaskKey
from carbon_node.tasks.lineage import SampleId, Sources
from carbon_node.wire.contract import Arrival, Topic
from carbon_node.wire.samples import HWResource, MLModel, NodeStatus, Sample, TaskId, UserInput

TASK = TaskId(3, 1)
INPUTS = TaskInputs(
    TaskKey(TASK, "orchestrator"),
    UserInput(modality="text", task_id=TASK),
    MLModel(model="m", task_id=TASK),
    HWResource("hw", 300.0, 1.0, task_id=TASK),
)


class Elsewhere:
    """Bytes that wait in a file."""

    @property
    def size_bytes(self) -> int:
        """Return how many."""
        return 1_000

    def open(self) -> int:
        """Never: nobody reads them here."""
        raise OSError

    def claim(self) -> None:
        """Nothing has to make room."""


def arrival(sample: Sample, writer: str = "orchestrator") -> Arrival:
    """Let a later sample of the task arrive."""
    return Arrival(Topic.USER_INPUT, sample, TASK, writer, 1)


def text_fields(kind: type[UserInput | MLModel]) -> list[str]:
    """Names of the fields that hold one text."""
    return [
        name for name, value in ((n, getattr(kind(), n)) for n in kind.__slots__) if value == ""
    ]


@pytest.mark.parametrize("kind", [UserInput, MLModel])
def test_every_text_counts_for_the_size_of_a_sample(kind: type[UserInput | MLModel]) -> None:
    """Whatever a peer makes long: large inputs must not hold up the loop."""
    names = text_fields(kind)
    assert len(names) > 3
    for name in names:
        values: dict[str, Any] = {name: "x" * 70}
        assert size_bytes(kind(**values)) == 70


@pytest.mark.parametrize(
    "sample",
    [
        UserInput(inputs=("x" * 30, "y" * 40)),
        UserInput(outputs=("x" * 70,)),
        UserInput(extra_data=b"x" * 70),
        MLModel(input_batch=("x" * 30, "y" * 40)),
        MLModel(raw_model=b"x" * 70),
        MLModel(extra_data=b"x" * 70),
        HWResource(hw_description="x" * 70),
        HWResource(extra_data=b"x" * 70),
    ],
)
def test_lists_and_octets_count_for_the_size_of_a_sample(
    sample: UserInput | MLModel | HWResource,
) -> None:
    """As all their texts together."""
    assert size_bytes(sample) == 70


def test_bytes_that_wait_in_a_file_belong_to_their_task() -> None:
    """Who keeps the inputs of a task keeps its model on disk."""
    detached = DetachedModel(model="m", spooled=Elsewhere(), task_id=TASK)
    assert size_bytes(detached) == 1 + 1_000
    assert size_bytes(replace(detached, spooled=None)) == 1
    assert replace(INPUTS, ml_model=detached).size_bytes == 4 + 1_001 + 2
    assert INPUTS.size_bytes == 4 + 1 + 2


def test_a_later_sample_takes_the_place_of_the_earlier() -> None:
    """Of models and hardware whoever wrote it; of user inputs only the orchestrator's own."""
    user, model = UserInput(modality="image", task_id=TASK), MLModel(model="n", task_id=TASK)
    hardware = HWResource("other", task_id=TASK)
    assert INPUTS.revised(arrival(user)) == replace(INPUTS, user_input=user)
    assert INPUTS.revised(arrival(model, "provider")) == replace(INPUTS, ml_model=model)
    assert INPUTS.revised(arrival(hardware, "provider")) == replace(INPUTS, hw_resource=hardware)
    assert INPUTS.revised(arrival(user, "another orchestrator")) is INPUTS
    assert INPUTS.revised(arrival(NodeStatus(task_id=TASK))) is INPUTS


def test_the_newest_inputs_count_until_a_task_begins() -> None:
    """It has not been computed from the earlier ones yet."""
    progress = Progress(1, INPUTS)
    progress.revise(arrival(MLModel(model="n", task_id=TASK)))
    assert progress.inputs.ml_model.model == "n"
    assert progress.changed is None


def test_inputs_that_come_while_a_task_runs_are_kept_beside_its_own() -> None:
    """All that changed since it began; nothing, if they are what it runs with after all."""
    progress = Progress(1, INPUTS, has_begun=True)
    hardware, model = HWResource("other", task_id=TASK), MLModel(model="o", task_id=TASK)
    changes = []
    for sample in (hardware, model, INPUTS.ml_model, INPUTS.hw_resource):
        progress.revise(arrival(sample))
        changes.append(progress.changed)
    both = replace(INPUTS, hw_resource=hardware, ml_model=model)
    assert changes == [
        *(replace(INPUTS, hw_resource=hardware), both, replace(INPUTS, hw_resource=hardware)),
        None,
    ]
    assert progress.inputs is INPUTS


def test_a_stage_is_named_while_it_lasts_and_timed() -> None:
    """Even if it fails: whoever looks sees where a task stands, and where it was."""
    progress = Progress(1, INPUTS)

    def break_within() -> None:
        with progress.stage("tracker"):
            assert (progress.current_stage, progress.stage_s) == ("tracker", {})
            raise OSError("broke")

    with pytest.raises(OSError, match="broke"):
        break_within()
    assert progress.current_stage == ""
    assert list(progress.stage_s) == ["tracker"]
    assert 0 <= progress.stage_s["tracker"] < 60


def test_a_task_is_named_by_both_numbers() -> None:
    """As in the log."""
    assert Progress(1, INPUTS).name == "3.1"
    assert INPUTS.task_id == (3, 1)


def test_what_an_extra_data_says_is_read_from_its_own_sample() -> None:
    """Three samples, three contents."""
    inputs = replace(
        INPUTS,
        user_input=UserInput(extra_data=b'{"of": "user"}'),
        ml_model=MLModel(extra_data=b'{"of": "model"}'),
        hw_resource=HWResource(extra_data=b"broken"),
    )
    assert inputs.extra.user_input.content == {"of": "user"}
    assert inputs.extra.ml_model.content == {"of": "model"}
    assert inputs.extra.hw_resource.problem == "not JSON"


def test_the_same_samples_from_elsewhere_are_the_same_inputs() -> None:
    """A task whose samples come again after a restart has not changed, and is not run again."""
    elsewhere = Sources(SampleId("models", 5), SampleId("hardware", 6), is_certain=True)
    again = replace(INPUTS, sources=elsewhere, older=("ML model",))
    assert again == INPUTS
    progress = Progress(1, again, has_begun=True)
    progress.revise(arrival(MLModel(model="m", task_id=TASK)))
    assert progress.changed is None
