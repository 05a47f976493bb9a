"""The systemd unit of this package, filled in for one machine."""

import re
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from carbon_node.errors import ConfigError

UNIT_NAME = "carbon-node.service"

SYSTEM_UNITS = Path("/etc/systemd/system")
"""Directory of an administrator's units."""

DEFAULT_PYTHON = Path("/opt/carbon-node/bin/python")
"""Interpreter of the virtual environment in which the documentation installs the package."""

_OWN_USER = """\
# A user of its own, made by systemd for as long as the service runs.
DynamicUser=yes
User=carbon-node"""

_HIDDEN = ("/home", "/root", "/run/user", "/tmp", "/var/tmp")  # noqa: S108  # never written to
# Nothing that systemd would expand or split.
_PLAIN_PATH = re.compile(r"/[\w./+@-]*", re.ASCII)
_PLAIN_USER = re.compile(r"[a-z_][a-z0-9_-]{0,30}", re.ASCII)


@dataclass(frozen=True, slots=True)
class UnitOptions:
    """What differs between machines.

    Args:
        python: interpreter that has the package installed.
        user: existing user to run as; None for one that systemd creates for the service.
        config: configuration file to use instead of the standard ones.
    """

    python: Path = DEFAULT_PYTHON
    user: str | None = None
    config: Path | None = None


def unit_text(options: UnitOptions) -> str:
    """Return the unit's text.

    Raises:
        ConfigError: a path or user that a unit cannot contain, or that the service could not see.
    """
    template = resources.files("carbon_node.cli").joinpath(f"{UNIT_NAME}.in").read_text()
    return template.replace("@COMMAND@", _command(options)).replace(
        "@IDENTITY@", _identity(options.user)
    )


def _command(options: UnitOptions) -> str:
    words = [_visible("interpreter", options.python), "-m carbon_node run"]
    if options.config is not None:
        words.append(f"--config {_visible('configuration file', options.config)}")
    return " ".join(words)


def _visible(what: str, path: Path) -> str:
    text = str(path)
    if not _PLAIN_PATH.fullmatch(text):
        raise ConfigError(
            f"{what} {text!r}: a unit needs an absolute path of letters, digits and _./+@-"
        )
    if any(path.is_relative_to(hidden) for hidden in _HIDDEN):
        raise ConfigError(
            f"{what} {text}: the service sees no home and no temporary directory; "
            "put it elsewhere, for example below /opt or /etc"
        )
    return text


def _identity(user: str | None) -> str:
    if user is None:
        return _OWN_USER
    if not _PLAIN_USER.fullmatch(user):
        raise ConfigError(f"user {user!r}: expected the name of an existing user")
    return f"User={user}"
