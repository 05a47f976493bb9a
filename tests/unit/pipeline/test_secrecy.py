"""A task's secrets stay out of what is made of it."""

import asyncio
import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carbon_node.pipeline.secrecy import (
    cleaned,
    later_without_secrets,
    without_secrets,
)
from carbon_node.pipeline.task import LARGE_BYTES, TaskInputs
from carbon_node.secret_texts import HIDDEN
from carbon_node.tasks.digest import digest
from carbon_node.tasks.key import TaskKey
from carbon_node.wire import extra_data
from carbon_node.wire.bounded_json import MAX_DEPTH
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


@pytest.mark.anyio
@pytest.mark.parametrize("padding", ["", "x" * LARGE_BYTES])
async def test_a_later_sample_loses_the_secrets_that_are_known_and_its_own(padding: str) -> None:
    """What revises a running task is cleaned like what began it, whatever its size."""
    keeper = Keeper()
    octets = json.dumps({"api_key": "another-secret"}).encode()
    sample = MLModel(model=f"{TOKEN} another-secret{padding}", extra_data=octets, task_id=TASK_ID)
    arrival = Arrival(Topic.ML_MODEL, sample, TASK_ID, "writer", 1)
    clean = await later_without_secrets(arrival, (TOKEN,), keeper)
    assert clean == replace(
        arrival,
        sample=MLModel(model=f"{HIDDEN} {HIDDEN}{padding}", extra_data=b"{}", task_id=TASK_ID),
    )
    assert keeper.told == ["another-secret"]


@pytest.mark.anyio
async def test_the_loop_goes_on_while_large_inputs_are_searched() -> None:
    """Some 100 ms for each MB would keep everybody else waiting."""
    task = inputs({"hf_token": TOKEN}, text="word " * LARGE_BYTES)
    turns = 0

    async def take_turns() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    others = asyncio.create_task(take_turns())
    clean, _ = await without_secrets(task, Keeper())
    others.cancel()
    assert TOKEN.encode() not in clean.user_input.extra_data
    assert turns > 1


@pytest.mark.parametrize("levels", [MAX_DEPTH, MAX_DEPTH + 1, 900, 100_000])
def test_depth_hides_no_token(levels: int) -> None:
    """A token at the last level, and one beside all, are taken out, also where no JSON is read."""
    core = b'{"api_key": "' + TOKEN.encode() + b'"}'
    nested = b"[" * (levels - 2) + core + b"]" * (levels - 2)
    deep = b'{"hf_token": "' + TOKEN.encode() + b'", "x": ' + nested + b"}"
    task = replace(inputs({}), user_input=UserInput(extra_data=deep, task_id=TASK_ID))
    clean, _ = cleaned(task, Keeper())
    assert TOKEN.encode() not in clean.user_input.extra_data


@settings(deadline=None)
@given(content=st.dictionaries(KEYS, Json))
def test_json_without_secrets_is_never_changed(content: dict[str, object]) -> None:
    """Any JSON beside a token keeps its meaning."""
    user = {"hf_token": "Z" * 40, "rest": content}
    clean, _ = cleaned(inputs(user), Keeper())
    found = json.loads(clean.user_input.extra_data)["rest"]
    expected = json.loads(inputs(content).user_input.extra_data)
    assert json.dumps(found) == json.dumps(expected)


def digest_of(task: TaskInputs) -> str:
    """The digest of a task's inputs, once they are cleaned."""
    clean, _ = cleaned(task, Keeper())
    return digest(clean.user_input, clean.ml_model, clean.hw_resource)


@settings(deadline=None)
@given(st.dictionaries(KEYS, Json, max_size=3), st.text(), st.text())
def test_another_token_is_the_same_task(value: dict[str, object], one: str, other: str) -> None:
    """A renewed token does not have a task measured again."""
    first, second = (
        inputs({**value, "hf_token": text, "inner": [{"apiKey": text}]}) for text in (one, other)
    )
    assert digest_of(first) == digest_of(second)


