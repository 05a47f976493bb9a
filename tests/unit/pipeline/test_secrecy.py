"""A task's secrets stay out of what is made of it."""

import json
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from carbon_node.pipeline.secrecy import HIDDEN, cleaned, without_secrets
from carbon_node.pipeline.task import TaskInputs
from carbon_node.tasks.key import TaskKey
from carbon_node.wire.contract import Arrival, Topic
from carbon_node.wire.samples import HWResource, MLModel, TaskId, UserInput

TASK_ID = TaskId(3, 1)
TOKEN = "hf_abcdefgh"  # noqa: S105  # invented
KEYS = st.text(alphabet='abc "\u00e9')
Json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner),
    max_leaves=20,
)


class Keeper:
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def register(self, secret: str) -> None:
        """Note a secret."""
        self.told.append(secret)


def inputs(user: object, model: object = None, text: str = "m") -> TaskInputs:
    """A task whose samples carry this."""
    return TaskInputs(
        TaskKey(TASK_ID, "writer"),
        UserInput(
            inputs=(text,),
            geo_location_region=text,
            extra_data=json.dumps(user).encode(),
            task_id=TASK_ID,
        ),
        MLModel(model=text, extra_data=json.dumps(model).encode(), task_id=TASK_ID),
        HWResource(hw_description=text, task_id=TASK_ID),
    )


def test_inputs_without_secrets_stay_the_same_objects() -> None:
    """Nothing is copied or parsed again where there is nothing to hide."""
    task = inputs({"num_outputs": 2, "max_tokens": "a long text"})
    assert cleaned(task, Keeper()) == (task, ())


def test_a_token_is_told_and_hidden_wherever_it_is_repeated() -> None:
    """Keys that consumers need stay, the token goes: from texts, lists and nested JSON."""
    keeper = Keeper()
    user = {"hf_token": TOKEN, "num_outputs": 2}
    task, secrets = cleaned(inputs(user, {"error": [f"bad {TOKEN}"]}, f"x {TOKEN}"), keeper)
    assert secrets == (TOKEN,)
    assert keeper.told == [TOKEN]
    assert TOKEN not in repr(task)
    assert json.loads(task.user_input.extra_data) == {"num_outputs": 2}
    assert json.loads(task.ml_model.extra_data) == {"error": [f"bad {HIDDEN}"]}
    assert task.hw_resource.hw_description == f"x {HIDDEN}"


def test_a_later_sample_loses_the_secrets_that_are_known_and_its_own() -> None:
    """What revises a running task is cleaned like what began it."""
    keeper = Keeper()
    octets = json.dumps({"api_key": "another-secret"}).encode()
    sample = MLModel(model=f"{TOKEN} another-secret", extra_data=octets, task_id=TASK_ID)
    arrival = Arrival(Topic.ML_MODEL, sample, TASK_ID, "writer", 1)
    clean = without_secrets(arrival, (TOKEN,), keeper)
    assert clean == replace(
        arrival, sample=MLModel(model=f"{HIDDEN} {HIDDEN}", extra_data=b"{}", task_id=TASK_ID)
    )
    assert keeper.told == ["another-secret"]


def test_nesting_without_end_is_survived() -> None:
    """JSON that is as deep as the parser takes neither fails the task nor hides the token."""
    deep = b'{"hf_token": "' + TOKEN.encode() + b'", "x": ' + b"[" * 900 + b"]" * 900 + b"}"
    task = replace(inputs({}), user_input=UserInput(extra_data=deep, task_id=TASK_ID))
    clean, _ = cleaned(task, Keeper())
    assert TOKEN.encode() not in clean.user_input.extra_data


@given(content=st.dictionaries(KEYS, Json))
def test_json_without_secrets_is_never_changed(content: dict[str, object]) -> None:
    """Any JSON beside a token keeps its meaning."""
    user = {"hf_token": "Z" * 40, "rest": content}
    clean, _ = cleaned(inputs(user), Keeper())
    found = json.loads(clean.user_input.extra_data)["rest"]
    expected = json.loads(inputs(content).user_input.extra_data)
    assert json.dumps(found) == json.dumps(expected)
