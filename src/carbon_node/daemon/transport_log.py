"""The log of the DDS libraries as records of this node's log."""

import logging

_log = logging.getLogger("fastdds")


def log_line(severity: str, category: str, message: str) -> None:
    """Log a line of Fast DDS with the weight that it has for this node.

    Args:
        severity: error, warning, info or debug.
        category: part of Fast DDS that says it.
        message: what it says.
    """
    level = logging.getLevelNamesMapping()[severity.upper()]
    _log.log(level, message.strip(), extra={"category": category})
