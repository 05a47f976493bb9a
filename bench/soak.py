"""A long life among peers that never end an input: `python -m bench.soak [--tasks N] [--seed N]`.

One life answers most tasks while it is frozen for longer than its lease and a hostile participant
announces what it likes; then come lives that end by SIGKILL or SIGTERM in the middle of a wave.
Tasks come from Fast DDS and from CycloneDDS, and both count the outputs. Prints a table; ends with
status 1 if a task has no output at one of them, or has two that differ.
"""

import argparse
import json
import queue
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.domains import fresh_domain
from tests.rtps import hostile, raw_participant

from bench.exchanges import WAVE
from bench.nodes import FORMULA, UNPACED, Node, living
from bench.peers import TICK_S, Peers, joined, task
from bench.single import end

FREEZE_S = 8.0
"""Longer than the lease of 5 s, after which peers take a participant for dead."""

FREEZES = 3
LIVES = 6
"""Shorter lives after the long one, which end by SIGKILL and SIGTERM in turn."""

LIFE_TASKS = 500
CYCLONE_EVERY = 20
"""One wave of so many is sent by the CycloneDDS peer."""

ANNOUNCEMENT_S = 0.02
QUIET_S = 40.0
"""Seconds without an output after which no more is expected: a freeze, a lease and a start."""

RESTORE_S = 400.0
"""The same for a node that starts: its peers deliver every task that they have ever sent to it."""


@dataclass(slots=True)
class Counted:
    """Outputs as one reader saw them, by task.

    Args:
        values: carbon footprints that were seen; empty where the reader does not decode them.
        outputs: how often each task was answered.
    """

    outputs: Counter[int] = field(default_factory=Counter)
    values: dict[int, set[float]] = field(default_factory=dict)

    @property
    def repeated(self) -> int:
        """Outputs beyond the first of each task."""
        return self.outputs.total() - len(self.outputs)

    @property
    def differing(self) -> int:
        """Tasks with two outputs that differ."""
        return sum(len(values) > 1 for values in self.values.values())


