"""`carbon-node place`: what the text of a place means, without DDS and without the network."""

import json
from collections.abc import Iterator
from typing import Annotated

import typer

from carbon_node.cli.options import JsonOption
from carbon_node.estimation import CarbonIntensity, Place
from carbon_node.intensity import IntensityConfig, IntensityLookup

place_app = typer.Typer(
    help="Say what the text of a place means, and which intensity it has.", no_args_is_help=True
)


@place_app.callback()
def place() -> None:
    """Say what the text of a place means, and which intensity it has."""


@place_app.command()
def find(
    text: Annotated[
        str,
        typer.Argument(help="Country, code, address, city or cloud region, as a user sends it."),
    ],
    continent: Annotated[str, typer.Option(help="Continent, as a user sends it.")] = "",
    *,
    as_json: JsonOption = False,
) -> int:
    """Find a place; status 1 if no country or part of one is certain."""
    answer = IntensityLookup(IntensityConfig()).lookup(Place(text, continent))
    print(json.dumps(_as_json(answer), indent=2, ensure_ascii=False) if as_json else _text(answer))
    return 0 if answer.code else 1


def _as_json(answer: CarbonIntensity) -> dict[str, object]:
    interval = answer.g_per_kwh
    return {
        "place": answer.place,
        "code": answer.code,
        "understood": [{"text": part.text, "as": part.kind} for part in answer.understood],
        "not_understood": list(answer.not_understood),
        "intensity_g_per_kwh": [interval.low, interval.value, interval.high],
        "counted": answer.counted,
        "year": answer.year,
        "source": answer.source,
        "zones": list(answer.zones),
        "pue": None if answer.site_pue is None else answer.site_pue.interval.value,
        "steps": [f"{step.rung}: {step.outcome}" for step in answer.steps],
        "warnings": list(answer.warnings),
    }


def _text(answer: CarbonIntensity) -> str:
    return "\n".join(f"{name:16}{value}" for name, value in _rows(answer))


def _rows(answer: CarbonIntensity) -> Iterator[tuple[str, str]]:
    interval = answer.g_per_kwh
    yield "place", f"{answer.place} ({answer.code})" if answer.code else answer.place
    for part in answer.understood:
        yield "understood", f"{part.text}: {part.kind}"
    for text in answer.not_understood:
        yield "not understood", text
    yield (
        "intensity",
        f"{interval.value:.4g} gCO2e/kWh, from {interval.low:.4g} to {interval.high:.4g}",
    )
    yield "counted", answer.counted or "-"
    yield "source", f"{answer.source}, {answer.year}"
    if answer.zones:
        yield "grid zones", ", ".join(answer.zones)
    if answer.site_pue is not None:
        yield "pue", f"{answer.site_pue.interval.value:g}: {answer.site_pue.source}"
    yield "steps", ", ".join(f"{step.rung} {step.outcome}" for step in answer.steps)
    for warning in answer.warnings:
        yield "warning", warning
