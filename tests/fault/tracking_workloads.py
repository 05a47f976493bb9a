"""Workloads that do to their guard what measurement code has been seen to do, or could."""

import ctypes
import json
import os
import signal
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

from carbon_node.estimation.measurement import ModelRun, SimulatedRun
from carbon_node.tracking import workload
from carbon_node.tracking.messages import (
    HEADER,
    MAGIC,
    RESULT_LIMIT_BYTES,
    Job,
    SimulatedGroup,
    frame,
    send,
)

NOBODY = 65534

GOOD = {
    "observation": {
        "components": [
            {
                "name": "gpu",
                "source": "simulated",
                "devices": ["simulated"],
                "readings": 1,
                "lowest_power_w": 300.0,
                "energy_kwh_per_device": 300.0 * 0.1 / 3.6e6,
            }
        ],
        "epoch_s": 0.1,
        "shortest_s": 0.1,
        "longest_s": 0.1,
        "inferences": 0,
        "critical": [],
        "too_short": False,
    }
}
"""What a measurement of 300 W over 0.1 s sends when all goes well."""


def run(job: Job, result: int, model: int | None) -> None:
    """Do what the job's model id names, one of the functions below; hang in a simulated run."""
    behaviour = job.run.model if isinstance(job.run, ModelRun) else "hang"
    globals()[behaviour](job, result, model)


def overstate(job: Job, result: int, *_: object) -> None:
    """Report a tenth more than simulated hardware of the asked power draws."""
    assert isinstance(job.run, SimulatedRun)
    component = GOOD["observation"]["components"][0]  # type: ignore[index]
    energy_kwh = 1.1 * job.run.power_w * 0.1 / 3.6e6
    wrong = component | {"energy_kwh_per_device": energy_kwh}
    send(result, {"observation": GOOD["observation"] | {"components": [wrong]}})


FATAL_W, HANGING_W = 13.0, 14.0
"""Powers of simulated hardware that `die_or_hang` does not survive."""


def die_or_hang(job: Job, result: int, model: int | None) -> None:
    """Die or hang at certain powers, in company too; measure the others as the node does."""
    powers_w = job.run.powers_w if isinstance(job.run, SimulatedGroup) else (_power_w(job),)
    if FATAL_W in powers_w:
        kill_itself()
    if HANGING_W in powers_w:
        hang()
    workload.run(job, result, model)


def _power_w(job: Job) -> float:
    assert isinstance(job.run, SimulatedRun)
    return job.run.power_w


def succeed(_job: Job, result: int, *_: object) -> None:
    """Send a good result."""
    send(result, GOOD)


def hang(*_: object) -> None:
    """Never end."""
    _begin()
    time.sleep(3600)


def ignore_sigterm(*_: object) -> None:
    """Never end, not when asked either."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    _begin()
    time.sleep(3600)


def stop_itself(*_: object) -> None:
    """Stop without ending."""
    _begin()
    os.kill(os.getpid(), signal.SIGSTOP)


def kill_itself(*_: object) -> None:
    """End as the system's out-of-memory killer ends processes."""
    os.kill(os.getpid(), signal.SIGKILL)


def segfault(*_: object) -> None:
    """Read what is not there."""
    ctypes.string_at(0)


def exit_from_thread(*_: object) -> None:
    """End as CarbonTracker's thread does on an error."""
    threading.Thread(target=os._exit, args=(70,)).start()
    time.sleep(3600)


def system_exit_70(*_: object) -> None:
    """End as CarbonTracker's constructor does on an error."""
    raise SystemExit(70)


def system_exit_3(*_: object) -> None:
    """End with a status that nobody gave a meaning."""
    raise SystemExit(3)


def exhaust_memory(*_: object) -> None:
    """Take memory without end."""
    hoard = []
    while True:
        hoard.append(bytearray(64 << 20))


