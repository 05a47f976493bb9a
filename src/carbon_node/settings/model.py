"""The settings of a node: one frozen model, each setting with its unit, range and description.

A setting without `fixed` may change while the node runs, between two tasks. `fixed` says why the
others cannot; the configuration service answers with that reason. No setting that opens a file or a
socket may ever lose its `fixed`: anyone in the DDS domain can send requests. A number that could
stop the node's outputs or take its host has narrower bounds for requests than for the operator.
"""

import re
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

from annotated_types import Len
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, Strict

from carbon_node.estimation import (
    DEFAULT_PUE,
    MAX_G_PER_KWH,
    MAX_PUE,
    LatencyUnit,
    Mode,
    OutputUnits,
)
from carbon_node.hardware import Preset
from carbon_node.observability.logs import LogFormat, LogLevel
from carbon_node.settings.hardware import HardwareTable
from carbon_node.tasks.decision import Republish
from carbon_node.tracking.config import (
    DEADLINE_RANGE_S,
    GRACE_RANGE_S,
    QUEUE_WAIT_RANGE_S,
    WINDOW_RANGE_S,
    WORKERS_RANGE,
    Unmetered,
)
from carbon_node.wire.contract import DOMAIN_RANGE, LEASE_DURATION_S, BaselinePolicy

USED_AT_START = "it is used once, when the node starts"
OPENS_FILE = "a request must not choose files or directories"
OPENS_SOCKET = "a request must not open sockets"
OPERATOR_ONLY = "only the operator decides what peers may do to this node"
USES_DEVICES = "a request must not choose devices of this host"
GUARDS_NODE = "it protects the node from the code that it measures"

MAX_PLACE_CHARACTERS = 200
"""Longest place name that is kept: three times the longest official name of a country."""

MAX_SOCKET_PATH_BYTES = 107
"""Longest path that the kernel accepts as the address of a Unix socket."""

_DEVICE = re.compile(r"all|none|[0-9]{1,3}|(GPU|MIG)-[0-9A-Za-z/-]{1,80}")
_ADDRESS = re.compile(r"(?P<host>[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):(?P<port>[0-9]{1,5})")


def _setting(
    default: object,
    description: str,
    *,
    unit: str = "",
    fixed: str = "",
    allowed: str = "",
    bounds: tuple[float, float] | None = None,
    by_request: tuple[float, float] | None = None,
    is_open: bool = False,
) -> Any:  # noqa: ANN401 (stands where pydantic's own Field, which is typed Any, would stand)
    """Return a field with what `catalogue` tells about it; `is_open` excludes the lower bound."""
    least, most = bounds or (None, None)
    words: dict[str, Any] = {"unit": unit, "fixed": fixed, "allowed": allowed}
    words["by_request"] = None if by_request is None else list(by_request)
    return Field(
        default,
        description=description,
        ge=None if is_open else least,
        gt=least if is_open else None,
        le=most,
        json_schema_extra={name: word for name, word in words.items() if word},
    )


def _absolute(path: Path) -> Path:
    if not path.is_absolute() or "\0" in str(path):
        raise ValueError("not an absolute path")
    return path


def _listen_address(text: str) -> str:
    path = text.removeprefix("unix:")
    if path.startswith("/") and path.isprintable() and len(path.encode()) <= MAX_SOCKET_PATH_BYTES:
        return text
    if text == "off":
        return text
    address = _ADDRESS.fullmatch(text)
    if address is None or int(address["port"]) > 65535:
        raise ValueError("not an address")
    return text


def _device(text: str) -> str:
    if not _DEVICE.fullmatch(text):
        raise ValueError("not a device")
    return text


def _one_line(text: str) -> str:
    text = text.strip()
    if not text.isprintable() or len(text) > MAX_PLACE_CHARACTERS:
        raise ValueError("not one short printable line")
    return text


def _visible(secret: SecretStr) -> SecretStr:
    text = secret.get_secret_value()
    if not (text and text.isascii() and text.isprintable()):
        raise ValueError("not visible text")
    return secret


# Paths, lists and enums arrive as text and JSON arrays, which strict mode alone would refuse.
_Lax = Strict(strict=False)

_AbsolutePath: TypeAlias = Annotated[Path, _Lax, AfterValidator(_absolute)]
_Address: TypeAlias = Annotated[str, AfterValidator(_listen_address)]
_Device: TypeAlias = Annotated[str, AfterValidator(_device)]
_Key: TypeAlias = Annotated[SecretStr, AfterValidator(_visible)]
_OneLine: TypeAlias = Annotated[str, AfterValidator(_one_line)]


