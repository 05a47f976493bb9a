"""Which of the two transports a node runs on, and why.

Both bring their own Fast DDS, and two of them in one process would overwrite each other's symbols.
So whether the workspace's library loads is tried in another process, and this one then loads one of
the two.
"""

import subprocess
import sys
from dataclasses import dataclass
from enum import StrEnum
from importlib.util import find_spec
from typing import Literal

TRIAL_S = 20.0
"""Seconds that the trial import may take: a cold start from a slow disk."""

_PACKAGE = "sustainml_py"
_TRIAL = "import sys; sys.path[:] = sys.argv[1:]; import sustainml_py.nodes.CarbonFootprintNode"


class TransportKind(StrEnum):
    """What speaks DDS."""

    FASTDDS = "fastdds"
    SUSTAINML = "sustainml"


@dataclass(frozen=True, slots=True)
class TransportChoice:
    """What a node runs on.

    Args:
        kind: the transport.
        reason: why this one, in one line.
    """

    kind: TransportKind
    reason: str


def choose(setting: Literal["auto", "fastdds", "sustainml"]) -> TransportChoice:
    """Choose the transport; starts a Python of its own where sustainml_py is installed.

    Args:
        setting: what is asked for; auto takes sustainml_py where it loads, else the embedded one.
    """
    if setting != "auto":
        return TransportChoice(TransportKind(setting), f"transport = {setting}")
    problem = library_problem()
    if problem is None:
        return TransportChoice(TransportKind.SUSTAINML, f"{_PACKAGE} can be loaded")
    return TransportChoice(TransportKind.FASTDDS, problem)


def library_problem() -> str | None:
    """Say why sustainml_py cannot be used; None if it loads, in another process."""
    if find_spec(_PACKAGE) is None:
        return f"{_PACKAGE} is not installed"
    try:
        trial = subprocess.run(  # noqa: S603 - our own interpreter, with nothing from outside
            [sys.executable, "-c", _TRIAL, *sys.path],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            timeout=TRIAL_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"{_PACKAGE} did not load within {TRIAL_S:g} s"
    if trial.returncode == 0:
        return None
    last = (trial.stderr.strip().splitlines() or [f"status {trial.returncode}"])[-1]
    return f"{_PACKAGE} cannot be loaded: {last}"
