"""Writers for samples whose transport does not name theirs.

A task is told from another of the same id by the writer of its user input, and stored answers are
found by it after a restart. Where the writer is unknown, the content has to serve: a restarted
orchestrator, which counts from (1, 1) again, sends other content, and after a restart of this node
the same content gets the same name. Content that comes again within this process is counted on: its
sender waits for another answer.
"""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Iterable

from carbon_node.wire.samples import Sample
from carbon_node.wire.types import encode

REMEMBERED_COUNT = 100_000
"""Contents that are counted, as many as the join remembers tasks; about 200 bytes each."""


class Identities:
    """Names of writers; safe to use from any thread."""

    def __init__(self) -> None:
        self._seen: OrderedDict[str, int] = OrderedDict()
        self._lock = threading.Lock()

    def new(self, samples: Iterable[Sample]) -> str:
        """Name the writer of one delivery of samples.

        Args:
            samples: all that was delivered together; a secret in them cannot be read from the name.

        Returns:
            A name that no other delivery to this process has.
        """
        digest = hashlib.sha256(repr([encode(sample) for sample in samples]).encode()).hexdigest()
        with self._lock:
            number = self._seen.pop(digest, 0) + 1
            self._seen[digest] = number
            if len(self._seen) > REMEMBERED_COUNT:
                self._seen.popitem(last=False)
        return f"sustainml_py|{digest}|{number}"
