"""Fast DDS's own lines in the node's log."""

import logging

import pytest

from carbon_node.daemon.transport import log_line


@pytest.mark.parametrize("severity", ["error", "warning", "info", "debug"])
def test_a_line_keeps_its_weight_and_category(
    severity: str, caplog: pytest.LogCaptureFixture
) -> None:
    """What is an error to the transport is an error in the log, under the name of Fast DDS."""
    with caplog.at_level(logging.DEBUG, logger="fastdds"):
        log_line(severity, "RTPS_WRITER", "buffer is 100 % full\n")
    (record,) = caplog.records
    assert (record.name, record.levelname) == ("fastdds", severity.upper())
    assert record.getMessage() == "buffer is 100 % full"
    assert record.__dict__["category"] == "RTPS_WRITER"


def test_what_the_transport_itself_says_is_no_line_of_the_library(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It has a logger of its own, so that a flood of Fast DDS's lines hides none of it."""
    log_line("warning", "carbon_node", "samples found no room")
    (record,) = caplog.records
    assert (record.name, record.levelname) == ("carbon_node.daemon.transport", "WARNING")
