"""Where settings come from: each source as values by dotted name, with words that name the source.

TOML gives values their types; text from the environment and from options gets its types here. This
module checks only the form of a source; `validation` checks values once all sources are merged.
"""

import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import takewhile
from pathlib import Path
from typing import Any

from carbon_node.errors import ConfigError
from carbon_node.estimation import MAX_G_PER_KWH
from carbon_node.settings.catalogue import catalogue
from carbon_node.settings.model import Settings
from carbon_node.settings.validation import settings_of, typed
from carbon_node.wire import bounded_json

PREFIX = "CARBON_NODE_"
"""Prefix of every setting's name in the environment."""

PIPELINE_DOMAIN = "SUSTAINML_DOMAIN_ID"
"""Environment variable in which a SustainML pipeline gives all its nodes their domain."""

PIPELINE_INTENSITY = "SUSTAINML_GRID_CI"
"""Environment name by which the framework tells its carbon node the intensity, 0 for none."""

LIBRARIES = "LD_LIBRARY_PATH"
"""Environment name that says where libraries are; in containers often those of the GPU driver."""

CUDA_DEVICES = "CUDA_VISIBLE_DEVICES"
"""Environment name that says which GPUs a process may use."""

SYSTEM_FILE = Path("/etc/carbon-node/carbon-node.toml")
"""Configuration file of the machine; the user's file overrides it."""


class Source(StrEnum):
    """Kinds of sources, weakest first; requests come last, while the node runs."""

    DEFAULT = "default"
    FRAMEWORK = "framework"
    FILE = "file"
    PERSISTED = "persisted"
    ENVIRONMENT = "environment"
    OPTION = "option"
    REQUEST = "request"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where one value came from.

    Args:
        source: kind of the source.
        name: which one of its kind: a file's path, a variable's or an option's name, a revision.
    """

    source: Source
    name: str = ""

    def __str__(self) -> str:
        """Return it in words, e.g. "environment CARBON_NODE_PUE"."""
        return f"{self.source} {self.name}".rstrip()

    @property
    def has_last_word(self) -> bool:
        """Whether it wins over persisted changes at every start."""
        return self.source in (Source.ENVIRONMENT, Source.OPTION)


@dataclass(frozen=True, slots=True)
class Layer:
    """What one source says.

    Args:
        values: value by dotted name, as far as the source states it.
        origins: the source of each value.
        warnings: oddities of the source that do not prevent its use.
    """

    values: Mapping[str, object] = field(default_factory=dict)
    origins: Mapping[str, Origin] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Supervision:
    """What the supervisor asks for, see sd_notify(3) and sd_watchdog_enabled(3).

    Args:
        notify_socket: address of its notification socket, empty if nobody listens.
        watchdog_usec: microseconds within which it wants a sign of life; None if it wants none.
    """

    notify_socket: str = ""
    watchdog_usec: int | None = None


def from_file(path: Path) -> Layer:
    """Read a TOML file.

    Raises:
        ConfigError: if it cannot be read as TOML in UTF-8.
    """
    try:
        tables = _tables(path.read_bytes().decode())
    except OSError as error:
        raise ConfigError(f"cannot read configuration file {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"configuration file {path} is not UTF-8: see byte {error.start}"
        ) from error
    except bounded_json.NestedTooDeep as error:
        raise ConfigError(f"configuration file {path} is {error}") from error
    except ValueError as error:
        # ValueError is also raised for a number with more digits than Python reads
        raise ConfigError(f"configuration file {path} is not TOML: {error}") from error
    values = dict(_flat(tables, ""))
    return Layer(values, dict.fromkeys(values, Origin(Source.FILE, str(path))))


def line_of_table(path: Path, key: str, name: str) -> int | None:
    """Return the number of the line that opens a table, None if no line does so alone.

    Args:
        path: a TOML file that could be read.
        key: name of the setting that holds the table, without a dot.
        name: the table's own name.
    """
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if line.lstrip().startswith("[") and name in _opened_by(line).get(key, {}):
            return number
    return None


def _opened_by(header: str) -> dict[str, Any]:
    try:
        return tomllib.loads(header)
    except ValueError:
        return {}


def standard_files(environ: Mapping[str, str], system_file: Path) -> tuple[Path, ...]:
    """Return the existing files that are used when none is named, weakest first."""
    base = _absolute(environ.get("XDG_CONFIG_HOME"))
    home = _absolute(environ.get("HOME"))
    if base is None and home is not None:
        base = home / ".config"
    user_files = () if base is None else (base / "carbon-node" / "carbon-node.toml",)
    # A service may have no access to its user's home, and then has no file there. A file of the
    # machine without access is reported when it is read.
    found = [system_file] if _exists(system_file, if_forbidden=True) else []
    return (*found, *(path for path in user_files if _exists(path, if_forbidden=False)))


def state_directory(environ: Mapping[str, str]) -> Layer:
    """Return where state is kept if no setting says so: systemd's place, the user's, or none."""
    places = (
        ("STATE_DIRECTORY", "."),
        ("XDG_STATE_HOME", "carbon-node"),
        ("HOME", ".local/state/carbon-node"),
    )
    for name, below in places:
        # systemd separates several directories by colons
        base = _absolute(environ.get(name, "").split(":")[0])
        if base is not None:
            return _one("state_dir", str(base / below), Origin(Source.DEFAULT, f"below ${name}"))
    return Layer()


def from_environment(environ: Mapping[str, str]) -> Layer:
    """Read `CARBON_NODE_*`; empty text counts as unset: containers pass it for unset variables."""
    names = {
        name.removeprefix(PREFIX).lower().replace("__", "."): name
        for name, text in environ.items()
        if name.startswith(PREFIX) and text != ""
    }
    values = {key: _typed(key, environ[name]) for key, name in names.items()}
    return Layer(values, {key: Origin(Source.ENVIRONMENT, name) for key, name in names.items()})


def from_pipeline(environ: Mapping[str, str]) -> Layer:
    """Read the pipeline's domain; anything but a number counts as unset, with a warning."""
    text = environ.get(PIPELINE_DOMAIN)
    value = None if text is None else typed(catalogue()["domain"], text)
    if isinstance(value, int):
        return _one("domain", value, Origin(Source.ENVIRONMENT, PIPELINE_DOMAIN))
    said = "is not set" if text is None else f"is {text[:40]!r}, not a number"
    return Layer(warnings=(f"{PIPELINE_DOMAIN} {said}",))


