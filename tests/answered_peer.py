"""A peer of either vendor in a process of its own, which can stand still by itself.

`python -m tests.answered_peer VENDOR DOMAIN` writes tasks and counts their outputs; `AnsweredPeer`
talks to it.
"""

# CycloneDDS describes wire types by annotations that are no types to a checker.
# mypy: disable-error-code="arg-type, call-overload"

import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from tests.patience import PATIENCE_S
from tests.program.processes import environment

LOOK_S = 0.01


class Vendor(StrEnum):
    """Whose DDS a peer runs on."""

    FAST_DDS = "fastdds"
    CYCLONE_DDS = "cyclonedds"


@dataclass(frozen=True, slots=True)
class Received:
    """What a peer has received.

    Args:
        tasks: with at least one output.
        outputs: all together.
    """

    tasks: int
    outputs: int


class AnsweredPeer:
    """The running peer.

    Args:
        vendor: whose DDS it runs on.
        domain: DDS domain id.
        lease_duration_s: seconds after which others take it for dead, if it is a CycloneDDS peer.
    """

    def __init__(self, vendor: Vendor, domain: int, lease_duration_s: float) -> None:
        command = [sys.executable, "-m", __name__, vendor, str(domain), str(lease_duration_s)]
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # CycloneDDS reports what it does not know of the ends of statuses.
            stderr=subprocess.DEVNULL,
            text=True,
            env={**environment(), "PYTHONPATH": os.pathsep.join(sys.path)},
        )

    def wait_until_met(self) -> None:
        """Wait until it has met the node."""
        assert self._line() == "met"

    def send(self, tasks: Sequence[int]) -> None:
        """Let it write the inputs of these tasks."""
        self._say(*tasks)

    def received(self) -> Received:
        """Ask what it has received."""
        self._say()
        return Received(*json.loads(self._line()))

    def wait_for(self, tasks: int, timeout_s: float = PATIENCE_S) -> Received:
        """Wait until so many tasks are answered, and return what was received then."""
        deadline_s = time.monotonic() + timeout_s
        while (received := self.received()).tasks < tasks and time.monotonic() < deadline_s:
            time.sleep(LOOK_S)
        return received

    def _say(self, *numbers: int) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{json.dumps(numbers)}\n")
        self.process.stdin.flush()

    def _line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()


@contextmanager
def answered_peer(
    vendor: Vendor, domain: int, lease_duration_s: float = 10.0
) -> Iterator[AnsweredPeer]:
    """Run a peer; it is killed afterwards."""
    peer = AnsweredPeer(vendor, domain, lease_duration_s)
    try:
        yield peer
    finally:
        peer.process.kill()
        peer.process.communicate()


class _Peer(Protocol):
    def wait(self) -> None: ...
    def send(self, number: int) -> None: ...
    def take(self) -> list[int]: ...


def _fast_dds_peer(domain: int) -> _Peer:
    from bench.peers import Peers, task

    class FastDdsPeer:
        def __init__(self) -> None:
            self._peers = Peers(domain, ends_tasks=False)

        def wait(self) -> None:
            self._peers.wait_for_match()

        def send(self, number: int) -> None:
            self._peers.send(task(number))

        def take(self) -> list[int]:
            return [output.number for output in self._peers.receive(LOOK_S)]

    return FastDdsPeer()


def _cyclone_dds_peer(domain: int, lease_duration_s: float) -> _Peer:
    from tests.dds import cyclone

    class CycloneDdsPeer:
        def __init__(self) -> None:
            self._peer = cyclone.CyclonePeer(domain, lease_duration_s)
            self._taken_count = 0

        def wait(self) -> None:
            self._peer.wait_for_node()

        def send(self, number: int) -> None:
            task_id = cyclone.TaskIdImpl(number, 1)
            self._peer.write(
                cyclone.UserInputImpl(task_id=task_id),
                cyclone.MLModelImpl(model="m", task_id=task_id),
                cyclone.HWResourceImpl("hw", 100.0, 1.0, task_id=task_id),
            )

        def take(self) -> list[int]:
            time.sleep(LOOK_S)
            outputs = self._peer.received(cyclone.CO2FootprintImpl)[self._taken_count :]
            self._taken_count += len(outputs)
            return [output.task_id.problem_id for output in outputs]

    return CycloneDdsPeer()


def _main(vendor: Vendor, domain: int, lease_duration_s: float) -> None:
    peer = (
        _fast_dds_peer(domain)
        if vendor is Vendor.FAST_DDS
        else _cyclone_dds_peer(domain, lease_duration_s)
    )
    peer.wait()
    _tell("met")
    said: queue.SimpleQueue[list[int] | None] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(said,), daemon=True).start()
    seen: Counter[int] = Counter()
    while True:
        seen.update(peer.take())
        if said.empty():
            continue
        tasks = said.get()
        if tasks is None:
            return
        for number in tasks:
            peer.send(number)
        if not tasks:
            _tell(json.dumps([len(seen), seen.total()]))


def _tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _listen(said: "queue.SimpleQueue[list[int] | None]") -> None:
    for line in sys.stdin:
        said.put(json.loads(line))
    said.put(None)


if __name__ == "__main__":
    _main(Vendor(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))
