"""`carbon-node estimate`: what a computation would cost, without DDS and without the network."""

import json
from collections.abc import Iterator, Sequence
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from carbon_node.cli.options import JsonOption
from carbon_node.cli.what_if import Question, Scenario, scenarios
from carbon_node.estimation import Estimate, Interval, LatencyUnit, indistinct

NUMBER_WIDTH = 9
"""Characters of the longest number with four digits, such as 1.317e-05."""

BAR_WIDTH = 20
"""Characters of the chart from zero to the highest bound."""

_SHADES, _LETTERS = ("█", "▓", "░"), ("#", "=", "-")
"""Shades of what is certain, what is within the value, and what is within the highest bound."""


def estimate(
    *,
    power: Annotated[
        list[float] | None, typer.Option(help="Device power in watts; may be repeated.")
    ] = None,
    hardware: Annotated[
        list[str] | None,
        typer.Option(help="Hardware by name instead of a power; may be repeated."),
    ] = None,
    latency: Annotated[
        list[float] | None,
        typer.Option(help="Duration of one inference: once for all, or once per machine."),
    ] = None,
    latency_unit: Annotated[LatencyUnit, typer.Option(help="Unit of --latency.")] = LatencyUnit.S,
    pue: Annotated[
        float | None, typer.Option(help="Facility energy over device energy, from 1 to 5.")
    ] = None,
    intensity: Annotated[
        float | None, typer.Option(help="Carbon intensity in gCO2e/kWh instead of the place's.")
    ] = None,
    region: Annotated[
        list[str] | None,
        typer.Option(help="Country, code, city or cloud region; may be repeated."),
    ] = None,
    continent: Annotated[
        list[str] | None, typer.Option(help="Continent: once for all, or once per region.")
    ] = None,
    inferences: Annotated[float, typer.Option(help="Number of inferences.")] = 1.0,
    as_json: JsonOption = False,
) -> int:
    """Estimate energy and carbon of inferences; several machines or places are compared."""
    answers = scenarios(
        Question(
            powers_w=power or [],
            hardware=hardware or [],
            latencies=latency or [],
            latency_unit=latency_unit,
            regions=region or [],
            continents=continent or [],
            pue=pue,
            intensity_g_per_kwh=intensity,
            inferences=inferences,
        )
    )
    if as_json:
        print(_as_json(answers))
    else:
        _show(answers)
    return 0


def _as_json(answers: Sequence[Scenario]) -> str:
    """Return one object for one scenario, an array for several."""
    overlaps = indistinct([answer.estimate for answer in answers])
    objects = [
        {"label": answer.label, **_numbers(answer.estimate), "indistinct_from": list(others)}
        for answer, others in zip(answers, overlaps, strict=True)
    ]
    shown = objects if len(objects) > 1 else objects[0]
    return json.dumps(shown, ensure_ascii=False, allow_nan=False)


def _numbers(estimate: Estimate) -> dict[str, object]:
    named = {factor.name: factor.factor for factor in estimate.factors}
    intensity = estimate.intensity
    return {
        "carbon_g": estimate.carbon_g.value,
        "energy_kwh": estimate.energy_kwh.value,
        "device_energy_kwh": estimate.device_energy_kwh.value,
        "intensity_g_per_kwh": intensity.g_per_kwh.value,
        "pue": estimate.pue.interval.value,
        "place": intensity.place,
        "place_code": intensity.code,
        "year": intensity.year,
        "counted": intensity.counted,
        "inferences": estimate.inferences,
        "sources": {
            **{name: factor.source for name, factor in named.items()},
            "pue": estimate.pue.source,
            "intensity_g_per_kwh": intensity.source,
        },
        "intervals": {
            "carbon_g": _bounds(estimate.carbon_g),
            "energy_kwh": _bounds(estimate.energy_kwh),
            "device_energy_kwh": _bounds(estimate.device_energy_kwh),
            "intensity_g_per_kwh": _bounds(intensity.g_per_kwh),
            "pue": _bounds(estimate.pue.interval),
            **{name: _bounds(factor.interval) for name, factor in named.items()},
        },
        "warnings": [*intensity.warnings, *estimate.warnings],
    }


def _bounds(interval: Interval) -> list[float]:
    return [interval.low, interval.high]


def _show(answers: Sequence[Scenario]) -> None:
    console = Console(markup=False, highlight=False)
    console.print(_table(answers, _SHADES if console.encoding.startswith("utf") else _LETTERS))
    lines = (*_verdicts(answers), *_notes(answers))
    for line in dict.fromkeys(lines):
        console.print(line)


def _table(answers: Sequence[Scenario], shades: tuple[str, str, str]) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("", justify="right")
    table.add_column("scenario")
    for heading in ("kWh", "gCO2e", "from", "to"):
        # A truncated number is wrong: in a narrow terminal the scenario wraps instead.
        table.add_column(heading, justify="right", min_width=NUMBER_WIDTH)
    table.add_column("", no_wrap=True)
    highest_g = max(answer.estimate.carbon_g.high for answer in answers)
    for number, answer in enumerate(answers, 1):
        carbon_g = answer.estimate.carbon_g
        numbers = (answer.estimate.energy_kwh.value, carbon_g.value, carbon_g.low, carbon_g.high)
        shown = (f"{number:.4g}" for number in numbers)
        table.add_row(str(number), Text(answer.label), *shown, _bar(carbon_g, highest_g, shades))
    return table


def _bar(carbon_g: Interval, highest_g: float, shades: tuple[str, str, str]) -> str:
    """Draw the least amount solid, then the interval up to and beyond the value."""
    low, value, high = (
        round(amount_g / highest_g * BAR_WIDTH)
        for amount_g in (carbon_g.low, carbon_g.value, carbon_g.high)
    )
    certain, likely, possible = shades
    return certain * low + likely * (value - low) + possible * (high - value)


def _verdicts(answers: Sequence[Scenario]) -> list[str]:
    """Say which differences are significant."""
    if len(answers) < 2:
        return []
    overlaps = indistinct([answer.estimate for answer in answers])
    verdicts = [
        f"{index + 1} and {_numbered(later)} differ within their intervals"
        for index, others in enumerate(overlaps)
        if (later := [other for other in others if other > index])
    ]
    rest = "all other differences" if verdicts else "all differences"
    return [*verdicts, f"{rest} go beyond the intervals"]


def _numbered(indices: Sequence[int]) -> str:
    return ", ".join(str(index + 1) for index in indices)


def _notes(answers: Sequence[Scenario]) -> Iterator[str]:
    """Name the sources of all factors, and warn where a number needs care."""
    for answer in answers:
        estimate = answer.estimate
        for named in estimate.factors:
            yield f"{named.name}: {named.factor.source}"
        yield f"pue {estimate.pue.interval.value:g}: {estimate.pue.source}"
        intensity = estimate.intensity
        year = "" if intensity.year is None else f", {intensity.year}"
        yield f"{intensity.g_per_kwh.value:g} g/kWh {intensity.place}: {intensity.source}{year}"
    for number, answer in enumerate(answers, 1):
        for warning in (*answer.estimate.intensity.warnings, *answer.estimate.warnings):
            yield f"warning, {number}: {warning}"