@pytest.mark.parametrize(
    ("extra_data", "expected"),
    [
        (
            b'{"hf_token": "abcdefgh", "num_outputs": 2, "deep": [{"apiKey": null}]}',
            "3fa1fce972ba6eac",
        ),
        (b'[{"password": "abcdefgh", "c": 2}]', "b482ea3c977243b7"),
        ('{"hf_token": "abcdefgh", "a": 1}'.encode("utf-16"), "b7b70c4a1d1bcf11"),
        (b"not json", "e2319ac34e5d480b"),
    ],
)
def test_answers_of_earlier_releases_are_found_again(extra_data: bytes, expected: str) -> None:
    """The digest of cleaned inputs is the one that a database of an earlier release holds."""
    task = replace(inputs({}), user_input=UserInput(extra_data=extra_data, task_id=TASK_ID))
    assert digest_of(task).startswith(expected)


@pytest.mark.parametrize(
    "extra_data",
    [
        b'{"hf_token": "planted-Value-0123", ',
        b'{"num_outputs": 1, "error": "see https://me:planted-Value-0123@host/"}',
        b'{"model_restrains": ["https://host/m?token=planted-Value-0123"]}',
        b'{"tokens": {"a": [{"b": "planted-Value-0123"}]}}',
        b'["hf_token=planted-Value-0123"]',
        '{"hf_token": "planted-Value-0123"}'.encode("utf-16"),
        b"hf%5Ftoken=planted-Value-0123&x=\xff",
    ],
)
def test_extra_data_of_any_kind_loses_its_secrets(extra_data: bytes) -> None:
    """Whole, broken, nested or not JSON: the value is told, and hidden where it is quoted."""
    keeper = Keeper()
    quoting = "the hub refused planted-Value-0123"
    task = replace(
        inputs({}, text=quoting), user_input=UserInput(extra_data=extra_data, task_id=TASK_ID)
    )
    clean, secrets = cleaned(task, keeper)
    assert any("planted-Value-0123" in secret for secret in secrets)
    assert keeper.told == list(secrets)
    assert b"planted" not in clean.user_input.extra_data.replace(b"\0", b"")
    assert clean.ml_model.model == f"the hub refused {HIDDEN}"


def test_no_number_of_secrets_is_too_many() -> None:
    """The hundredth secret of a task is hidden like the first."""
    tokens = [f"planted-Value-{number:04}" for number in range(100)]
    user = {f"token_{number}": token for number, token in enumerate(tokens)}
    task, secrets = cleaned(inputs(user, {"error": " ".join(tokens)}), Keeper())
    assert set(secrets) == set(tokens)
    assert "planted" not in repr(task)
    assert json.loads(task.ml_model.extra_data) == {"error": " ".join([HIDDEN] * 100)}


def test_a_credential_in_a_header_is_known_by_itself() -> None:
    """The token behind `Bearer`, and a cookie's value, are hidden where they stand alone."""
    user = {"authorization": "Bearer planted-Value-1", "cookie": "theme=dark; sid=planted-Value-2"}
    task, _ = cleaned(inputs(user, text="planted-Value-1 planted-Value-2"), Keeper())
    assert task.ml_model.model == f"{HIDDEN} {HIDDEN}"


def test_counts_of_tokens_stay() -> None:
    """A number under a key of tokens is an input like any other."""
    user = {"tokens": 5, "token_count": 7, "max_new_tokens": 512}
    assert cleaned(inputs(user), Keeper()) == (inputs(user), ())


def test_what_only_its_secret_made_unreadable_stays_unreadable() -> None:
    """An octet that is no UTF-8 goes with the secret around it, and the problem is still named."""
    octets = b'{"hf_token": "hf_planted_secret\xff", "num_outputs": 3}'
    task = inputs({})
    broken = replace(task, user_input=replace(task.user_input, extra_data=octets))
    assert broken.extra.user_input.problem.startswith("not UTF-8")

    clean, _ = cleaned(broken, Keeper())

    assert b"planted" not in clean.user_input.extra_data
    assert clean.extra.user_input.problem.startswith("not UTF-8")


@pytest.mark.parametrize(("beyond", "is_hidden"), [(0, True), (1, False), (2, False)])
def test_what_is_too_long_to_be_read_is_not_searched(
    beyond: int, monkeypatch: pytest.MonkeyPatch, *, is_hidden: bool
) -> None:
    """Nothing is ever made of it, so it is left as it came."""
    octets = json.dumps({"hf_token": TOKEN}).encode()
    monkeypatch.setattr(extra_data, "MAX_EXTRA_DATA_BYTES", len(octets) - beyond)
    task = inputs({})
    found, _ = cleaned(replace(task, ml_model=MLModel(extra_data=octets)), Keeper())
    assert (found.ml_model.extra_data != octets) == is_hidden