class _Table(BaseModel):
    """A table of settings; strict, so that a request's "1.25" or true is not taken for a number."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        allow_inf_nan=False,
        # one of the inputs is a secret
        hide_input_in_errors=True,
        # pydantic would warn about settings whose name begins with model_
        protected_namespaces=(),
    )


class TrackerSettings(_Table):
    """How a task is measured, and what its measuring child may use."""

    mode: Annotated[Mode, _Lax] = _setting(
        Mode.AUTO,
        "How energy is found: declared runs CarbonTracker on the declared power, measured runs the"
        " model on this host, formula runs no tracker, auto chooses per task.",
    )
    window_s: float = _setting(
        0.5,
        "How long CarbonTracker observes one run.",
        unit="s",
        bounds=WINDOW_RANGE_S,
        by_request=(0.01, 10),
    )
    deadline_s: float = _setting(
        20.0,
        "Time for one measurement, from a free worker to its result.",
        unit="s",
        bounds=DEADLINE_RANGE_S,
        by_request=(1, 120),
    )
    grace_s: float = _setting(
        0.5,
        "Time between SIGTERM and SIGKILL for a child that missed its deadline.",
        unit="s",
        fixed=GUARDS_NODE,
        bounds=GRACE_RANGE_S,
    )
    workers: int = _setting(
        8,
        "Processes that measure at the same time; each runs one model or many simulated runs.",
        bounds=WORKERS_RANGE,
        by_request=(1, 8),
    )
    queue_wait_s: float = _setting(
        60.0,
        "Time that a measurement may wait for a free worker before the task goes on without it.",
        unit="s",
        fixed=USED_AT_START,
        bounds=QUEUE_WAIT_RANGE_S,
    )
    address_space_mib: int = _setting(
        8192,
        "Limit of a child's address space; 0 is no limit, which models on a GPU need.",
        unit="MiB",
        fixed=GUARDS_NODE,
        bounds=(0, 16_777_216),
    )
    processes: int = _setting(
        256,
        "Limit of a child's processes and threads; 0 is no limit, and root is never limited.",
        fixed=GUARDS_NODE,
        bounds=(0, 1_000_000),
    )
    file_size_mib: int = _setting(
        64,
        "Limit of each file that a child writes; 0 is no limit.",
        unit="MiB",
        fixed=GUARDS_NODE,
        bounds=(0, 1_048_576),
    )
    model_roots: Annotated[tuple[_AbsolutePath, ...], _Lax] = _setting(
        (),
        "Directories below which model files may be opened; without one, no model path is opened.",
        fixed=OPENS_FILE,
        allowed="a list of absolute paths",
    )
    devices: Annotated[tuple[_Device, ...], _Lax, Len(1)] = _setting(
        ("all",),
        "NVIDIA GPUs that a model may use and is charged for; CUDA_VISIBLE_DEVICES of the node"
        " counts where this is not set.",
        fixed=USES_DEVICES,
        allowed="a list of numbers in PCI order and UUIDs, or all, or none",
    )
    unmetered: Annotated[Unmetered, _Lax] = _setting(
        Unmetered.EXCLUDE,
        "What becomes of a device without a meter, a MIG slice or an AMD GPU: excluded ones are"
        " hidden from the model and named in the result, refuse measures nothing.",
        fixed=USES_DEVICES,
    )
    library_path: Annotated[tuple[_AbsolutePath, ...], _Lax] = _setting(
        (),
        "Directories in which a child finds the GPU driver's libraries; LD_LIBRARY_PATH of the node"
        " counts where this is not set.",
        fixed=OPENS_FILE,
        allowed="a list of absolute paths",
    )
    model_max_mib: int = _setting(
        2048,
        "Largest model that is opened or accepted as bytes.",
        unit="MiB",
        fixed=GUARDS_NODE,
        bounds=(1, 1_048_576),
    )


class Settings(_Table):
    """Everything that can be configured; an instance is valid as a whole and never changes."""

    domain: int = _setting(
        0,
        "DDS domain of the pipeline.",
        fixed="the DDS participant lives in it",
        bounds=(DOMAIN_RANGE[0], DOMAIN_RANGE[-1]),
    )
    transport: Literal["auto", "fastdds", "sustainml"] = _setting(
        "auto",
        "What speaks DDS: the embedded fastdds, the workspace's sustainml if installed, or auto.",
        fixed="the DDS participant was made by it",
    )
    baseline: Annotated[BaselinePolicy, _Lax] = _setting(
        BaselinePolicy.AUTO,
        "Whether to publish the previous iteration's footprint; auto: where no orchestrator is.",
        fixed=USED_AT_START,
    )
    lease_duration_s: float = _setting(
        LEASE_DURATION_S,
        "Time after which peers take a silent node for dead.",
        unit="s",
        fixed="the DDS participant was announced with it",
        bounds=(1, 3600),
    )
    state_dir: _AbsolutePath = _setting(
        Path("/var/lib/carbon-node"),
        "Directory of the results and of persisted changes.",
        fixed=OPENS_FILE,
        allowed="an absolute path",
    )
    http_listen: _Address = _setting(
        "127.0.0.1:9415",
        "Address of the local HTTP interface.",
        fixed=OPENS_SOCKET,
        allowed="off, HOST:PORT or the absolute path of a Unix socket",
    )
    http_token_file: _AbsolutePath | None = _setting(
        None,
        "File with the token that requests to the local HTTP interface have to carry.",
        fixed=OPENS_FILE,
        allowed="an absolute path",
    )
    latency_unit: Annotated[LatencyUnit, _Lax] = _setting(
        LatencyUnit.S,
        "Unit of the latency that a hardware node sends where its hardware's entry names none; the"
        " wire does not state it.",
    )
    hardware_preset: Annotated[Preset, _Lax] = _setting(
        Preset.SUSTAINML,
        "Shipped entries of the hardware map: names, units and devices of the pipeline's nodes, of"
        " both generations or of the one that you state.",
    )
    hardware: HardwareTable = _setting(
        {},
        "The hardware map: what the names that tasks use stand for; each entry wins over the"
        " preset's.",
        allowed="a table of entries by name or shell-style pattern",
    )
    pue: float = _setting(
        DEFAULT_PUE.interval.value,
        "Power usage effectiveness of the facility: facility energy divided by device energy.",
        bounds=(1, MAX_PUE),
    )
    place: _OneLine = _setting(
        "",
        "Place of tasks that name none: country, subdivision or cloud region; empty for none.",
        allowed=f"printable text of at most {MAX_PLACE_CHARACTERS} characters",
    )
    intensity_g_per_kwh: float | None = _setting(
        None,
        "Carbon intensity that replaces every place's own.",
        unit="gCO2e/kWh",
        bounds=(0, MAX_G_PER_KWH),
        is_open=True,
    )
    output_units: Annotated[OutputUnits, _Lax] = _setting(
        OutputUnits.G_KWH, "Units of published carbon and energy: g and kWh, or kg and Wh."
    )
    output_gap_ms: float = _setting(
        2.0,
        "Least time between two outputs, which also wait for acknowledgments; 0 sends at once.",
        unit="ms",
        bounds=(0, 60_000),
        by_request=(0, 1000),
    )
    live_key: _Key | None = _setting(
        None,
        "Electricity Maps key; without one the network is never asked.",
        fixed="with it the node asks a server on the network",
        allowed="printable ASCII text",
    )
    live_timeout_s: float = _setting(
        3.0, "Time for one live intensity request.", unit="s", fixed=USED_AT_START, bounds=(0.1, 60)
    )
    live_max_age_s: float = _setting(
        900.0,
        "Age up to which a live intensity is used again.",
        unit="s",
        fixed=USED_AT_START,
        bounds=(0, 86_400),
    )
    republish: Annotated[Republish, _Lax] = _setting(
        Republish.UNACKNOWLEDGED,
        "Which stored answers are published again when a restart delivers their inputs again.",
        fixed=USED_AT_START,
    )
    rerun_on_change: bool = _setting(
        default=False,
        description="Whether a task whose inputs changed while it ran is run and published again.",
        fixed=USED_AT_START,
    )
    incomplete_max_count: int = _setting(
        10_000,
        "Tasks with missing inputs that are kept; beyond it the oldest is reported and dropped.",
        fixed=USED_AT_START,
        bounds=(1, 1_000_000),
    )
    incomplete_max_age_s: float = _setting(
        86_400.0,
        "Age at which a task with missing inputs is reported and dropped.",
        unit="s",
        fixed=USED_AT_START,
        bounds=(1, 31_536_000),
    )
    newer_wait_s: float = _setting(
        300.0,
        "Time that a task waits for newer inputs if its model or hardware seems to be older than "
        "its user input.",
        unit="s",
        fixed=USED_AT_START,
        bounds=(0, 31_536_000),
    )
    history_max_count: int = _setting(
        100_000,
        "Results that are kept; more than the 5,000 tasks that peers may deliver again.",
        fixed=USED_AT_START,
        bounds=(6000, 10_000_000),
    )
    history_max_age_days: float = _setting(
        400.0,
        "Age up to which a result is kept.",
        unit="days",
        fixed=USED_AT_START,
        bounds=(1, 36_500),
    )
    configuration_access: Literal["full", "read-only", "off"] = _setting(
        "full",
        "What configuration requests of peers may do: full, read-only or off.",
        fixed=OPERATOR_ONLY,
    )
    configuration_requests_per_s: float = _setting(
        1000.0,
        "Configuration requests answered per second; a burst may be one second's worth.",
        unit="requests/s",
        fixed=OPERATOR_ONLY,
        bounds=(1, 100_000),
    )
    persist_configuration: bool = _setting(
        default=False,
        description="Whether changes by request are kept for the next start.",
        fixed=OPERATOR_ONLY,
    )
    allow_remote_terminate: bool = _setting(
        default=False,
        description="Whether the control command TERMINATE_NODE stops the node.",
        fixed=OPERATOR_ONLY,
    )
    log_level: Annotated[LogLevel, _Lax] = _setting(
        LogLevel.INFO, "Least severe log lines that are written."
    )
    log_format: Annotated[LogFormat, _Lax] = _setting(
        LogFormat.AUTO,
        "Form of the log: auto is human on a terminal and JSON lines elsewhere.",
        fixed=USED_AT_START,
    )
    stop_budget_s: float = _setting(
        8.0,
        "Time for a graceful stop; containers kill after 10 s.",
        unit="s",
        fixed=USED_AT_START,
        bounds=(0, 3600),
    )
    tracker: TrackerSettings = TrackerSettings()
