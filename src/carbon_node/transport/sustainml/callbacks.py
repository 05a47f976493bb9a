"""What the library's threads do: hand a task over, wait for its answer, fill it in.

Two rules keep the process and its peers alive. No exception may leave a callback: the library would
end the process. And no output may leave without readable extra_data: the orchestrator would end. So
an output is first filled with what must be there whatever happens.
"""

import itertools
import json
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeAlias

from carbon_node.transport.sustainml.identities import Identities
from carbon_node.transport.sustainml.objects import copied, fill
from carbon_node.transport.sustainml.rendezvous import Released, Rendezvous
from carbon_node.wire.contract import CONFIGURATION_NODE_ID, Arrival, Topic
from carbon_node.wire.samples import (
    CO2Footprint,
    ConfigurationRequest,
    ConfigurationResponse,
    ErrorCode,
    HWResource,
    MLModel,
    Sample,
    TaskId,
    UserInput,
)
from carbon_node.wire.types import key_of

Inputs: TypeAlias = tuple[UserInput, MLModel, HWResource]

INPUT_TOPICS = (Topic.USER_INPUT, Topic.ML_MODEL, Topic.HW_RESOURCE)
"""Topics of `Inputs`, in its order."""

ADDRESSED_NODE_IDS = frozenset({CONFIGURATION_NODE_ID, 0})
"""Requests that are for this node. 0 is what the library's main branch leaves there: its service is
one per node, and its requests have no ids."""

QUIET_S = 0.25
"""Seconds for which the library still works on the answer after a callback has returned: it sends
it, and keeps its listener for 0.1 s. Destroying the node meanwhile ends the process."""

REQUESTS_WRITER = "sustainml_py"
"""Writer of all requests: the library does not say whose they are."""

UNANSWERED = CO2Footprint(
    extra_data=b'{"num_outputs":1,"model_restrains":[],"error":"internal error: see the log"}'
)
"""Keeps the consumers of an output alive if anything goes wrong before a better one is there."""


class Unanswered(StrEnum):
    """Why a callback had to make do without the pipeline's answer."""

    LATE = "the task was not answered within the deadline of its callback"
    STOPPED = "the node stopped before the task was answered"


@dataclass(frozen=True, slots=True)
class Deadlines:
    """How long callbacks wait.

    Args:
        task_s: seconds within which the pipeline has to publish a task's footprint, > 0.
        request_s: seconds within which a configuration request is answered, > 0.
    """

    task_s: float
    request_s: float = 10.0


class Callbacks:
    """The callbacks of one node, and the answers that they wait for.

    `on_task` and `on_request` block, and belong to threads of the library; the other methods may be
    called from any thread.

    Args:
        deadlines: how long callbacks wait.
        failed: makes the output of a task that the pipeline did not answer.
        hand_over: takes arrivals to the event loop; must not block.
        report: takes a line about something that went wrong; must not block or raise.
    """

    def __init__(
        self,
        deadlines: Deadlines,
        failed: Callable[[UserInput, MLModel, HWResource, Unanswered], CO2Footprint],
        hand_over: Callable[[list[Arrival]], None],
        report: Callable[[str], None],
    ) -> None:
        self._deadlines = deadlines
        self._failed = failed
        self._hand_over = hand_over
        self._report = report
        self._identities = Identities()
        self._request_numbers = itertools.count(1)
        self._tasks: Rendezvous[TaskId, CO2Footprint] = Rendezvous()
        self._requests: Rendezvous[int, ConfigurationResponse] = Rendezvous()

    def on_task(
        self, ml_model: object, user_input: object, hw: object, _status: object, co2: object
    ) -> None:
        """Answer a task; called by the library, which publishes `co2` afterwards."""
        with self._contained("a task"), self._tasks.inside():
            fill(co2, UNANSWERED)
            inputs = (
                copied(UserInput, user_input),
                copied(MLModel, ml_model),
                copied(HWResource, hw),
            )
            fill(co2, self._footprint(inputs))

    def on_request(self, request: object, response: object) -> None:
        """Answer a configuration request; called by the library, which sends `response`."""
        with self._contained("a configuration request"), self._requests.inside():
            asked = copied(ConfigurationRequest, request)
            if asked.node_id in ADDRESSED_NODE_IDS:
                answered = self._response(asked.configuration)
                fill(
                    response,
                    replace(answered, node_id=asked.node_id, transaction_id=asked.transaction_id),
                )

    def answer_task(self, footprint: CO2Footprint) -> None:
        """Let the callback return that waits for this task.

        Raises:
            TransportError: none does, or not any more.
        """
        self._tasks.answer(footprint.task_id, footprint)

    def answer_request(self, response: ConfigurationResponse) -> None:
        """Let the callback return that waits for this transaction.

        Raises:
            TransportError: none does, or not any more.
        """
        self._requests.answer(response.transaction_id, response)

    def release(self, timeout_s: float) -> bool:
        """Let all callbacks return, now and later; block until the library has sent their answers.

        Args:
            timeout_s: seconds to wait at most for each kind, >= 0.

        Returns:
            Whether all returned in time.
        """
        kinds = (self._tasks, self._requests)
        for waits in kinds:
            waits.release()
        return all(waits.settle(QUIET_S, timeout_s) for waits in kinds)

    def _footprint(self, inputs: Inputs) -> CO2Footprint:
        arrivals = _arrivals(inputs, self._identities.new(inputs))
        task_id = inputs[0].task_id
        try:
            return self._tasks.wait(
                task_id, lambda: self._hand_over(arrivals), self._deadlines.task_s
            )
        except TimeoutError:
            return self._failed(*inputs, Unanswered.LATE)
        except Released:
            return self._failed(*inputs, Unanswered.STOPPED)

    def _response(self, text: str) -> ConfigurationResponse:
        # The callers' transaction ids may repeat, and are all 0 on the library's main branch.
        number = next(self._request_numbers)
        asked = ConfigurationRequest(CONFIGURATION_NODE_ID, number, text)
        arrival = _arrival(Topic.REQUEST, asked, REQUESTS_WRITER)
        try:
            return self._requests.wait(
                number, lambda: self._hand_over([arrival]), self._deadlines.request_s
            )
        except TimeoutError:
            return _refusal("timeout", f"no answer within {self._deadlines.request_s:g} s")
        except Released:
            return _refusal("stopped", "the node stops")

    @contextmanager
    def _contained(self, what: str) -> Iterator[None]:
        try:
            yield
        except Exception as error:  # noqa: BLE001 - one that leaves a callback ends the process
            lines = "".join(traceback.format_exception(error))
            self._report(f"{what} was not answered properly: {lines}")


def _arrivals(inputs: Inputs, writer: str) -> list[Arrival]:
    samples: tuple[Sample, ...] = inputs
    return [
        _arrival(topic, sample, writer) for topic, sample in zip(INPUT_TOPICS, samples, strict=True)
    ]


def _arrival(topic: Topic, sample: Sample, writer: str) -> Arrival:
    return Arrival(topic, sample, key_of(sample), writer, time.time_ns())


def _refusal(code: str, message: str) -> ConfigurationResponse:
    error = {"code": code, "message": message, "hint": "ask again; see the node's log"}
    text = json.dumps({"success": False, "error": error})
    return ConfigurationResponse(
        success=False, err_code=ErrorCode.INTERNAL_ERROR, configuration=text
    )
