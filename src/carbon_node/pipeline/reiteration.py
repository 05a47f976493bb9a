"""Whether a result asks for another iteration: the key `auto_reiterate` of the carbon node of 2026.

A user asks for it with `optimize_carbon_footprint_auto`. The result then asks for another iteration
while it exceeds what the user set: `desired_carbon_footprint`, or `max_memory_footprint`. It never
does so

- where more outputs were asked for, since `num_outputs` starts the next iteration already;
- after three attempts. Whoever starts one counts them in `auto_attempt`; where nobody counts, the
  iterations that the problem has had so far count instead, so that it ends in any case;
- where there is no result, which nothing can be compared with.

An output that leaves once more, or for a late reader, asks for nothing
(`wire.extra_data.with_single_output`).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from carbon_node.estimation import Estimate, NotComputed
from carbon_node.json_value import Json
from carbon_node.wire import extra_data
from carbon_node.wire.samples import HWResource, UserInput

MAX_ATTEMPTS: Final = 3
"""Iterations that are asked for after the first, as in the carbon node of 2026."""


class Why(StrEnum):
    """Why another iteration is asked for, or why it is not."""

    CARBON = "the carbon footprint exceeds what is desired"
    MEMORY = "the memory footprint exceeds its maximum"
    KEPT = "nothing that was set is exceeded"
    MORE_OUTPUTS = "more outputs follow anyway"
    ATTEMPTS = "all attempts were made"
    NO_RESULT = "there is no result"


@dataclass(frozen=True, slots=True)
class Reiteration:
    """Whether a result of an automatic optimisation asks for another iteration, and why.

    Args:
        why: what decided.
        attempt: attempts that were made before this result, >= 0.
    """

    why: Why
    attempt: int

    @property
    def is_wanted(self) -> bool:
        """Whether another iteration is asked for."""
        return self.why in (Why.CARBON, Why.MEMORY)


def reiteration(
    user: UserInput,
    user_extra: Mapping[str, object],
    hardware: HWResource,
    result: Estimate | NotComputed,
) -> Reiteration | None:
    """Decide whether a result asks for another iteration, by the rule of this module.

    Args:
        user: what the user asks for.
        user_extra: content of its extra_data.
        hardware: the chosen hardware, with the model's memory footprint in MB.
        result: what came out.

    Returns:
        The decision; None where the user did not ask for automatic optimisation.
    """
    if not user.optimize_carbon_footprint_auto:
        return None
    attempt = _attempt(user_extra, user.task_id.iteration_id)
    return Reiteration(_why(user_extra, hardware, result, attempt), attempt)


def keys_of(decision: Reiteration | None) -> dict[str, Json]:
    """Return what the output's extra_data says of a decision."""
    if decision is None:
        return {extra_data.AUTO_REITERATE: False}
    return {
        extra_data.AUTO_REITERATE: decision.is_wanted,
        "reiteration": {
            "why": decision.why.value,
            "attempt": decision.attempt,
            "max_attempts": MAX_ATTEMPTS,
        },
    }


def _why(
    user_extra: Mapping[str, object],
    hardware: HWResource,
    result: Estimate | NotComputed,
    attempt: int,
) -> Why:
    if isinstance(result, NotComputed):
        return Why.NO_RESULT
    exceeded = _exceeded(user_extra, hardware, result)
    if exceeded is None:
        return Why.KEPT
    if extra_data.number_of_outputs(user_extra) > 1:
        return Why.MORE_OUTPUTS
    return Why.ATTEMPTS if attempt >= MAX_ATTEMPTS else exceeded


def _exceeded(
    user_extra: Mapping[str, object], hardware: HWResource, estimate: Estimate
) -> Why | None:
    if estimate.budget is not None and estimate.budget.margin_g < 0:
        return Why.CARBON
    # Both in MB; 0 is what the user interface sends for none.
    most_mb = extra_data.number(user_extra.get("max_memory_footprint")) or 0.0
    needed_mb = hardware.memory_footprint_of_ml_model
    return Why.MEMORY if 0 < most_mb < needed_mb < math.inf else None


def _attempt(user_extra: Mapping[str, object], iteration_id: int) -> int:
    counted = extra_data.count_of(user_extra.get("auto_attempt"))
    return max(iteration_id - 1, 0) if counted is None else counted
