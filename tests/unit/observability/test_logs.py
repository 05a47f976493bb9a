"""The log of a real process: what reaches its descriptor, and what a broken one does not do."""

import json
import os
import pty
import resource
import select
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import IO, Any

from tests.patience import PATIENCE_S

PREAMBLE = """
import logging, os, sys, warnings
from carbon_node.observability.logs import LogConfig, LogFormat, LogLevel, configure_logging
from carbon_node.observability.redaction import Secrets
secrets = Secrets()
configure_logging(LogConfig(LogLevel.INFO, LogFormat.AUTO), secrets)
import structlog
log = structlog.get_logger("carbon_node.test")
"""


def logged(
    code: str, stderr: IO[bytes] | int = subprocess.PIPE
) -> subprocess.CompletedProcess[bytes]:
    """Run a program that logs; its standard error is what is looked at."""
    program = PREAMBLE + textwrap.dedent(code)
    return subprocess.run(
        [sys.executable, "-c", program], stderr=stderr, check=False, timeout=PATIENCE_S
    )


def records(code: str) -> list[dict[str, Any]]:
    """What a program logged to a pipe."""
    done = logged(code)
    assert done.returncode == 0, done.stderr.decode()
    return [json.loads(line) for line in done.stderr.splitlines()]


def test_both_ways_of_logging_give_the_same_records() -> None:
    """Structlog's keywords and the standard library's extra arrive as fields."""
    first, second = records("""
        log.warning("hello", task_id="1.2")
        logging.getLogger("carbon_node.test").warning("hello", extra={"task_id": "1.2"})
    """)
    assert first.pop("timestamp").endswith("Z")
    assert second.pop("timestamp").endswith("Z")
    assert first == second
    assert first == {
        "level": "warning",
        "event": "hello",
        "logger": "carbon_node.test",
        "task_id": "1.2",
    }


def test_libraries_and_warnings_are_routed_into_the_log() -> None:
    """Messages and warnings of libraries are records like the node's own."""
    message, warning = records("""
        logging.getLogger("fastdds").error("%s is lost", "a peer")
        warnings.warn("careful")
    """)
    assert (message["logger"], message["event"]) == ("fastdds", "a peer is lost")
    assert (warning["logger"], warning["level"]) == ("py.warnings", "warning")
    assert "careful" in warning["event"]


def test_an_exception_is_logged_with_its_traceback() -> None:
    """Both ways of logging an exception carry the traceback in a field."""
    for record in records("""
        try:
            1 / 0
        except ZeroDivisionError:
            log.exception("failed")
            logging.getLogger("x").exception("failed")
    """):
        assert record["level"] == "error"
        assert record["exception"].endswith("ZeroDivisionError: division by zero")


def test_levels_below_the_configured_one_are_left_out() -> None:
    """Configuring again changes the level for loggers that exist already."""
    found = records("""
        log.debug("one"), log.info("two")
        configure_logging(LogConfig(LogLevel.ERROR, LogFormat.AUTO), secrets)
        log.warning("three"), logging.getLogger("x").warning("four"), log.error("five")
        configure_logging(LogConfig(LogLevel.DEBUG, LogFormat.AUTO), secrets)
        log.debug("six")
    """)
    assert [record["event"] for record in found] == ["two", "five", "six"]


def test_a_message_that_cannot_be_formatted_is_reported() -> None:
    """A mistake in a log call is logged with its place, and raises nothing."""
    (record,) = records("""logging.getLogger("x").info("%d tasks", "many")""")
    assert record["event"] == "a log message could not be formatted"
    assert "TypeError" in record["error"]
    assert record["message_format"] == "%d tasks"


def test_whatever_a_library_logs_is_one_record() -> None:
    """Odd values, levels, fields and errors are told or named; the call that logs never fails."""
    found = records("""
        class Odd(Exception):
            def __str__(self):
                raise Odd
            __repr__ = __str__
        library = logging.getLogger("library")
        library.warning(Odd())
        library.warning("%s", Odd())
        library.warning("values", extra={"value": Odd(), "items": [Odd()], "deep": {"x": Odd()}})
        library.warning("wrong", exc_info=(1, 2, 3))
        library.log(33, "own level")
        library.warning("said", extra={"event": "x", "level": 7, "logger": [], "_record": 1})
        library.warning("mistaken", extra={"timestamp": 0, "exception": 1, "stack": 2})
        try:
            raise Odd
        except Odd:
            library.exception("failed")
    """)
    events = [record["event"] for record in found]
    unformattable = "a log message could not be formatted"
    assert events[:2] == [unformattable] * 2
    assert events[4:7] == ["own level", "said", "mistaken"]
    assert found[2]["value"] == "<Odd>"
    assert found[4]["level"] == "level 33"
    assert (found[5]["event_"], found[5]["logger"]) == ("x", "library")
    assert len(found) == 8
    assert all(record["timestamp"].endswith("Z") for record in found)


def test_a_planted_token_never_appears() -> None:
    """A token is hidden in fields, messages and tracebacks, of the node and of libraries."""
    token = "hf_PlantedToken0123456789"  # noqa: S105  # planted to be looked for
    done = logged(f"""
        token = {token!r}
        log.info("by name", extra_data={{"hf_token": token}}, text='"hf_token": "' + token + '"')
        secrets.register(token)
        log.info("by value " + token, other=[token])
        logging.getLogger("x").error("%s", token)
        warnings.warn(token)
        try:
            {{}}[token]
        except KeyError:
            log.exception("failed")
    """)
    assert done.returncode == 0
    assert len(done.stderr.splitlines()) == 5
    assert token.encode() not in done.stderr


