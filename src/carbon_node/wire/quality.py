"""Quality of service of the pipeline's topics: the only place that states it."""

from dataclasses import dataclass, replace

from carbon_node.wire.contract import Topic

HEARTBEAT_PERIOD_S = 0.1
"""How often writers ask for acknowledgments that are missing; Fast DDS's own 3 s would be the time
that waiting for them takes."""

OUTPUT_HEARTBEAT_PERIOD_S = 0.002
"""The same for outputs, of which the next one waits for the acknowledgment. Only while one is
missing. Readers on Fast DDS answer 5 ms after it, so less would gain nothing with them."""

READER_SAMPLES = 20_000
"""Samples that may wait in a reader. One more is refused, and a reliable writer sends it again."""

LIVE_INSTANCES = 1_000
"""Instances that a reader remembers of writers that never end them, twice as many as a peer of a
real pipeline has. Beyond, the oldest are forgotten: what was taken takes no room for good."""

FORGETTING_SAMPLES = 4
"""Samples in a reader's history that are not received but end an instance there; without room for
them, they would replace one that waits."""

UNCOUNTED = 2**20
"""More instances than a reader ever remembers at once. Fast DDS bounds samples only where it bounds
instances and the samples of each, and wants the product of these two to be no more."""

WRAPPING = 2**32
"""A product that is 0 in the 32 bits in which Fast DDS computes it."""

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
        samples: samples kept, whatever their instances; None if `depth` and `instances` say it.
        heartbeat_period_s: how often a reliable writer asks for acknowledgments that are missing.
    """

    is_reliable: bool
    is_retained: bool
    depth: int
    instances: int
    samples: int | None = None
    heartbeat_period_s: float = HEARTBEAT_PERIOD_S


READER = Quality(
    is_reliable=True,
    is_retained=True,
    depth=1 + FORGETTING_SAMPLES,
    instances=UNCOUNTED,
    samples=READER_SAMPLES,
)
WRITER = Quality(is_reliable=True, is_retained=True, depth=1, instances=WRITER_INSTANCES)
OUTPUT_WRITER = replace(WRITER, heartbeat_period_s=OUTPUT_HEARTBEAT_PERIOD_S)
CONTROL = Quality(is_reliable=False, is_retained=False, depth=16, instances=WRITER_INSTANCES)
"""Any writer of commands matches; commands are events, which do not replace each other."""

CONTROL_READER = replace(
    CONTROL, depth=16 + FORGETTING_SAMPLES, instances=UNCOUNTED, samples=READER_SAMPLES
)
SERVICE = Quality(is_reliable=True, is_retained=False, depth=0, instances=0)


def reader_quality(topic: Topic) -> Quality:
    """Quality of service of a topic's reader."""
    return CONTROL_READER if topic is Topic.CONTROL else READER


def writer_quality(topic: Topic) -> Quality:
    """Quality of service of a topic's writer."""
    match topic:
        case Topic.CONTROL:
            return CONTROL
        case Topic.FOOTPRINT:
            return OUTPUT_WRITER
        case _:
            return WRITER
