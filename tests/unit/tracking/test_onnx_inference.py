"""Inputs made from an ONNX model's own signature, run by onnxruntime itself."""

from typing import Any, cast

import onnx
import pytest
from onnx import TensorProto, helper

from carbon_node.errors import TrackerError
from carbon_node.tracking.failures import FailureName
from carbon_node.tracking.models import OnnxModel
from carbon_node.tracking.onnx_inference import inference_of

Shape = list[int | str | None]


def _model(
    nodes: list[onnx.NodeProto],
    inputs: dict[str, Shape],
    element: int = TensorProto.FLOAT,
    weights: tuple[onnx.TensorProto, ...] = (),
) -> OnnxModel:
    graph = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info(name, element, shape) for name, shape in inputs.items()],
        [helper.make_empty_tensor_value_info("out")],
        initializer=weights,
    )
    opset = helper.make_opsetid("", 17)
    return OnnxModel(
        helper.make_model(graph, opset_imports=[opset], ir_version=9).SerializeToString()
    )


def _only_output(model: OnnxModel) -> Any:  # noqa: ANN401 - an array of onnxruntime
    (output,) = cast("list[Any]", inference_of(model)())
    return output


def _shape_seen(shape: Shape, element: int = TensorProto.FLOAT) -> list[int]:
    model = _model([helper.make_node("Shape", ["x"], ["out"])], {"x": shape}, element)
    return list(_only_output(model))


@pytest.mark.parametrize(
    ("shape", "seen"),
    [
        ([2, 3], [2, 3]),
        (["batch", "length"], [1, 128]),
        (["batch", 7], [1, 7]),
        ([None, 3, "height", "width"], [1, 3, 224, 224]),
        ([], []),
    ],
)
def test_open_axes_get_usual_sizes(shape: Shape, seen: list[int]) -> None:
    """An open first axis is one sample, others are a text's length or an image's side."""
    assert _shape_seen(shape) == seen


@pytest.mark.parametrize(
    "element",
    [TensorProto.INT64, TensorProto.FLOAT16, TensorProto.BOOL, TensorProto.STRING],
)
def test_usual_element_types_are_made(element: int) -> None:
    """Token ids, half floats, masks and texts are made as well as floats."""
    assert _shape_seen(["n", 2], element) == [1, 2]


def test_sizes_are_tried_until_the_model_accepts_one() -> None:
    """A model whose weights fix an axis that its signature leaves open is run at that size."""
    weights = helper.make_tensor("w", TensorProto.FLOAT, [32, 1], [1.0] * 32)
    node = helper.make_node("MatMul", ["x", "w"], ["out"])
    model = _model([node], {"x": ["n", "m"]}, weights=(weights,))
    assert _only_output(model).tolist() == [[32.0]]


def _failure(model: OnnxModel) -> str:
    with pytest.raises(TrackerError) as caught:
        inference_of(model)
    return caught.value.failure


def test_bytes_that_are_no_model_are_refused() -> None:
    """What onnxruntime cannot load has failed, by name."""
    assert _failure(OnnxModel(b"no model")) == FailureName.MODEL_FAILED


def test_model_that_accepts_no_size_is_unsupported() -> None:
    """A model that runs at none of the sizes tried says so."""
    weights = helper.make_tensor("w", TensorProto.FLOAT, [31, 1], [1.0] * 31)
    node = helper.make_node("MatMul", ["x", "w"], ["out"])
    model = _model([node], {"x": ["n", "m"]}, weights=(weights,))
    assert _failure(model) == FailureName.MODEL_UNSUPPORTED


def test_element_type_that_cannot_be_made_is_unsupported() -> None:
    """An input of numbers that numpy lacks is refused before it is tried."""
    node = helper.make_node("Identity", ["x"], ["out"])
    model = _model([node], {"x": ["n"]}, TensorProto.BFLOAT16)
    assert _failure(model) == FailureName.MODEL_UNSUPPORTED


def test_model_with_weights_in_another_file_is_refused() -> None:
    """A model cannot make its runtime open another file."""
    weights = helper.make_tensor("w", TensorProto.FLOAT, [1], [1.0])
    weights.ClearField("float_data")
    weights.data_location = TensorProto.EXTERNAL
    weights.external_data.add(key="location", value="/etc/passwd")
    node = helper.make_node("Add", ["x", "w"], ["out"])
    model = _model([node], {"x": ["n"]}, weights=(weights,))
    assert _failure(model) == FailureName.MODEL_FAILED
