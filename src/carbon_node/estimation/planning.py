"""Decide how a task's device energy is found.

The rule, in this order:

1. A task without a model, or whose hardware failed, is not computed.
2. Mode `formula`: the declared numbers alone.
3. Mode `declared`: the declared numbers give the result, and a simulated run of that power confirms
   it.
4. Mode `measured`: the model runs on this host under the tracker; the declared numbers are the
   reserve.
5. Mode `auto`: `measured` if this host could run the model and the hardware names this host or
   gives no usable power and latency;
   else `declared`.
"""

from dataclasses import dataclass

from carbon_node.estimation.declared import Declared, declared
from carbon_node.estimation.measurement import ModelRun, Run, SimulatedRun
from carbon_node.estimation.request import Assumptions, EstimationRequest, Mode
from carbon_node.estimation.result import NotComputed, Reason

MAX_ERROR = 100
"""Characters of a provider's error that are repeated."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How the device energy of one task is found.

    Args:
        request: the task.
        assumptions: what holds for it.
        mode: `formula`, `declared` or `measured`.
        declared: the declared numbers, or why they give nothing; only `measured` can go on without
            them.
        run: what the tracker is asked, None if nothing.
    """

    request: EstimationRequest
    assumptions: Assumptions
    mode: Mode
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
    refusal = _upstream_failure(request)
    if refusal is not None:
        return refusal
    numbers = declared(request, assumptions)
    mode = _mode(request, assumptions, numbers)
    if mode is Mode.MEASURED:
        run = ModelRun(request.model, request.model_path, request.raw_model)
        return Plan(request, assumptions, mode, numbers, run)
    if isinstance(numbers, NotComputed):
        return numbers
    if mode is Mode.FORMULA or numbers.power_w is None:
        return Plan(request, assumptions, Mode.FORMULA, numbers, None)
    return Plan(request, assumptions, Mode.DECLARED, numbers, SimulatedRun(numbers.power_w))


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
    said = " ".join(error[:MAX_ERROR].split()) or "no reason given"
    return f"the {provider} provider failed: {said}; see its log"


def _mode(
    request: EstimationRequest, assumptions: Assumptions, numbers: Declared | NotComputed
) -> Mode:
    if assumptions.mode is not Mode.AUTO:
        return assumptions.mode
    if not assumptions.model_is_runnable:
        return Mode.DECLARED
    is_measurable = _names_this_host(request, assumptions) or _is_missing(numbers)
    return Mode.MEASURED if is_measurable else Mode.DECLARED


def _names_this_host(request: EstimationRequest, assumptions: Assumptions) -> bool:
    hardware = request.hardware.strip().casefold()
    return hardware in {name.strip().casefold() for name in assumptions.host_names} - {""}


def _is_missing(numbers: Declared | NotComputed) -> bool:
    return isinstance(numbers, NotComputed) and numbers.reason in {
        Reason.NO_POWER,
        Reason.NO_LATENCY,
    }
