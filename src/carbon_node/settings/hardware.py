"""The hardware map as a setting: one table for each name, `[hardware."H100_x4"]`."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, Strict

from carbon_node.errors import ConfigError
from carbon_node.estimation import MAX_PUE, LatencyUnit
from carbon_node.hardware import Entry, HardwareMap, power_of, shipped_catalogue
from carbon_node.hardware.map import MAX_COUNT
from carbon_node.hardware.names import MAX_NAME

ORIGIN = "settings"
"""Whose entries these are, as results name it."""

Name = Annotated[str, Field(max_length=MAX_NAME)]
Watts = Annotated[float, Field(gt=0)]


class HardwareEntry(BaseModel):
    """What one name, or one shell-style pattern of names, stands for; all is optional."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    same_as: Name | None = Field(None, description="Name of the device in the catalogue.")
    count: int | None = Field(None, description="How many of them.", ge=1, le=MAX_COUNT)
    power_w: Watts | Annotated[tuple[Watts, ...], Strict(strict=False)] | None = Field(
        None, description="Watts under load of all devices: one value, or low, value and high."
    )
    latency_unit: Annotated[LatencyUnit, Strict(strict=False)] | None = Field(
        None, description="Unit of the latencies that its node sends."
    )
    measured_on: Name | None = Field(
        None, description="Host on which models are measured for it; localhost for this one."
    )
    pue: float | None = Field(
        None, description="Facility energy over device energy where it stands.", ge=1, le=MAX_PUE
    )


def entries_of(table: Mapping[str, HardwareEntry]) -> tuple[Entry, ...]:
    """Return the operator's entries as the hardware map takes them.

    Raises:
        ConfigError: an entry means nothing, or everything.
    """
    return tuple(_entry(name, values) for name, values in table.items())


def _entry(name: str, values: HardwareEntry) -> Entry:
    entry = Entry(
        name,
        ORIGIN,
        same_as=values.same_as or "",
        count=values.count,
        latency_unit=values.latency_unit,
        measured_on=values.measured_on or "",
        pue=values.pue,
    )
    if values.power_w is None:
        return entry
    try:
        power_w = power_of(values.power_w)
    except ConfigError as error:
        raise ConfigError(f"{entry.label}: {error}") from error
    return entry.with_power(power_w)


def _usable(table: dict[str, HardwareEntry]) -> dict[str, HardwareEntry]:
    try:
        entries = entries_of(table)
        if entries:
            HardwareMap(shipped_catalogue(), entries)
    except ConfigError as error:
        # pydantic takes a ValueError for its caller's mistake, and keeps its words
        raise ValueError(str(error)) from error
    return table


HardwareTable = Annotated[dict[str, HardwareEntry], AfterValidator(_usable)]
