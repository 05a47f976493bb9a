"""Whatever restarts in whatever order, a task gets the inputs of its own session."""

import itertools
import weakref
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.store.samples import answer, summary

from carbon_node.pipeline.freshness import CLOCKS_S, DELIVERY_S
from carbon_node.pipeline.join import Doubtful, Join, JoinBounds, Ready
from carbon_node.pipeline.task import TaskInputs
from carbon_node.store.editions import Accept, Save
from carbon_node.store.ledger import Ledger
from carbon_node.tasks.decision import Compute
from carbon_node.tasks.key import TaskKey
from carbon_node.wire.contract import Arrival, Topic
from carbon_node.wire.samples import HWResource, MLModel, TaskId, UserInput

ORCHESTRATOR, MODELS, HARDWARE, NODE = "orchestrator", "models", "hardware", "node"
PEERS = (ORCHESTRATOR, MODELS, HARDWARE)
HOUR_S = 3600.0
STEP_S = DELIVERY_S + CLOCKS_S
"""Between two steps: long enough for what was written to arrive."""
BOUNDS = JoinBounds(
    incomplete_count=1000, incomplete_age_s=1e9, remembered_blocks=1000, newer_wait_s=300.0
)


@dataclass
class Peer:
    """A participant with one writer, which retains the newest sample of each task.

    Args:
        name: whose part it plays.
        clock_s: by how much the clock of its host is ahead.
        life: of this process, counting.
        since_s: when it was started.
        retained: what a late reader gets.
        done: inputs that it has worked on in this life.
    """

    name: str
    clock_s: float
    life: int = 1
    since_s: float = -1e6
    sequence: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    retained: dict[TaskId, Arrival] = field(default_factory=dict)
    done: set[tuple[str, int]] = field(default_factory=set)

    @property
    def writer(self) -> str:
        """GUID of this life."""
        return f"{self.name} {self.life}"

    def restart(self, now_s: float) -> None:
        """End, and begin again with nothing."""
        self.life, self.since_s, self.sequence = self.life + 1, now_s, itertools.count(1)
        self.retained, self.done = {}, set()


