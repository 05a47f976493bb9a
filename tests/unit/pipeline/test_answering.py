"""A task's way from its inputs to its answer."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from structlog.testing import capture_logs
from tests.pipelines import running_world

from carbon_node.errors import TrackerError
from carbon_node.estimation import (
    Assumptions,
    CarbonIntensity,
    LatencyUnit,
    Mode,
    NamedHardware,
    Place,
    exact,
)
from carbon_node.estimation.measurement import Measurement, ModelRun, Run, SimulatedRun
from carbon_node.pipeline.answering import Answering
from carbon_node.pipeline.ports import Conditions
from carbon_node.pipeline.task import Progress, TaskInputs
from carbon_node.tasks.answer import Answer, Outcome
from carbon_node.tasks.key import TaskKey
from carbon_node.wire.samples import HWResource, MLModel, TaskId, UserInput

pytestmark = pytest.mark.anyio

TASK = TaskId(3, 1)


@dataclass
class Node:
    """Everything that an answer depends on, as set; notes what it was asked for.

    Args:
        mode: of measurements.
        is_here: whether the hardware of tasks is this host.
        is_runnable: whether this host could run any model.
        is_at_hand: whether intensities are known without a look-up that blocks.
        failure: what measurements end with; None if they succeed.
    """

    mode: Mode = Mode.DECLARED
    is_here: bool = False
    is_runnable: bool = False
    is_at_hand: bool = True
    failure: Exception | None = None
    asked: list[ModelRun] = field(default_factory=list)
    measured: list[Run] = field(default_factory=list)
    looked_up: list[Place] = field(default_factory=list)

    def conditions(self) -> Conditions:
        """Conditions of a task that starts now."""
        assumptions = Assumptions(mode=self.mode, revision=5)
        return Conditions(assumptions, LatencyUnit.S, Hardware(self), self, Intensities(self))

    def can_run(self, run: ModelRun) -> bool:
        """Note the question."""
        self.asked.append(run)
        return self.is_runnable

    async def measure(self, run: Run, on_begin: Callable[[], None]) -> Measurement:
        """Note the run, begin at once, and end as set."""
        on_begin()
        self.measured.append(run)
        if self.failure is not None:
            raise self.failure
        return Measurement(300.0 / 3.6e6, 1.0, 1)


@dataclass
class Hardware:
    """Hardware that is this host, or is not."""

    node: Node

    def known(self, name: str, *, states_memory: bool = False) -> NamedHardware:  # noqa: ARG002
        """Tell."""
        return NamedHardware(is_here=self.node.is_here)


@dataclass
class Intensities:
    """The same intensity everywhere, at hand or not."""

    node: Node

    def known(self, place: Place) -> CarbonIntensity | None:
        """Return it if it is at hand."""
        return self._of(place) if self.node.is_at_hand else None

    def lookup(self, place: Place) -> CarbonIntensity:
        """Look it up."""
        self.node.looked_up.append(place)
        return self._of(place)

    def _of(self, place: Place) -> CarbonIntensity:
        return CarbonIntensity(exact(100.0), place.region, "", None, "test")


def progress(
    user: bytes = b"", model: MLModel | None = None, hardware: HWResource | None = None
) -> Progress:
    """A task on its way."""
    inputs = TaskInputs(
        TaskKey(TASK, "writer"),
        UserInput(geo_location_region="Spain", extra_data=user, task_id=TASK),
        model or MLModel(model="m", model_path="/m.onnx", raw_model=b"octets"),
        hardware or HWResource("hw", 300.0, 1.0),
    )
    return Progress(1, inputs)


async def answer(node: Node, task: Progress) -> Answer:
    """Let a node answer a task."""
    return await Answering(node, "1.0").answer(task)


async def test_an_answer_has_what_it_was_computed_from() -> None:
    """Place, intensity, energy, mode, revision, and how long each stage took."""
    node, task = Node(), progress()
    found = await answer(node, task)
    assert (found.outcome, found.reason, found.detail) == (Outcome.COMPUTED, "", "")
    assert (found.mode, found.place_name) == ("declared", "Spain")
    assert found.intensity_g_per_kwh == 100.0
    assert found.device_energy_kwh == pytest.approx(300.0 / 3.6e6)
    assert found.carbon_g == pytest.approx(300.0 / 3.6e6 * 1.58 * 100)
    assert (found.tracker_failure, found.agrees) == ("", True)
    assert (found.revision, task.revision) == (5, 5)
    assert list(found.stage_seconds) == ["intensity", "worker", "tracker"]
    assert node.measured == [SimulatedRun(300)]
    assert node.looked_up == []


async def test_an_intensity_that_is_not_at_hand_is_looked_up() -> None:
    """Once, for the place of the task."""
    node = Node(is_at_hand=False)
    found = await answer(node, progress())
    assert [place.region for place in node.looked_up] == ["Spain"]
    assert found.intensity_g_per_kwh == 100.0


async def test_formula_mode_measures_nothing() -> None:
    """The number is the formula's alone."""
    node = Node(mode=Mode.FORMULA)
    found = await answer(node, progress())
    assert (node.measured, node.asked) == ([], [])
    assert (found.outcome, found.agrees, found.tracker_failure) == (Outcome.COMPUTED, None, "")


