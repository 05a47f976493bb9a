"""Which models are opened, and which never are."""

import os
from pathlib import Path

import pytest

from carbon_node.errors import TrackerError
from carbon_node.estimation.measurement import ModelRun
from carbon_node.tracking.failures import FailureName
from carbon_node.tracking.models import HuggingFaceModel, OnnxModel, is_runnable, open_model

LIMIT_BYTES = 100


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a model root that holds a model, beside a folder with a secret."""
    root = tmp_path / "models"
    root.mkdir()
    (root / "good.onnx").write_bytes(b"weights")
    (tmp_path / "secret").write_bytes(b"secret")
    return root


def _refusal(root: Path, path: str, model: str = "m") -> str:
    with pytest.raises(TrackerError) as caught:
        open_model(ModelRun(model, path), None, (root,), LIMIT_BYTES)
    return caught.value.failure


@pytest.mark.parametrize("path", ["good.onnx", "./good.onnx", "none/../good.onnx"])
def test_file_below_a_root_is_opened(path: str, root: Path) -> None:
    """A relative path is looked for below the roots."""
    opened = open_model(ModelRun("m", path), None, (root,), LIMIT_BYTES)
    assert opened == OnnxModel(b"weights")


def test_absolute_path_below_a_root_is_opened(root: Path) -> None:
    """An absolute path is taken as it is, if it leads below a root."""
    run = ModelRun("m", str(root / "good.onnx"))
    assert open_model(run, None, (root,), LIMIT_BYTES) == OnnxModel(b"weights")


def test_link_within_a_root_is_followed(root: Path) -> None:
    """A link that stays below the root is as good as a file."""
    (root / "link.onnx").symlink_to("good.onnx")
    opened = open_model(ModelRun("m", "link.onnx"), None, (root,), LIMIT_BYTES)
    assert opened == OnnxModel(b"weights")


def test_root_may_itself_be_a_link(root: Path, tmp_path: Path) -> None:
    """Operators may name a root by a link."""
    (tmp_path / "alias").symlink_to(root)
    opened = open_model(ModelRun("m", "good.onnx"), None, (tmp_path / "alias",), LIMIT_BYTES)
    assert opened == OnnxModel(b"weights")


@pytest.mark.parametrize("path", ["../secret", "/etc/passwd", "/", "..", "a/../../secret"])
def test_path_out_of_the_roots_is_refused(path: str, root: Path) -> None:
    """No path leads out, whether what it names exists or not."""
    assert _refusal(root, path) == FailureName.MODEL_OUTSIDE_ROOTS


def test_link_out_of_the_roots_is_refused(root: Path) -> None:
    """A link below a root is not followed out of it."""
    (root / "link.onnx").symlink_to("../secret")
    assert _refusal(root, "link.onnx") == FailureName.MODEL_OUTSIDE_ROOTS


def test_folder_with_a_link_out_of_the_roots_is_refused(root: Path) -> None:
    """A model's folder is refused if any link in it leads out."""
    (root / "folder" / "deep").mkdir(parents=True)
    (root / "folder" / "deep" / "config.json").symlink_to(root.parent / "secret")
    assert _refusal(root, "folder") == FailureName.MODEL_OUTSIDE_ROOTS


def test_sibling_whose_name_starts_like_a_root_is_outside(root: Path) -> None:
    """Names are compared folder by folder, not letter by letter."""
    (root.parent / "models2").mkdir()
    (root.parent / "models2" / "m.onnx").touch()
    assert _refusal(root, "../models2/m.onnx") == FailureName.MODEL_OUTSIDE_ROOTS


def test_without_roots_nothing_is_opened(root: Path) -> None:
    """The default opens no path at all."""
    with pytest.raises(TrackerError, match=r"model_outside_roots: .*set tracker.model_roots"):
        open_model(ModelRun("m", str(root / "good.onnx")), None, (), LIMIT_BYTES)


