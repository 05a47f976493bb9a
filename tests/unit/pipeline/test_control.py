"""Commands lead to actions by a table, and whatever is none of them is counted."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from carbon_node.observability.metrics import Metrics
from carbon_node.pipeline.control import CommandCounts, Control, Fate
from carbon_node.wire.contract import NODE_NAME
from carbon_node.wire.samples import NodeCommand, NodeControl, TaskCommand, TaskId

ID = TaskId(4, 2)
NOTHING = NodeControl(target_node=NODE_NAME, source_node="ORCHESTRATOR_NODE", task_id=ID)


PAGE = (Path(__file__).parents[3] / "docs" / "configuration.md").read_text()


class Tasks:
    """Notes what is asked of the node's tasks."""

    def __init__(self) -> None:
        self.can = True
        self.asked: list[object] = []

    def stop_task(self, task_id: TaskId, why: str) -> bool:
        """Note it."""
        return self._note(("stop", task_id, why.partition(";")[0]))

    def repeat_task(self, task_id: TaskId) -> bool:
        """Note it."""
        return self._note(("repeat", task_id))

    def pause(self) -> bool:
        """Note it."""
        return self._note("pause")

    def resume(self) -> bool:
        """Note it."""
        return self._note("resume")

    def reset(self) -> None:
        """Note it."""
        self._note("reset")

    def terminate(self) -> bool:
        """Note it."""
        return self._note("terminate")

    def _note(self, what: object) -> bool:
        self.asked.append(what)
        return self.can


@pytest.fixture
def tasks() -> Tasks:
    """Return what commands act on."""
    return Tasks()


@pytest.fixture
def counts() -> CommandCounts:
    """Return the counts of fates."""
    return CommandCounts()


@pytest.fixture
def metrics() -> Metrics:
    """Return the node's metrics."""
    return Metrics()


@pytest.fixture
def control(tasks: Tasks, counts: CommandCounts, metrics: Metrics) -> Control:
    """Return the node's control."""
    return Control(tasks, tasks.reset, tasks.terminate, counts, metrics)


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (replace(NOTHING, cmd_node=NodeCommand.START), "resume"),
        (replace(NOTHING, cmd_node=NodeCommand.STOP), "pause"),
        (replace(NOTHING, cmd_node=NodeCommand.RESET), "reset"),
        (replace(NOTHING, cmd_node=NodeCommand.TERMINATE), "terminate"),
        (
            replace(NOTHING, cmd_task=TaskCommand.STOP),
            ("stop", ID, "STOP_TASK by ORCHESTRATOR_NODE"),
        ),
        (
            replace(NOTHING, cmd_task=TaskCommand.TERMINATE),
            ("stop", ID, "TERMINATE_TASK by ORCHESTRATOR_NODE"),
        ),
        (replace(NOTHING, cmd_task=TaskCommand.RESET), ("repeat", ID)),
    ],
    ids=str,
)
def test_a_command_to_this_node_is_obeyed(
    control: Control,
    tasks: Tasks,
    counts: CommandCounts,
    metrics: Metrics,
    command: NodeControl,
    expected: object,
) -> None:
    """Each command has its one action, and is counted once."""
    control.obey(command)

    assert tasks.asked == [expected]
    assert metrics.requests == {("control", "obeyed"): 1}
    assert counts == {Fate.OBEYED: 1}


@pytest.mark.parametrize(
    ("command", "fate"),
    [
        (NOTHING, Fate.UNKNOWN),
        (replace(NOTHING, cmd_task=TaskCommand.PREEMPT), Fate.UNKNOWN),
        (replace(NOTHING, cmd_task=TaskCommand.UNKNOWN), Fate.UNKNOWN),
        (replace(NOTHING, cmd_node=NodeCommand.UNKNOWN), Fate.UNKNOWN),
        (
            replace(NOTHING, cmd_node=NodeCommand.STOP, target_node="ML_MODEL_NODE"),
            Fate.FOREIGN,
        ),
        (replace(NOTHING, cmd_task=TaskCommand.STOP, target_node=""), Fate.FOREIGN),
    ],
    ids=str,
)
def test_other_commands_are_counted_and_ignored(
    control: Control, tasks: Tasks, counts: CommandCounts, command: NodeControl, fate: Fate
) -> None:
    """Nothing happens for them."""
    control.obey(command)

    assert tasks.asked == []
    assert counts == {fate: 1}


def test_a_command_without_effect_is_refused(
    control: Control, tasks: Tasks, counts: CommandCounts
) -> None:
    """What cannot be done is counted apart."""
    tasks.can = False

    control.obey(replace(NOTHING, cmd_node=NodeCommand.TERMINATE))

    assert counts == {Fate.REFUSED: 1}


def test_one_sample_may_hold_two_commands(
    control: Control, tasks: Tasks, counts: CommandCounts
) -> None:
    """The command to the node comes first."""
    control.obey(replace(NOTHING, cmd_node=NodeCommand.STOP, cmd_task=TaskCommand.RESET))

    assert tasks.asked == ["pause", ("repeat", ID)]
    assert counts == {Fate.OBEYED: 2}


@pytest.mark.parametrize("kind", [NodeCommand, TaskCommand])
def test_a_number_that_the_contract_does_not_know_is_a_command_too(
    kind: type[NodeCommand] | type[TaskCommand],
) -> None:
    """It can be received, so that it can be counted."""
    assert kind(77).name == "UNKNOWN"


def test_the_page_has_every_command_and_every_fate() -> None:
    """What the page says of commands cannot drift from what the node knows."""
    _, _, rest = PAGE.partition("## Commands")
    rows = re.findall(r"^\| `(\w+)` \|", rest, re.MULTILINE)
    commands = [
        f"{command.name}_{kind}"
        for kind, known in (("NODE", NodeCommand), ("TASK", TaskCommand))
        for command in known
        if command.name not in ("UNKNOWN", "NO_COMMAND")
    ]

    assert sorted(rows) == sorted([*commands, *Fate])


def test_a_secret_in_a_senders_name_goes_nowhere(tasks: Tasks, control: Control) -> None:
    """The name of who stopped a task stands in its output, without the token that is part of it."""
    name = "x" * 90 + " https://me:planted-Value-0123@host"
    control.obey(replace(NOTHING, cmd_task=TaskCommand.STOP, source_node=name))
    (asked,) = tasks.asked
    assert "planted" not in repr(asked)
    assert "STOP_TASK by xxx" in repr(asked)
