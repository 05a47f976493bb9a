"""Commands that are imported when they are called."""

import inspect

import pytest
import typer

from carbon_node import cli
from carbon_node.cli import history
from carbon_node.cli.lazy import Lazy, LazyGroup

GROUPS = {"carbon-node": cli.app, "history": history.history_app}


def tables() -> dict[str, Lazy]:
    """Return the lazy commands of all groups, each with its group's name before its own."""
    found: dict[str, Lazy] = {}
    for group, app in GROUPS.items():
        assert isinstance(app.info.cls, type)
        assert issubclass(app.info.cls, LazyGroup)
        found |= {f"{group} {name}": command for name, command in app.info.cls.table.items()}
    return found


@pytest.mark.parametrize(("name", "command"), tables().items())
def test_lists_say_what_the_command_says_of_itself(name: str, command: Lazy) -> None:
    """The line in a list of commands is the first sentence of the command's own help."""
    found = command.imported()
    own = found.info.help if isinstance(found, typer.Typer) else inspect.getdoc(found)
    assert (name, own) == (name, command.summary)
