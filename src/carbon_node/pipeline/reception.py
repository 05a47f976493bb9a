"""Hands what arrives to the part that handles it; joins the samples of a task into a whole task."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace

import structlog

from carbon_node.errors import CarbonNodeError
from carbon_node.pipeline.baseline import Baseline
from carbon_node.pipeline.control import Control
from carbon_node.pipeline.endpoints import TopicEndpoint
from carbon_node.pipeline.join import (
    Doubtful,
    Held,
    Join,
    Ready,
    Rejected,
    Repeated,
    Settled,
    Waiting,
)
from carbon_node.pipeline.pipeline import Pipeline
from carbon_node.pipeline.ports import TaskStore
from carbon_node.pipeline.raw_models import RawModels
from carbon_node.wire.contract import Arrival
from carbon_node.wire.samples import (
    ConfigurationRequest,
    HWResource,
    MLModel,
    NodeControl,
    TaskId,
    UserInput,
)

UPKEEP_PERIOD_S = 5.0
"""Seconds between looks for incomplete tasks that have waited for long enough."""

log = structlog.get_logger(__name__)


class Reception:
    """Reads the node's topics.

    Args:
        join: where the samples of a task meet.
        models: takes the bytes out of models.
        baseline: gets every new user input.
        pipeline: gets complete tasks, and later samples of tasks that have started.
        control: gets commands.
        endpoint: gets configuration requests.
        store: knows which samples were used before.
    """

    def __init__(
        self,
        join: Join,
        models: RawModels,
        baseline: Baseline,
        pipeline: Pipeline,
        control: Control,
        endpoint: TopicEndpoint,
        store: TaskStore,
    ) -> None:
        self._join = join
        self._models = models
        self._baseline = baseline
        self._pipeline = pipeline
        self._control = control
        self._endpoint = endpoint
        self._store = store

    @property
    def incomplete_count(self) -> int:
        """Tasks of which an input is missing."""
        return self._join.incomplete_count

    async def run(self, arrivals: AsyncIterator[Arrival]) -> None:
        """Hand over what arrives, until cancelled or there is no more to come.

        Args:
            arrivals: what the transport receives.
        """
        self._join.learn(await self._store.past())
        async with asyncio.TaskGroup() as group:
            upkeep = group.create_task(self._keep_up())
            async for arrival in arrivals:
                await self._hand_over(arrival)
                # The next one may be far, and this one may hold megabytes.
                del arrival
            upkeep.cancel()

    async def _hand_over(self, arrival: Arrival) -> None:
        match arrival.sample:
            case UserInput() | HWResource():
                await self._take_in(arrival)
            case MLModel() as model:
                light = await self._models.detached(model)
                await self._take_in(replace(arrival, sample=light))
            case NodeControl() as command:
                self._control.obey(command)
            case ConfigurationRequest() as request:
                self._endpoint.take(request)
            case _:
                pass

    async def _take_in(self, arrival: Arrival) -> None:
        if self._pipeline.is_stopping:
            return
        now_s = time.monotonic()
        match await self._joined(arrival, now_s):
            case Ready(inputs):
                self._update_baseline(arrival)
                await self._pipeline.start(inputs)
            case Waiting() | Held() as waiting:
                self._update_baseline(arrival)
                await self._pipeline.revise(arrival)
                self._note(waiting)
                self._evict(now_s)
            case Repeated(key):
                log.info(
                    "repeated input ignored", topic=arrival.topic.dds_name, task_id=key.task_id
                )
                await self._pipeline.revise(arrival)
            case Rejected(reason):
                log.warning("sample rejected", topic=arrival.topic.dds_name, reason=reason)

    async def _joined(self, arrival: Arrival, now_s: float) -> Settled:
        match self._join.add(arrival, now_s):
            case Doubtful(task_id, ml_model, hw_resource):
                uses = await self._store.uses(task_id, ml_model, hw_resource)
                return self._join.settle(task_id, uses, now_s)
            case settled:
                return settled

    def _note(self, waiting: Waiting | Held) -> None:
        if isinstance(waiting, Held):
            log.warning(
                "task waits for inputs of its own session",
                task_id=waiting.task_id,
                used_before=waiting.used,
                older_than_its_user_input=waiting.older,
            )

    def _update_baseline(self, arrival: Arrival) -> None:
        if not isinstance(arrival.sample, UserInput):
            return
        task_id: TaskId = arrival.sample.task_id
        try:
            self._baseline.user_input_arrived(task_id)
        except CarbonNodeError as error:
            log.warning("baseline not published", task_id=task_id, error=str(error))

    def _evict(self, now_s: float) -> None:
        for evicted in self._join.evict(now_s):
            log.warning(
                "incomplete task given up",
                task_id=evicted.task_id,
                missing=evicted.missing,
                reason=evicted.reason,
            )

    async def _keep_up(self) -> None:
        while True:
            await asyncio.sleep(UPKEEP_PERIOD_S)
            now_s = time.monotonic()
            self._evict(now_s)
            for overdue in self._join.overdue(now_s):
                await self._pipeline.start(overdue.inputs)
