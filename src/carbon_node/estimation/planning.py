"""Decide how a task's device energy is found.

The rule, in this order:

1. A task without a model, or whose hardware failed, is not computed.
2. Mode `formula`: the declared numbers alone.
3. Mode `declared`: the declared numbers give the result, and a simulated run of that power confirms
   it.
4. Mode `measured`: the model runs on this host under the tracker, whatever hardware is named; the
   declared numbers are the reserve.
5. Mode `auto`: `measured` if the hardware is this host or a device of it, and this host could run
   the model; else `declared`. What names other hardware is never measured here, not even without
   numbers: an energy is that of the named hardware, or there is none.

Declared numbers without a power take what is known of the hardware, and are then `catalogue`.
"""

from dataclasses import dataclass, replace

from carbon_node.estimation.declared import Declared, PowerAndLatency, declared
from carbon_node.estimation.measurement import ModelRun, Run, SimulatedRun
from carbon_node.estimation.request import Assumptions, EstimationRequest, Mode
from carbon_node.estimation.result import Basis, NotComputed, Reason
from carbon_node.estimation.text import one_line

MAX_ERROR = 100
"""Characters of a provider's error that are repeated."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How the device energy of one task is found.

    Args:
        request: the task.
        assumptions: what holds for it.
        basis: what the result is to rest on.
        declared: the declared numbers, or why they give nothing; only `measured` can go on without
            them.
        run: what the tracker is asked, None if nothing.
    """

    request: EstimationRequest
    assumptions: Assumptions
    basis: Basis
    declared: Declared | NotComputed
    run: Run | None


def plan(request: EstimationRequest, assumptions: Assumptions) -> Plan | NotComputed:
    """Decide how the device energy of a task is found, by the rule of this module.

    Args:
        request: the task.
        assumptions: what holds for it.

    Returns:
        A plan, or why no footprint can be computed.
    """
    planned = _plan(request, assumptions)
    if isinstance(planned, NotComputed):
        return replace(planned, warnings=request.warnings)
    return planned


def _plan(request: EstimationRequest, assumptions: Assumptions) -> Plan | NotComputed:
    refusal = _upstream_failure(request)
    if refusal is not None:
        return refusal
    numbers = declared(request, assumptions)
    if _is_measured(request, assumptions):
        run = ModelRun(request.model, request.model_path, request.raw_model)
        return Plan(request, assumptions, Basis.MEASURED, numbers, run)
    if isinstance(numbers, NotComputed):
        return numbers
    if isinstance(numbers, PowerAndLatency) and numbers.is_catalogued:
        return Plan(request, assumptions, Basis.CATALOGUE, numbers, None)
    if assumptions.mode is Mode.FORMULA or numbers.power_w is None:
        return Plan(request, assumptions, Basis.FORMULA, numbers, None)
    return Plan(request, assumptions, Basis.DECLARED, numbers, SimulatedRun(numbers.power_w))


def _upstream_failure(request: EstimationRequest) -> NotComputed | None:
    if request.model_error is not None:
        return NotComputed(Reason.NO_MODEL, _failed("model", request.model_error))
    if not request.model.strip():
        return NotComputed(
            Reason.NO_MODEL, "the model id is empty; the model provider must send one"
        )
    if request.hardware_error is not None:
        return NotComputed(Reason.HARDWARE_ERROR, _failed("hardware", request.hardware_error))
    return None


def _failed(provider: str, error: str) -> str:
    said = one_line(" ".join(error[:MAX_ERROR].split()), MAX_ERROR) or "no reason given"
    return f"the {provider} provider failed: {said}; see its log"


def _is_measured(request: EstimationRequest, assumptions: Assumptions) -> bool:
    match assumptions.mode:
        case Mode.MEASURED:
            return True
        case Mode.AUTO:
            return assumptions.model_is_runnable and request.known.is_here
        case Mode.DECLARED | Mode.FORMULA:
            return False
