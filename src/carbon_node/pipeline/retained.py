"""Samples that stay with their writer for readers that come late, up to a number of them."""

from collections import OrderedDict

from carbon_node.pipeline.ports import Transport
from carbon_node.wire.contract import Topic
from carbon_node.wire.samples import Sample


class RetainedSamples:
    """Publishes on a topic and ends its oldest instances.

    A writer that never ended one would be full some day, and its readers before it. A reader that
    has not taken a sample when its instance ends never sees it, so the limit has to be wide.

    Args:
        transport: where samples go.
        topic: the topic of all of them.
        limit: instances that stay, >= 1; fewer than the 500 that peers read.
    """

    def __init__(self, transport: Transport, topic: Topic, limit: int) -> None:
        self._transport = transport
        self._topic = topic
        self._limit = limit
        self._keys: OrderedDict[Sample, None] = OrderedDict()

    def publish(self, sample: Sample, key: Sample) -> None:
        """Write a sample; an earlier one of the same instance is replaced.

        Args:
            sample: what is written.
            key: the same with nothing but its key members, so that little is kept of it.

        Raises:
            TransportError: it could not be written, or the oldest could not be ended.
        """
        self._transport.publish(self._topic, sample)
        self._keys[key] = None
        self._keys.move_to_end(key)
        if len(self._keys) > self._limit:
            self.retire(next(iter(self._keys)))

    def retire(self, key: Sample) -> None:
        """End an instance; nothing happens if it was not published, or ended before.

        Raises:
            TransportError: it could not be ended.
        """
        if key in self._keys:
            del self._keys[key]
            self._transport.retire(self._topic, key)
