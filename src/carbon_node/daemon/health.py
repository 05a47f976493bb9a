"""What the node says when results are kept less well than they should be."""

import structlog

from carbon_node.store import Health

log = structlog.get_logger(__name__)


def report(health: Health) -> None:
    """Log a change of the store's health."""
    if health.moved_aside is not None:
        log.error(
            "results database was damaged; it was moved aside and a new one begun",
            moved_to=str(health.moved_aside),
        )
    if health.is_degraded:
        log.error("degraded: results are kept in memory only", problem=health.trouble)
    else:
        log.info("results are kept on disk", lost=health.lost)


def degraded(health: Health) -> list[str]:
    """Say what works less well than it should and why, one line each."""
    lines = []
    if health.is_degraded:
        lines.append(f"results: {health.unwritten} tasks are in memory only: {health.trouble}")
    if health.lost:
        lines.append(
            f"results: {health.lost} answers were published and are missing from the history"
        )
    if health.moved_aside is not None:
        lines.append(f"results: the damaged database was moved to {health.moved_aside}")
    return lines
