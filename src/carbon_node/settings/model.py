"""The settings of a node: one frozen model, each setting with its unit, range and description.

A setting without `fixed` may change while the node runs, between two tasks. `fixed` says why the
others cannot; the configuration service answers with that reason. No setting that opens a file or a
socket may ever lose its `fixed`: anyone in the DDS domain can send requests.
"""

from pathlib import Path
from typing import Annotated, Literal

from annotated_types import Len
from pydantic import Strict

from carbon_node.settings.fields import (
    GUARDS_NODE,
    MAX_PLACE_CHARACTERS,
    OPENS_FILE,
    OPENS_SOCKET,
    OPERATOR_ONLY,
    USED_AT_START,
    USES_DEVICES,
    AbsolutePath,
    Address,
    Device,
    Frozen,
    Key,
    OneLine,
    setting,
)
from carbon_node.settings.hardware import HardwareTable


class TrackerSettings(Frozen):
    """How a task is measured, and what its measuring child may use."""

    mode: Literal["auto", "declared", "measured", "formula"] = setting(
        "auto",
        "How energy is found: declared runs CarbonTracker on the declared power, measured runs the"
        " model on this host, formula runs no tracker, auto chooses per task.",
    )
    window_s: float = setting(
        0.5, "How long CarbonTracker observes one run.", unit="s", ge=0.01, le=3600
    )
    deadline_s: float = setting(
        20.0,
        "Time for one measurement, from a free worker to its result.",
        unit="s",
        ge=0.01,
        le=86_400,
    )
    grace_s: float = setting(
        0.5,
        "Time between SIGTERM and SIGKILL for a child that missed its deadline.",
        unit="s",
        fixed=GUARDS_NODE,
        ge=0,
        le=10,
    )
    workers: int = setting(2, "Measurements that run at the same time.", ge=1, le=64)
    queue_wait_s: float = setting(
        60.0,
        "Time that a measurement may wait for a free worker before the task goes on without it.",
        unit="s",
        fixed=USED_AT_START,
        ge=0,
        le=86_400,
    )
    address_space_mib: int = setting(
        8192,
        "Limit of a child's address space; 0 is no limit, which models on a GPU need.",
        unit="MiB",
        fixed=GUARDS_NODE,
        ge=0,
        le=16_777_216,
    )
    processes: int = setting(
        256,
        "Limit of a child's processes and threads; 0 is no limit, and root is never limited.",
        fixed=GUARDS_NODE,
        ge=0,
        le=1_000_000,
    )
    file_size_mib: int = setting(
        64,
        "Limit of each file that a child writes; 0 is no limit.",
        unit="MiB",
        fixed=GUARDS_NODE,
        ge=0,
        le=1_048_576,
    )
    model_roots: Annotated[tuple[AbsolutePath, ...], Strict(strict=False)] = setting(
        (),
        "Directories below which model files may be opened; without one, no model path is opened.",
        fixed=OPENS_FILE,
        allowed="a list of absolute paths",
    )
    devices: Annotated[tuple[Device, ...], Strict(strict=False), Len(1)] = setting(
        ("all",),
        "NVIDIA GPUs that a model may use and is charged for; CUDA_VISIBLE_DEVICES of the node"
        " counts where this is not set.",
        fixed=USES_DEVICES,
        allowed="a list of numbers in PCI order and UUIDs, or all, or none",
    )
    unmetered: Literal["exclude", "refuse"] = setting(
        "exclude",
        "What becomes of a device without a meter, a MIG slice or an AMD GPU: excluded ones are"
        " hidden from the model and named in the result, refuse measures nothing.",
        fixed=USES_DEVICES,
    )
    library_path: Annotated[tuple[AbsolutePath, ...], Strict(strict=False)] = setting(
        (),
        "Directories in which a child finds the GPU driver's libraries; LD_LIBRARY_PATH of the node"
        " counts where this is not set.",
        fixed=OPENS_FILE,
        allowed="a list of absolute paths",
    )
    model_max_mib: int = setting(
        2048,
        "Largest model that is opened or accepted as bytes.",
        unit="MiB",
        fixed=GUARDS_NODE,
        ge=1,
        le=1_048_576,
    )


