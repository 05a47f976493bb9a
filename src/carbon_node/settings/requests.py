"""Configuration requests: what a peer may ask, parsed from untrusted text.

A request is a JSON object with one of the members get, set, reset, describe, status and results;
set and reset may be accompanied by the revision that they expect, and all of them by a `request_id`
that the reply repeats. Anything else is refused with a code of the closed list `Code`.
"""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias, TypeGuard

from carbon_node.errors import RequestRefused
from carbon_node.settings.catalogue import catalogue, near_match
from carbon_node.settings.validation import UnknownKey, quoted
from carbon_node.wire import bounded_json

MAX_REQUEST_CHARACTERS = 65_536
"""Longest request that is read: ten times one that sets everything."""

MAX_RESULTS = 100
"""Most results in one reply, which keeps the sample small."""

REQUEST_ID = "request_id"
"""Member by which a caller knows its reply again; the framework's user interface counts with it."""

MAX_REQUEST_ID_CHARACTERS = 200
"""Longest text that is repeated."""

_MAX_ID = 2**32 - 1


class Code(StrEnum):
    """Why a request was refused."""

    TOO_LARGE = "too_large"
    NOT_JSON = "not_json"
    DUPLICATE_KEY = "duplicate_key"
    INVALID_REQUEST = "invalid_request"
    UNKNOWN_KEY = "unknown_key"
    INVALID_VALUE = "invalid_value"
    NOT_CHANGEABLE = "not_changeable"
    REVISION_CONFLICT = "revision_conflict"
    ACCESS_DENIED = "access_denied"
    TOO_MANY_REQUESTS = "too_many_requests"
    NOT_FOUND = "not_found"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class Get:
    """Ask for values of settings."""

    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Set:
    """Change settings, all of them or none."""

    values: Mapping[str, object]
    expected_revision: int | None = None


@dataclass(frozen=True, slots=True)
class Reset:
    """Return settings to their values at start-up."""

    keys: tuple[str, ...]
    expected_revision: int | None = None


@dataclass(frozen=True, slots=True)
class Describe:
    """Ask what settings are, and which can be set."""

    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Status:
    """Ask how the node is."""


@dataclass(frozen=True, slots=True)
class LastResults:
    """Ask for the latest results."""

    count: int


@dataclass(frozen=True, slots=True)
class ResultsOf:
    """Ask for the results of one task."""

    problem_id: int
    iteration_id: int


QuestionToNode: TypeAlias = Status | LastResults | ResultsOf
Question: TypeAlias = Get | Describe | QuestionToNode
Request: TypeAlias = Question | Set | Reset


_VERBS = ("get", "set", "reset", "describe", "status", "results")
_HINT = f'ask one of {", ".join(_VERBS)}, for example {{"get": "all"}}'


def parsed(text: str) -> Request:
    """Read a request; an empty one asks for the whole configuration.

    Raises:
        RequestRefused: the text is not a request that this node knows.
    """
    content = _object(text)
    _require_request_id(content.pop(REQUEST_ID, None))
    if not content:
        return Get(tuple(catalogue()))
    revision = content.pop("revision", None)
    if len(content) != 1:
        raise _invalid(f"a request has one member, this has {len(content)}")
    ((verb, argument),) = content.items()
    if verb in ("set", "reset"):
        return _change(verb, argument, _expected(revision))
    if revision is not None:
        raise _invalid("only set and reset go with a revision")
    return _question(verb, argument)


def request_id(text: str) -> int | str | None:
    """Find the id that the reply to a request has to repeat, also to one that is refused.

    Args:
        text: the request; untrusted.

    Returns:
        Its `request_id`; None if it has none that can be repeated.
    """
    # Hardly any request has one, and none is parsed twice for nothing.
    if REQUEST_ID not in text:
        return None
    try:
        found = _object(text).get(REQUEST_ID)
    except RequestRefused:
        return None
    return found if _is_request_id(found) else None


def _require_request_id(value: object) -> None:
    if value is not None and not _is_request_id(value):
        raise _invalid(
            f"a {REQUEST_ID} is a whole number or a text of at most"
            f" {MAX_REQUEST_ID_CHARACTERS} characters"
        )


