"""Sends tasks at a fixed rate: `python -m bench.load DOMAIN RATE_HZ`; ends with its standard input.

Fails if a task has no output.
"""

import select
import sys

from bench.exchanges import sustained
from bench.peers import joined

FIRST = 1_000_000
SLICE_S = 0.5


def main() -> None:
    """Send until standard input ends."""
    domain, rate_hz = int(sys.argv[1]), float(sys.argv[2])
    with joined(domain) as peers:
        print("ready", flush=True)
        first, size = FIRST, round(SLICE_S * rate_hz)
        while not select.select([sys.stdin], [], [], 0)[0]:
            sustained(peers, range(first, first + size), rate_hz)
            first += size


if __name__ == "__main__":
    main()
