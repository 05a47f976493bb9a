"""Does an orchestrator see each output of a burst when the network loses packets?

Node and peers are on two hosts (`tests.hosts`). The reader takes one sample for each notification,
as the orchestrator does: what is received and not seen counts as missing.
"""

import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.domains import DOMAINS
from tests.hosts import network, obstacle
from tests.orchestrator_reader import READERS
from tests.peer_on_host import RemotePeer, remote_peer
from tests.program.processes import running_node

from bench.effort import Effort
from bench.figures import Figure, Statistic, Target, figure
from bench.nodes import FORMULA

LOST_SHARES = (0.0, 0.01, 0.03)
SIZES = (60, 200)
DOMAIN = DOMAINS[0]
QUIET_S = 10.0
"""Seconds without an output after which no more are expected."""

LOOK_EVERY_S = 0.02
TASKS_PER_NODE = 400
"""Tasks before hosts, node and reader are made again: CycloneDDS cannot read the ends of instances,
and the reader has room for 500."""

NONE = Target(Statistic.MEDIAN, 0.0, is_promise=True)


@dataclass(frozen=True, slots=True)
class LossyBurst:
    """Tasks that were sent back to back.

    Args:
        rate_hz: outputs seen a second, from the first input on.
        missing: outputs that were not seen.
    """

    rate_hz: float
    missing: int


def figures(effort: Effort) -> list[Figure]:
    """Send bursts at each loss, with readers of both vendors."""
    reason = obstacle()
    if reason is not None:
        raise RuntimeError(reason)
    return [
        each for vendor in READERS for share in LOST_SHARES for each in _of(vendor, share, effort)
    ]


def _of(vendor: str, share: float, effort: Effort) -> list[Figure]:
    found: list[Figure] = []
    for size in SIZES:
        per_node = TASKS_PER_NODE // size
        counts = [
            min(per_node, effort.lossy_bursts - done)
            for done in range(0, effort.lossy_bursts, per_node)
        ]
        bursts = [
            burst
            for seed, count in enumerate(counts)
            for burst in _on_new_hosts(vendor, share, size, count, seed)
        ]
        what = f"burst of {size}, {share:.0%} lost, {vendor}"
        missing = sum(burst.missing for burst in bursts)
        found.append(figure(f"{what}: seen", "1/s", [burst.rate_hz for burst in bursts]))
        found.append(figure(f"{what}: not seen, in all", "", [missing], None, NONE))
    return found


def _on_new_hosts(
    vendor: str, share: float, size: int, count: int, seed: int
) -> Iterator[LossyBurst]:
    with network(2, seed=seed) as hosts, tempfile.TemporaryDirectory() as state_dir:
        near, far = hosts.hosts
        with (
            running_node(DOMAIN, Path(state_dir), env=FORMULA, host=far),
            remote_peer(near, DOMAIN, vendor) as peer,
        ):
            peer.wait_for(lambda report: report.is_matched)
            hosts.lose(share)
            for number in range(count):
                yield _sent(peer, range(number * size + 1, (number + 1) * size + 1))


def _sent(peer: RemotePeer, numbers: range) -> LossyBurst:
    last_s = since_s = time.monotonic()
    peer.send(numbers[0], len(numbers))
    seen = 0
    while seen < len(numbers) and time.monotonic() < last_s + QUIET_S:
        now_seen = len(set(peer.report().seen) & {*numbers})
        if now_seen > seen:
            seen, last_s = now_seen, time.monotonic()
        time.sleep(LOOK_EVERY_S)
    return LossyBurst(seen / (last_s - since_s), len(numbers) - seen)
