"""What a change of settings does to a node that runs.

A change applies between tasks, never within one: each task takes its conditions once, when its work
begins, and they hold everything that settings decide about it.
"""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import structlog

from carbon_node.daemon import parts
from carbon_node.daemon.heap import give_back
from carbon_node.errors import ConfigError
from carbon_node.estimation.measurement import Measurement, ModelRun, Run
from carbon_node.intensity import IntensityConfig, IntensityLookup, LiveIntensity
from carbon_node.observability.logs import set_log_level
from carbon_node.pipeline.ports import Conditions
from carbon_node.settings import Change, Configuration, ConfigurationService, Loaded, NodeQuestions
from carbon_node.tracking import TrackerConfig, is_runnable
from carbon_node.tracking.pool import TrackerPool

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _TrackerAsConfigured:
    pool: TrackerPool
    config: TrackerConfig

    def can_run(self, run: ModelRun) -> bool:
        return is_runnable(run, self.config.model_roots)

    def measure(self, run: Run, on_begin: Callable[[], None]) -> Coroutine[Any, Any, Measurement]:
        return self.pool.measure(run, config=self.config, on_begin=on_begin)


class SettingsInForce:
    """The configuration service, and what follows from the configuration that it holds.

    Args:
        configuration: the configuration at start.
        node: what the service may tell about the node.
        tracker: measures; is configured again on changes.
    """

    def __init__(
        self, configuration: Configuration, node: NodeQuestions, tracker: TrackerPool
    ) -> None:
        self.service = ConfigurationService(configuration, node, self._on_change)
        self._tracker = tracker
        self._live = parts.live_intensity(configuration.settings)
        self._intensity_config = parts.intensity_config(configuration)
        self._intensity = _lookup(self._intensity_config, self._live)
        self._conditions = (configuration, self._conditions_of(configuration))

    def conditions(self) -> Conditions:
        """Conditions of a task that starts now."""
        current = self.service.current
        if self._conditions[0] is not current:
            self._conditions = (current, self._conditions_of(current))
        return self._conditions[1]

    def _conditions_of(self, configuration: Configuration) -> Conditions:
        tracker = _TrackerAsConfigured(self._tracker, parts.tracker_config(configuration.settings))
        return parts.conditions(configuration, tracker, self._intensity)

    def check_place(self) -> None:
        """Log what of the configured place is not understood; blocks while tables are read."""
        place = self._intensity_config.default_place
        problem = self._intensity.not_understood(place)
        if problem is not None:
            log.warning("the setting place is not understood", place=place.region, problem=problem)

    def output_gap_s(self) -> float:
        """Least time between two outputs from now on, in seconds."""
        return self.service.current.settings.output_gap_ms / 1000

    def reload(self, load: Callable[[], Loaded]) -> None:
        """Read all sources again; what cannot be used changes nothing.

        Args:
            load: reads them.
        """
        try:
            loaded = load()
        except ConfigError as error:
            log.error("configuration not reloaded", problem=str(error))  # noqa: TRY400 - the message says it all
            return
        for warning in loaded.warnings:
            log.warning("settings", problem=warning)
        waiting = self.service.reload(loaded.configuration)
        revision = self.service.current.revision
        log.info("configuration reloaded", revision=revision, wait_for_restart=waiting)

    def _on_change(self, changes: tuple[Change, ...]) -> None:
        for change in changes:
            log.info(
                "setting changed",
                setting=change.key,
                old=change.old,
                new=change.new,
                revision=change.revision,
            )
        settings = self.service.current.settings
        self._tracker.reconfigure(parts.tracker_config(settings))
        set_log_level(settings.log_level)
        intensity_config = parts.intensity_config(self.service.current)
        if intensity_config != self._intensity_config:
            self._intensity_config = intensity_config
            self._intensity = _lookup(intensity_config, self._live)
            self.check_place()


def _lookup(config: IntensityConfig, live: LiveIntensity | None) -> IntensityLookup:
    return IntensityLookup(config, live, tables_read=give_back)
