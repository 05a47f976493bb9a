"""Changes of settings reach the tasks that start after them, and no others."""

import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from tests.quiet_node import QuietNode

from carbon_node.daemon import parts
from carbon_node.daemon.settings_in_force import SettingsInForce
from carbon_node.errors import ConfigError
from carbon_node.estimation import Place
from carbon_node.estimation.measurement import Measurement, Run, SimulatedRun
from carbon_node.settings import Loaded, load
from carbon_node.tracking import TrackerConfig
from carbon_node.tracking.pool import TrackerPool

pytestmark = pytest.mark.anyio


class NotingPool(TrackerPool):
    """A pool that only notes how it would measure."""

    def __init__(self, config: TrackerConfig) -> None:
        super().__init__(config)
        self.windows_s: list[float] = []

    async def measure(
        self,
        run: Run,  # noqa: ARG002 - all are the same
        deadline_s: float | None = None,  # noqa: ARG002 - the configured one
        config: TrackerConfig | None = None,
        on_begin: Callable[[], None] = lambda: None,  # noqa: ARG002 - nobody waits
    ) -> Measurement:
        """Note the window."""
        assert config is not None
        self.windows_s.append(config.window_s)
        return Measurement(1e-6, config.window_s, 1)


def loaded(**options: object) -> Loaded:
    """Load settings from options alone."""
    return load({"domain": 0, **options}, {}, system_file=Path("/nowhere"))


@pytest.fixture
def settings() -> Iterator[SettingsInForce]:
    """Return the settings of a node that nobody has changed, and the log level as it was."""
    level = logging.getLogger().level
    configuration = loaded().configuration
    pool = TrackerPool(parts.tracker_config(configuration.settings))
    yield SettingsInForce(configuration, QuietNode(), pool)
    logging.getLogger().setLevel(level)


async def change(settings: SettingsInForce, **values: object) -> None:
    """Change settings by request."""
    assert (await settings.service.answer(json.dumps({"set": values}))).success


async def test_a_task_keeps_the_conditions_that_it_started_under(settings: SettingsInForce) -> None:
    """A change makes other conditions for the next task, and none for the one before."""
    before = settings.conditions()
    await change(settings, pue=1.2, latency_unit="ms", intensity_g_per_kwh=50.0)
    after = settings.conditions()

    assert (before.assumptions.pue.interval.value, before.assumptions.revision) == (1.58, 0)
    assert (after.assumptions.pue.interval.value, after.assumptions.revision) == (1.2, 1)
    assert [before.latency_unit, after.latency_unit] == ["s", "ms"]
    assert before.intensity.lookup(Place("France")).place == "France"
    assert after.intensity.lookup(Place("France")).g_per_kwh.value == 50.0


async def test_the_tracker_of_a_task_keeps_its_configuration() -> None:
    """Window and deadline are those of the task's start, however late it is measured."""
    configuration = loaded().configuration
    pool = NotingPool(parts.tracker_config(configuration.settings))
    settings = SettingsInForce(configuration, QuietNode(), pool)
    before = settings.conditions().tracker
    await change(settings, **{"tracker.window_s": 0.2})
    after = settings.conditions().tracker

    for tracker in (before, after):
        await tracker.measure(SimulatedRun(1.0), lambda: None)

    assert pool.windows_s == [0.5, 0.2]


async def test_the_default_place_changes(settings: SettingsInForce) -> None:
    """A task that names no place gets the new one's intensity."""
    await change(settings, place="Poland")

    assert settings.conditions().intensity.lookup(Place()).place == "Poland"


async def test_other_changes_keep_what_was_looked_up(settings: SettingsInForce) -> None:
    """The tables are not read again for a change that does not concern them."""
    before = settings.conditions().intensity
    await change(settings, pue=1.2)

    assert settings.conditions().intensity is before


async def test_gap_and_log_level_change_at_once(settings: SettingsInForce) -> None:
    """They are no part of a task."""
    await change(settings, output_gap_ms=250.0, log_level="error")

    assert settings.output_gap_s() == 0.25
    assert logging.getLogger().level == logging.ERROR


async def test_every_change_is_logged_with_old_and_new_value(settings: SettingsInForce) -> None:
    """An operator finds out what a peer did."""
    with capture_logs() as lines:
        await change(settings, pue=1.25)

    assert lines == [
        {
            "event": "setting changed",
            "setting": "pue",
            "old": 1.58,
            "new": 1.25,
            "revision": 1,
            "log_level": "info",
        }
    ]


def test_a_reload_takes_new_values(settings: SettingsInForce) -> None:
    """What an edited file says applies from the next task on."""
    settings.reload(lambda: loaded(pue=1.3))

    assert settings.conditions().assumptions.pue.interval.value == 1.3


def test_a_reload_of_an_unusable_file_changes_nothing(settings: SettingsInForce) -> None:
    """The node goes on with what it has."""

    def fail() -> Loaded:
        raise ConfigError("configuration file x is not TOML")

    settings.reload(fail)

    assert settings.service.current.revision == 0


async def test_a_place_that_is_not_understood_is_logged(settings: SettingsInForce) -> None:
    """An operator hears of a typing error before a task needs the place."""
    with capture_logs() as lines:
        await change(settings, place="Germny")
        await change(settings, place="Germany")

    (warning,) = (line for line in lines if line["log_level"] == "warning")
    assert warning["place"] == "Germny"
    assert "near matches: germany" in warning["problem"]
