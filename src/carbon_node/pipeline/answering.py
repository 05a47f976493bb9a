"""From a task's inputs to its answer: plan, look up, measure, conclude."""

import asyncio
from contextlib import ExitStack
from dataclasses import replace

import structlog

from carbon_node.errors import TrackerError
from carbon_node.estimation import (
    Assumptions,
    CarbonIntensity,
    Estimate,
    EstimationRequest,
    Mode,
    NotComputed,
    Place,
    Plan,
    Reason,
    conclude,
    plan,
)
from carbon_node.estimation.measurement import (
    ModelRun,
    NotTracked,
    Run,
    TrackerFailure,
    TrackerOutcome,
)
from carbon_node.pipeline import translate
from carbon_node.pipeline.interruption import Repeat, Stopped
from carbon_node.pipeline.ports import Conditions, ConditionsSource, IntensitySource, Tracker
from carbon_node.pipeline.task import WORKER, Progress
from carbon_node.tasks.answer import Answer

log = structlog.get_logger(__name__)


class Answering:
    """Answers tasks.

    Args:
        conditions: what a new task is computed under.
        node_version: version that results name.
    """

    def __init__(self, conditions: ConditionsSource, node_version: str) -> None:
        self._conditions = conditions
        self._node_version = node_version

    async def answer(self, progress: Progress) -> Answer:
        """Answer a task, whatever happens.

        Args:
            progress: the task; the stages `intensity` and `tracker` are noted in it.

        Returns:
            What it is answered with: numbers, or why there are none.
        """
        try:
            return self._answer(progress, await self._result(progress))
        except Exception as error:
            log.exception("task failed inside the node", task_id=progress.name)
            detail = f"{type(error).__name__} inside the node; its log has the traceback"
            return self._answer(progress, NotComputed(Reason.INTERNAL_ERROR, detail))

    def _answer(self, progress: Progress, result: Estimate | NotComputed) -> Answer:
        return translate.to_answer(
            progress.inputs, result, self._node_version, progress.revision, progress.stage_s
        )

    async def _result(self, progress: Progress) -> Estimate | NotComputed:
        while True:
            match await progress.interruption.work(self._estimate(progress)):
                case Repeat():
                    continue
                case Stopped(why):
                    return NotComputed(Reason.STOPPED, why)
                case result:
                    return result

    async def _estimate(self, progress: Progress) -> Estimate | NotComputed:
        for sample, problem in translate.problems_of(progress.inputs).items():
            log.warning("extra_data ignored", task_id=progress.name, sample=sample, problem=problem)
        conditions = self._conditions.conditions()
        progress.revision = conditions.assumptions.revision
        request = translate.to_request(
            progress.inputs, conditions.latency_unit, conditions.hardware
        )
        for problem in request.refused:
            log.warning("number refused", task_id=progress.name, problem=problem)
        planned = plan(request, await _assumptions(conditions, request))
        match planned:
            case NotComputed():
                return planned
            case Plan(run=run):
                with progress.stage("intensity"):
                    intensity = await _intensity(conditions.intensity, request.place)
                outcome = await _track(conditions.tracker, run, progress)
                return conclude(planned, intensity, outcome)


async def _assumptions(conditions: Conditions, request: EstimationRequest) -> Assumptions:
    # Only the automatic choice asks whether the model could be measured here, and only for hardware
    # that is here.
    if conditions.assumptions.mode is not Mode.AUTO or not request.known.is_here:
        return conditions.assumptions
    run = ModelRun(request.model, request.model_path, request.raw_model)
    is_runnable = await asyncio.to_thread(conditions.tracker.can_run, run)
    return replace(conditions.assumptions, model_is_runnable=is_runnable)


async def _intensity(source: IntensitySource, place: Place) -> CarbonIntensity:
    known = source.known(place)
    return await asyncio.to_thread(source.lookup, place) if known is None else known


async def _track(tracker: Tracker, run: Run | None, progress: Progress) -> TrackerOutcome:
    if run is None:
        return NotTracked()
    try:
        with ExitStack() as stage:
            stage.enter_context(progress.stage(WORKER))

            def begin() -> None:
                stage.close()
                stage.enter_context(progress.stage("tracker"))

            return await tracker.measure(run, begin)
    except TrackerError as error:
        log.warning(
            "measurement failed",
            task_id=progress.name,
            failure=error.failure,
            detail=error.detail,
        )
        return TrackerFailure(error.failure, error.detail)
