"""The border at which whatever ended the node becomes one line for people."""

import structlog

from carbon_node.errors import CarbonNodeError, DaemonError

log = structlog.get_logger(__name__)


def failure(error: Exception) -> CarbonNodeError:
    """Return what the command line says about an exception that ended the node.

    The package's own errors say it themselves. What the system refused needs no traceback; anything
    else is a defect, whose traceback goes into the log.

    Args:
        error: what ended the node; of a group of tasks, the first that failed counts.
    """
    match _first(error):
        case CarbonNodeError() as own:
            return own
        case OSError() as refusal:
            return DaemonError(f"the system refused what the node needs: {refusal}")
        case MemoryError():
            return DaemonError("the node got no more memory; give it more, or fewer tasks at once")
        case defect:
            log.critical("the node ends by a defect", exc_info=defect)
            return DaemonError(
                f"the node ended by a defect: {type(defect).__name__}: {defect}; "
                "please report it with the log"
            )


def _first(error: Exception) -> Exception:
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return error
