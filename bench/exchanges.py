"""How tasks are sent: one at a time, at a fixed rate, or all at once."""

import itertools
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bench.peers import PATIENCE_S, TICK_S, Exchange, Output, Peers, Sent, task

WAVE = 250
"""Tasks of a wave."""

LIVING = 400
"""Tasks whose inputs stay with their writers; the pipeline's own nodes keep 500."""

QUIET_S = 10.0
"""Seconds without an output after which no more are expected."""


def one_at_a_time(peers: Peers, numbers: Iterable[int]) -> list[Exchange]:
    """Send each task once the one before is answered; the inputs of old ones are ended.

    Raises:
        TimeoutError: a task has no output.
    """
    exchanges = []
    for number in numbers:
        exchanges.append(peers.answer(task(number)))
        peers.retire_older_than(number - LIVING)
    return exchanges


def sustained(peers: Peers, numbers: Sequence[int], rate_hz: float) -> list[Exchange]:
    """Send tasks at a fixed rate, whatever is answered; the inputs of old ones are ended.

    Raises:
        TimeoutError: a task has no output.
    """
    tasks = [task(number) for number in numbers]
    sent: dict[int, Sent] = {}
    outputs: dict[int, Output] = {}
    since_s = time.monotonic()
    deadline_s = since_s + len(tasks) / rate_hz + PATIENCE_S
    while len(outputs) < len(tasks):
        now_s = time.monotonic()
        if now_s > deadline_s:
            raise TimeoutError(f"{len(tasks) - len(outputs)} of {len(tasks)} tasks have no output")
        next_s = since_s + len(sent) / rate_hz
        if len(sent) < len(tasks) and now_s >= next_s:
            due = tasks[len(sent)]
            sent[due.number] = peers.send(due)
            peers.retire_older_than(due.number - LIVING)
        else:
            wait_s = TICK_S if len(sent) == len(tasks) else min(TICK_S, next_s - now_s)
            outputs |= {
                output.number: output
                for output in peers.receive(wait_s)
                # Not one that was retained for late readers.
                if output.number in sent
            }
    return [Exchange(sent[number], outputs[number]) for number in numbers]


@dataclass(frozen=True, slots=True)
class Burst:
    """Tasks that were sent back to back.

    Args:
        seconds: from the first input to the last output.
        received: numbers of the outputs in the order in which they came.
        missing: tasks without an output.
    """

    seconds: float
    received: tuple[int, ...]
    missing: int

    @property
    def repeated(self) -> int:
        """Outputs beyond the first of each task."""
        return len(self.received) - len(set(self.received))

    @property
    def overtaken(self) -> int:
        """Outputs that came after that of a later task."""
        highest = itertools.accumulate(self.received, max)
        return sum(number < high for number, high in zip(self.received, highest, strict=True))


def burst(peers: Peers, numbers: Sequence[int], quiet_s: float = QUIET_S) -> Burst:
    """Send tasks back to back and take their outputs until all have come, or no more come.

    The inputs of old tasks are ended afterwards.

    Args:
        peers: who sends.
        numbers: of the tasks.
        quiet_s: seconds without an output after which the rest is missing.
    """
    tasks, wanted = [task(number) for number in numbers], frozenset(numbers)
    received: list[int] = []
    last_s = since_s = time.monotonic()
    for each in tasks:
        peers.send(each)
        received += _numbers(peers.receive(0.0), wanted)
    while len(set(received)) < len(tasks) and time.monotonic() < last_s + quiet_s:
        if outputs := _numbers(peers.receive(TICK_S), wanted):
            received += outputs
            last_s = time.monotonic()
    peers.retire_older_than(numbers[-1] - LIVING)
    missing = len(tasks) - len(set(received))
    return Burst(last_s - since_s, tuple(received), missing)


def in_waves(peers: Peers, first: int, last: int) -> list[Burst]:
    """Send a range of tasks, `WAVE` at a time; the last wave may be smaller.

    Raises:
        RuntimeError: a task has no output.
    """
    waves = []
    for start in range(first, last + 1, WAVE):
        wave = burst(peers, range(start, min(start + WAVE, last + 1)))
        if wave.missing:
            raise RuntimeError(f"{wave.missing} tasks from {start} on have no output")
        waves.append(wave)
    return waves


def _numbers(outputs: Iterable[Output], wanted: frozenset[int]) -> list[int]:
    """Leave those out that were retained for late readers."""
    return [output.number for output in outputs if output.number in wanted]
