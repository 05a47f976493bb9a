"""The systemd unit as text."""

from pathlib import Path

import pytest

from carbon_node.cli.service_unit import UnitOptions, unit_text
from carbon_node.errors import ConfigError

PACKAGED = Path(__file__).parents[3] / "packaging" / "carbon-node.service"


def lines(options: UnitOptions) -> list[str]:
    """The lines of a unit."""
    return unit_text(options).splitlines()


def test_the_packaged_unit_is_the_rendered_default() -> None:
    """The unit that packagers take is the one that `service install` writes."""
    assert PACKAGED.read_text() == unit_text(UnitOptions())


def test_interpreter_and_configuration_file_are_those_given() -> None:
    """The unit starts this interpreter with this file."""
    options = UnitOptions(Path("/srv/node/bin/python3"), config=Path("/etc/node.toml"))
    expected = "ExecStart=/srv/node/bin/python3 -m carbon_node run --config /etc/node.toml"
    assert expected in lines(options)


def test_an_own_user_is_made_unless_one_is_given() -> None:
    """By default systemd creates the user; otherwise the unit names the given one."""
    assert {"DynamicUser=yes", "User=carbon-node"} <= set(lines(UnitOptions()))
    assert "User=sustainml" in lines(UnitOptions(user="sustainml"))
    assert "DynamicUser=yes" not in lines(UnitOptions(user="sustainml"))


def test_nothing_is_left_to_fill_in() -> None:
    """Every placeholder of the template is filled."""
    assert not any("@" in line for line in lines(UnitOptions()) if "SystemCallFilter" not in line)


def test_the_service_leaves_no_core_dump() -> None:
    """One would hold the operator's key and users' tokens, and lie in the journal for long."""
    assert "LimitCORE=0" in lines(UnitOptions())


@pytest.mark.parametrize(
    "options",
    [
        UnitOptions(Path("python")),
        UnitOptions(Path("/opt/a b/python")),
        UnitOptions(Path("/opt/%n/python")),
        UnitOptions(Path("/opt/$HOME/python")),
        UnitOptions(Path("/opt/x\nExecStartPre=/bin/evil")),
        UnitOptions(Path("/opt/ü/python")),
        UnitOptions(Path("/home/me/.venv/bin/python")),
        UnitOptions(Path("/tmp/venv/bin/python")),  # noqa: S108  # refused, not used
        UnitOptions(config=Path("/root/carbon-node.toml")),
        UnitOptions(config=Path("carbon-node.toml")),
        UnitOptions(user="root; reboot"),
        UnitOptions(user="me\nUser=root"),
        UnitOptions(user=""),
    ],
)
def test_what_a_unit_cannot_hold_or_the_service_not_see_is_refused(options: UnitOptions) -> None:
    """Paths that systemd would expand, split or hide, and impossible user names, are refused."""
    with pytest.raises(ConfigError):
        unit_text(options)