class Pipeline:
    """A node's join and ledger, and peers that work as those of a real pipeline.

    Models and hardware are named after the session for which they were written.

    Args:
        clocks_s: by how much the clock of each peer's host is ahead.
        data: draws the order in which retained samples arrive.
    """

    def __init__(self, clocks_s: dict[str, float], data: st.DataObject) -> None:
        self.now_s = 1e6
        self.peers = {name: Peer(name, clock_s) for name, clock_s in clocks_s.items()}
        self.computed: list[TaskInputs] = []
        self.found_again = 0
        self._data = data
        self._problems = itertools.count(1)
        self._start_node(forgets=True)

    @property
    def session(self) -> str:
        """The user input writer that lives."""
        return self.peers[ORCHESTRATOR].writer

    def restart(self, name: str, *, forgets: bool = False) -> None:
        """End a participant and start it again."""
        self.now_s += STEP_S
        if name == NODE:
            self._start_node(forgets=forgets)
            retained = [each for peer in self.peers.values() for each in peer.retained.values()]
            for arrival in self._data.draw(st.permutations(retained)):
                self._deliver(arrival)
        else:
            self.peers[name].restart(self.now_s)
            if name == ORCHESTRATOR:
                self._problems = itertools.count(1)

    def submit(self) -> None:
        """Let the orchestrator write the next user input."""
        self.now_s += STEP_S
        task_id = TaskId(next(self._problems), 1)
        self._write(ORCHESTRATOR, Topic.USER_INPUT, UserInput(task_id=task_id))

    def choose_models(self) -> None:
        """Let the model node work on each user input that it has not seen in this life."""
        self.now_s += 0.5
        for asked in self._open(MODELS, ORCHESTRATOR):
            self._write(MODELS, Topic.ML_MODEL, MLModel(model=asked.writer, task_id=asked.key))

    def choose_hardware(self) -> None:
        """Let the hardware node work on each model of the session that it has not seen."""
        self.now_s += 0.5
        for chosen in self._open(HARDWARE, MODELS):
            assert isinstance(chosen.sample, MLModel)
            asked = self.peers[ORCHESTRATOR].retained
            if chosen.sample.model == self.session and chosen.key in asked:
                hardware = HWResource(self.session, task_id=chosen.key)
                self._write(HARDWARE, Topic.HW_RESOURCE, hardware)

    def finish(self) -> None:
        """Let everybody do what is left, and wait for what nobody will send."""
        self.choose_models()
        self.choose_hardware()
        self.now_s += BOUNDS.newer_wait_s + 1
        for ready in self._join.overdue(self.now_s):
            self._answer(ready.inputs)

    def _open(self, worker: str, source: str) -> list[Arrival]:
        done = self.peers[worker].done
        found = [
            each
            for each in self.peers[source].retained.values()
            if (each.writer, each.sequence_number) not in done
        ]
        done.update((each.writer, each.sequence_number) for each in found)
        return found

    def _write(self, name: str, topic: Topic, sample: UserInput | MLModel | HWResource) -> None:
        peer = self.peers[name]
        written_ns = round((self.now_s + peer.clock_s) * 1e9)
        number = next(peer.sequence)
        arrival = Arrival(topic, sample, sample.task_id, peer.writer, written_ns, number)
        peer.retained[sample.task_id] = arrival
        self._deliver(arrival)

    def _start_node(self, *, forgets: bool) -> None:
        self._node_since_s = self.now_s
        if forgets:
            self._ledger = Ledger(None)
            self._ledger.open()
            weakref.finalize(self, self._ledger.close)
        self._join = Join(BOUNDS)
        self._join.learn(self._ledger.past())

    def _deliver(self, arrival: Arrival) -> None:
        self.now_s += 0.01
        peer = next(each for each in self.peers.values() if each.writer == arrival.writer)
        received = replace(
            arrival,
            received_ns=round(self.now_s * 1e9),
            received_s=self.now_s,
            known_for_s=self.now_s - max(peer.since_s, self._node_since_s),
        )
        event = self._join.add(received, self.now_s)
        if isinstance(event, Doubtful):
            uses = self._ledger.uses(event.task_id, event.ml_model, event.hw_resource)
            event = self._join.settle(event.task_id, uses, self.now_s)
        if isinstance(event, Ready):
            self._answer(event.inputs)

    def _answer(self, inputs: TaskInputs) -> None:
        digest = f"{inputs.ml_model.model} {inputs.hw_resource.hw_description}"
        at_ms, key = round(self.now_s * 1000), inputs.key
        accepted = Accept(key, digest, summary(), at_ms, sources=inputs.sources)
        if isinstance(self._ledger.accept(accepted), Compute):
            self.computed.append(inputs)
            self.found_again = 0
            save = Save(key, digest, summary(), answer(key), at_ms, inputs.sources)
            self._ledger.commit([save])
        else:
            self.found_again += 1


def is_own(inputs: TaskInputs) -> bool:
    """Whether model and hardware were written for the user input's session."""
    session = inputs.key.writer
    return inputs.ml_model.model == session and inputs.hw_resource.hw_description == session


def unanswered(pipeline: Pipeline) -> set[TaskId]:
    """Tasks of the orchestrator that lives that got no answer."""
    found = {each.key for each in pipeline.computed}
    asked = pipeline.peers[ORCHESTRATOR].retained
    keys = {TaskKey(task_id, pipeline.session) for task_id in asked}
    return {key.task_id for key in keys - found}


CLOCKS = st.fixed_dictionaries({name: st.sampled_from([-HOUR_S, 0.0, HOUR_S]) for name in PEERS})
RESTARTS = st.lists(st.sampled_from([*PEERS, NODE]), unique=True)
"""Every subset of the participants, in every order."""
RIGHT = dict.fromkeys(PEERS, 0.0)


