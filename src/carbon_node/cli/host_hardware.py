"""What a measurement on this host would be charged for, and by which names tasks mean it."""

from collections.abc import Iterator

from carbon_node.cli.host import CPU_INFO, Finding
from carbon_node.errors import TrackerError
from carbon_node.hardware import names_of_this_host, preset, shipped_catalogue
from carbon_node.hardware.here import processor_model
from carbon_node.settings import Settings
from carbon_node.tracking import Unmetered, devices_of
from carbon_node.tracking.devices import GRAPHICS_CARDS, Choice, amd_gpus, chosen_devices


def findings(settings: Settings) -> Iterator[Finding]:
    """Return what is known of this host's hardware under some settings.

    Args:
        settings: which devices are chosen, and what the hardware map has.
    """
    yield devices(settings.tracker.devices, settings.tracker.unmetered)
    yield amd()
    yield processor_power()
    yield names()
    yield hardware_map(settings)


def devices(chosen: tuple[str, ...], unmetered: Unmetered) -> Finding:
    """Return which GPUs a model may use and is charged for.

    Args:
        chosen: the setting `tracker.devices`.
        unmetered: what becomes of a device without a meter.
    """
    try:
        choice = chosen_devices(devices_of(chosen), unmetered)
    except TrackerError as error:
        fix = "choose others with tracker.devices, or set tracker.unmetered to exclude"
        return Finding(
            "devices", is_usable=False, detail=error.detail, fix=fix, breaks=("measured",)
        )
    return Finding("devices", is_usable=True, detail=_said(choice))


def amd() -> Finding:
    """Return which AMD GPUs there are: CarbonTracker has no meter for them."""
    found = amd_gpus(GRAPHICS_CARDS)
    if not found:
        return Finding("amd", is_usable=True, detail="no AMD GPU, which could not be metered")
    fix = "declare its power, or give it power_w in the hardware map; a model cannot use it here"
    return Finding("amd", is_usable=False, detail="; ".join(found), fix=fix)


def processor_power() -> Finding:
    """Return what is known of the processor's power, which bounds a guess of it."""
    model = processor_model(CPU_INFO)
    found = shipped_catalogue().processor(model)
    if found is None:
        detail = f"{model or 'a processor without a name'} has no rating in the catalogue"
        fix = "none; where nothing meters it, its power is guessed from 3.6 to 500 W a socket"
        return Finding("cpu_rating", is_usable=False, detail=detail, fix=fix)
    low_w, high_w = found.power.interval.low, found.power.interval.high
    detail = (
        f"{found.name}, rated {found.rated_w:g} W: {low_w:g} to {high_w:g} W a socket under load"
    )
    return Finding("cpu_rating", is_usable=True, detail=detail)


def names() -> Finding:
    """Return the names by which a task means this host."""
    known = ", ".join(names_of_this_host())
    detail = f"models are measured here for tasks that name: localhost, {known}"
    return Finding("names", is_usable=True, detail=detail)


def hardware_map(settings: Settings) -> Finding:
    """Return how many names the hardware map has.

    Args:
        settings: the operator's entries and the preset.
    """
    name = settings.hardware_preset
    detail = f"{len(settings.hardware)} entries of the settings; preset {name}, {len(preset(name))}"
    return Finding("hardware_map", is_usable=True, detail=detail)


def _said(choice: Choice) -> str:
    charged = ", ".join(f"{gpu.index} {gpu.name}" for gpu in choice.charged)
    excluded = "".join(f"; excluded: {line}" for line in choice.excluded)
    return f"GPUs that a model is charged for: {charged or 'none'}{excluded}"