def grid_intensity(environ: Mapping[str, str]) -> Layer:
    """Read the framework's intensity; it counts where no setting of the node states one."""
    text = environ.get(PIPELINE_INTENSITY, "").strip()
    value = typed(catalogue()["intensity_g_per_kwh"], text)
    match value:
        case "" | 0:
            return Layer()
        case float() if 0 < value <= MAX_G_PER_KWH:
            origin = Origin(Source.FRAMEWORK, PIPELINE_INTENSITY)
            return _one("intensity_g_per_kwh", value, origin)
        case _:
            problem = f"{PIPELINE_INTENSITY} is {text[:40]!r}, not 0 to {MAX_G_PER_KWH:g} gCO2e/kWh"
            return Layer(warnings=(f"{problem}; it is not used",))


def visible_devices(environ: Mapping[str, str]) -> Layer:
    """Read which GPUs whoever started the node left visible; it counts where no setting does."""
    text = environ.get(CUDA_DEVICES)
    if text is None:
        return Layer()
    devices = [part.strip() for part in text.split(",") if part.strip()]
    # CUDA ends the list at the first number below 0; an empty list is no device.
    visible = list(takewhile(lambda device: not device.startswith("-"), devices)) or ["none"]
    if not isinstance(settings_of({"tracker.devices": visible}), Settings):
        return Layer(warnings=(f"{CUDA_DEVICES} is {text[:40]!r}, which names no devices",))
    return _one("tracker.devices", visible, Origin(Source.DEFAULT, CUDA_DEVICES))


def library_path(environ: Mapping[str, str]) -> Layer:
    """Read where whoever started the node has libraries; it counts where no setting does."""
    folders = [part for part in environ.get(LIBRARIES, "").split(":") if part.startswith("/")]
    if not folders:
        return Layer()
    return _one("tracker.library_path", folders, Origin(Source.DEFAULT, LIBRARIES))


def from_options(options: Mapping[str, object]) -> Layer:
    """Take values by dotted name from the command line; None is an option that was not given."""
    given = {key: value for key, value in options.items() if value is not None}
    values = {key: _value_of_option(key, value) for key, value in given.items()}
    return Layer(values, {key: Origin(Source.OPTION, _flag(key)) for key in given})


def _tables(text: str) -> dict[str, object]:
    try:
        tables = tomllib.loads(text)
    except RecursionError as error:
        raise bounded_json.NestedTooDeep from error
    bounded_json.check_depth(tables)
    return tables


def supervision(environ: Mapping[str, str] | None = None) -> Supervision:
    """Read what the supervisor asks for; malformed values are ignored.

    Args:
        environ: the environment; None for that of the process.
    """
    environ = os.environ if environ is None else environ
    return Supervision(environ.get("NOTIFY_SOCKET", ""), _watchdog_usec(environ))


def _one(key: str, value: object, origin: Origin) -> Layer:
    return Layer({key: value}, {key: origin})


def _value_of_option(key: str, value: object) -> object:
    match value:
        case str():
            return _typed(key, value)
        case Path():
            # a path on the command line is relative to the current directory
            return value.absolute()
        case _:
            return value


def _flag(key: str) -> str:
    return "--" + key.replace(".", "-").replace("_", "-")


def _typed(key: str, text: str) -> object:
    entry = catalogue().get(key)
    return text if entry is None else typed(entry, text)


def _flat(tables: Mapping[str, object], prefix: str) -> Iterator[tuple[str, object]]:
    for name, value in tables.items():
        if isinstance(value, dict) and not _is_table(prefix + name):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def _is_table(key: str) -> bool:
    """Whether a setting is a table as a whole: names in it are the operator's, and have dots."""
    return key in catalogue() and catalogue()[key].kind is dict


def _absolute(text: str | None) -> Path | None:
    # The XDG specification: a relative path in these variables is to be ignored.
    path = Path(text or "")
    return path if path.is_absolute() else None


def _exists(path: Path, *, if_forbidden: bool) -> bool:
    try:
        return path.exists()
    except PermissionError:
        return if_forbidden


def _watchdog_usec(environ: Mapping[str, str]) -> int | None:
    # Children inherit the variables: this process must not feed the watchdog of its parent.
    if environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    text = environ.get("WATCHDOG_USEC", "")
    is_number = text.isascii() and text.isdecimal() and len(text) <= len(str(2**63))
    return int(text) or None if is_number else None
