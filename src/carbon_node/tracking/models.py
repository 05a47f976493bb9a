"""Finding and opening a model without leaving the folders that the operator named.

Paths and ids of models come over the network, so nothing above the configured roots is ever opened:
a path is resolved first, and what was opened is looked at again, so that neither `..` nor a link
nor a link that changes meanwhile leads out.
"""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final, TypeAlias

from carbon_node.errors import TrackerError
from carbon_node.estimation.measurement import ModelRun
from carbon_node.tracking.failures import FailureName

PATH_LIMIT_CHARACTERS: Final = 4096
"""Linux opens no longer path."""


@dataclass(frozen=True, slots=True)
class OnnxModel:
    """A serialized ONNX model.

    Args:
        content: its bytes.
    """

    content: bytes


@dataclass(frozen=True, slots=True)
class HuggingFaceModel:
    """A folder that holds a Hugging Face model.

    Args:
        folder: resolved, below a model root, and so is everything in it.
    """

    folder: Path


Model: TypeAlias = OnnxModel | HuggingFaceModel


def open_model(
    run: ModelRun, raw_model: int | None, roots: tuple[Path, ...], limit_bytes: int
) -> Model:
    """Open the model of a run: its bytes if it came with some, else its path, else its id.

    Args:
        run: names the model.
        raw_model: file descriptor that holds the bytes it came with.
        roots: folders below which a model may be opened.
        limit_bytes: largest model, all of its files together.

    Raises:
        TrackerError: there is no such model, or it must not be opened.
    """
    if raw_model is not None:
        return OnnxModel(_content(raw_model, limit_bytes))
    path = find(run, roots)
    if path.is_dir():
        return HuggingFaceModel(_checked_folder(path, roots, limit_bytes))
    return OnnxModel(_content_of_file(path, roots, limit_bytes))


def find(run: ModelRun, roots: tuple[Path, ...]) -> Path:
    """Return where a run's model is, resolved, and below one of the roots.

    Args:
        run: names the model by path or, without one, by id.
        roots: folders below which a model may be opened.

    Raises:
        TrackerError: it is not there, or elsewhere.
    """
    if not roots:
        raise TrackerError(
            FailureName.MODEL_OUTSIDE_ROOTS, "no model is opened here; set tracker.model_roots"
        )
    name = run.model_path or run.model
    if not name or len(name) > PATH_LIMIT_CHARACTERS or "\0" in name:
        raise TrackerError(FailureName.NO_MODEL, "the task names no model that a path could name")
    try:
        below = [path for path in _candidates(run, roots) if _is_below(path, roots)]
        found = next((path for path in below if path.exists()), None)
    except (OSError, RuntimeError) as error:  # RuntimeError: links that lead in a circle
        raise TrackerError(FailureName.NO_MODEL, f"{name[:200]!r} cannot be resolved") from error
    if not below:
        raise TrackerError(
            FailureName.MODEL_OUTSIDE_ROOTS, f"{name[:200]!r} leads out of tracker.model_roots"
        )
    if found is None:
        raise TrackerError(FailureName.NO_MODEL, f"{name[:200]!r} is not below tracker.model_roots")
    return found


def is_runnable(run: ModelRun, roots: tuple[Path, ...]) -> bool:
    """Return whether this host has a run's model and what runs it, without opening either.

    Reads folders: may block on a slow file system.

    Args:
        run: names the model.
        roots: folders below which a model may be opened.
    """
    if run.raw_model:
        return find_spec("onnxruntime") is not None
    try:
        path = find(run, roots)
    except (TrackerError, OSError):
        return False
    needed = ("torch", "transformers") if path.is_dir() else ("onnxruntime",)
    return all(find_spec(name) is not None for name in needed)


def _candidates(run: ModelRun, roots: tuple[Path, ...]) -> Iterator[Path]:
    for root in roots:
        if run.model_path:
            yield (root / run.model_path).resolve()
        else:
            yield (root / run.model).resolve()
            yield from _cached(root, run.model)


def _cached(root: Path, model: str) -> Iterator[Path]:
    # How Hugging Face's own tools lay out what they have downloaded.
    cache = root / f"models--{model.replace('/', '--')}"
    main = cache / "refs" / "main"
    if main.is_file() and _is_below(main.resolve(), (root,)):
        revision = main.read_text(errors="replace").strip()
        yield (cache / "snapshots" / revision).resolve()


def _is_below(path: Path, roots: tuple[Path, ...]) -> bool:
    return any(path.is_relative_to(root.resolve()) for root in roots)


def _content_of_file(path: Path, roots: tuple[Path, ...], limit_bytes: int) -> bytes:
    # Not blocking: the path may be a pipe. Not following: it was resolved.
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    opened = Path(f"/proc/self/fd/{descriptor}").readlink()
    if not _is_below(opened, roots):
        raise TrackerError(
            FailureName.MODEL_OUTSIDE_ROOTS, f"{path} was changed to lead to {opened}"
        )
    return _content(descriptor, limit_bytes)


def _content(descriptor: int, limit_bytes: int) -> bytes:
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        raise TrackerError(FailureName.MODEL_UNSUPPORTED, "the model is not a regular file")
    _require_size(status.st_size, limit_bytes)
    with os.fdopen(descriptor, "rb") as file:
        return file.read(limit_bytes)


def _checked_folder(folder: Path, roots: tuple[Path, ...], limit_bytes: int) -> Path:
    size_bytes = 0
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            entry = Path(parent, name).resolve()
            if not _is_below(entry, roots):
                raise TrackerError(
                    FailureName.MODEL_OUTSIDE_ROOTS, f"{Path(parent, name)} leads to {entry}"
                )
            size_bytes += entry.stat().st_size if entry.is_file() else 0
            _require_size(size_bytes, limit_bytes)
    return folder


def _require_size(size_bytes: int, limit_bytes: int) -> None:
    if size_bytes > limit_bytes:
        raise TrackerError(
            FailureName.MODEL_TOO_LARGE,
            f"the model has {size_bytes} bytes or more; the limit is {limit_bytes}",
        )