@pytest.mark.parametrize("path", ["none.onnx", "x" * 5000, "\0", "x" * 300])
def test_model_that_is_not_there_is_named_so(path: str, root: Path) -> None:
    """A path of the model provider's host, or one that can be no path, is no model here."""
    assert _refusal(root, path) == FailureName.NO_MODEL


def test_task_without_path_and_id_has_no_model(root: Path) -> None:
    """Without path, id and bytes there is nothing to look for."""
    assert _refusal(root, "", model="") == FailureName.NO_MODEL


def test_circle_of_links_is_no_model(root: Path) -> None:
    """Links that lead in a circle lead nowhere."""
    (root / "a").symlink_to("b")
    (root / "b").symlink_to("a")
    assert _refusal(root, "a") == FailureName.NO_MODEL


def test_pipe_is_not_read(root: Path) -> None:
    """A pipe below a root is refused instead of waited for."""
    os.mkfifo(root / "pipe.onnx")
    assert _refusal(root, "pipe.onnx") == FailureName.MODEL_UNSUPPORTED


def test_large_file_is_refused(root: Path) -> None:
    """A file beyond the limit is not read."""
    (root / "large.onnx").write_bytes(bytes(LIMIT_BYTES + 1))
    assert _refusal(root, "large.onnx") == FailureName.MODEL_TOO_LARGE


def test_folder_of_many_files_is_refused_by_their_sum(root: Path) -> None:
    """A model's files count together."""
    (root / "folder").mkdir()
    for number in range(3):
        (root / "folder" / str(number)).write_bytes(bytes(LIMIT_BYTES // 2))
    assert _refusal(root, "folder") == FailureName.MODEL_TOO_LARGE


def test_id_names_a_folder_below_a_root(root: Path) -> None:
    """Without a path, a model's id is looked for as a folder."""
    (root / "org" / "name").mkdir(parents=True)
    opened = open_model(ModelRun("org/name"), None, (root,), LIMIT_BYTES)
    assert opened == HuggingFaceModel(root / "org" / "name")


def test_id_finds_what_hugging_face_tools_downloaded(root: Path) -> None:
    """The layout of Hugging Face's cache is understood, links to its blobs included."""
    cache = root / "models--org--name"
    for folder in ("refs", "blobs", "snapshots/0123"):
        (cache / folder).mkdir(parents=True)
    (cache / "refs" / "main").write_text("0123")
    (cache / "blobs" / "b").write_text("{}")
    (cache / "snapshots" / "0123" / "config.json").symlink_to("../../blobs/b")
    opened = open_model(ModelRun("org/name"), None, (root,), LIMIT_BYTES)
    assert opened == HuggingFaceModel(cache / "snapshots" / "0123")


def test_reference_of_a_cache_does_not_lead_out(root: Path) -> None:
    """A cache whose reference names a folder elsewhere is refused."""
    refs = root / "models--org--name" / "refs"
    refs.mkdir(parents=True)
    (refs / "main").write_text("../../../..")
    assert _refusal(root, "", model="org/name") == FailureName.NO_MODEL


def test_bytes_win_over_the_path(root: Path) -> None:
    """A model that came with its bytes is not looked for on disk."""
    descriptor = os.memfd_create("model")
    os.write(descriptor, b"bytes")
    os.lseek(descriptor, 0, os.SEEK_SET)
    run = ModelRun("m", "../secret")
    assert open_model(run, descriptor, (root,), LIMIT_BYTES) == OnnxModel(b"bytes")


def test_runnable_is_what_is_here(root: Path) -> None:
    """A model is runnable if it came along or is below a root."""
    assert is_runnable(ModelRun("m", raw_model=b"x"), ())
    assert is_runnable(ModelRun("m", "good.onnx"), (root,))
    assert not is_runnable(ModelRun("m", "none.onnx"), (root,))
    assert not is_runnable(ModelRun("m", "good.onnx"), ())
