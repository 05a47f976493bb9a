"""Peers that are played never meet a real orchestrator."""

from pathlib import Path

import pytest
from tests.memory_transport import MemoryBus, MemoryTransport

from carbon_node.cli import peers
from carbon_node.cli.demo import DEMO_DOMAINS
from carbon_node.cli.peers import PEERS_ROLE, SimulatedPeers
from carbon_node.cli.submit import chosen_domain
from carbon_node.errors import TransportError
from carbon_node.wire.contract import Role

pytestmark = pytest.mark.anyio


async def test_a_domain_with_an_orchestrator_is_refused() -> None:
    """It would index a table with participants that it does not know; nothing is written there."""
    bus = MemoryBus()
    orchestrator = MemoryTransport(bus, Role("ORCHESTRATOR_NODE", (), ()))
    await orchestrator.open()
    own = MemoryTransport(bus, PEERS_ROLE)
    with pytest.raises(TransportError, match="domain 7 has an ORCHESTRATOR_NODE"):
        async with SimulatedPeers(own, 7).joined():
            pytest.fail("joined a real pipeline")
    assert own.retained == {}
    assert bus.transports == [orchestrator]


async def test_others_in_the_domain_are_no_hindrance(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither nodes nor other peers that are played."""
    monkeypatch.setattr(peers, "DISCOVERY_S", 0.01)
    bus = MemoryBus()
    for name in ("CARBON_FOOTPRINT_NODE", "carbon_node_submit"):
        await MemoryTransport(bus, Role(name, (), ())).open()
    async with SimulatedPeers(MemoryTransport(bus, PEERS_ROLE), 7).joined():
        assert len(bus.transports) == 3


@pytest.mark.parametrize(
    ("option", "pipeline", "expected"), [(None, None, 77), (0, None, 0), (None, "9", 9)]
)
def test_a_private_domain_is_the_default(
    option: int | None,
    pipeline: str | None,
    expected: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Domain 0, where pipelines live, has to be asked for; a demo stays even further away."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.delenv("CARBON_NODE_DOMAIN", raising=False)
    monkeypatch.delenv("SUSTAINML_DOMAIN_ID", raising=False)
    if pipeline is not None:
        monkeypatch.setenv("SUSTAINML_DOMAIN_ID", pipeline)
    assert chosen_domain(option) == expected
    assert not {0, expected} & {*DEMO_DOMAINS}
