"""Whether the peers still know this participant.

A peer forgets a participant that it has not heard for its lease, and discovers it again later. If
only one of two forgets the other, Fast DDS and CycloneDDS never meet again: CycloneDDS asks for the
endpoints once more and begins to count its requests at 0, and Fast DDS, which has counted on, takes
them for old ones. Each then holds the other for alive, and nothing passes. A participant with
another GUID is the only cure. Participants of Fast DDS find each other again by themselves.

So a reader of another vendor that is alive, since discovery still has it, and that acknowledges
nothing for as long as discovery would have kept a dead one, has forgotten this participant.
"""

from collections.abc import Collection

FAST_DDS = 0x010F
"""Vendor number of Fast DDS in RTPS."""

MARGIN_S = 1.0
"""Seconds after the end of a lease in which discovery has noticed it."""

LONGEST_S = 60.0
"""Seconds after which a reader that acknowledges nothing is not waited for, whatever its lease."""


class Standing:
    """What is known of the peers, and since when they owe an acknowledgment."""

    def __init__(self) -> None:
        self._leases_s: dict[str, float] = {}
        self._foreign: set[str] = set()
        self._asked_s: float | None = None
        self._is_tried = False
        self.has_met_others = False
        """Whether a participant of another vendor was there, since this one joined."""

    def met(self, participant: str, vendor: int, lease_duration_s: float) -> None:
        """Note a participant that is there.

        Args:
            participant: prefix of its GUID.
            vendor: number of its implementation.
            lease_duration_s: seconds after which it counts as dead.
        """
        self._leases_s[participant] = lease_duration_s
        if vendor != FAST_DDS:
            self._foreign.add(participant)
            self.has_met_others = True

    def left(self, participant: str) -> None:
        """Note that a participant has gone."""
        self._leases_s.pop(participant, None)
        self._foreign.discard(participant)

    def rejoined(self) -> None:
        """Forget all peers: a new participant discovers them."""
        self._leases_s.clear()
        self._foreign.clear()
        self._asked_s = None
        self._is_tried, self.has_met_others = True, False

    def has_foreign(self, readers: Collection[str]) -> bool:
        """Whether one of these participants is of another vendor."""
        return not self._foreign.isdisjoint(readers)

    def answered(self) -> None:
        """Note that all readers have acknowledged everything."""
        self._asked_s = None
        self._is_tried = False

    def nobody_asked(self) -> None:
        """Note that no reader of another vendor is there to ask."""
        self._asked_s = None

    def asked(self, now_s: float) -> bool:
        """Note that readers owe an acknowledgment.

        Args:
            now_s: monotonic time in seconds.

        Returns:
            Whether they owed none before.
        """
        is_first = self._asked_s is None
        if self._asked_s is None:
            self._asked_s = now_s
        return is_first

    def is_lost(self, readers: Collection[str], now_s: float) -> bool:
        """Whether a reader that lives has forgotten this participant.

        Never twice in a row: a reader that acknowledges nothing of the next participant either has
        another problem.

        Args:
            readers: participants of the matched readers.
            now_s: monotonic time in seconds.
        """
        if self._asked_s is None or self._is_tried:
            return False
        lease_s = max((self._leases_s.get(reader, 0.0) for reader in readers), default=0.0)
        return now_s - self._asked_s > min(lease_s, LONGEST_S) + MARGIN_S
