"""Readers on real samples: which instance a sample belongs to, and which one ended."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given, settings
from tests.dds.test_native import joined
from tests.domains import fresh_domain
from tests.transports import wait_for
from tests.wire_samples import samples

from carbon_node.errors import TransportError
from carbon_node.transport.binding import native
from carbon_node.transport.endpoints import Reader, open_writer, translated_errors
from carbon_node.wire.contract import Arrival, Topic
from carbon_node.wire.samples import Sample
from carbon_node.wire.types import encode, key_in_handle, key_of

KEYED_BY_TASK = (
    Topic.USER_INPUT,
    Topic.ML_MODEL,
    Topic.HW_RESOURCE,
    Topic.FOOTPRINT,
    Topic.BASELINE,
)


@contextmanager
def connected(topic: Topic) -> Iterator[tuple[native.Writer, Reader]]:
    """Have a writer and a reader of a topic that have met."""
    participant = joined(fresh_domain())
    writer, reader = open_writer(participant, topic), Reader(participant, topic)
    wait_for(lambda: bool(writer.matched() and reader.matched()))
    yield writer, reader
    participant.close()


def next_sample(reader: Reader) -> native.Sample:
    """Wait for one sample."""
    found: list[native.Sample] = []

    def is_there() -> bool:
        found.extend(reader.take(1))
        return bool(found)

    wait_for(is_there)
    return found[0]


def next_arrival(reader: Reader) -> Arrival | None:
    """Wait for one sample and read it."""
    return reader.arrival(next_sample(reader), received_s=0.0, known_for_s=0.0)


@pytest.mark.parametrize("topic", Topic)
def test_the_end_of_an_instance_tells_its_key(topic: Topic) -> None:
    """Whatever the type's key, the end of an instance names the task of its samples."""
    with connected(topic) as (writer, reader):

        @given(samples(topic.sample_type))
        @settings(max_examples=30, deadline=None)
        def test(sample: Sample) -> None:
            writer.write(encode(sample))
            arrival = next_arrival(reader)
            writer.unregister(encode(sample))
            end = next_arrival(reader)

            assert arrival is not None
            assert end is not None
            assert (arrival.key, arrival.sample) == (key_of(sample), sample)
            assert (end.key, end.sample) == (key_of(sample), None)

        test()


@pytest.mark.parametrize("topic", Topic)
def test_a_handle_tells_the_key_where_that_is_the_task(topic: Topic) -> None:
    """A short key is its own handle: for samples and for their end."""
    with connected(topic) as (writer, reader):

        @given(samples(topic.sample_type))
        @settings(max_examples=30, deadline=None)
        def test(sample: Sample) -> None:
            expected = key_of(sample) if topic in KEYED_BY_TASK else None
            for act in (writer.write, writer.unregister):
                act(encode(sample))
                handle = next_sample(reader).instance
                assert key_in_handle(topic.sample_type, handle) == expected

        test()


@pytest.mark.parametrize("topic", KEYED_BY_TASK)
def test_a_reader_that_saw_no_sample_knows_which_task_ended(topic: Topic) -> None:
    """No memory of earlier samples is needed: a reader that reads only the end tells its task."""
    with connected(topic) as (writer, reader):
        sample = topic.sample_type(task_id=(2**32 - 1, 7))  # type: ignore[call-arg, arg-type]  # all five types have one
        writer.write(encode(sample))
        next_sample(reader)
        writer.unregister(encode(sample))

        end = next_arrival(reader)

        assert end is not None
        assert end.key == (2**32 - 1, 7)


@pytest.mark.parametrize("error", [native.Error, RuntimeError])
def test_what_fast_dds_and_its_libraries_throw_is_a_transport_error(error: type[Exception]) -> None:
    """The line says what could not be done, and why."""
    with (
        pytest.raises(TransportError, match="cannot join domain 7: no thread to be had"),
        translated_errors("join domain 7"),
    ):
        raise error("no thread to be had")
