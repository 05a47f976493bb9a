"""What ended the node, as one line for people."""

import pytest
from structlog.testing import capture_logs

from carbon_node.daemon.failure import failure
from carbon_node.errors import DaemonError, StoreError


def test_the_packages_own_errors_say_it_themselves() -> None:
    """Also from within groups of tasks; none is a defect."""
    own = StoreError("the disk is gone")
    group = ExceptionGroup("tasks", [ExceptionGroup("parts", [own]), ValueError("later")])
    with capture_logs() as logged:
        assert failure(own) is own
        assert failure(group) is own
    assert logged == []


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(24, "Too many open files"), "refused what the node needs.*Too many open files"),
        (MemoryError(), "no more memory"),
    ],
)
def test_what_the_system_refuses_is_no_defect(error: Exception, said: str) -> None:
    """A line says what was refused, without a traceback."""
    with capture_logs() as logged, pytest.raises(DaemonError, match=said):
        raise failure(error)
    assert logged == []


def test_anything_else_is_a_defect_with_its_traceback() -> None:
    """The line names it, and the log says where it happened."""
    defect = KeyError("x")
    with capture_logs() as logged, pytest.raises(DaemonError, match=r"KeyError: 'x'; please"):
        raise failure(defect)
    (record,) = logged
    assert (record["log_level"], record["exc_info"]) == ("critical", defect)