def fork_bomb(*_: object) -> None:
    """Fork without end, in every descendant, as a user whom the limit on processes binds."""
    counts = os.open(os.environ["BEGUN"], os.O_WRONLY | os.O_CREAT)
    if os.geteuid() == 0:
        # The kernel exempts root.
        os.setresuid(NOBODY, NOBODY, NOBODY)
    tasks_before = Path("/proc/loadavg").read_text().split()[3].partition("/")[2]
    forked = 0
    with suppress(BlockingIOError):
        while os.fork():
            forked += 1
        time.sleep(3600)
    _write(counts, f"{tasks_before} {forked}".encode())
    while True:
        with suppress(OSError):
            os.fork()


def flood_stdout(_job: Job, result: int, *_: object) -> None:
    """Write 100 MB to stdout, then a good result."""
    _flood(1)
    send(result, GOOD)


def flood_stderr(_job: Job, result: int, *_: object) -> None:
    """Write 100 MB to stderr, then a good result."""
    _flood(2)
    send(result, GOOD)


def _flood(descriptor: int) -> None:
    for _ in range(100):
        _write(descriptor, b"x" * (1 << 20))


def garbage(_job: Job, result: int, *_: object) -> None:
    """Send bytes that are no message."""
    _write(result, b"Traceback (most recent call last)")


def not_json(_job: Job, result: int, *_: object) -> None:
    """Send a message whose body is no JSON."""
    _write(result, HEADER.pack(MAGIC, 3) + b"{{{")


def not_an_object(_job: Job, result: int, *_: object) -> None:
    """Send a message whose body is JSON but no object."""
    _write(result, HEADER.pack(MAGIC, 2) + b"[]")


def wrong_shape(_job: Job, result: int, *_: object) -> None:
    """Send a message without the numbers."""
    send(result, {"observation": {"components": 7}})


def unknown_failure(_job: Job, result: int, *_: object) -> None:
    """Name a failure that is not on the list."""
    send(result, {"failure": "bad mood", "detail": ""})


def truncated(_job: Job, result: int, *_: object) -> None:
    """End in the middle of a message."""
    _write(result, frame(GOOD)[:-7])


def truncated_header(_job: Job, result: int, *_: object) -> None:
    """End in the middle of a header."""
    _write(result, frame(GOOD)[:3])


def announce_too_much(_job: Job, result: int, *_: object) -> None:
    """Announce more than a result may be."""
    _write(result, HEADER.pack(MAGIC, RESULT_LIMIT_BYTES + 1))


def send_too_much(_job: Job, result: int, *_: object) -> None:
    """Send without end where a result belongs."""
    while True:
        _write(result, b"x" * 4096)


def double(_job: Job, result: int, *_: object) -> None:
    """Send two results."""
    send(result, GOOD)
    send(result, GOOD)


def late(_job: Job, result: int, *_: object) -> None:
    """Send a good result in answer to SIGTERM, after the deadline."""

    def answer(*_: object) -> None:
        send(result, GOOD)
        os._exit(0)

    signal.signal(signal.SIGTERM, answer)
    _begin()
    time.sleep(3600)


def no_result(*_: object) -> None:
    """End well without a result."""


def no_measurement(_job: Job, result: int, *_: object) -> None:
    """Send a result that holds no measurement."""
    send(result, {})


def good_result_bad_end(_job: Job, result: int, *_: object) -> None:
    """Send a good result, then crash."""
    send(result, GOOD)
    os.kill(os.getpid(), signal.SIGABRT)


def leave_grandchild(_job: Job, result: int, *_: object) -> None:
    """Leave a child behind that holds every pipe, then end well."""
    if os.fork() == 0:
        time.sleep(3600)
    send(result, GOOD)


def leave_escaped_grandchildren(_job: Job, result: int, *_: object) -> None:
    """Leave descendants behind that changed session and lost their parents, then end well."""
    for depth in (1, 2, 3):
        _fork_away(depth)
    send(result, GOOD)


def _fork_away(depth: int) -> None:
    if os.fork() == 0:
        os.setsid()
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if depth > 0:
            _fork_away(depth - 1)
        if depth % 2:
            os._exit(0)
        time.sleep(3600)


