"""The log: structlog and the standard library's logging, one record per event, to one descriptor.

Modules log through `logging.getLogger(__name__)` with `extra={...}`, or through
`structlog.get_logger(__name__)` with keywords; both become the same records. Messages and warnings
of libraries arrive the same way.
"""

import functools
import logging
import os
import select
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from carbon_node.observability.cleaning import Event
from carbon_node.observability.noise import NoiseFilter, quieten_libraries
from carbon_node.observability.redaction import Secrets
from carbon_node.observability.rendering import (
    TASK_ANSWERED,
    Renderer,
    bounded_text,
    human_text,
    json_text,
)

STDERR_FD = 2
"""Where the log goes: standard output stays free for what a command prints."""

_HEAD = ("event", "timestamp", "level", "logger", "exception", "stack")
"""Fields that say the same in every record; a library's own field of such a name is renamed."""


class LogFormat(StrEnum):
    """How records look; `AUTO` is human on a terminal and JSON elsewhere."""

    AUTO = "auto"
    HUMAN = "human"
    JSON = "json"


class LogLevel(StrEnum):
    """The least weight that is logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class LogConfig:
    """What the log looks like.

    Args:
        level: least weight that is written.
        format: how records look.
        fd: file descriptor that records are written to.
    """

    level: LogLevel
    format: LogFormat
    fd: int = STDERR_FD


def configure_logging(config: LogConfig, secrets: Secrets) -> None:
    """Send everything that is logged in this process to one descriptor; repeatable.

    Logging never raises and never waits: a record that the descriptor does not take at once is
    dropped, and the first one that gets through again follows a record that says how many were.

    Args:
        config: what the log looks like.
        secrets: values that no record shows; may grow later.
    """
    with _rich_hidden():
        # Here, because only now rich is hidden from it.
        import structlog
    handler = DescriptorHandler(config.fd)
    handler.setFormatter(_formatter(_renderer(config), secrets))
    handler.addFilter(NoiseFilter(always=[TASK_ANSWERED]))
    quieten_libraries()
    root = logging.getLogger()
    for earlier in [old for old in root.handlers if isinstance(old, DescriptorHandler)]:
        root.removeHandler(earlier)
    root.addHandler(handler)
    root.setLevel(config.level.upper())
    logging.captureWarnings(capture=True)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
    )


def set_log_level(level: LogLevel) -> None:
    """Change the least weight that is written, from now on."""
    logging.getLogger().setLevel(level.upper())


def log_left_out(*, is_end: bool = False) -> None:
    """Write how many records of each kind were left out as repetitions; to be called now and then.

    Without it, those behind the last that was written would never be counted.

    Args:
        is_end: whether the log ends, so that all are counted now.
    """
    for handler in logging.getLogger().handlers:
        for noise in handler.filters:
            if isinstance(noise, NoiseFilter):
                for record in noise.left_out(is_end=is_end):
                    # Past the filter, which counts kinds and not their counts.
                    _write(handler, record)


def _write(handler: logging.Handler, record: logging.LogRecord) -> None:
    handler.acquire()
    try:
        handler.emit(record)
    finally:
        handler.release()


def occupy_standard_descriptors() -> None:
    """Open the null device as every standard descriptor that is closed.

    Otherwise the next socket gets number 1 or 2, and whatever native code prints goes out on it.
    """
    for fd in range(3):
        try:
            os.fstat(fd)
        except OSError:
            # Takes the lowest free number, which is this one.
            os.open(os.devnull, os.O_RDWR)


class DescriptorHandler(logging.Handler):
    """Writes records to a descriptor without ever blocking or raising; usable from any thread.

    It writes past the buffers of `sys.stderr`: what stays in those after a full disk or a closed
    pipe makes the interpreter exit with status 120.

    Args:
        fd: an open or closed descriptor.
    """

    def __init__(self, fd: int) -> None:
        super().__init__()
        self._fd = fd
        self._dropped = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record, or count it as dropped."""
        if self._dropped and self._is_taken(self._text(_dropped_record(self._dropped))):
            self._dropped = 0
        if self._dropped or not self._is_taken(self._text(record)):
            self._dropped += 1

    def _text(self, record: logging.LogRecord) -> str:
        try:
            return self.format(record)
        except Exception as error:  # noqa: BLE001  # methods of whatever a library logs are called
            return self.format(_unformattable_record(record, error))

    def _is_taken(self, text: str) -> bool:
        return write_at_once(self._fd, text)


def write_at_once(fd: int, text: str) -> bool:
    """Write a text without waiting or raising, whatever the descriptor is.

    Returns:
        Whether it was taken whole.
    """
    data = text.encode(errors="replace")
    try:
        return _is_writable(fd) and os.write(fd, data) == len(data)
    except OSError:
        # Closed, full, or nobody reads: a log must not stop the node.
        return False


def _is_writable(fd: int) -> bool:
    """Whether a record fits without waiting: a pipe says so if PIPE_BUF bytes are free."""
    poll = select.poll()
    poll.register(fd, select.POLLOUT)
    return any(events & select.POLLOUT for _, events in poll.poll(0))


def _dropped_record(count: int) -> logging.LogRecord:
    return _own_record("log records were dropped, nobody took them", {"count": count})


def _unformattable_record(record: logging.LogRecord, error: Exception) -> logging.LogRecord:
    place = f"{record.pathname}:{record.lineno}"
    fields = {"error": error, "message_format": record.msg, "place": place}
    return _own_record("a log message could not be formatted", fields)


def _own_record(message: str, fields: Mapping[str, object]) -> logging.LogRecord:
    origin = {"name": __name__, "levelno": logging.WARNING, "levelname": "WARNING"}
    return logging.makeLogRecord({**origin, "msg": message, **fields})


def _renderer(config: LogConfig) -> Renderer:
    is_terminal = os.isatty(config.fd)
    if config.format is LogFormat.HUMAN or (config.format is LogFormat.AUTO and is_terminal):
        return functools.partial(human_text, has_color=is_terminal)
    return json_text


def _formatter(render: Renderer, secrets: Secrets) -> logging.Formatter:
    # Here, because `configure_logging` decides how it is first imported.
    import structlog

    def rendered(_logger: object, _method: str, event: Event) -> str:
        return bounded_text(event, render, secrets)

    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[_add_fields],
        processors=[
            _add_origin,
            structlog.processors.StackInfoRenderer(),
            structlog.processors.format_exc_info,
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            rendered,
        ],
    )


def _add_fields(_logger: object, _method: str, event: Event) -> Event:
    """Add what a record of the standard library carries in its `extra`."""
    import structlog

    record: Event = {"_record": event["_record"]}
    extra = structlog.stdlib.ExtraAdder()(None, "", record)  # type: ignore[arg-type]
    named = {f"{key}_" if key in _HEAD else key: value for key, value in extra.items()}
    return named | dict(event)


def _add_origin(_logger: object, _method: str, event: Event) -> Event:
    record: logging.LogRecord = event["_record"]
    created = datetime.fromtimestamp(record.created, UTC)
    event["timestamp"] = created.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    event["level"] = record.levelname.lower()
    event["logger"] = record.name
    return event


@contextmanager
def _rich_hidden() -> Iterator[None]:
    """Keep structlog from importing rich for a renderer that is not used: 34 ms and 4 MB."""
    if "rich" in sys.modules:
        yield
        return
    sys.modules["rich"] = None  # type: ignore[assignment]  # documented: makes the import fail
    try:
        yield
    finally:
        del sys.modules["rich"]
