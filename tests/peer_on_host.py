"""The other nodes of a pipeline on a host of their own: `python -m tests.peer_on_host ...`.

Writes the inputs of tasks, and reads outputs twice: all of them, and as the orchestrator does. It
is a process, since Fast DDS looks for a process's interfaces once. `RemotePeer` tells it what to
do.
"""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.ethernet import tell
from tests.hosts import Host
from tests.loads import Load, loading
from tests.orchestrator_reader import LEASE_S, CycloneReader, FastDdsReader, orchestrator_reader
from tests.patience import PATIENCE_S

LOOK_EVERY_S = 0.05


@dataclass(frozen=True, slots=True)
class Report:
    """What a peer has received so far.

    Args:
        outputs: how many outputs came, by task.
        seen: tasks whose outputs the orchestrator-like reader has taken, in that order.
        ended: samples of ended instances that it has taken and ignored.
        is_matched: whether the orchestrator-like reader has met a node and not lost it.
    """

    outputs: dict[int, int]
    seen: list[int]
    ended: int
    is_matched: bool


class RemotePeer:
    """A peer on another host.

    Args:
        process: runs this module.
    """

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def send(self, first: int, count: int) -> None:
        """Write the inputs of tasks with consecutive numbers at once."""
        self._ask({"first": first, "count": count})

    def report(self) -> Report:
        """Ask what it has received."""
        answer = self._ask({})
        outputs = {int(number): count for number, count in answer["outputs"].items()}
        return Report(outputs, answer["seen"], answer["ended"], answer["is_matched"])

    def wait_for(self, fact: Callable[[Report], bool], timeout_s: float = PATIENCE_S) -> Report:
        """Wait until a fact about what it has received holds.

        Raises:
            AssertionError: it does not in time.
        """
        deadline_s = time.monotonic() + timeout_s
        while not fact(report := self.report()):
            assert time.monotonic() < deadline_s, f"what was waited for did not happen: {report}"
            time.sleep(LOOK_EVERY_S)
        return report

    def _ask(self, question: Mapping[str, object]) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(question), file=self._process.stdin, flush=True)
        line = self._process.stdout.readline()
        assert line, "the peer has ended; its complaint is above"
        answer: dict[str, Any] = json.loads(line)
        return answer


@contextmanager
def remote_peer(
    host: Host,
    domain: int,
    vendor: str = "fastdds",
    variables: Mapping[str, str] | None = None,
    lease_s: float = LEASE_S,
) -> Iterator[RemotePeer]:
    """A peer on a host; it leaves at the end.

    Args:
        host: where.
        domain: DDS domain id.
        vendor: whose DDS reads as the orchestrator does.
        variables: of its environment.
        lease_s: seconds after which others give it up if it fell silent.
    """
    module = [sys.executable, "-m", "tests.peer_on_host"]
    arguments = [*module, str(domain), vendor, str(lease_s)]
    command, pipe = host.command(arguments, variables), subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        yield RemotePeer(process)


async def _answer(load: Load, reader: FastDdsReader | CycloneReader) -> None:
    while line := await asyncio.to_thread(sys.stdin.readline):
        question = json.loads(line)
        if question:
            load.send_tasks(range(question["first"], question["first"] + question["count"]))
        outputs = {number: len(found) for number, found in load.outputs.items()}
        seen = [output.task_id.problem_id for output in list(reader.seen)]
        is_matched, ended = reader.is_matched(), reader.ended_count
        tell(
            json.dumps({"outputs": outputs, "seen": seen, "ended": ended, "is_matched": is_matched})
        )


async def _run(domain: int, vendor: str, lease_s: float) -> None:
    with orchestrator_reader(domain, vendor, None, lease_s) as reader:
        async with loading(domain, is_matched=False, loopback_only=False, lease_s=lease_s) as load:
            await _answer(load, reader)


if __name__ == "__main__":
    asyncio.run(_run(int(sys.argv[1]), sys.argv[2], float(sys.argv[3])))
