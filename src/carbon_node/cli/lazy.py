"""Commands that are imported when they are called, not when they are listed.

What a command needs takes up to half a second to import, which `--help`, `--version` and the other
commands should not pay. With each command in a module of its own, its imports stand at the top of
that module, and the group knows only a name and a line of help.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_group

if TYPE_CHECKING:
    # typer's own copy of click, which its public classes take and return
    from typer._click import Command, Context


@dataclass(frozen=True, slots=True)
class Lazy:
    """A command that is not imported yet.

    Args:
        target: "module:attribute" of a function, or of a Typer that has commands of its own.
        summary: what lists of commands say about it; the first sentence of its own help.
    """

    target: str
    summary: str

    def imported(self) -> Callable[..., object] | typer.Typer:
        """Import it."""
        module, _, attribute = self.target.partition(":")
        found: Callable[..., object] | typer.Typer = getattr(import_module(module), attribute)
        return found


class LazyGroup(TyperGroup):
    """A group that also has the commands of a table, each imported when it is called.

    Subclasses state the table: by name, in the order of the help.
    """

    table: Mapping[str, Lazy]

    def __init__(self, **attributes: Any) -> None:  # noqa: ANN401 (whatever typer passes)
        super().__init__(**attributes)
        for name, command in self.table.items():
            self.add_command(TyperCommand(name, help=command.summary))

    def resolve_command(
        self, ctx: "Context", args: list[str]
    ) -> "tuple[str | None, Command | None, list[str]]":
        """Return the command that is called, imported."""
        name, command, rest = super().resolve_command(ctx, args)
        lazy = self.table.get(name or "")
        return name, command if lazy is None else _command(str(name), lazy), rest


def _command(name: str, lazy: Lazy) -> "Command":
    app, found = typer.Typer(rich_markup_mode=None), lazy.imported()
    if isinstance(found, typer.Typer):
        app.add_typer(found, name=name)
    else:
        app.command(name)(found)
    return get_group(app).commands[name]