class CycloneSide:
    """A CycloneDDS peer in a process of its own: it reads all the time, and writes when told.

    Args:
        domain: DDS domain id.
        log: where it writes what it thinks of hostile packets.
    """

    def __init__(self, domain: int, log: Path) -> None:
        self.counted = Counted()
        with log.open("wb") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "bench.soak", "--cyclone", str(domain)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                bufsize=1,
            )
        self._thread = threading.Thread(target=self._count, daemon=True)
        self._thread.start()

    def send(self, numbers: Sequence[int]) -> None:
        """Write the inputs of tasks."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{numbers[0]} {numbers[-1]}\n")

    def close(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()
        self._thread.join()

    def _count(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            for number, footprint in json.loads(line):
                self.counted.outputs[number] += 1
                self.counted.values.setdefault(number, set()).add(footprint)


def be_cyclone_side(domain: int) -> None:
    """Tell each output on standard output, write what standard input names, until that ends."""
    from tests.dds import cyclone

    orders: queue.SimpleQueue[str] = queue.SimpleQueue()
    listener = threading.Thread(target=lambda: [*map(orders.put, sys.stdin)])
    listener.start()
    with cyclone.cyclone_peer(domain, is_limited=False) as peer:
        while listener.is_alive():
            outputs = peer.received(cyclone.CO2FootprintImpl)
            if outputs:
                rows = [[each.task_id.problem_id, each.carbon_footprint] for each in outputs]
                print(json.dumps(rows), flush=True)
                outputs.clear()
            if orders.empty():
                time.sleep(TICK_S / 10)
                continue
            first, last = map(int, orders.get().split())
            for number in range(first, last + 1):
                task_id = cyclone.TaskIdImpl(number, 1)
                peer.write(
                    cyclone.UserInputImpl(geo_location_region="France", task_id=task_id),
                    cyclone.MLModelImpl(model="microsoft/resnet-50", task_id=task_id),
                    cyclone.HWResourceImpl(
                        "NVIDIA A100 PCIe 80GB", 100.0 + number % 300, 0.1, task_id=task_id
                    ),
                )


class Soak:
    """Peers of both vendors, and what they have seen.

    Args:
        peers: on Fast DDS.
        cyclone: on CycloneDDS.
    """

    def __init__(self, peers: Peers, cyclone: CycloneSide) -> None:
        self._peers = peers
        self._cyclone = cyclone
        self.counted = Counted()
        self.sent = 0

    def wave(self, count: int, *, is_cyclone: bool) -> None:
        """Send the next tasks back to back."""
        numbers = range(self.sent + 1, self.sent + count + 1)
        self.sent += count
        if is_cyclone:
            self._cyclone.send(numbers)
            return
        for number in numbers:
            self._peers.send(task(number))
            self.take(0.0)

    def settle(self, quiet_s: float = QUIET_S) -> bool:
        """Wait until both readers have all outputs, or no more come; whether they have."""
        progress, last_s = -1, time.monotonic()
        while self.missing() != (0, 0):
            self.take(TICK_S)
            seen = len(self.counted.outputs) + len(self._cyclone.counted.outputs)
            if seen != progress:
                progress, last_s = seen, time.monotonic()
            elif time.monotonic() > last_s + quiet_s:
                return False
        return True

    def read_for(self, seconds: float) -> None:
        """Count for a while what comes."""
        deadline_s = time.monotonic() + seconds
        while time.monotonic() < deadline_s:
            self.take(TICK_S)

    def missing(self) -> tuple[int, int]:
        """Tasks without an output at the Fast DDS and at the CycloneDDS reader."""
        return (
            self.sent - len(self.counted.outputs),
            self.sent - len(self._cyclone.counted.outputs),
        )

    def report(self) -> list[tuple[str, object]]:
        """What was seen, in rows."""
        lost, lost_cyclone = self.missing()
        theirs = self._cyclone.counted
        return [
            ("tasks sent", self.sent),
            ("without output at the Fast DDS reader", lost),
            ("without output at the CycloneDDS reader", lost_cyclone),
            ("repeated at the Fast DDS reader", self.counted.repeated),
            ("repeated at the CycloneDDS reader", theirs.repeated),
            ("repeated with another value", theirs.differing),
        ]

    def is_sound(self) -> bool:
        """Whether nothing is lost, and no two outputs of a task differ."""
        return self.missing() == (0, 0) and self._cyclone.counted.differing == 0

    def take(self, timeout_s: float) -> None:
        """Count what the Fast DDS reader has, or gets in this time."""
        self.counted.outputs.update(each.number for each in self._peers.receive(timeout_s))


def long_life(soak: Soak, node: Node, tasks: int) -> Iterator[tuple[str, object]]:
    """Answer tasks in waves, with freezes in the middle of some; yield rows."""
    waves = -(-tasks // WAVE)
    frozen = {waves * (each + 1) // (FREEZES + 1) for each in range(FREEZES)}
    marks = {min(1_000, tasks), tasks // 10, tasks}
    for number in range(waves):
        soak.wave(min(WAVE, tasks - soak.sent), is_cyclone=number % CYCLONE_EVERY == 1)
        if number in frozen:
            node.process.suspend()
            soak.read_for(FREEZE_S)
            node.process.resume()
        is_whole = soak.settle()
        done = soak.sent
        if any(mark <= done < mark + WAVE for mark in marks):
            time.sleep(TICK_S)
            held = node.held()
            yield f"memory after {done:,} tasks, MB", round(held.resident_mb, 1)
            yield f"descriptors after {done:,} tasks", held.descriptors
        if not is_whole:
            yield f"gave up after {done:,} tasks; missing at the readers", soak.missing()
            return


def short_life(soak: Soak, node: Node, moments: random.Random, number: int) -> None:
    """Send tasks and end the node in the middle of them."""
    soak.wave(LIFE_TASKS, is_cyclone=number % 2 == 1)
    soak.read_for(moments.uniform(0.0, 1.5))
    node.process.send_signal(signal.SIGKILL if number % 2 else signal.SIGTERM)


@contextmanager
def hostile_participant(domain: int, seed: int) -> Iterator[None]:
    """Announce participants and writers of any octets until the end."""
    chance, stop = random.Random(seed), threading.Event()  # noqa: S311 - no key

    def announce() -> None:
        with raw_participant(domain) as raw:
            while not stop.wait(ANNOUNCEMENT_S):
                raw.announce(*hostile(chance), lease_duration_s=1)
                raw.announce_writer(*hostile(chance))

    thread = threading.Thread(target=announce)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


@contextmanager
def cyclone_beside(domain: int, log: Path) -> Iterator[CycloneSide]:
    """Have the CycloneDDS peer."""
    side = CycloneSide(domain, log)
    try:
        yield side
    finally:
        side.close()


def main() -> int:
    """Soak, and print what was seen; return the exit status."""
    parser = argparse.ArgumentParser(prog="scripts/soak", description=__doc__)
    parser.add_argument("--tasks", type=int, default=100_000, help="of the long life")
    parser.add_argument("--seed", type=int, default=1, help="of hostile packets and of moments")
    parser.add_argument("--cyclone", type=int, metavar="DOMAIN", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.cyclone is not None:
        be_cyclone_side(options.cyclone)
        return 0
    signal.signal(signal.SIGTERM, end)
    with (
        tempfile.TemporaryDirectory(prefix="carbon-node-soak-") as place,
        hostile_participant(domain := fresh_domain(), options.seed),
        cyclone_beside(domain, Path(place, "cyclone.log")) as cyclone,
    ):
        return _soak(domain, Path(place), cyclone, options)


def _soak(domain: int, directory: Path, cyclone: CycloneSide, options: argparse.Namespace) -> int:
    moments = random.Random(options.seed)  # noqa: S311 - no key
    settings = (FORMULA, UNPACED)
    with ExitStack() as stack:
        with living(domain, directory, *settings) as node:
            peers = stack.enter_context(joined(domain, ends_tasks=False))
            soak = Soak(peers, cyclone)
            since_s = time.monotonic()
            _print(long_life(soak, node, options.tasks))
            _print([("seconds", round(time.monotonic() - since_s)), *soak.report()])
        if soak.missing() == (0, 0):
            for number in range(LIVES):
                with living(domain, directory, *settings) as node:
                    short_life(soak, node, moments, number)
            with living(domain, directory, *settings):
                soak.settle(RESTORE_S)
            _print([("lives that ended in the middle of tasks", LIVES), *soak.report()])
    if soak.is_sound():
        return 0
    print("what the node said last, beside answers:", file=sys.stderr)
    lines = (directory / "log").read_text().splitlines()
    print("\n".join([line for line in lines if "task answered" not in line][-30:]), file=sys.stderr)
    return 1


def _print(rows: Iterable[tuple[str, object]]) -> None:
    for what, value in rows:
        print(f"{what:56} {value}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
