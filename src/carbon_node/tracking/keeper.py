"""The guard of one measurement: it starts it, watches it and outlives all that it starts.

It is forked from the forkserver, has one thread and trusts nothing of the measuring process but its
pipes. It ends the measurement when the process is done, the deadline has passed, the output floods,
or the node says so or is gone; then nothing of the measurement is left, whatever it forked and
whichever session that joined, and one report goes out.
"""

import os
import socket
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from typing import Final, NoReturn

from carbon_node.errors import TrackerError
from carbon_node.tracking import confinement
from carbon_node.tracking.failures import FailureName
from carbon_node.tracking.messages import (
    HEADER,
    Job,
    Report,
    body_length,
    frame,
    job_from_json,
    parse,
    report_to_json,
    send,
)
from carbon_node.tracking.watch import Watch

JOB_LIMIT_BYTES: Final = 1 << 20
"""Paths and ids of a job; a model's bytes travel in a file descriptor."""


def keep(node: socket.socket, model: int | None) -> None:
    """Guard one measurement from its job to its report.

    Args:
        node: connection to the node; its end means that the node is gone.
        model: file descriptor that holds the model's bytes.
    """
    confinement.adopt_orphans()
    confinement.reap_on_demand()
    node.sendall(frame({"keeper": os.getpid()}))
    received = _receive(node)
    if not received:
        return
    job = job_from_json(parse(received))
    try:
        report = _guard(node, job, model)
    except OSError as error:
        report = Report(error=f"{type(error).__name__}: {error}")
    with suppress(BrokenPipeError, ConnectionResetError):  # the node is gone: nobody to tell
        node.sendall(frame(report_to_json(report)))


def _receive(node: socket.socket) -> bytes:
    header = node.recv(HEADER.size, socket.MSG_WAITALL)
    if not header:  # the node is gone before it asked
        return b""
    return node.recv(body_length(header, JOB_LIMIT_BYTES), socket.MSG_WAITALL)


def _guard(node: socket.socket, job: Job, model: int | None) -> Report:
    job.directory.mkdir(mode=0o700)
    try:
        watch = _start(node, job, model)
        try:
            watch.until_it_ends()
        finally:
            watch.end_it()
            confinement.end_children()
        return watch.report()
    finally:
        confinement.remove_directory(job.directory)


def _start(node: socket.socket, job: Job, model: int | None) -> Watch:
    keeper = os.getpid()
    channels = [os.pipe() for _ in range(3)]
    pid = os.fork()
    if pid == 0:
        _become_measurement(job, keeper, [write for _, write in channels], model)
    for _, write in channels:
        os.close(write)
    with suppress(ProcessLookupError):  # it may have ended already
        os.setpgid(
            pid, pid
        )  # as it does itself: whoever comes first, the group exists from here on
    stdout, stderr, result = (read for read, _ in channels)
    return Watch(node, job, pid, (stdout, stderr, result))


def _become_measurement(job: Job, keeper: int, channels: list[int], model: int | None) -> NoReturn:
    status = 1
    try:
        os.setpgid(0, 0)
        confinement.die_with_parent(keeper)
        confinement.heed_stop_signals()
        result = _arrange_descriptors(channels, model)
        confinement.live_in(job.directory)
        confinement.apply_limits(job.limits)
        _measure(job, result, model)
        status = 0
    except SystemExit as stop:
        status = stop.code if isinstance(stop.code, int) else 1
    except BaseException:  # noqa: BLE001 - nothing may return into the guard's own code
        traceback.print_exc()
    finally:
        _leave(status)


def _arrange_descriptors(channels: list[int], model: int | None) -> int:
    stdout, stderr, result = channels
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(stdout, 1)
    os.dup2(stderr, 2)
    confinement.keep_only(result, *(() if model is None else (model,)))
    return result


def _measure(job: Job, result: int, model: int | None) -> None:
    try:
        _entry(job.workload)(job, result, model)
    except TrackerError as error:
        send(result, {"failure": error.failure, "detail": error.detail})
    except MemoryError:
        limit = job.limits.address_space_bytes
        detail = f"the process needed more memory than its limit of {limit} bytes"
        send(result, {"failure": FailureName.OUT_OF_MEMORY, "detail": detail})


def _entry(workload: str) -> Callable[[Job, int, int | None], None]:
    module, _, function = workload.partition(":")
    entry: Callable[[Job, int, int | None], None] = getattr(import_module(module), function)
    return entry


def _leave(status: int) -> NoReturn:
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(status)
