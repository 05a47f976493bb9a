"""What does the binding itself cost: discovery, an exchange, a sample written, an instance kept?

It is the reference of the other benchmarks; its own is a bare UDP socket on the loopback interface.
"""

import socket
import subprocess
import sys
import time

import psutil
from tests.domains import fresh_domain

from bench.effort import Effort
from bench.exchanges import LIVING, one_at_a_time
from bench.figures import Figure, figure
from bench.peers import OCTETS, Peers, echoed, task

WARM_UP = 50
INSTANCES = 5_000
PATIENCE_S = 30.0
MATCHES = 5


def figures(effort: Effort) -> list[Figure]:
    """Measure between two processes, and memory in this one."""
    # First, before this process has free memory.
    instance_bytes = _instance_bytes(INSTANCES)
    matched_ms = [_match_ms() for _ in range(MATCHES)]
    with echoed() as peers:
        one_at_a_time(peers, range(1, WARM_UP + 1))
        first = WARM_UP + 1
        numbers = range(first, first + effort.single_tasks)
        exchanges_ms = [each.round_trip_ms for each in one_at_a_time(peers, numbers)]
        written_us = _written_us(peers, effort.single_tasks, 2 * numbers.stop)
    udp_ms = _udp_round_trips_ms(effort.single_tasks)
    return [
        figure("join, discover and match a peer, its start included", "ms", matched_ms),
        figure("sample there, output back", "ms", exchanges_ms, ("bare UDP socket", udp_ms)),
        figure("write the inputs of a task", "us", written_us),
        figure("memory of an instance that a peer never ends", "B", [instance_bytes]),
    ]


def _match_ms() -> float:
    since_s = time.monotonic()
    with echoed():
        return 1000 * (time.monotonic() - since_s)


def _written_us(peers: Peers, count: int, first: int) -> list[float]:
    took_us = []
    for number in range(first, first + count):
        each = task(number)
        since_s = time.perf_counter()
        peers.send(each)
        took_us.append(1e6 * (time.perf_counter() - since_s))
        peers.receive(0.0)
        peers.retire_older_than(number - LIVING)
    return took_us


def _udp_round_trips_ms(runs: int) -> list[float]:
    """Send the octets of an output there and back within this process."""
    octets, took_ms = bytes(OCTETS), []
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as here,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as there,
    ):
        here.bind(("127.0.0.1", 0))
        there.bind(("127.0.0.1", 0))
        for _ in range(runs):
            since_s = time.perf_counter()
            here.sendto(octets, there.getsockname())
            there.sendto(there.recv(2 * OCTETS), here.getsockname())
            here.recv(2 * OCTETS)
            took_ms.append(1000 * (time.perf_counter() - since_s))
    return took_ms


def _instance_bytes(count: int) -> float:
    domain = fresh_domain()
    fill = f"from bench.peers import fill; fill({domain}, {count})"
    reading = Peers(domain)
    try:
        with subprocess.Popen([sys.executable, "-c", fill], stdin=subprocess.PIPE) as filling:
            # The first ones also pay for what is made once.
            early = _receive(reading, count // 10)
            before = psutil.Process().memory_info().rss
            late = _receive(reading, count - early)
            grown = psutil.Process().memory_info().rss - before
            filling.communicate()
    finally:
        reading.close()
    return grown / late


def _receive(peers: Peers, count: int) -> int:
    """Take at least so many outputs; return how many."""
    deadline_s, received = time.monotonic() + PATIENCE_S, 0
    while received < count:
        received += len(peers.receive(0.05))
        if time.monotonic() > deadline_s:
            raise TimeoutError(f"{count - received} outputs did not come")
    return received
