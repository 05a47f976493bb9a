"""The other end of the node: writes the inputs of tasks and takes outputs, on the bare binding.

No event loop and no decoding lie between a measurement and the wire, so that what is measured is
the node, and the same code measures the raw exchange with `bench.echo`.
"""

import json
import select
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from tests.domains import fresh_domain

from carbon_node.transport.binding import native
from carbon_node.transport.endpoints import Reader, native_qos, native_type, open_writer
from carbon_node.transport.fastdds import LOCAL_PROPERTIES, LOOPBACK, SUSTAINML_PROPERTIES
from carbon_node.wire.contract import Topic
from carbon_node.wire.quality import WRITER
from carbon_node.wire.samples import CO2Footprint, HWResource, MLModel, TaskId, UserInput
from carbon_node.wire.types import STRUCTS, encode

PATIENCE_S = 60.0
"""Longest wait for one output."""

INPUTS = (Topic.USER_INPUT, Topic.ML_MODEL, Topic.HW_RESOURCE)
OCTETS = 1400
"""Usual size of an output's extra_data."""

BATCH = 256
TICK_S = 0.05
"""Longest time between two looks for what was missed."""

Values: TypeAlias = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Task:
    """A task as it is written, ready for the binding.

    Args:
        number: its problem id.
        samples: its inputs in the order in which they are written.
    """

    number: int
    samples: tuple[tuple[Topic, Values], ...]


def task(number: int, raw_model: bytes = b"") -> Task:
    """Make a task with inputs of the size that the pipeline's own nodes send."""
    task_id = TaskId(number, 1)
    user = UserInput(
        modality="image",
        problem_short_description="classification of pictures",
        problem_definition="Tell which kind of animal a picture of a camera trap shows. " * 4,
        inputs=("picture",),
        outputs=("kind of animal",),
        geo_location_continent="Europe",
        geo_location_region="France",
        extra_data=json.dumps(
            {
                "num_outputs": 1,
                "model_restrains": ["google/vit-base-patch16-224", "microsoft/resnet-50"],
                "goal": "image-classification",
                "hardware_required": "PIM_AI_1chip",
                "max_memory_footprint": 100,
            }
        ).encode(),
        task_id=task_id,
    )
    model = MLModel(
        model="facebook/deit-tiny-patch16-224",
        raw_model=raw_model,
        input_batch=("picture",),
        extra_data=json.dumps({"parameters": 5_717_416, "layers": 12}).encode(),
        task_id=task_id,
    )
    hardware = HWResource(
        "NVIDIA A100 PCIe 80GB",
        100.0 + number % 300,
        0.1,
        memory_footprint_of_ml_model=23.0,
        extra_data=json.dumps({"unit": "W", "vendor": "NVIDIA"}).encode(),
        task_id=task_id,
    )
    samples = ((Topic.USER_INPUT, user), (Topic.ML_MODEL, model), (Topic.HW_RESOURCE, hardware))
    return Task(number, tuple((topic, encode(sample)) for topic, sample in samples))


@dataclass(frozen=True, slots=True)
class Sent:
    """When a task's inputs were handed over to the binding, nanoseconds since the epoch."""

    first_ns: int
    last_ns: int


@dataclass(frozen=True, slots=True)
class Output:
    """An output as it was received.

    Args:
        number: problem id of its task.
        written_ns: when its writer says it wrote, nanoseconds since the epoch.
        received_ns: when it was received, nanoseconds since the epoch.
        octets: size of its extra_data.
    """

    number: int
    written_ns: int
    received_ns: int
    octets: int


def participant(domain: int) -> native.Participant:
    """Join a domain on loopback."""
    return native.Participant(
        domain=domain,
        name="carbon_node_bench",
        propagated_properties=list(SUSTAINML_PROPERTIES),
        local_properties=list(LOCAL_PROPERTIES),
        lease_duration_s=20.0,
        announcement_period_s=5.0,
        interfaces=list(LOOPBACK),
    )


