"""Conversions of units: against numbers worked out by hand, and back again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbon_node.estimation import LatencyUnit, OutputUnits, footprint
from carbon_node.estimation.units import (
    hours_from_latency,
    kg_per_wh_from_g_per_kwh,
    kwh_from_watt_seconds,
    kwh_from_wh,
    latency_from_hours,
    wh_from_kwh,
)

POSITIVE = st.floats(min_value=1e-9, max_value=1e9)


@pytest.mark.parametrize(
    ("latency", "unit", "hours"),
    [
        (3600, LatencyUnit.S, 1),
        (3.6e6, LatencyUnit.MS, 1),
        (3.6e9, LatencyUnit.US, 1),
        (2, LatencyUnit.H, 2),
    ],
)
def test_latencies_become_hours(latency: float, unit: LatencyUnit, hours: float) -> None:
    """An hour has 3600 seconds, and a thousand and a million times as many parts of them."""
    assert hours_from_latency(latency, unit) == hours


@given(POSITIVE, st.sampled_from(LatencyUnit))
def test_latencies_come_back(latency: float, unit: LatencyUnit) -> None:
    """Converting to hours and back gives the same latency."""
    back = latency_from_hours(hours_from_latency(latency, unit), unit)
    assert back == pytest.approx(latency, rel=1e-14)


@given(POSITIVE)
def test_energies_come_back(energy_kwh: float) -> None:
    """Converting to watt-hours and back gives the same energy."""
    assert kwh_from_wh(wh_from_kwh(energy_kwh)) == pytest.approx(energy_kwh, rel=1e-14)


def test_a_kilowatt_for_an_hour_is_a_kilowatt_hour() -> None:
    """1000 W over 3600 s are 1 kWh."""
    assert kwh_from_watt_seconds(1000, 3600) == 1


def test_intensity_per_watt_hour() -> None:
    """500 g/kWh are 0.0005 kg/Wh."""
    assert kg_per_wh_from_g_per_kwh(500) == 0.0005


@given(POSITIVE, POSITIVE, st.sampled_from(OutputUnits))
def test_published_carbon_is_the_product_of_the_published_numbers(
    energy_kwh: float, intensity: float, units: OutputUnits
) -> None:
    """In any units, consumers can multiply what they get and find the same double."""
    published = footprint(energy_kwh, intensity, units)
    assert published.carbon == published.energy * published.intensity


def test_kilograms_and_watt_hours() -> None:
    """2 kWh at 500 g/kWh are 1 kg from 2000 Wh."""
    published = footprint(2, 500, OutputUnits.KG_WH)
    assert (published.carbon, published.energy, published.intensity) == (1, 2000, 0.0005)


def test_grams_and_kilowatt_hours_are_published_as_they_are() -> None:
    """2 kWh at 500 g/kWh are 1000 g."""
    published = footprint(2, 500, OutputUnits.G_KWH)
    assert (published.carbon, published.energy, published.intensity) == (1000, 2, 500)


def test_a_watt_hour_is_a_thousandth_of_a_kilowatt_hour() -> None:
    """1500 Wh are 1.5 kWh."""
    assert (kwh_from_wh(1500), wh_from_kwh(1.5)) == (1.5, 1500)
