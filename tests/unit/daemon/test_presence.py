"""Which participants of the node's name count as living nodes that were here before."""

import os

import pytest
from tests.domains import fresh_domain

from carbon_node.daemon.presence import claimed, claimed_domains, properties, rivals, unverified
from carbon_node.wire.contract import NODE_NAME, Peer

NOW_NS = 1_000_000

Pairs = tuple[tuple[str, str], ...]


def namesake(pairs: Pairs) -> Peer:
    """A participant with this node's name."""
    return Peer("guid", NODE_NAME, pairs)


def elsewhere(started: str) -> Pairs:
    """What a node on another host says, whose life cannot be looked up."""
    return (("carbon_node.process", "host/pid:[1]/7"), ("carbon_node.started_ns", started))


def test_claimed_domains_can_be_looked_up() -> None:
    """Whoever asks on this host learns where nodes are, until they end."""
    domain = fresh_domain()
    with claimed(domain):
        assert domain in claimed_domains()
    assert domain not in claimed_domains()


@pytest.mark.parametrize("is_running", [False, True])
@pytest.mark.parametrize(
    ("pairs", "is_rival"),
    [
        (properties(NOW_NS - 1), True),
        (properties(NOW_NS), True),
        (properties(NOW_NS + 1), False),
        (elsewhere("1"), True),
        (elsewhere(str(NOW_NS + 1)), False),
        (elsewhere("9" * 5_000), False),
        (elsewhere("1" * 21), False),
        (elsewhere("-1"), False),
        (elsewhere("٣"), False),
        (elsewhere(""), False),
        ((("carbon_node.process", "x"),), False),
    ],
)
def test_a_claim_is_believed_if_it_is_well_formed_and_earlier(
    pairs: Pairs,
    is_rival: bool,  # noqa: FBT001 - a parameter of the test
    is_running: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """A time of thousands of digits is no time, and nothing that is said raises."""
    found = rivals([namesake(pairs)], NOW_NS, is_running=is_running)
    assert bool(found) is is_rival


def test_a_dead_node_of_this_host_is_no_rival() -> None:
    """Its process is looked up, where that can be."""
    (process, value), started = properties(NOW_NS - 1)
    dead = value.rpartition("/")[0] + "/999999999"
    assert str(os.getpid()) in value
    assert rivals([namesake(((process, dead), started))], NOW_NS, is_running=False) == ()


def test_another_implementation_stops_a_start_and_no_running_node() -> None:
    """It says nothing of itself, as anybody could who takes the name."""
    peers = [namesake(()), Peer("other", "SOMEBODY", ())]
    (found,) = rivals(peers, NOW_NS, is_running=False)
    assert found == "another implementation (GUID guid)"
    assert rivals(peers, NOW_NS, is_running=True) == ()


def test_whoever_says_nothing_readable_is_named() -> None:
    """A node that says since when is not, nor is anybody of another name."""
    peers = [
        namesake(()),
        namesake(elsewhere("9" * 5_000)),
        namesake(elsewhere("1")),
        Peer("other", "SOMEBODY", ()),
    ]
    assert unverified(peers) == ("guid", "guid")
