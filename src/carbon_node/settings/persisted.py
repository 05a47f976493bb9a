"""Changes by request that outlive the node: one small JSON file in the state directory."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from carbon_node.errors import ConfigError
from carbon_node.json_value import Json
from carbon_node.settings.model import Settings
from carbon_node.wire import bounded_json

_NAME = "configuration.json"


@dataclass(frozen=True, slots=True)
class Persisted:
    """Changes by request that an earlier run kept.

    Args:
        values: value by dotted name, as JSON has it.
        revision: revision of the configuration that they made.
    """

    values: Mapping[str, object] = field(default_factory=dict)
    revision: int = 0


def persisted_path(settings: Settings) -> Path:
    """Return the file that keeps changes by request."""
    return settings.state_dir / _NAME


def persisted(path: Path) -> Persisted:
    """Read the changes that an earlier run kept; empty if it kept none.

    Raises:
        ConfigError: if the file is there and cannot be used.
    """
    try:
        content = bounded_json.loads(path.read_bytes())
        return Persisted(dict(content["changes"]), int(content["revision"]))
    except FileNotFoundError:
        return Persisted()
    except (OSError, ValueError, TypeError, KeyError, OverflowError) as error:
        raise ConfigError(f"cannot use the persisted changes in {path}: {error!r}") from error


def persist(path: Path, values: Mapping[str, Json], revision: int) -> None:
    """Write changes atomically: after a crash at any moment the file is the old or the new one.

    Blocks until they are on disk.

    Raises:
        ConfigError: if it cannot be written.
    """
    content = json.dumps({"revision": revision, "changes": dict(values)}, indent=2) + "\n"
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _replace(path, content.encode())
    except OSError as error:
        raise ConfigError(f"cannot write {path}: {error.strerror}") from error


def _replace(path: Path, content: bytes) -> None:
    beside = path.with_suffix(".new")
    with beside.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        # Renaming changes the directory, which has to be synced as well.
        os.fsync(directory)
    finally:
        os.close(directory)
