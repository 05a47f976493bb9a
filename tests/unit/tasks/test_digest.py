"""The digest of inputs."""

import hashlib
import json
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbon_node.pipeline.raw_models import DetachedModel
from carbon_node.tasks.digest import digest
from carbon_node.wire.samples import HWResource, MLModel, TaskId, UserInput

USER_INPUT = UserInput(
    modality="vision", extra_data=b'{"num_outputs": 2, "goal": "x"}', task_id=TaskId(1, 1)
)
ML_MODEL = MLModel(model="resnet50", raw_model=b"\x00\x01", task_id=TaskId(1, 1))
HW_RESOURCE = HWResource(
    hw_description="A100", power_consumption=400.0, latency=0.1, task_id=TaskId(1, 1)
)

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def _with_extra_data(extra_data: bytes) -> str:
    return digest(replace(USER_INPUT, extra_data=extra_data), ML_MODEL, HW_RESOURCE)


def test_digest_is_the_same_in_every_release() -> None:
    """A digest that changed would have every retained task of a pipeline measured again."""
    expected = "6581b08bbaa747c6be707aed15b88b7ab9bfabeea858bdfcaf3cabfe2b1ef36c"
    assert _with_extra_data(b"{}") == expected


@given(st.dictionaries(st.text(), JSON, max_size=6))
def test_order_of_keys_and_white_space_do_not_matter(value: dict[str, object]) -> None:
    """JSON counts by its meaning."""
    reversed_value = dict(reversed(value.items()))
    assert _with_extra_data(json.dumps(value).encode()) == _with_extra_data(
        json.dumps(reversed_value, indent=2).encode()
    )


@pytest.mark.parametrize("position", range(3))
def test_every_field_but_the_task_id_counts(position: int) -> None:
    """No input can change without a new digest."""
    samples: list[Any] = [USER_INPUT, ML_MODEL, HW_RESOURCE]
    before = _digest(samples)
    for field in fields(samples[position]):
        content = {field.name: _other(getattr(samples[position], field.name))}
        changed = [*samples]
        changed[position] = replace(samples[position], **content)
        assert (_digest(changed) == before) == (field.name == "task_id"), field.name


def _digest(samples: list[Any]) -> str:
    return digest(*samples)


def _other(value: object) -> object:
    match value:
        case bool():
            return not value
        case int() | float():
            return value + 1
        case str():
            return value + "x"
        case bytes():
            return value + b"x"
        case TaskId():
            return TaskId(9, 9)
        case _:
            return ("x",)


@pytest.mark.parametrize(
    "extra_data",
    [b"", b"\xff\xfe", b"not json", b"[" * 100_000, b'{"a":' * 65 + b"1" + b"}" * 65, b"null"],
)
def test_extra_data_that_no_parser_reads_counts_by_its_bytes(extra_data: bytes) -> None:
    """Broken, deep and empty extra_data have digests of their own."""
    assert _with_extra_data(extra_data) != _with_extra_data(extra_data + b"x")


def test_a_model_whose_bytes_were_taken_out_has_the_same_digest() -> None:
    """Where the bytes wait does not make other inputs of them."""
    octets = b"model" * 100_000
    sha256 = hashlib.sha256(octets).hexdigest()
    light = DetachedModel(model="m", raw_model_sha256=sha256)

    whole = digest(USER_INPUT, MLModel(model="m", raw_model=octets), HW_RESOURCE)

    assert whole == digest(USER_INPUT, light, HW_RESOURCE, sha256)
    assert whole != digest(USER_INPUT, light, HW_RESOURCE)