class Peers:
    """Writers of the inputs and a reader of the outputs; made by `joined`.

    Args:
        domain: DDS domain id.
        ends_tasks: whether inputs of old tasks are ended; the nodes of a real pipeline end none.
    """

    def __init__(self, domain: int, *, ends_tasks: bool = True) -> None:
        self._ends_tasks = ends_tasks
        self._participant = participant(domain)
        self._writers = {topic: self._writer(topic) for topic in INPUTS}
        self._reader = Reader(self._participant, Topic.FOOTPRINT)
        self._living: deque[Task] = deque()
        self._poll = select.poll()
        self._poll.register(self._participant.fileno(), select.POLLIN)

    def wait_for_match(self) -> None:
        """Wait until the other end has all three readers and a writer."""
        deadline_s = time.monotonic() + PATIENCE_S
        endpoints: tuple[native.Writer | Reader, ...] = (*self._writers.values(), self._reader)
        while not all(endpoint.matched() for endpoint in endpoints):
            if time.monotonic() > deadline_s:
                raise TimeoutError("nobody is at the other end")
            self._wait(TICK_S)

    def send(self, task: Task) -> Sent:
        """Write a task's inputs."""
        times_ns = []
        for topic, values in task.samples:
            times_ns.append(time.time_ns())
            self._writers[topic].write(values)
        if self._ends_tasks:
            self._living.append(task)
        return Sent(times_ns[0], times_ns[-1])

    def retire_older_than(self, number: int) -> None:
        """End the inputs of tasks with lower numbers, which frees them at both ends."""
        while self._living and self._living[0].number < number:
            for topic, values in self._living.popleft().samples:
                self._writers[topic].unregister(values)

    def receive(self, timeout_s: float) -> list[Output]:
        """Take the outputs that wait, or those that come first; none if none comes in time."""
        outputs = self._take()
        if not outputs and timeout_s > 0:
            self._wait(timeout_s)
            outputs = self._take()
        return outputs

    def answer(self, task: Task) -> "Exchange":
        """Send a task alone and wait for its output.

        Raises:
            TimeoutError: it has no output.
        """
        deadline_s = time.monotonic() + PATIENCE_S
        sent = self.send(task)
        while time.monotonic() < deadline_s:
            for output in self.receive(TICK_S):
                if output.number == task.number:
                    return Exchange(sent, output)
        raise TimeoutError(f"task {task.number} has no output")

    def close(self) -> None:
        """Leave the domain."""
        self._participant.close()

    def _writer(self, topic: Topic) -> native.Writer:
        if self._ends_tasks:
            return open_writer(self._participant, topic)
        struct_type = native_type(STRUCTS[topic.sample_type])
        qos = native_qos(replace(WRITER, instances=0))
        return native.Writer(self._participant, topic.dds_name, struct_type, qos)

    def _wait(self, timeout_s: float) -> None:
        if self._poll.poll(1000 * timeout_s):
            self._participant.clear()
            self._participant.take_peer_events()
            self._participant.take_log_lines()

    def _take(self) -> list[Output]:
        taken = self._reader.take(BATCH)
        return [
            Output(
                sample.value[-1][0],
                sample.source_timestamp_ns,
                sample.reception_timestamp_ns,
                len(sample.value[-2]),
            )
            for sample in taken
            if sample.value is not None
        ]


@contextmanager
def joined(domain: int, *, ends_tasks: bool = True) -> Iterator[Peers]:
    """Run peers in a domain, matched with the other end."""
    peers = Peers(domain, ends_tasks=ends_tasks)
    try:
        peers.wait_for_match()
        yield peers
    finally:
        peers.close()


@contextmanager
def echoed(octets: int = OCTETS) -> Iterator[Peers]:
    """Run peers whose other end answers each task at once: the limit of the same binding.

    Args:
        octets: size of the extra_data of its outputs.
    """
    domain = fresh_domain()
    command = [sys.executable, "-m", "bench.echo", str(domain), str(octets)]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as echo:
        try:
            with joined(domain) as peers:
                yield peers
        finally:
            echo.communicate()


def fill(domain: int, count: int) -> None:
    """Write the outputs of many tasks, and keep them until standard input ends."""
    writing = participant(domain)
    writer = open_writer(writing, Topic.FOOTPRINT)
    while not writer.matched():
        time.sleep(TICK_S)
    for number in range(1, count + 1):
        writer.write(footprint(TaskId(number, 1), 0))
    sys.stdin.read()
    writing.close()


def footprint(task_id: TaskId, octets: int) -> Values:
    """Make an output whose extra_data has a given size."""
    return encode(CO2Footprint(1.0, 1.0, 1.0, bytes(octets), task_id))


@dataclass(frozen=True, slots=True)
class Exchange:
    """A task that was sent and answered.

    Args:
        sent: when its inputs were handed over.
        output: what came back.
    """

    sent: Sent
    output: Output

    @property
    def written_ms(self) -> float:
        """Milliseconds from the last input handed over to the output written."""
        return (self.output.written_ns - self.sent.last_ns) / 1e6

    @property
    def round_trip_ms(self) -> float:
        """Milliseconds from the last input handed over to the output received."""
        return (self.output.received_ns - self.sent.last_ns) / 1e6

    @property
    def whole_ms(self) -> float:
        """Milliseconds from the first input handed over to the output received."""
        return (self.output.received_ns - self.sent.first_ns) / 1e6

    @property
    def octets(self) -> int:
        """Size of the output's extra_data."""
        return self.output.octets
