"""One log line per task that says everything about it."""

from carbon_node.estimation import Estimate, NotComputed
from carbon_node.pipeline.progress import Answer, Progress
from carbon_node.tasks.answer import Kept

ESTIMATED = "estimated"
FAILED = "failed"
"""The two outcomes of a task, in log, metrics and results."""

STORED = "stored"
"""What metrics call a task that was answered before, in this run of the node or an earlier one."""

MAX_TEXT_CHARS = 200
"""Longest text of a peer that is logged; a line has to stay readable."""


def canonical_line(progress: Progress, answer: Answer) -> dict[str, object]:
    """Collect what an operator wants to know of an answered task.

    Args:
        progress: the task, with the seconds of its stages.
        answer: what it was answered with.

    Returns:
        Fields of the log line.
    """
    return {
        **_task(progress),
        "origin": "computed",
        **_outcome(answer.result),
        "stage_s": progress.stage_s,
    }


def stored_line(progress: Progress, kept: Kept, *, is_sent: bool) -> dict[str, object]:
    """Collect the same of a task that was answered before.

    Args:
        progress: the task, with the seconds of its stages.
        kept: its answer.
        is_sent: whether the answer was published once more.

    Returns:
        Fields of the log line.
    """
    answer = kept.answer
    found = {
        "mode": answer.mode,
        "place": answer.place_code,
        "energy_kwh": answer.energy_kwh,
        "intensity_g_per_kwh": answer.intensity_g_per_kwh,
        "carbon_g": answer.carbon_g,
        "reason": answer.reason,
    }
    return {
        **_task(progress),
        "origin": "store",
        "is_published_again": is_sent,
        "outcome": FAILED if answer.reason else ESTIMATED,
        **{name: value for name, value in found.items() if value not in (None, "")},
        "stage_s": progress.stage_s,
    }


def _task(progress: Progress) -> dict[str, object]:
    inputs = progress.inputs
    return {
        "task_id": progress.name,
        "model": inputs.ml_model.model[:MAX_TEXT_CHARS],
        "hardware": inputs.hw_resource.hw_description[:MAX_TEXT_CHARS],
    }


def _outcome(result: Estimate | NotComputed) -> dict[str, object]:
    match result:
        case Estimate():
            return {
                "outcome": ESTIMATED,
                "mode": result.mode.value,
                "place": result.intensity.place,
                "energy_kwh": result.energy_kwh.value,
                "intensity_g_per_kwh": result.intensity.g_per_kwh.value,
                "carbon_g": result.carbon_g.value,
            }
        case NotComputed():
            return {
                "outcome": FAILED,
                "reason": result.reason.value,
                "detail": result.detail[:MAX_TEXT_CHARS],
            }
