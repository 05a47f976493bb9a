"""Live intensities by zone: kept with their age across restarts, asked for politely.

Off unless the operator configures a key. Every failure is an answer that says why, never an
exception: the caller falls back to the table.
"""

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeAlias
from urllib.parse import urlsplit

from carbon_node.errors import ConfigError
from carbon_node.estimation import MAX_G_PER_KWH
from carbon_node.intensity.live_cache import LiveCache, LiveValue
from carbon_node.intensity.provider import Provider, Reading, Refusal

STALE_S = 6 * 3600.0
"""So old may a kept value be when the provider fails; then the yearly table is the better guess."""

FIRST_PAUSE_S = 30.0
"""Pause after a first failure; it doubles with each further one."""

LONGEST_PAUSE_S = 3600.0
"""Pause at most, also where the provider asks for a longer one."""

_PROVIDER = ""
"""Scope of pauses that hold for every zone."""


@dataclass(frozen=True, slots=True)
class LiveConfig:
    """How live intensities are asked for.

    Args:
        key: the operator's key for Electricity Maps; never shown.
        state_dir: folder where values are kept across restarts, None to keep them in memory only.
        timeout_s: deadline of a request in seconds, > 0.
        max_age_s: age up to which a value is used without asking again, in seconds, >= 0.
        base_url: scheme and host of the provider.

    Raises:
        ConfigError: if an argument cannot be used.
    """

    key: str = field(repr=False)
    state_dir: Path | None
    timeout_s: float
    max_age_s: float
    base_url: str = "https://api.electricitymaps.com"

    def __post_init__(self) -> None:
        if not self.key.strip() or not self.key.isascii() or not self.key.isprintable():
            raise ConfigError(
                "the key of the live provider is empty or not printable ASCII; set it again"
            )
        if not 0 < self.timeout_s < math.inf:
            raise ConfigError(f"live timeout is {self.timeout_s:g} s; set a number above 0")
        if not 0 <= self.max_age_s < math.inf:
            raise ConfigError(f"live max age is {self.max_age_s:g} s; set a number from 0")
        if urlsplit(self.base_url).scheme not in {"http", "https"}:
            raise ConfigError(f"live provider {self.base_url!r} is not an http or https address")


@dataclass(frozen=True, slots=True)
class LiveHit:
    """A live intensity that can be used.

    Args:
        value: what the provider said.
        age_s: seconds since it was fetched.
        failure: why a newer one could not be had, None if this one is fresh.
    """

    value: LiveValue
    age_s: float
    failure: str | None = None


@dataclass(frozen=True, slots=True)
class LiveMiss:
    """No live intensity, and why.

    Args:
        reason: one line for people.
    """

    reason: str


LiveAnswer: TypeAlias = LiveHit | LiveMiss


@dataclass(frozen=True, slots=True)
class _Pause:
    """After failures, nothing is asked before `until_s` of the monotonic clock."""

    until_s: float
    failures: int
    reason: str


class LiveIntensity:
    """Asks a live provider. Usable from several threads; one waits for the request of another.

    Args:
        config: how to ask.
        provider: whom to ask, None for Electricity Maps.
        wall_s: clock for the age of values, seconds since the epoch; it outlives restarts.
        monotonic_s: clock for pauses, in seconds.
    """

    def __init__(
        self,
        config: LiveConfig,
        provider: Provider | None = None,
        wall_s: Callable[[], float] = time.time,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._config = config
        self._known_provider = provider
        self._wall_s = wall_s
        self._monotonic_s = monotonic_s
        self._lock = threading.Lock()
        self._cache = LiveCache(config.state_dir)
        self._pauses: dict[str, _Pause] = {}

    @property
    def provider(self) -> Provider:
        """Whom this asks."""
        if self._known_provider is None:
            # Costs 90 ms, which only a node with a configured provider pays.
            from carbon_node.intensity.providers.electricity_maps import ElectricityMaps

            config = self._config
            self._known_provider = ElectricityMaps(config.key, config.base_url, config.timeout_s)
        return self._known_provider

    def intensity(self, zone: str) -> LiveAnswer:
        """Return the intensity of a zone. Blocks for one request at most.

        Args:
            zone: zone of the provider, e.g. "FR".
        """
        with self._lock:
            known = self._known(zone)
            if known is not None and known.age_s <= self._config.max_age_s:
                return known
            answer = self._pausing(zone) or self._asked(zone)
            if isinstance(answer, LiveValue):
                self._cache.put(zone, answer)
                return LiveHit(answer, 0.0)
            return LiveMiss(answer) if known is None else replace(known, failure=answer)

    def _known(self, zone: str) -> LiveHit | None:
        value = self._cache.get(zone)
        if value is None:
            return None
        age_s = self._wall_s() - value.fetched_s
        # A negative age means that the clock was set back: the real age is unknown.
        return LiveHit(value, age_s) if 0 <= age_s <= max(STALE_S, self._config.max_age_s) else None

    def _pausing(self, zone: str) -> str | None:
        """Return why nothing is asked at the moment, None if it may be."""
        now_s = self._monotonic_s()
        pauses = (self._pauses.get(scope) for scope in (_PROVIDER, zone))
        reasons = [pause.reason for pause in pauses if pause is not None and now_s < pause.until_s]
        return f"pausing after: {reasons[0]}" if reasons else None

    def _asked(self, zone: str) -> LiveValue | str:
        """Ask the provider; return the value, or why there is none."""
        answer = self.provider.latest(zone)
        if isinstance(answer, Reading) and not 0 < answer.g_per_kwh <= MAX_G_PER_KWH:
            answer = Refusal(f"absurd intensity {answer.g_per_kwh:g} g/kWh", scope_is_zone=True)
        if isinstance(answer, Refusal):
            self._pause(zone if answer.scope_is_zone else _PROVIDER, answer.reason, answer.wait_s)
            return answer.reason
        self._pauses.pop(zone, None)
        self._pauses.pop(_PROVIDER, None)
        return LiveValue(answer.g_per_kwh, answer.measured_at, self._wall_s())

    def _pause(self, scope: str, reason: str, wait_s: float | None) -> None:
        before = self._pauses.get(scope)
        failures = 1 if before is None else before.failures + 1
        pause_s = FIRST_PAUSE_S * 2 ** min(failures - 1, 10) if wait_s is None else wait_s
        until_s = self._monotonic_s() + min(pause_s, LONGEST_PAUSE_S)
        self._pauses[scope] = _Pause(until_s, failures, reason)
