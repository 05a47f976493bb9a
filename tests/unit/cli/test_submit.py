"""Which domain tasks are submitted to."""

import pytest

from carbon_node.cli.demo import DEMO_DOMAINS
from carbon_node.cli.submit import PRIVATE_DOMAIN, chosen_domain
from carbon_node.errors import ConfigError


@pytest.fixture(autouse=True)
def no_domain_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the test states a domain."""
    for name in ("CARBON_NODE_DOMAIN", "SUSTAINML_DOMAIN_ID"):
        monkeypatch.delenv(name, raising=False)


def test_a_stated_domain_counts_wherever_nodes_are() -> None:
    """An option and the environment are obeyed."""
    assert chosen_domain(5, [0, 9]) == 5


def test_the_environment_states_a_domain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever exports the domain for `run` submits to the same one."""
    monkeypatch.setenv("CARBON_NODE_DOMAIN", "6")
    assert chosen_domain(None, [0]) == 6


@pytest.mark.parametrize("domains_here", [[], [0, PRIVATE_DOMAIN]])
def test_without_a_domain_tasks_stay_away_from_pipelines(domains_here: list[int]) -> None:
    """The private domain is taken where no node is known, or where one is in it."""
    assert chosen_domain(None, domains_here) == PRIVATE_DOMAIN
    # A demo stays even further away.
    assert not {0, PRIVATE_DOMAIN} & {*DEMO_DOMAINS}


def test_a_node_elsewhere_is_named_with_what_to_type() -> None:
    """Nobody waits in a domain in which nobody answers, and nobody joins a pipeline unasked."""
    with pytest.raises(ConfigError, match=r"in domain 0, .* type: carbon-node submit --domain 0$"):
        chosen_domain(None, [0])