class Settings(Frozen):
    """Everything that can be configured; an instance is valid as a whole and never changes."""

    domain: int = setting(
        0, "DDS domain of the pipeline.", fixed="the DDS participant lives in it", ge=0, le=232
    )
    transport: Literal["auto", "fastdds", "sustainml"] = setting(
        "auto",
        "What speaks DDS: the embedded fastdds, the workspace's sustainml if installed, or auto.",
        fixed="the DDS participant was made by it",
    )
    baseline: Literal["auto", "always", "never"] = setting(
        "auto",
        "Whether to publish the previous iteration's footprint; auto: where no orchestrator is.",
        fixed=USED_AT_START,
    )
    lease_duration_s: float = setting(
        5.0,
        "Time after which peers take a silent node for dead.",
        unit="s",
        fixed="the DDS participant was announced with it",
        ge=1,
        le=3600,
    )
    state_dir: AbsolutePath = setting(
        Path("/var/lib/carbon-node"),
        "Directory of the results and of persisted changes.",
        fixed=OPENS_FILE,
        allowed="an absolute path",
    )
    http_listen: Address = setting(
        "127.0.0.1:9415",
        "Address of the local HTTP interface.",
        fixed=OPENS_SOCKET,
        allowed="off, HOST:PORT or the absolute path of a Unix socket",
    )
    latency_unit: Literal["s", "ms", "us", "h"] = setting(
        "s",
        "Unit of the latency that a hardware node sends where its hardware's entry names none; the"
        " wire does not state it.",
    )
    hardware_preset: Literal["sustainml", "off"] = setting(
        "sustainml",
        "Shipped entries of the hardware map: names, units and devices of the pipeline's nodes.",
    )
    hardware: HardwareTable = setting(
        {},
        "The hardware map: what the names that tasks use stand for; each entry wins over the"
        " preset's.",
        allowed="a table of entries by name or shell-style pattern",
    )
    pue: float = setting(
        1.58,
        "Power usage effectiveness of the facility: facility energy divided by device energy.",
        ge=1,
        le=5,
    )
    place: OneLine = setting(
        "",
        "Place of tasks that name none: country, subdivision or cloud region; empty for none.",
        allowed=f"printable text of at most {MAX_PLACE_CHARACTERS} characters",
    )
    intensity_g_per_kwh: float | None = setting(
        None,
        "Carbon intensity that replaces every place's own.",
        unit="gCO2e/kWh",
        gt=0,
        le=3000,
    )
    output_units: Literal["g_kwh", "kg_wh"] = setting(
        "g_kwh",
        "Units of published carbon and energy: g and kWh, or kg and Wh.",
    )
    output_gap_ms: float = setting(
        10.0,
        "Least time between two outputs, so that slow readers see each.",
        unit="ms",
        ge=0,
        le=60_000,
    )
    live_key: Key | None = setting(
        None,
        "Electricity Maps key; without one the network is never asked.",
        fixed="with it the node asks a server on the network",
        allowed="printable ASCII text",
    )
    live_timeout_s: float = setting(
        3.0,
        "Time for one live intensity request.",
        unit="s",
        fixed=USED_AT_START,
        ge=0.1,
        le=60,
    )
    live_max_age_s: float = setting(
        900.0,
        "Age up to which a live intensity is used again.",
        unit="s",
        fixed=USED_AT_START,
        ge=0,
        le=86_400,
    )
    republish: Literal["unacknowledged", "all", "none"] = setting(
        "unacknowledged",
        "Which stored answers are published again when a restart delivers their inputs again.",
        fixed=USED_AT_START,
    )
    rerun_on_change: bool = setting(
        default=False,
        description="Whether a task whose inputs changed while it ran is run and published again.",
        fixed=USED_AT_START,
    )
    incomplete_max_count: int = setting(
        10_000,
        "Tasks with missing inputs that are kept; beyond it the oldest is reported and dropped.",
        fixed=USED_AT_START,
        ge=1,
        le=1_000_000,
    )
    incomplete_max_age_s: float = setting(
        86_400.0,
        "Age at which a task with missing inputs is reported and dropped.",
        unit="s",
        fixed=USED_AT_START,
        ge=1,
        le=31_536_000,
    )
    history_max_count: int = setting(
        100_000,
        "Results that are kept; more than the 5,000 tasks that peers may deliver again.",
        fixed=USED_AT_START,
        ge=6000,
        le=10_000_000,
    )
    history_max_age_days: float = setting(
        400.0,
        "Age up to which a result is kept.",
        unit="days",
        fixed=USED_AT_START,
        ge=1,
        le=36_500,
    )
    configuration_access: Literal["full", "read-only", "off"] = setting(
        "full",
        "What configuration requests of peers may do: full, read-only or off.",
        fixed=OPERATOR_ONLY,
    )
    configuration_requests_per_s: float = setting(
        1000.0,
        "Configuration requests answered per second; a burst may be one second's worth.",
        unit="requests/s",
        fixed=OPERATOR_ONLY,
        ge=1,
        le=100_000,
    )
    persist_configuration: bool = setting(
        default=False,
        description="Whether changes by request are kept for the next start.",
        fixed=OPERATOR_ONLY,
    )
    allow_remote_terminate: bool = setting(
        default=False,
        description="Whether the control command TERMINATE_NODE stops the node.",
        fixed=OPERATOR_ONLY,
    )
    log_level: Literal["debug", "info", "warning", "error"] = setting(
        "info", "Least severe log lines that are written."
    )
    log_format: Literal["auto", "human", "json"] = setting(
        "auto",
        "Form of the log: auto is human on a terminal and JSON lines elsewhere.",
        fixed=USED_AT_START,
    )
    stop_budget_s: float = setting(
        8.0,
        "Time for a graceful stop; containers kill after 10 s.",
        unit="s",
        fixed=USED_AT_START,
        ge=0,
        le=3600,
    )
    tracker: TrackerSettings = TrackerSettings()
