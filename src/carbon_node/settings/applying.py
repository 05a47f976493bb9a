"""The pure function behind the configuration service: a request changes or reads settings."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from carbon_node.errors import RequestRefused
from carbon_node.json_value import Json
from carbon_node.settings.catalogue import catalogue, description, flat, nested, shown
from carbon_node.settings.loading import Configuration
from carbon_node.settings.model import Settings
from carbon_node.settings.requests import (
    Code,
    Describe,
    Get,
    LastResults,
    Question,
    QuestionToNode,
    Reset,
    ResultsOf,
    Set,
    Status,
    parsed,
)
from carbon_node.settings.sources import Origin, Source
from carbon_node.settings.validation import BeyondRequests, UnknownKey, settings_of


@dataclass(frozen=True, slots=True)
class Reply:
    """The reply to one request.

    Args:
        success: whether the request was granted.
        body: the reply as JSON object.
    """

    success: bool
    body: Mapping[str, Json]

    @property
    def text(self) -> str:
        """The reply as ASCII text, which every string type on the wire can hold."""
        return json.dumps(self.body)


def apply(current: Configuration, text: str) -> tuple[Configuration, Reply | QuestionToNode]:
    """Answer one request about the configuration.

    Args:
        current: the configuration in force.
        text: the request; untrusted.

    Returns:
        The configuration that the request leaves, `current` itself if nothing changed; the reply,
        or what the node has to be asked for it.
    """
    try:
        changed, found = _granted(current, text)
    except RequestRefused as refusal:
        return current, refused(current, refusal)
    return changed, found if isinstance(found, QuestionToNode) else granted(changed, found)


def granted(current: Configuration, content: Mapping[str, Json]) -> Reply:
    """Return the reply to a granted request."""
    return Reply(success=True, body={"success": True, "revision": current.revision, **content})


def refused(current: Configuration, refusal: RequestRefused) -> Reply:
    """Return the reply to a refused request."""
    error = {"code": refusal.code, "message": refusal.message, "hint": refusal.hint}
    return Reply(
        success=False, body={"success": False, "revision": current.revision, "error": {**error}}
    )


def at_startup(current: Configuration, keys: Iterable[str]) -> Configuration:
    """Return the configuration with some settings reset to their values at start-up."""
    startup = flat(current.startup)
    values = {key: startup[key] for key in keys}
    return _changed(current, values, current.startup_origins)


def reloaded(current: Configuration, fresh: Configuration) -> tuple[Configuration, tuple[str, ...]]:
    """Adopt newly loaded sources as far as settings can change; changes by request stay.

    Returns:
        The configuration with them, and the names of settings that need a restart for theirs.
    """
    old, new = flat(current.startup), flat(fresh.startup)
    waiting = tuple(key for key in new if catalogue()[key].fixed and new[key] != old[key])
    values = new | {key: old[key] for key in waiting}
    settings = Settings.model_validate(nested(values | current.changes))
    startup_origins = {
        **fresh.startup_origins,
        **{key: current.startup_origins[key] for key in waiting},
    }
    changed = Configuration(
        settings=settings,
        origins={**startup_origins, **{key: current.origins[key] for key in current.changes}},
        startup=Settings.model_validate(nested(values)),
        startup_origins=startup_origins,
        revision=current.revision + (settings != current.settings),
    )
    return changed, waiting


def _granted(
    current: Configuration, text: str
) -> tuple[Configuration, Mapping[str, Json] | QuestionToNode]:
    access = current.settings.configuration_access
    if access == "off":
        raise _denied("this node answers no configuration requests")
    request = parsed(text)
    if not isinstance(request, Set | Reset):
        return current, _told(current, request)
    if access == "read-only":
        raise _denied("this node's configuration can be read only")
    _require_revision(current, request.expected_revision)
    changed = (
        _set(current, request.values)
        if isinstance(request, Set)
        else at_startup(current, request.keys)
    )
    return changed, _configuration(changed, catalogue())


def _told(current: Configuration, request: Question) -> Mapping[str, Json] | QuestionToNode:
    match request:
        case Get(keys):
            return _configuration(current, keys)
        case Describe(keys):
            return {"description": {key: description(key) for key in keys}}
        case Status() | LastResults() | ResultsOf():
            return request


def _set(current: Configuration, values: Mapping[str, object]) -> Configuration:
    for key, value in values.items():
        if key not in catalogue():
            unknown = UnknownKey(key)
            raise RequestRefused(Code.UNKNOWN_KEY, unknown.message, unknown.hint)
        if reason := catalogue()[key].fixed:
            message = f"{key} cannot change while the node runs: {reason}"
            hint = "configure it where the node is started, and restart the node"
            raise RequestRefused(Code.NOT_CHANGEABLE, message, hint)
        if catalogue()[key].refuses_by_request(value):
            beyond = BeyondRequests(catalogue()[key], value)
            raise RequestRefused(Code.INVALID_VALUE, beyond.message, beyond.hint)
    origin = Origin(Source.REQUEST, f"of revision {current.revision + 1}")
    return _changed(current, values, dict.fromkeys(values, origin))


def _changed(
    current: Configuration, values: Mapping[str, object], origins: Mapping[str, Origin]
) -> Configuration:
    before = flat(current.settings)
    settings = settings_of({**before, **values})
    if not isinstance(settings, Settings):
        raise RequestRefused(Code.INVALID_VALUE, settings[0].message, settings[0].hint)
    after = flat(settings)
    changes = {key: origins[key] for key in after if after[key] != before[key]}
    if not changes:
        return current
    return replace(
        current,
        settings=settings,
        origins={**current.origins, **changes},
        revision=current.revision + 1,
    )


def _configuration(current: Configuration, keys: Iterable[str]) -> Mapping[str, Json]:
    values = flat(current.settings)
    return {"configuration": {key: shown(values[key]) for key in keys}}


def _require_revision(current: Configuration, expected: int | None) -> None:
    if expected is not None and expected != current.revision:
        message = f"the configuration has revision {current.revision}, not {expected}"
        hint = 'read it with {"get": "all"} and decide again'
        raise RequestRefused(Code.REVISION_CONFLICT, message, hint)


def _denied(message: str) -> RequestRefused:
    hint = "the operator of the node decides this by configuration_access"
    return RequestRefused(Code.ACCESS_DENIED, message, hint)