class Unpicklable(Exception):
    """An exception that cannot leave its process, and cannot say what it is."""

    def __init__(self) -> None:
        super().__init__("unpicklable")
        self.lock = threading.Lock()

    def __str__(self) -> str:
        raise RuntimeError


def raise_unpicklable(*_: object) -> None:
    """Fail with an exception that multiprocessing could not hand on."""
    raise Unpicklable


def fill_disk(*_: object) -> None:
    """Write to its folder until it is full."""
    with Path("filler").open("wb") as filler:
        while True:
            filler.write(b"x" * 65536)


def make_unremovable(_job: Job, result: int, *_: object) -> None:
    """Leave folders behind that their owner may not enter, then end well."""
    Path("a/b/c").mkdir(parents=True)
    Path("a/b/c/file").touch()
    for folder in ("a/b/c", "a/b", "a"):
        Path(folder).chmod(0)
    send(result, GOOD)


def tell_surroundings(_job: Job, result: int, *_: object) -> None:
    """Fail on purpose with what the process sees of itself as the last line of stderr."""
    own = Path("/proc/self")
    facts = {
        "directory": str(Path.cwd()),
        "mode": oct(Path.cwd().stat().st_mode & 0o777),
        "descriptors": sorted(
            int(entry.name) for entry in (own / "fd").iterdir() if entry.exists()
        ),
        "environment": dict(os.environ),
        "group_is_own": os.getpgid(0) == os.getpid(),
        "session_is_own": os.getsid(0) == os.getpid(),
        "limits": (own / "limits").read_text(),
        "forkserver_threads": len(list(Path(f"/proc/{_parent(os.getppid())}/task").iterdir())),
    }
    Path(os.environ["FACTS"]).write_text(json.dumps(facts))
    send(result, GOOD)


def kill_keeper(*_: object) -> None:
    """Kill the guard and leave escaped grandchildren."""
    _fork_away(depth=2)
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(3600)


def kill_both_guards(*_: object) -> None:
    """Kill the forkserver and the guard, then go on."""
    keeper = os.getppid()
    os.kill(_parent(keeper), signal.SIGKILL)
    os.kill(keeper, signal.SIGKILL)
    time.sleep(3600)


def stop_keeper(*_: object) -> None:
    """Stop the guard so that it cannot answer."""
    _fork_away(depth=2)
    os.kill(os.getppid(), signal.SIGSTOP)
    _begin()
    time.sleep(3600)


def kill_forkserver(_job: Job, result: int, *_: object) -> None:
    """Kill what forked the guard, then end well."""
    os.kill(_parent(os.getppid()), signal.SIGKILL)
    time.sleep(0.1)
    send(result, GOOD)


def stop_group(_job: Job, result: int, *_: object) -> None:
    """Send the guards what a supervisor sends to every process of a service."""
    for pid in (os.getppid(), _parent(os.getppid())):
        os.kill(pid, signal.SIGTERM)
        os.kill(pid, signal.SIGINT)
    send(result, GOOD)


def touch_and_hang(*_: object) -> None:
    """Leave a child in another session, say that it runs, and never end, when asked either."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    _fork_away(depth=2)
    Path(os.environ["STARTED"]).touch()
    time.sleep(3600)


def stop_keeper_and_hang(*_: object) -> None:
    """Leave a child in another session and a guard that cannot act, say so, and never end."""
    os.kill(os.getppid(), signal.SIGSTOP)
    touch_and_hang()


def print_and_fail(*_: object) -> None:
    """Say something on both streams, then fail."""
    sys.stdout.write("to stdout\n")
    sys.stderr.write("to stderr\n")
    raise SystemExit(1)


def _begin() -> None:
    """Say that nothing but the end is still to come, if the test wants to know."""
    if "BEGUN" in os.environ:
        Path(os.environ["BEGUN"]).write_text("begun")


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def _write(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]
