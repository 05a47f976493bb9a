"""From settings to what each part is configured with: the only module that knows both sides."""

import time
from dataclasses import replace
from pathlib import Path

from carbon_node import __version__
from carbon_node.daemon import presence
from carbon_node.estimation import (
    DEFAULT_PUE,
    Assumptions,
    Factor,
    IntensityOrigin,
    Interval,
    Place,
    exact,
)
from carbon_node.hardware import HardwareMap, names_of_this_host, preset, shipped_catalogue
from carbon_node.hardware.here import CPU_INFO, processor_model
from carbon_node.intensity import IntensityConfig, LiveConfig, LiveIntensity
from carbon_node.pipeline.facts import Identity
from carbon_node.pipeline.join import JoinBounds
from carbon_node.pipeline.keeping import KeepingPolicy
from carbon_node.pipeline.ports import Conditions, IntensitySource, Tracker
from carbon_node.settings import Configuration, Settings, Source
from carbon_node.settings.hardware import entries_of
from carbon_node.store import StoreConfig
from carbon_node.tasks.decision import Republish
from carbon_node.tasks.memory import MAX_BLOCKS
from carbon_node.tracking import Limits, TrackerConfig, devices_of
from carbon_node.transport.choice import TransportChoice, TransportKind
from carbon_node.wire.contract import NODE_NAME, Role, Topic

INPUTS = (Topic.USER_INPUT, Topic.ML_MODEL, Topic.HW_RESOURCE)
OUTPUTS = (Topic.FOOTPRINT, Topic.BASELINE, Topic.RESPONSE)
REQUESTS = (Topic.CONTROL, Topic.REQUEST)
NODE_TOPICS = (*OUTPUTS, *INPUTS, *REQUESTS)
"""Topics of the node beside its status, in the order in which they are opened: whoever sees its
readers can be answered."""

_MIB = 2**20


def node_role(started_ns: int) -> Role:
    """Derive how the node presents itself in its domain.

    Args:
        started_ns: when the process started, nanoseconds since the epoch.
    """
    return Role(
        NODE_NAME,
        (*INPUTS, *REQUESTS),
        (Topic.STATUS, *OUTPUTS),
        properties=presence.properties(started_ns),
    )


def identity(settings: Settings, choice: TransportChoice) -> Identity:
    """Derive what stays the same while the node runs; its time begins now."""
    return Identity(
        version=__version__,
        domain=settings.domain,
        transport=choice.kind,
        transport_reason=choice.reason,
        started_s=time.monotonic(),
    )


def tracker_config(settings: Settings) -> TrackerConfig:
    """Derive how measurements run."""
    tracker = settings.tracker
    return TrackerConfig(
        window_s=tracker.window_s,
        deadline_s=tracker.deadline_s,
        grace_s=tracker.grace_s,
        workers=tracker.workers,
        queue_wait_s=tracker.queue_wait_s,
        limits=Limits(
            address_space_bytes=tracker.address_space_mib * _MIB or None,
            processes=tracker.processes or None,
            file_size_bytes=tracker.file_size_mib * _MIB or None,
        ),
        model_roots=tracker.model_roots,
        model_limit_bytes=tracker.model_max_mib * _MIB,
        devices=devices_of(tracker.devices),
        unmetered=tracker.unmetered,
        processor_power_w=_processor_power_w,
        environment=_environment(tracker.library_path),
    )


def _environment(library_path: tuple[Path, ...]) -> tuple[tuple[str, str], ...]:
    if not library_path:
        return ()
    return (("LD_LIBRARY_PATH", ":".join(map(str, library_path))),)


def _processor_power_w() -> Interval | None:
    found = shipped_catalogue().processor(processor_model(CPU_INFO))
    return None if found is None else found.power.interval


def conditions(
    configuration: Configuration, tracker: Tracker, intensity: IntensitySource
) -> Conditions:
    """Derive what a task that starts now is computed under."""
    settings = configuration.settings
    return Conditions(
        assumptions=Assumptions(
            pue=_pue(configuration),
            mode=settings.tracker.mode,
            output_units=settings.output_units,
            revision=configuration.revision,
        ),
        latency_unit=settings.latency_unit,
        hardware=hardware_map(configuration),
        tracker=tracker,
        intensity=intensity,
    )


def hardware_map(configuration: Configuration) -> HardwareMap:
    """Derive what is known of hardware by the names that tasks use."""
    settings = configuration.settings
    shipped = preset(settings.hardware_preset)
    if configuration.origins["pue"].source is not Source.DEFAULT:
        # The operator's PUE is of all hardware but that which an entry of the operator names.
        shipped = tuple(replace(entry, pue=None) for entry in shipped)
    return HardwareMap(
        shipped_catalogue(), entries_of(settings.hardware), shipped, names_of_this_host()
    )


def live_intensity(settings: Settings) -> LiveIntensity | None:
    """Build what asks a live provider; None where the operator gave no key."""
    if settings.live_key is None:
        return None
    return LiveIntensity(
        LiveConfig(
            key=settings.live_key.get_secret_value(),
            state_dir=settings.state_dir,
            timeout_s=settings.live_timeout_s,
            max_age_s=settings.live_max_age_s,
        )
    )


def join_bounds(settings: Settings) -> JoinBounds:
    """Derive how many incomplete tasks are kept."""
    return JoinBounds(
        incomplete_count=settings.incomplete_max_count,
        incomplete_age_s=settings.incomplete_max_age_s,
        remembered_blocks=MAX_BLOCKS,
        newer_wait_s=settings.newer_wait_s,
    )


def keeping_policy(settings: Settings, kind: TransportKind) -> KeepingPolicy:
    """Derive what happens to tasks that come again.

    Args:
        settings: the settings at start.
        kind: the transport; on sustainml_py, a callback waits for the answer to every task.
    """
    republish = Republish.ALL if kind is TransportKind.SUSTAINML else settings.republish
    return KeepingPolicy(republish, settings.rerun_on_change)


def store_config(settings: Settings) -> StoreConfig:
    """Derive where results are kept, and how many."""
    return StoreConfig(
        settings.state_dir,
        max_results=settings.history_max_count,
        max_age_days=settings.history_max_age_days,
    )


def _pue(configuration: Configuration) -> Factor:
    # A PUE that the operator states is exact; the default is a mean over many data centres.
    origin = configuration.origins["pue"]
    if origin.source is Source.DEFAULT:
        return DEFAULT_PUE
    return Factor(exact(configuration.settings.pue), str(origin))


def intensity_config(configuration: Configuration) -> IntensityConfig:
    """Derive how intensities are found."""
    settings = configuration.settings
    place, g_per_kwh = Place(settings.place), settings.intensity_g_per_kwh
    origin = configuration.origins["intensity_g_per_kwh"]
    if origin.source is Source.FRAMEWORK:
        stated_by = f"set by the framework in {origin.name}"
        return IntensityConfig(place, g_per_kwh, stated_by, IntensityOrigin.ENV)
    return IntensityConfig(place, g_per_kwh)