def _is_request_id(value: object) -> TypeGuard[int | str]:
    match value:
        case str():
            return len(value) <= MAX_REQUEST_ID_CHARACTERS
        case _:
            return _is_whole(value, -sys.maxsize, sys.maxsize)


def _change(verb: str, argument: object, expected_revision: int | None) -> Request:
    if verb == "reset":
        return Reset(_keys(argument), expected_revision)
    if not isinstance(argument, dict):
        raise _invalid('set takes an object, e.g. {"set": {"pue": 1.2}}')
    return Set(argument, expected_revision)


def _question(verb: str, argument: object) -> Question:
    match verb:
        case "get":
            return Get(_keys(argument))
        case "describe":
            return Describe(_keys(argument))
        case "status":
            return _status(argument)
        case "results":
            return _results(argument)
        case _:
            meant = near_match(verb, dict.fromkeys(_VERBS))
            hint = f"did you mean {meant}?" if meant else f"ask one of {', '.join(_VERBS)}"
            raise RequestRefused(Code.INVALID_REQUEST, f"no request is called {quoted(verb)}", hint)


def _status(argument: object) -> Status:
    if argument is not True:
        raise _invalid('status takes true: {"status": true}')
    return Status()


def _results(argument: object) -> LastResults | ResultsOf:
    match argument:
        case {"last": count, **rest} if not rest and _is_whole(count, 1, MAX_RESULTS):
            return LastResults(count)
        case {"problem_id": problem, "iteration_id": iteration, **rest} if not rest:
            if _is_whole(problem, 0, _MAX_ID) and _is_whole(iteration, 0, _MAX_ID):
                return ResultsOf(problem, iteration)
    raise _invalid(
        f'results takes {{"last": N}} with N from 1 to {MAX_RESULTS},'
        ' or {"problem_id": N, "iteration_id": N}'
    )


def _is_whole(value: object, low: int, high: int) -> TypeGuard[int]:
    # true is an int in Python, but not a number in JSON
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _keys(argument: object) -> tuple[str, ...]:
    if argument == "all":
        return tuple(catalogue())
    if not isinstance(argument, list) or not all(isinstance(key, str) for key in argument):
        raise _invalid('settings are named by "all" or a list of names')
    for key in argument:
        if key not in catalogue():
            problem = UnknownKey(key)
            raise RequestRefused(Code.UNKNOWN_KEY, problem.message, problem.hint)
    return tuple(argument)


def _expected(revision: object) -> int | None:
    if revision is None or _is_whole(revision, 0, sys.maxsize):
        return revision
    raise _invalid("a revision is a whole number")


def _object(text: str) -> dict[str, object]:
    if len(text) > MAX_REQUEST_CHARACTERS:
        message = f"the request has {len(text)} characters"
        raise RequestRefused(Code.TOO_LARGE, message, f"send at most {MAX_REQUEST_CHARACTERS}")
    if not text.strip():
        return {}
    try:
        content = bounded_json.loads(
            text, object_pairs_hook=_once_each, parse_constant=_no_constant
        )
    except bounded_json.NestedTooDeep as error:
        raise _not_json(f"it is {error}") from error
    except json.JSONDecodeError as error:
        raise _not_json(str(error)) from error
    except ValueError as error:
        raise _not_json("a number has too many digits") from error
    if not isinstance(content, dict):
        raise _invalid("a request is a JSON object")
    return content


def _once_each(pairs: list[tuple[str, object]]) -> dict[str, object]:
    content: dict[str, object] = {}
    for name, value in pairs:
        if name in content:
            message = f"{quoted(name)} appears twice"
            raise RequestRefused(Code.DUPLICATE_KEY, message, "send each name once")
        content[name] = value
    return content


def _no_constant(name: str) -> float:
    raise _not_json(f"{name} is not a JSON number")


def _not_json(why: str) -> RequestRefused:
    return RequestRefused(Code.NOT_JSON, f"the request is not JSON: {why}", _HINT)


def _invalid(why: str) -> RequestRefused:
    return RequestRefused(Code.INVALID_REQUEST, why, _HINT)