async def test_a_failed_measurement_leaves_the_formulas_number() -> None:
    """The failure is named in the answer, and logged with its detail."""
    with capture_logs() as lines:
        found = await answer(Node(failure=TrackerError("timeout", "after 5 s")), progress())
    assert (found.outcome, found.tracker_failure) == (Outcome.COMPUTED, "timeout")
    (line,) = lines
    assert (line["event"], line["task_id"]) == ("measurement failed", "3.1")
    assert (line["failure"], line["detail"]) == ("timeout", "after 5 s")


async def test_a_defect_is_an_answer_too() -> None:
    """No consumer has a timeout: it gets a failed result, and the log the traceback."""
    with capture_logs() as lines:
        found = await answer(Node(failure=ZeroDivisionError("x / 0")), progress())
    assert (found.outcome, found.reason) == (Outcome.NOT_COMPUTED, "internal error")
    assert found.detail == "ZeroDivisionError inside the node; its log has the traceback"
    assert found.footprint.carbon_intensity == 0
    (line,) = lines
    assert (line["event"], line["log_level"]) == ("task failed inside the node", "error")


@pytest.mark.parametrize(
    ("mode", "is_here", "asks"),
    [(Mode.AUTO, True, True), (Mode.AUTO, False, False), (Mode.DECLARED, True, False)],
)
async def test_only_the_automatic_choice_asks_what_can_be_run_here(
    mode: Mode, *, is_here: bool, asks: bool
) -> None:
    """And only for hardware that is here: looking into a model takes long."""
    node = Node(mode=mode, is_here=is_here)
    await answer(node, progress())
    assert node.asked == ([ModelRun("m", "/m.onnx", b"octets")] if asks else [])


@pytest.mark.parametrize("is_runnable", [True, False])
async def test_a_model_that_can_be_run_here_is_measured(*, is_runnable: bool) -> None:
    """Otherwise the declared power is confirmed."""
    node = Node(mode=Mode.AUTO, is_here=True, is_runnable=is_runnable)
    await answer(node, progress())
    expected = ModelRun("m", "/m.onnx", b"octets") if is_runnable else SimulatedRun(300)
    assert node.measured == [expected]


async def test_what_is_wrong_with_inputs_is_logged() -> None:
    """Each sample whose extra_data is no JSON object, and each number that is none."""
    model = MLModel(model="m", extra_data=b"[]")
    hardware = HWResource("hw", 300.0, 1.0, extra_data=b'{"power_w": "250"}')
    with capture_logs() as lines:
        found = await answer(Node(), progress(b"{", model, hardware))
    ignored = {line["sample"]: line["problem"] for line in lines if "sample" in line}
    assert ignored == {"UserInput": "not JSON", "MLModel": "a JSON list instead of an object"}
    (refused,) = (line for line in lines if line["event"] == "number refused")
    assert refused["problem"].startswith("extra_data power_w is the text '250'")
    assert found.outcome is Outcome.COMPUTED


async def test_a_task_that_cannot_be_planned_costs_nothing() -> None:
    """No look-up, no measurement, and the reason in the answer."""
    node = Node(is_at_hand=False)
    found = await answer(node, progress(hardware=HWResource("hw")))
    assert found.outcome is Outcome.NOT_COMPUTED
    assert found.reason == "no power"
    assert found.stage_seconds == {}
    assert (node.measured, node.looked_up) == ([], [])


async def test_a_task_without_a_worker_waits() -> None:
    """It counts as running once a worker is free, and both times are told apart."""
    async with running_world() as world:
        world.tracker.has_worker.clear()
        world.submit()
        await world.begun()
        assert (world.register.open_count, world.register.running()) == (1, [])

        world.tracker.has_worker.set()
        await world.until(lambda: len(world.register.running()) == 1)
        (progress,) = world.register.running()
        assert progress.current_stage == "tracker"

        world.tracker.may_end.set()
        await world.answered()
        await world.until(lambda: world.register.open_count == 0)
        assert {"worker", "tracker"} <= world.metrics.stages.keys()
