"""The settings of a node: one frozen model, each setting with its unit, range and description.

A setting without `fixed` may change while the node runs, between two tasks. `fixed` says why the
others cannot; the configuration service answers with that reason. No setting that opens a file or a
socket may ever lose its `fixed`: anyone in the DDS domain can send requests.
"""

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, Strict

_USED_AT_START = "it is used once, when the node starts"
_OPENS_FILE = "a request must not choose files or directories"
_OPENS_SOCKET = "a request must not open sockets"
_OPERATOR_ONLY = "only the operator decides what peers may do to this node"
_GUARDS_NODE = "it protects the node from the code that it measures"

_MAX_PLACE_CHARACTERS = 200
_ADDRESS = re.compile(r"(?P<host>[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\]):(?P<port>\d{1,5})")


def _setting(
    default: object,
    description: str,
    *,
    unit: str = "",
    fixed: str = "",
    allowed: str = "",
    ge: float | None = None,
    gt: float | None = None,
    le: float | None = None,
) -> Any:  # noqa: ANN401 (stands where pydantic's own Field, which is typed Any, would stand)
    words = {"unit": unit, "fixed": fixed, "allowed": allowed}
    return Field(
        default,
        description=description,
        ge=ge,
        gt=gt,
        le=le,
        json_schema_extra={name: word for name, word in words.items() if word},
    )


def _absolute(path: Path) -> Path:
    if not path.is_absolute() or "\0" in str(path):
        raise ValueError("not an absolute path")
    return path


def _listen_address(text: str) -> str:
    if text == "off" or (text.startswith("unix:/") and text.isprintable()):
        return text
    address = _ADDRESS.fullmatch(text)
    if address is None or int(address["port"]) > 65535:
        raise ValueError("not an address")
    return text


def _one_line(text: str) -> str:
    if not text.isprintable() or len(text) > _MAX_PLACE_CHARACTERS:
        raise ValueError("not one short printable line")
    return text


# A path arrives as text from every source, which pydantic's strict mode alone would refuse.
AbsolutePath = Annotated[Path, Strict(strict=False), AfterValidator(_absolute)]
_ABSOLUTE = "an absolute path"


class _Frozen(BaseModel):
    # Strict, so that a request's "1.25" or true is not taken for a number.
    # Inputs hidden, because one may be a secret.
    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        allow_inf_nan=False,
        hide_input_in_errors=True,
        protected_namespaces=(),
    )


class TrackerSettings(_Frozen):
    """How a task is measured, and what its measuring child may use."""

    mode: Literal["auto", "declared", "measured", "formula"] = _setting(
        "auto",
        "How energy is found: declared runs CarbonTracker on the declared power, measured runs the"
        " model on this host, formula runs no tracker, auto chooses per task.",
    )
    window_s: float = _setting(
        0.5, "How long CarbonTracker observes one run.", unit="s", ge=0.01, le=3600
    )
    deadline_s: float = _setting(
        30.0, "Time for one measurement from its start to its result.", unit="s", ge=0.01, le=86_400
    )
    grace_s: float = _setting(
        1.0,
        "Time between SIGTERM and SIGKILL for a child that missed its deadline.",
        unit="s",
        fixed=_GUARDS_NODE,
        ge=0,
        le=60,
    )
    workers: int = _setting(2, "Measurements that run at the same time.", ge=1, le=64)
    wait_s: float = _setting(
        60.0,
        "Time that a measurement may wait for a free worker before the task goes on without it.",
        unit="s",
        fixed=_USED_AT_START,
        ge=0,
        le=86_400,
    )
    address_space_mb: int = _setting(
        8192,
        "Limit of a child's address space; 0 is no limit, which models on a GPU need.",
        unit="MB",
        fixed=_GUARDS_NODE,
        ge=0,
        le=16_777_216,
    )
    processes: int = _setting(
        512,
        "Limit of processes of the child's user; 0 is no limit, and root is never limited.",
        fixed=_GUARDS_NODE,
        ge=0,
        le=4_194_304,
    )
    file_size_mb: int = _setting(
        64,
        "Limit of each file that a child writes; 0 is no limit.",
        unit="MB",
        fixed=_GUARDS_NODE,
        ge=0,
        le=1_048_576,
    )
    model_roots: Annotated[tuple[AbsolutePath, ...], Strict(strict=False)] = _setting(
        (),
        "Directories below which model files may be opened; without one, no model path is opened.",
        fixed=_OPENS_FILE,
        allowed="a list of absolute paths",
    )
    model_max_mb: int = _setting(
        4096,
        "Largest model file, or raw model bytes, that is run.",
        unit="MB",
        fixed=_GUARDS_NODE,
        ge=1,
        le=1_048_576,
    )


