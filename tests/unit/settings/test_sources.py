"""What the environment says about the supervisor."""

import os

import pytest

from carbon_node.settings import Supervision, supervision

OWN = str(os.getpid())


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, Supervision()),
        ({"NOTIFY_SOCKET": "@x"}, Supervision("@x")),
        ({"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "30000000"}, Supervision("/x", 30_000_000)),
        ({"WATCHDOG_USEC": "5", "WATCHDOG_PID": OWN}, Supervision("", 5)),
        ({"WATCHDOG_USEC": "5", "WATCHDOG_PID": "1"}, Supervision()),
        ({"WATCHDOG_USEC": "5", "WATCHDOG_PID": "self"}, Supervision()),
        ({"WATCHDOG_USEC": "0"}, Supervision()),
        ({"WATCHDOG_USEC": "-3"}, Supervision()),
        ({"WATCHDOG_USEC": "soon"}, Supervision()),
        ({"WATCHDOG_USEC": "9" * 5000}, Supervision()),
    ],
)
def test_what_makes_no_sense_counts_as_not_asked(
    environ: dict[str, str], expected: Supervision
) -> None:
    """Only a positive interval meant for this process counts as a watchdog."""
    assert supervision(environ) == expected
