"""Answers each task at once with an output of a given size: `python -m bench.echo DOMAIN OCTETS`.

What a raw exchange costs on the same binding: take three samples, write one. Ends with its standard
input.
"""

import select
import sys
from collections import defaultdict, deque

from bench.peers import BATCH, INPUTS, Values, footprint, participant
from carbon_node.transport.endpoints import Reader, open_writer
from carbon_node.wire.contract import Topic
from carbon_node.wire.samples import TaskId

RETAINED = 400
"""Outputs that stay for late readers, as many as at the node."""


def main() -> None:
    """Serve until standard input ends."""
    domain, octets = int(sys.argv[1]), int(sys.argv[2])
    joined = participant(domain)
    writer = open_writer(joined, Topic.FOOTPRINT)
    readers = [Reader(joined, topic) for topic in INPUTS]
    retained: deque[Values] = deque()
    came: defaultdict[TaskId, int] = defaultdict(int)
    poll = select.poll()
    poll.register(joined.fileno(), select.POLLIN)
    poll.register(sys.stdin, select.POLLIN | select.POLLHUP)
    while sys.stdin.fileno() not in dict(poll.poll()):
        joined.clear()
        while taken := [sample for reader in readers for sample in reader.take(BATCH)]:
            for sample in taken:
                if sample.value is None:
                    continue
                task_id = TaskId(*sample.value[-1])
                came[task_id] += 1
                if came[task_id] == len(INPUTS):
                    del came[task_id]
                    retained.append(footprint(task_id, octets))
                    writer.write(retained[-1])
            while len(retained) > RETAINED:
                writer.unregister(retained.popleft())
    joined.close()


if __name__ == "__main__":
    main()