class Settings(_Frozen):
    """Everything that can be configured; an instance is valid as a whole and never changes."""

    domain: int = _setting(
        0, "DDS domain of the pipeline.", fixed="the DDS participant lives in it", ge=0, le=232
    )
    transport: Literal["auto", "fastdds", "sustainml"] = _setting(
        "auto",
        "What speaks DDS: the embedded fastdds, the workspace's sustainml if installed, or auto.",
        fixed="the DDS participant was made by it",
    )
    baseline: Literal["auto", "always", "never"] = _setting(
        "auto",
        "Whether to publish the previous iteration's footprint; auto: where no orchestrator is.",
        fixed=_USED_AT_START,
    )
    lease_duration_s: float = _setting(
        5.0,
        "Time after which peers take a silent node for dead.",
        unit="s",
        fixed="the DDS participant was announced with it",
        ge=1,
        le=3600,
    )
    state_dir: AbsolutePath = _setting(
        Path("/var/lib/carbon-node"),
        "Directory of the results and of persisted changes.",
        fixed=_OPENS_FILE,
        allowed=_ABSOLUTE,
    )
    http_listen: Annotated[str, AfterValidator(_listen_address)] = _setting(
        "127.0.0.1:9415",
        "Address of the local HTTP interface.",
        fixed=_OPENS_SOCKET,
        allowed="off, HOST:PORT or unix:/PATH",
    )
    latency_unit: Literal["s", "ms", "h"] = _setting(
        "s", "Unit of the latency that the hardware node sends; the wire does not state it."
    )
    pue: float = _setting(
        1.58,
        "Power usage effectiveness of the facility: facility energy divided by device energy.",
        ge=1,
        le=5,
    )
    place: Annotated[str, AfterValidator(_one_line)] = _setting(
        "",
        "Place of tasks that name none: country, subdivision or cloud region; empty for none.",
        allowed=f"printable text of at most {_MAX_PLACE_CHARACTERS} characters",
    )
    intensity_g_per_kwh: float | None = _setting(
        None,
        "Carbon intensity that replaces every place's own.",
        unit="gCO2e/kWh",
        gt=0,
        le=5000,
    )
    output_units: Literal["g_kwh", "kg_wh"] = _setting(
        "g_kwh",
        "Units of published carbon and energy: g and kWh, or kg and Wh.",
    )
    output_gap_ms: float = _setting(
        10.0,
        "Least time between two outputs, so that slow readers see each.",
        unit="ms",
        ge=0,
        le=60_000,
    )
    live_key: SecretStr | None = _setting(
        None,
        "Electricity Maps key; without one the network is never asked.",
        fixed="with it the node asks a server on the network",
    )
    live_timeout_s: float = _setting(
        3.0,
        "Time for one live intensity request.",
        unit="s",
        fixed=_USED_AT_START,
        ge=0.1,
        le=60,
    )
    live_max_age_s: float = _setting(
        900.0,
        "Age up to which a live intensity is used again.",
        unit="s",
        fixed=_USED_AT_START,
        ge=0,
        le=86_400,
    )
    republish: Literal["unacknowledged", "all", "none"] = _setting(
        "unacknowledged",
        "Which stored answers are published again when a restart delivers their inputs again.",
        fixed=_USED_AT_START,
    )
    rerun_on_change: bool = _setting(
        default=False,
        description="Whether a task whose inputs changed while it ran is run and published again.",
        fixed=_USED_AT_START,
    )
    incomplete_max_count: int = _setting(
        10_000,
        "Tasks with missing inputs that are kept; beyond it the oldest is reported and dropped.",
        fixed=_USED_AT_START,
        ge=1,
        le=1_000_000,
    )
    incomplete_max_age_s: float = _setting(
        86_400.0,
        "Age at which a task with missing inputs is reported and dropped.",
        unit="s",
        fixed=_USED_AT_START,
        ge=1,
        le=31_536_000,
    )
    history_max_count: int = _setting(
        100_000, "Results that are kept.", fixed=_USED_AT_START, ge=100, le=10_000_000
    )
    history_max_age_days: float = _setting(
        365.0,
        "Age up to which a result is kept.",
        unit="days",
        fixed=_USED_AT_START,
        ge=1,
        le=36_500,
    )
    configuration_access: Literal["full", "read-only", "off"] = _setting(
        "full",
        "What configuration requests of peers may do: full, read-only or off.",
        fixed=_OPERATOR_ONLY,
    )
    configuration_requests_per_s: float = _setting(
        1000.0,
        "Configuration requests answered per second; a burst may be one second's worth.",
        unit="1/s",
        fixed=_OPERATOR_ONLY,
        ge=1,
        le=100_000,
    )
    persist_configuration: bool = _setting(
        default=False,
        description="Whether changes by request are kept for the next start.",
        fixed=_OPERATOR_ONLY,
    )
    allow_remote_terminate: bool = _setting(
        default=False,
        description="Whether the control command TERMINATE_NODE stops the node.",
        fixed=_OPERATOR_ONLY,
    )
    log_level: Literal["debug", "info", "warning", "error"] = _setting(
        "info", "Least severe log lines that are written."
    )
    log_format: Literal["auto", "text", "json"] = _setting(
        "auto",
        "Form of the log: auto is text on a terminal and JSON lines elsewhere.",
        fixed=_USED_AT_START,
    )
    stop_budget_s: float = _setting(
        8.0,
        "Time for a graceful stop; containers kill after 10 s.",
        unit="s",
        fixed=_USED_AT_START,
        ge=0,
        le=3600,
    )
    tracker: TrackerSettings = TrackerSettings()
