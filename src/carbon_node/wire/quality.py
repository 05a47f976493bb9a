"""Quality of service of the pipeline's topics: the only place that states it."""

from dataclasses import dataclass

from carbon_node.wire.contract import Topic

HEARTBEAT_PERIOD_S = 0.1
"""How often writers ask for acknowledgments that are missing; Fast DDS's own 3 s would be the time
that waiting for them takes."""

READER_INSTANCES = 20_000
"""Peers never dispose their tasks, and a reader that is full stops without an error. An instance
takes some 500 bytes (`scripts/bench transport`)."""

WRITER_INSTANCES = 5_000
"""Ten times what peers read; an instance is free again once its retirement is acknowledged."""


@dataclass(frozen=True, slots=True)
class Quality:
    """Quality of service of an endpoint.

    Args:
        is_reliable: whether lost samples are sent again.
        is_retained: whether late readers get the last samples.
        depth: samples kept per instance; 0 keeps all.
        instances: instances kept; 0 is no limit. Fast DDS's own 10 would stop an endpoint at its
            11th task.
    """

    is_reliable: bool
    is_retained: bool
    depth: int
    instances: int


READER = Quality(is_reliable=True, is_retained=True, depth=1, instances=READER_INSTANCES)
WRITER = Quality(is_reliable=True, is_retained=True, depth=1, instances=WRITER_INSTANCES)
CONTROL = Quality(is_reliable=False, is_retained=False, depth=16, instances=WRITER_INSTANCES)
"""Any writer of commands matches; commands are events, which do not replace each other."""
SERVICE = Quality(is_reliable=True, is_retained=False, depth=0, instances=0)


def reader_quality(topic: Topic) -> Quality:
    """Quality of service of a topic's reader."""
    return CONTROL if topic is Topic.CONTROL else READER


def writer_quality(topic: Topic) -> Quality:
    """Quality of service of a topic's writer."""
    return CONTROL if topic is Topic.CONTROL else WRITER
