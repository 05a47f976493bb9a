"""Inferences of an ONNX model with onnxruntime. Only measuring processes import this module."""

from collections.abc import Callable, Iterator
from typing import Final, TypeAlias

import numpy as np
import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as runtime_errors

from carbon_node.errors import TrackerError
from carbon_node.tracking.failures import FailureName
from carbon_node.tracking.models import OnnxModel

BATCH: Final = 1
"""Size of a first axis that the model leaves open: one inference is one sample."""

OPEN_AXIS_SIZES: Final = (128, 224, 32, 8, 1)
"""Sizes tried, in this order, for every other axis that the model leaves open: a usual text length,
a usual image side, then smaller ones for models that restrict them."""

OPEN_IMAGE_SIZES: Final = (224, 128, 32, 8, 1)
"""The same for models with an input of four axes, which usually is an image."""

_ELEMENTS: Final = {
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(float16)": np.float16,
    "tensor(int8)": np.int8,
    "tensor(int16)": np.int16,
    "tensor(int32)": np.int32,
    "tensor(int64)": np.int64,
    "tensor(uint8)": np.uint8,
    "tensor(uint16)": np.uint16,
    "tensor(uint32)": np.uint32,
    "tensor(uint64)": np.uint64,
    "tensor(bool)": np.bool_,
    "tensor(string)": np.object_,
}

_PROVIDERS: Final = ("CUDAExecutionProvider", "CPUExecutionProvider")

_ERRORS: Final = tuple(
    error
    for error in vars(runtime_errors).values()
    if isinstance(error, type) and issubclass(error, Exception)
)
"""onnxruntime's exceptions have no common base."""

Inputs: TypeAlias = dict[str, np.ndarray]


def inference_of(model: OnnxModel) -> Callable[[], object]:
    """Return a function that runs one inference, after it has run once.

    Args:
        model: the model; one that keeps its weights in further files cannot be loaded from bytes.

    Raises:
        TrackerError: the model cannot be loaded, or runs with no inputs that its signature allows.
    """
    try:
        session = _session(model)
    except _ERRORS as error:
        raise TrackerError(
            FailureName.MODEL_FAILED, f"onnxruntime: {_first_line(error)}"
        ) from error
    inputs = _accepted_inputs(session)
    return lambda: session.run(None, inputs)


def _session(model: OnnxModel) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors: warnings about a model are not ours to repeat
    available = set(onnxruntime.get_available_providers())
    providers = [provider for provider in _PROVIDERS if provider in available]
    return onnxruntime.InferenceSession(model.content, options, providers=providers)


def _accepted_inputs(session: onnxruntime.InferenceSession) -> Inputs:
    refusal = "its signature is empty"
    for inputs in _possible_inputs(session.get_inputs()):
        try:
            session.run(None, inputs)
        except _ERRORS as error:
            refusal = _first_line(error)
        else:
            return inputs
    raise TrackerError(
        FailureName.MODEL_UNSUPPORTED, f"it runs with no inputs made from its signature: {refusal}"
    )


def _possible_inputs(signature: list[onnxruntime.NodeArg]) -> Iterator[Inputs]:
    is_image = any(len(argument.shape) == 4 for argument in signature)
    is_open = any(
        not isinstance(size, int) for argument in signature for size in argument.shape[1:]
    )
    sizes = OPEN_IMAGE_SIZES if is_image else OPEN_AXIS_SIZES
    for size in sizes if is_open else sizes[:1]:
        yield {argument.name: _values(argument, size) for argument in signature}


def _values(argument: onnxruntime.NodeArg, open_axis_size: int) -> np.ndarray:
    element = _ELEMENTS.get(argument.type)
    if element is None:
        raise TrackerError(
            FailureName.MODEL_UNSUPPORTED, f"input {argument.name!r} has type {argument.type}"
        )
    shape = [
        size if isinstance(size, int) and size >= 0 else BATCH if axis == 0 else open_axis_size
        for axis, size in enumerate(argument.shape)
    ]
    if element is np.object_:
        return np.full(shape, "text", element)
    # Ones: valid as token ids and masks, and no zeros that a runtime could skip.
    return np.ones(shape, element)


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:300]
