"""A node, or a peer, that stands still for longer than a lease: they forget, and meet again."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.answered_peer import AnsweredPeer, Vendor, answered_peer
from tests.domains import fresh_domain
from tests.program.processes import NodeProcess, running_node

LEASE_S = 1
PEER_LEASE_S = 3.0
FREEZE_S = 2.0
"""Longer than the node's lease and shorter than the peer's: only one of the two forgets the other,
which Fast DDS and CycloneDDS do not get over by themselves."""

ENV = {"CARBON_NODE_TRACKER__MODE": "formula", "CARBON_NODE_LEASE_DURATION_S": str(LEASE_S)}


@contextmanager
def frozen(pid: int) -> Iterator[None]:
    """Let a process stand still; how long is what is tested."""
    os.kill(pid, signal.SIGSTOP)
    try:
        time.sleep(FREEZE_S / 2)
        yield
        time.sleep(FREEZE_S / 2)
    finally:
        os.kill(pid, signal.SIGCONT)


def losses(node: NodeProcess) -> list[str]:
    """What the node has done about peers that may have lost it."""
    name = "peers may have given this node up"
    return [event["action"] for event in node.events() if event["event"] == name]


def answered(peer: AnsweredPeer, count: int) -> None:
    """Wait until so many tasks are answered.

    What a reader received less than a heartbeat before a freeze may come twice: the node cannot
    know of it yet.
    """
    assert peer.wait_for(count).tasks == count


def test_a_node_that_stood_still_answers_peers_of_both_vendors(tmp_path: Path) -> None:
    """Tasks of before, meanwhile and afterwards get one output each, at both readers."""
    domain = fresh_domain()
    with (
        running_node(domain, tmp_path, env=ENV) as node,
        answered_peer(Vendor.CYCLONE_DDS, domain) as cyclone,
        answered_peer(Vendor.FAST_DDS, domain) as fast,
    ):
        for peer in (cyclone, fast):
            peer.wait_until_met()
        cyclone.send(range(1, 21))
        for peer in (cyclone, fast):
            answered(peer, 20)
        with frozen(node.process.pid):
            cyclone.send(range(21, 41))
            fast.send(range(41, 61))
        cyclone.send(range(61, 81))
        for peer in (cyclone, fast):
            answered(peer, 80)
        assert "joins again" in losses(node)
        assert node.stop() == 0


def test_peers_of_fast_dds_find_a_node_again_that_stood_still(tmp_path: Path) -> None:
    """The node stays the participant that it is, and says its status again."""
    domain = fresh_domain()
    with (
        running_node(domain, tmp_path, env=ENV) as node,
        answered_peer(Vendor.FAST_DDS, domain) as peer,
    ):
        peer.wait_until_met()
        peer.send(range(1, 21))
        answered(peer, 20)
        with frozen(node.process.pid):
            peer.send(range(21, 41))
        peer.send(range(41, 61))
        answered(peer, 60)
        assert set(losses(node)) == {"none, they find it again"}


def test_a_reader_of_another_vendor_that_stood_still_gets_its_outputs(tmp_path: Path) -> None:
    """It has forgotten the node, which the node notices by what is not acknowledged."""
    domain = fresh_domain()
    with (
        running_node(domain, tmp_path, env=ENV),
        answered_peer(Vendor.CYCLONE_DDS, domain, PEER_LEASE_S) as peer,
    ):
        peer.wait_until_met()
        peer.send(range(1, 21))
        answered(peer, 20)
        with frozen(peer.process.pid):
            pass
        peer.send(range(21, 41))
        # It would not get them from a writer that it has forgotten. A busy machine may hide the
        # silence from it; then the node has nothing to do.
        answered(peer, 40)
