"""What the node, the guard of a measurement and the measuring process say to each other.

Every message is one JSON object behind a magic and a length, so that garbage, truncation, excess
and repetition are told apart, and nothing that a measuring process sends is ever executed or
imported.
"""

import base64
import json
import os
import struct
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final, TypeAlias

from carbon_node.errors import TrackerProtocolError
from carbon_node.estimation.measurement import ModelRun, Run, SimulatedRun
from carbon_node.tracking.config import Limits, Unmetered
from carbon_node.tracking.failures import FailureName
from carbon_node.wire import bounded_json

MAGIC: Final = b"CNM1"
HEADER: Final = struct.Struct("!4sI")
RESULT_LIMIT_BYTES: Final = 64 << 10
"""A result names a few devices and numbers: a larger one is not a result."""

Json: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class SimulatedGroup:
    """Simulated runs that share a process.

    Args:
        powers_w: power of the simulated hardware of each in watts, finite and > 0; two at least.
    """

    powers_w: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Job:
    """One measurement as its guard and its process need it.

    Args:
        run: what to measure; a `ModelRun` has its bytes in the file descriptor that travels beside
            the job.
        workload: `module:function` to run.
        directory: private folder to make, work in and remove.
        window_s: length of the measurement, seconds.
        deadline_monotonic_s: when it must have ended, on the host's monotonic clock, seconds.
        grace_s: between SIGTERM and SIGKILL, seconds.
        output_limit_bytes: stdout and stderr together.
        tail_bytes: kept of each.
        limits: resource limits.
        model_roots: folders below which a model may be opened.
        model_limit_bytes: largest model.
        devices: GPUs that the run may use and is charged for, None for all.
        unmetered: what becomes of a device that has no meter.
    """

    run: Run | SimulatedGroup
    workload: str
    directory: Path
    window_s: float
    deadline_monotonic_s: float
    grace_s: float
    output_limit_bytes: int
    tail_bytes: int
    limits: Limits
    model_roots: tuple[Path, ...]
    model_limit_bytes: int
    devices: tuple[str, ...] | None = None
    unmetered: Unmetered = Unmetered.EXCLUDE


@dataclass(frozen=True, slots=True)
class Report:
    """What the guard saw of a measuring process.

    Args:
        error: why the guard could not do its work; empty if it could.
        ended_by: "itself", "deadline", "flood", "oversized" or "stop".
        killed: whether SIGKILL was needed after SIGTERM.
        exit_status: status it exited with, or minus the signal that ended it.
        result: bytes of its result channel.
        stdout_tail: end of what it wrote to stdout.
        stderr_tail: end of what it wrote to stderr.
    """

    error: str = ""
    ended_by: str = "itself"
    killed: bool = False
    exit_status: int = 0
    result: bytes = field(default=b"", repr=False)
    stdout_tail: str = ""
    stderr_tail: str = ""


def frame(message: Json) -> bytes:
    """Return a message as bytes for a channel."""
    body = json.dumps(message).encode()
    return HEADER.pack(MAGIC, len(body)) + body


def send(descriptor: int, message: Json) -> None:
    """Write a message to a file descriptor, all of it; blocks while the reader does not read."""
    data = frame(message)
    while data:
        data = data[os.write(descriptor, data) :]


def body_length(header: bytes, limit_bytes: int) -> int:
    """Return the length in bytes of the body that a header announces.

    Raises:
        TrackerProtocolError: it is no header, or announces more than the limit.
    """
    magic, length = HEADER.unpack(header)
    if magic != MAGIC:
        raise TrackerProtocolError(
            FailureName.GARBAGE_RESULT,
            f"the result starts with {header!r}, not with a message header",
        )
    if length > limit_bytes:
        raise TrackerProtocolError(
            FailureName.OVERSIZED_RESULT,
            f"the result announces {length} bytes; {limit_bytes} is the limit",
        )
    return int(length)


def only_message(data: bytes) -> Json:
    """Return the one message that a measuring process sent.

    Args:
        data: everything that came through its result channel.

    Raises:
        TrackerProtocolError: there is no message, more than one, or none that can be read.
    """
    if not data:
        raise TrackerProtocolError(FailureName.NO_RESULT, "the process ended without a result")
    if len(data) < HEADER.size:
        raise TrackerProtocolError(
            FailureName.TRUNCATED_RESULT, f"the result ends after {len(data)} bytes"
        )
    length = body_length(data[: HEADER.size], RESULT_LIMIT_BYTES)
    body = data[HEADER.size :]
    if len(body) < length:
        raise TrackerProtocolError(
            FailureName.TRUNCATED_RESULT, f"the result ends after {len(body)} of {length} bytes"
        )
    if len(body) > length:
        raise TrackerProtocolError(
            FailureName.DOUBLE_RESULT,
            f"{len(body) - length} bytes follow the result; there must be one",
        )
    return parse(body)


def parse(body: bytes) -> Json:
    """Return the JSON object that a message's body holds.

    Raises:
        TrackerProtocolError: it is none.
    """
    try:
        message = bounded_json.loads(body)
    except ValueError as error:
        raise TrackerProtocolError(
            FailureName.GARBAGE_RESULT, f"the result is not JSON: {error}"
        ) from error
    if not isinstance(message, dict):
        raise TrackerProtocolError(
            FailureName.GARBAGE_RESULT, f"the result is a {type(message).__name__}, not an object"
        )
    return message


def job_to_json(job: Job) -> Json:
    """Return a job for the wire; a model's bytes travel beside it."""
    if isinstance(job.run, ModelRun):
        job = replace(job, run=replace(job.run, raw_model=b""))
    message = asdict(job)
    message["run"].pop("raw_model", None)
    message["directory"] = str(job.directory)
    message["model_roots"] = [str(root) for root in job.model_roots]
    return message


def job_from_json(message: Json) -> Job:
    """Return the job that `job_to_json` put on the wire, its model's bytes left out."""
    return Job(
        **{
            **message,
            "run": _run_from_json(message["run"]),
            "directory": Path(message["directory"]),
            "limits": Limits(**message["limits"]),
            "model_roots": tuple(map(Path, message["model_roots"])),
            "devices": None if message["devices"] is None else tuple(message["devices"]),
            "unmetered": Unmetered(message["unmetered"]),
        }
    )


def _run_from_json(run: Json) -> Run | SimulatedGroup:
    if "powers_w" in run:
        return SimulatedGroup(tuple(run["powers_w"]))
    return SimulatedRun(**run) if "power_w" in run else ModelRun(**run)


def report_to_json(report: Report) -> Json:
    """Return a report for the wire."""
    return {**asdict(report), "result": base64.b64encode(report.result).decode()}


def report_from_json(message: Json) -> Report:
    """Return the report that `report_to_json` put on the wire."""
    return Report(**{**message, "result": base64.b64decode(message["result"])})