def test_a_terminal_gets_text_for_people() -> None:
    """On a terminal a record is a coloured line, not JSON."""
    ours, theirs = pty.openpty()
    try:
        assert logged("""log.info("ready", domain=7)""", theirs).returncode == 0
        shown = os.read(ours, 4096).decode()
        assert logged("""logging.getLogger("x").log(33, "own level")""", theirs).returncode == 0
        foreign = os.read(ours, 4096).decode()
    finally:
        os.close(ours)
        os.close(theirs)
    assert shown.endswith("\x1b[32minfo    \x1b[0m ready domain=7\r\n")
    assert foreign.endswith("\x1b[0mlevel 33\x1b[0m own level\r\n")


def test_the_format_can_be_chosen() -> None:
    """JSON and text can be asked for, wherever the log goes."""
    code = """
        configure_logging(LogConfig(LogLevel.INFO, LogFormat.HUMAN), secrets)
        log.info("ready")
    """
    assert logged(code).stderr.endswith(b"info     ready\n")


def test_a_closed_descriptor_stops_nothing() -> None:
    """With standard error closed the program runs on and ends with its own status."""
    code = """
        os.close(2)
        log.info("lost"), logging.getLogger("x").error("lost"), warnings.warn("lost")
        os._exit(7)
    """
    assert logged(code).returncode == 7


def test_a_full_device_stops_nothing() -> None:
    """With no space left for the log the program ends with status 0, not 120."""
    with Path("/dev/full").open("wb") as full:
        assert logged("""log.info("lost")""", full).returncode == 0


def test_a_reader_that_left_stops_nothing() -> None:
    """A closed pipe ends neither the program nor its log to somebody else."""
    ours, theirs = os.pipe()
    os.close(ours)
    try:
        assert logged("""log.info("lost"), log.info("lost")""", theirs).returncode == 0
    finally:
        os.close(theirs)


def test_a_reader_that_does_not_read_stops_nothing() -> None:
    """Records that a full pipe does not take are counted, and the next that fits says so."""
    ours, theirs = os.pipe()
    code = """
        for _ in range(2000):
            log.info("task answered", model="x" * 1000)
        sys.stdout.write("go on\\n"), sys.stdout.flush()
        sys.stdin.readline()
        log.info("again")
    """
    program = [sys.executable, "-c", PREAMBLE + textwrap.dedent(code)]
    pipe = subprocess.PIPE
    with subprocess.Popen(program, stdin=pipe, stdout=pipe, stderr=theirs) as process:
        os.close(theirs)
        assert process.stdin is not None
        assert process.stdout is not None
        ready, _, _ = select.select([process.stdout], [], [], 30)
        if not ready:
            process.kill()
        assert process.stdout.readline() == b"go on\n"
        with os.fdopen(ours, "rb", buffering=0) as log:
            taken = log.read(1 << 20)  # what the pipe held: now it has room again
            process.stdin.close()
            lines = [json.loads(line) for line in (taken + log.readall()).splitlines()]
        assert process.wait(timeout=PATIENCE_S) == 0
    dropped, again = lines[-2:]
    assert dropped["event"] == "log records were dropped, nobody took them"
    assert dropped["count"] == 2000 - (len(lines) - 2)
    assert again["event"] == "again"


def test_repetitions_are_left_out_and_counted_at_the_end() -> None:
    """A flood of one message takes a few records, and the last one says how many there were."""
    *passed, summary = records("""
        from carbon_node.observability import noise
        from carbon_node.observability.logs import log_left_out
        noise.REFILL_S = 1e9
        for number in range(5000):
            log.warning("sample rejected", number=number)
        log_left_out()
        noise.REFILL_S = 1e-9
        log_left_out()
    """)
    assert [record["number"] for record in passed] == list(range(20))
    assert (summary["event"], summary["of"]) == ("records were left out", "sample rejected")
    assert (summary["level"], summary["count"]) == ("warning", 4980)


def test_a_file_at_its_size_limit_stops_nothing(tmp_path: Path) -> None:
    """A log file that may not grow any more costs records, not the node."""
    path = tmp_path / "log"
    code = f"""
        import resource, signal
        resource.setrlimit(resource.RLIMIT_FSIZE, (500, {resource.RLIM_INFINITY}))
        for _ in range(10):
            log.info("a record of some length")
    """
    with path.open("wb") as file:
        assert logged(code, file).returncode == 0
    assert path.stat().st_size <= 500


def test_closed_standard_descriptors_are_occupied() -> None:
    """After a start with closed streams no socket can get their numbers."""
    code = """
        from carbon_node.observability.logs import occupy_standard_descriptors
        os.close(0), os.close(1), os.close(2)
        occupy_standard_descriptors()
        os._exit(0 if os.dup(0) > 2 and os.readlink("/proc/self/fd/2") == os.devnull else 1)
    """
    assert logged(code).returncode == 0


def test_rich_is_not_loaded_for_the_log() -> None:
    """The start does not pay for a renderer it does not use, and others can still load it."""
    (record,) = records("""
        loaded = "rich" in sys.modules
        import rich
        log.info("checked", loaded=loaded, name=rich.__name__)
    """)
    assert (record["loaded"], record["name"]) == (False, "rich")
