"""One task on its way through the pipeline."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from carbon_node.estimation import Estimate, NotComputed
from carbon_node.pipeline.interruption import Interruption
from carbon_node.pipeline.task import TaskInputs
from carbon_node.wire.contract import Arrival
from carbon_node.wire.samples import CO2Footprint


@dataclass(slots=True, eq=False)
class Progress:
    """A task on its way.

    Args:
        position: unique place in the order of starts; outputs leave in this order where several
            wait.
        inputs: its three samples.
        secrets: values that its inputs came with and go on without.
        stage_s: seconds that each stage took so far, by name.
        current_stage: name of the stage that it is in, empty between two.
        since_s: monotonic time in seconds at which its last input arrived.
        revision: revision of the settings that it is computed under; None before that.
        has_begun: whether it waits no longer.
        is_repeat: whether it is computed again although it was answered.
        digest: of the inputs; empty until it has begun.
        changed: inputs that came since it has begun, if they differ.
        interruption: how commands stop or repeat it.
    """

    position: int
    inputs: TaskInputs
    secrets: tuple[str, ...] = field(default=(), repr=False)
    stage_s: dict[str, float] = field(default_factory=dict)
    current_stage: str = ""
    since_s: float = field(default_factory=time.monotonic)
    revision: int | None = None
    has_begun: bool = False
    is_repeat: bool = False
    digest: str = ""
    changed: TaskInputs | None = None
    interruption: Interruption = field(default_factory=Interruption)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a stage."""
        since_s = time.monotonic()
        self.current_stage = name
        try:
            yield
        finally:
            self.current_stage = ""
            self.stage_s[name] = round(time.monotonic() - since_s, 4)

    def revise(self, arrival: Arrival) -> None:
        """Take in a later sample of this task: before it has begun, the newest counts."""
        revised = (self.changed or self.inputs).revised(arrival)
        if not self.has_begun:
            self.inputs = revised
        else:
            self.changed = None if revised == self.inputs else revised

    @property
    def name(self) -> str:
        """Task id for people."""
        problem_id, iteration_id = self.inputs.task_id
        return f"{problem_id}.{iteration_id}"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a task is answered with.

    Args:
        result: in the domain's terms.
        footprint: the same for the wire.
    """

    result: Estimate | NotComputed
    footprint: CO2Footprint
