"""Live values on disk, so that their age survives a restart."""

import json
import math
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from carbon_node.wire import bounded_json

CACHE_NAME = "live-intensity.json"
"""File in the state directory; it holds no key."""

MAX_ZONES = 256
"""Zones that are kept; a node works in few."""


@dataclass(frozen=True, slots=True)
class LiveValue:
    """An intensity of a zone.

    Args:
        g_per_kwh: gCO2e per kilowatt-hour.
        measured_at: time that the value belongs to, as the provider states it.
        fetched_s: when it was fetched, seconds since the epoch.
    """

    g_per_kwh: float
    measured_at: str
    fetched_s: float


class LiveCache:
    """Values by zone, in memory and in one small file. Not for several threads at once.

    A file that cannot be read is an empty one, and one that cannot be written is none: the values
    can be had again.

    Args:
        state_dir: folder of the file, None to keep values in memory only.
    """

    def __init__(self, state_dir: Path | None) -> None:
        self._path = None if state_dir is None else state_dir / CACHE_NAME
        self._values: dict[str, LiveValue] | None = None

    def get(self, zone: str) -> LiveValue | None:
        """Return what is known about a zone, however old."""
        return self._read().get(zone)

    def put(self, zone: str, value: LiveValue) -> None:
        """Keep a value, and forget the oldest one where there are too many."""
        values = self._read()
        values[zone] = value
        if len(values) > MAX_ZONES:
            del values[min(values, key=lambda kept: values[kept].fetched_s)]
        self._write(values)

    def _read(self) -> dict[str, LiveValue]:
        if self._values is None:
            self._values = {} if self._path is None else _read(self._path)
        return self._values

    def _write(self, values: dict[str, LiveValue]) -> None:
        if self._path is None:
            return
        text = json.dumps({zone: asdict(value) for zone, value in sorted(values.items())})
        # Written aside and renamed: a crash leaves the old file or the new one, never half of one.
        aside = self._path.with_suffix(f".{os.getpid()}.tmp")
        try:
            aside.write_text(text, encoding="utf-8")
            aside.replace(self._path)
        except OSError:
            aside.unlink(missing_ok=True)


def _read(path: Path) -> dict[str, LiveValue]:
    try:
        kept = bounded_json.loads(path.read_text(encoding="utf-8"))
        values = {
            str(zone): LiveValue(
                float(row["g_per_kwh"]), str(row["measured_at"]), float(row["fetched_s"])
            )
            for zone, row in kept.items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}
    return {zone: value for zone, value in values.items() if _is_sound(value)}


def _is_sound(value: LiveValue) -> bool:
    return value.g_per_kwh > 0 and math.isfinite(value.g_per_kwh) and math.isfinite(value.fetched_s)
