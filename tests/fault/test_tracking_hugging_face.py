"""Hugging Face models from disk in a real measuring process. Needs the extra `hf`."""

import json
import os
import pickle
from importlib.util import find_spec
from pathlib import Path

import pytest
from tests.trackers import tracker_config

from carbon_node.errors import TrackerError
from carbon_node.estimation.measurement import Measurement, ModelRun
from carbon_node.tracking import FailureName
from carbon_node.tracking.pool import TrackerPool

pytestmark = pytest.mark.anyio

pytestmark = pytest.mark.skipif(
    find_spec("torch") is None or find_spec("transformers") is None,
    reason="the extra hf is not installed: pip install 'carbon-node[hf]'",
)

SIZES = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
}
MODELS = {
    "text": ("Bert", "ForSequenceClassification", {"vocab_size": 50}),
    "image": ("ViT", "ForImageClassification", {"image_size": 32, "patch_size": 8}),
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a model root with small models of random weights."""
    import transformers

    for name, (family, head, changes) in MODELS.items():
        config = getattr(transformers, f"{family}Config")(**SIZES, **changes)
        getattr(transformers, family + head)(config).save_pretrained(tmp_path / name)
    return tmp_path


async def _measure(root: Path, run: ModelRun) -> Measurement:
    config = tracker_config(window_s=0.1, model_roots=(root,))
    async with TrackerPool(config) as pool:
        return await pool.measure(run, 60.0)


async def _failure(root: Path, run: ModelRun) -> str:
    with pytest.raises(TrackerError) as caught:
        await _measure(root, run)
    return caught.value.failure


@pytest.mark.parametrize("name", MODELS)
async def test_model_on_disk_is_measured(name: str, root: Path) -> None:
    """A model's own class is run on inputs made from its configuration."""
    assert (await _measure(root, ModelRun(name))).inferences >= 1


async def test_code_of_a_model_is_never_run(root: Path) -> None:
    """A model that brings its own code is refused, and its code does nothing."""
    folder, trace = root / "text", root / "was_run"
    config = json.loads((folder / "config.json").read_text())
    auto_map = {"AutoConfig": "own.Own", "AutoModel": "own.Own"}
    own = {**config, "model_type": "own", "architectures": ["Own"], "auto_map": auto_map}
    (folder / "config.json").write_text(json.dumps(own))
    (folder / "own.py").write_text(f"open({str(trace)!r}, 'w')")
    assert await _failure(root, ModelRun("text")) == FailureName.MODEL_FAILED
    assert not trace.exists()


class _Trace:
    """A pickle that runs code when it is read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (str(self.path),)


async def test_pickled_weights_are_never_read(root: Path) -> None:
    """Weights in a format that can carry code are not loaded."""
    folder, trace = root / "text", root / "was_run"
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(_Trace(trace)))
    assert await _failure(root, ModelRun("text")) == FailureName.MODEL_FAILED
    assert not trace.exists()


async def test_folder_without_a_model_has_failed(root: Path) -> None:
    """A folder below a root that holds no model is said to hold none."""
    (root / "empty").mkdir()
    assert await _failure(root, ModelRun("m", "empty")) == FailureName.MODEL_FAILED
