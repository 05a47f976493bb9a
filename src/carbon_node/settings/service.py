"""The configuration service: the only holder of the configuration in force."""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from carbon_node.errors import CarbonNodeError, ConfigError, RequestRefused
from carbon_node.json_value import Json
from carbon_node.settings.applying import Reply, apply, at_startup, granted, refused, reloaded
from carbon_node.settings.catalogue import catalogue, flat, shown
from carbon_node.settings.loading import Configuration
from carbon_node.settings.persisted import persist, persisted_path
from carbon_node.settings.requests import (
    REQUEST_ID,
    Code,
    LastResults,
    QuestionToNode,
    ResultsOf,
    Status,
    request_id,
)

RESULTS_WAIT_S = 5.0
"""Seconds that a request for results may take: callers that queue behind it have no timeout."""


class NodeQuestions(Protocol):
    """What the service reports about the node besides its configuration."""

    def status(self) -> Mapping[str, Json]:
        """Return how the node is, as JSON; answers at once."""
        ...

    async def last_results(self, count: int) -> Sequence[Mapping[str, Json]]:
        """Return the latest results, newest first, at most `count`.

        Raises:
            CarbonNodeError: they cannot be read now.
        """
        ...

    async def results_of(self, problem_id: int, iteration_id: int) -> Sequence[Mapping[str, Json]]:
        """Return the results of one task, newest first; none if there are none.

        Raises:
            CarbonNodeError: they cannot be read now.
        """
        ...


@dataclass(frozen=True, slots=True)
class Change:
    """One setting that changed while the node runs.

    Args:
        key: dotted name of the setting.
        old: its value before.
        new: its value from now on.
        revision: revision of the configuration that has the new value.
    """

    key: str
    old: Json
    new: Json
    revision: int


class RequestRate:
    """A limit on requests per second that admits bursts of one second's worth.

    Args:
        per_s: requests per second, at least 1.
        clock: monotonic time in seconds.
    """

    def __init__(self, per_s: float, clock: Callable[[], float]) -> None:
        self._per_s = per_s
        self._clock = clock
        self._left = per_s
        self._seen_s = clock()

    def admits(self) -> bool:
        """Count one request; return whether it is within the limit."""
        now_s = self._clock()
        self._left = min(self._per_s, self._left + (now_s - self._seen_s) * self._per_s)
        self._seen_s = now_s
        if self._left < 1:
            return False
        self._left -= 1
        return True


class ConfigurationService:
    """Holds the configuration in force and answers requests about it.

    Use it from the loop's thread only. Requests cannot interleave within a change: only questions
    for results wait, and those change nothing.

    Args:
        configuration: the configuration at start.
        node: where status and results come from.
        on_change: called after each change with what changed; it logs, and must not raise.
        clock: monotonic time in seconds.
    """

    def __init__(
        self,
        configuration: Configuration,
        node: NodeQuestions,
        on_change: Callable[[tuple[Change, ...]], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.current = configuration
        """The configuration in force; a task reads it once and never sees a change."""
        self._node = node
        self._on_change = on_change
        self._rate = RequestRate(configuration.settings.configuration_requests_per_s, clock)

    async def answer(self, text: str) -> Reply:
        """Answer one request; never raises, whatever the text is."""
        if not self._rate.admits():
            return refused(self.current, _too_many(self.current))
        reply, repeated = await self._answer(text), request_id(text)
        if repeated is None:
            return reply
        return replace(reply, body={**reply.body, REQUEST_ID: repeated})

    async def _answer(self, text: str) -> Reply:
        changed, reply = apply(self.current, text)
        if not isinstance(reply, Reply):
            return await self._told(reply)
        warnings = self._adopt(changed)
        return replace(reply, body={**reply.body, "warnings": warnings}) if warnings else reply

    async def _told(self, question: QuestionToNode) -> Reply:
        try:
            async with asyncio.timeout(RESULTS_WAIT_S):
                content = await _content(self._node, question)
        except RequestRefused as refusal:
            return refused(self.current, refusal)
        except CarbonNodeError as error:
            return refused(self.current, _unavailable(str(error)))
        except TimeoutError:
            why = f"the results were not read within {RESULTS_WAIT_S:g} s"
            return refused(self.current, _unavailable(why))
        return granted(self.current, content)

    def reset(self) -> None:
        """Return to the configuration at start-up, as the control command RESET_NODE asks."""
        self._adopt(at_startup(self.current, catalogue()))

    def reload(self, fresh: Configuration) -> tuple[str, ...]:
        """Adopt newly loaded sources, as far as settings can change; changes by request stay.

        Args:
            fresh: what loading gives now.

        Returns:
            Names of the settings whose new value needs a restart.
        """
        changed, waiting = reloaded(self.current, fresh)
        self._adopt(changed)
        return waiting

    def _adopt(self, changed: Configuration) -> list[Json]:
        """Make a configuration the current one; return warnings for whoever asked for it."""
        previous, self.current = self.current, changed
        changes = () if changed is previous else tuple(_changes(previous, changed))
        if not changes:
            return []
        self._on_change(changes)
        return _kept(changed) if changed.settings.persist_configuration else []


def _changes(previous: Configuration, changed: Configuration) -> Iterator[Change]:
    before = flat(previous.settings)
    for key, value in flat(changed.settings).items():
        if value != before[key]:
            yield Change(key, shown(before[key]), shown(value), changed.revision)


def _kept(configuration: Configuration) -> list[Json]:
    """Persist the changes; return which of them will not survive the next start, and why."""
    changes = {key: shown(value) for key, value in configuration.changes.items()}
    try:
        persist(persisted_path(configuration.settings), changes, configuration.revision)
    except ConfigError as error:
        return [f"changed until the next start only: {error}"]
    origins = configuration.startup_origins
    return [
        f"{key} is changed until the next start only: {origins[key]} has the last word"
        for key in changes
        if origins[key].has_last_word
    ]


async def _content(node: NodeQuestions, question: QuestionToNode) -> Mapping[str, Json]:
    match question:
        case Status():
            return {"status": dict(node.status())}
        case LastResults(count):
            return {"results": [dict(result) for result in await node.last_results(count)]}
        case ResultsOf(problem_id, iteration_id):
            results = await node.results_of(problem_id, iteration_id)
            if not results:
                message = f"no result of task {(problem_id, iteration_id)} is kept"
                hint = 'ask {"results": {"last": 10}} for the latest'
                raise RequestRefused(Code.NOT_FOUND, message, hint)
            return {"results": [dict(result) for result in results]}


def _unavailable(why: str) -> RequestRefused:
    return RequestRefused(Code.UNAVAILABLE, why, "ask again later")


def _too_many(configuration: Configuration) -> RequestRefused:
    per_s = configuration.settings.configuration_requests_per_s
    message = f"more than {per_s:g} configuration requests per second"
    return RequestRefused(Code.TOO_MANY_REQUESTS, message, "wait a second")