def one_task(pipeline: Pipeline) -> None:
    """Submit a task, and let the others answer it."""
    pipeline.submit()
    pipeline.choose_models()
    pipeline.choose_hardware()


def restarts(world: Pipeline, data: st.DataObject, *, forgets: bool = False) -> None:
    """Restart some participants, in some order."""
    for name in data.draw(RESTARTS):
        world.restart(name, forgets=forgets)


def interrupted_task(world: Pipeline, data: st.DataObject, *, forgets: bool = False) -> None:
    """Submit a task and let the others answer it, with restarts at every point."""
    restarts(world, data, forgets=forgets)
    world.submit()
    restarts(world, data, forgets=forgets)
    world.choose_models()
    restarts(world, data, forgets=forgets)
    world.choose_hardware()


@given(CLOCKS, st.data())
@settings(max_examples=120, deadline=None)
def test_a_task_waits_for_the_inputs_of_its_session(
    clocks_s: dict[str, float], data: st.DataObject
) -> None:
    """Whatever restarts at whatever point, and whatever the clocks of the others say."""
    world = Pipeline(clocks_s, data)
    one_task(world)
    interrupted_task(world, data)
    world.finish()

    assert all(map(is_own, world.computed))
    assert not unanswered(world)
    assert max(Counter(each.key for each in world.computed).values()) == 1


@given(st.booleans(), st.data())
@settings(max_examples=120, deadline=None)
def test_a_node_that_has_forgotten_everything_goes_by_the_clocks(
    forgets: bool,  # noqa: FBT001 - hypothesis draws it
    data: st.DataObject,
) -> None:
    """Where they are right, it makes no mistake."""
    world = Pipeline(RIGHT, data)
    one_task(world)
    interrupted_task(world, data, forgets=forgets)
    world.finish()

    # Of an orchestrator that is gone nothing newer comes; then the result says so.
    assert all(is_own(each) or each.older for each in world.computed)
    assert all(is_own(each) for each in world.computed if each.key.writer == world.session)
    assert not unanswered(world)


@given(CLOCKS, st.data())
@settings(max_examples=50, deadline=None)
def test_a_session_goes_on_at_once_when_the_node_restarts(
    clocks_s: dict[str, float], data: st.DataObject
) -> None:
    """Once it has certainly answered a task of the session, no clock makes the next ones wait."""
    world = Pipeline(clocks_s, data)
    one_task(world)
    world.submit()
    world.choose_models()
    world.restart(NODE)
    world.choose_hardware()
    one_task(world)
    world.restart(NODE)

    assert not unanswered(world)
    assert all(map(is_own, world.computed))
    assert world.found_again == 3


STEPS = st.lists(
    st.one_of(
        st.sampled_from(["submit", "models", "hardware"]),
        st.sampled_from([*PEERS, NODE]).map(lambda name: f"restart {name}"),
    ),
    max_size=15,
)


def do(world: Pipeline, step: str) -> None:
    """Take one of `STEPS`."""
    match step.split():
        case ["submit"]:
            world.submit()
        case ["models"]:
            world.choose_models()
        case ["hardware"]:
            world.choose_hardware()
        case ["restart", name]:
            world.restart(name)
        case _:
            raise AssertionError(step)


@given(STEPS, CLOCKS, st.data())
@settings(max_examples=120, deadline=None)
def test_clocks_apart_lose_no_task_and_reuse_no_sample(
    steps: list[str], clocks_s: dict[str, float], data: st.DataObject
) -> None:
    """An hour either way: at worst a task gets a sample of another session that nobody used."""
    world = Pipeline(clocks_s, data)
    for step in steps:
        do(world, step)
    world.finish()

    assert not unanswered(world)
    used = {(sample, each.key) for each in world.computed for sample in each.sources.samples}
    assert max(Counter(sample for sample, _ in used).values(), default=1) == 1
