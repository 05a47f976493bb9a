"""Provenance: small, valid, the same for the same result, and enough to recompute it by hand."""

import dataclasses
import json
import math
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbon_node.estimation import (
    Assumptions,
    CarbonIntensity,
    EstimationRequest,
    ExplicitHardware,
    Factor,
    GuessedPower,
    Interval,
    LatencyUnit,
    Measurement,
    Mode,
    NamedHardware,
    NotComputed,
    NotTracked,
    OutputUnits,
    Place,
    Reason,
    Step,
    TrackerFailure,
    TrackerOutcome,
    Understood,
    conclude,
    exact,
    plan,
    provenance,
    within_factor,
)

SCHEMA = json.loads(
    (Path(__file__).parents[3] / "docs/provenance.schema.json").read_text(encoding="utf-8")
)
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)

TASK = EstimationRequest(
    "a/model", power_w=300, latency=2, place=Place("France", "Europe"), desired_carbon_g=0.02
)
GRID = CarbonIntensity(
    within_factor(41.44, 1.2),
    "France",
    "FR",
    2025,
    "Ember (2026) yearly lifecycle intensity, processed by Our World in Data",
    (Step("code", "no match"), Step("country", "taken", "France", "FR")),
)
CONFIRMED = Measurement(300 * 0.5003 / 3.6e6, 0.5, components=("simulated",))
MEASURED = Measurement(
    2e-3, 1.0, 40, ("gpu:NVIDIA H200",), host="gpu-7", meters=("nvml",), excluded=("AMD GPU 0",)
)
ESTIMATED = dataclasses.replace(
    MEASURED,
    components=("gpu:NVIDIA H200", "cpu:Intel Xeon"),
    guesses=(GuessedPower("Intel Xeon", Interval(3.6, 36, 360)),),
    spread=Interval(0.8, 1.0, 1.3),
    others=("2.1 of 8 cores were busy with other work",),
)
RATED = NamedHardware(
    "NVIDIA H100 PCIe",
    'hardware."H100_x4" (preset sustainml)',
    4,
    power=Factor(Interval(420, 1064, 1400), "4 x NVIDIA H100 PCIe"),
    rated_w=1400,
    latency_unit=LatencyUnit.US,
)


def published(
    request: EstimationRequest = TASK,
    assumptions: Assumptions | None = None,
    intensity: CarbonIntensity = GRID,
    outcome: TrackerOutcome = CONFIRMED,
) -> dict[str, Any]:
    """Return a task's provenance as a reader of the JSON sees it."""
    planned = plan(request, assumptions or Assumptions())
    result = planned if isinstance(planned, NotComputed) else conclude(planned, intensity, outcome)
    octets = json.dumps(provenance(result, "1.2.3"), allow_nan=False)
    return dict(json.loads(octets))


ENERGY = dataclasses.replace(TASK, explicit=ExplicitHardware(energy_wh=3))
MEASURING = Assumptions(mode=Mode.MEASURED)


@pytest.mark.parametrize(
    ("request_", "assumptions", "outcome"),
    [
        (TASK, Assumptions(), CONFIRMED),
        (TASK, Assumptions(output_units=OutputUnits.KG_WH, revision=7), NotTracked()),
        (TASK, Assumptions(mode=Mode.FORMULA), NotTracked()),
        (TASK, Assumptions(), TrackerFailure("timeout", "after 5 s")),
        (ENERGY, Assumptions(), NotTracked()),
        (TASK, MEASURING, MEASURED),
        (TASK, MEASURING, ESTIMATED),
        (dataclasses.replace(TASK, known=NamedHardware(is_here=True)), MEASURING, ESTIMATED),
        (dataclasses.replace(TASK, power_w=0.0, known=RATED), Assumptions(), NotTracked()),
        (dataclasses.replace(TASK, inferences=1000.0), Assumptions(), CONFIRMED),
        (dataclasses.replace(TASK, desired_carbon_g=0.0), Assumptions(), CONFIRMED),
        (dataclasses.replace(TASK, power_w=0.0), Assumptions(), NotTracked()),
        (dataclasses.replace(TASK, model=""), Assumptions(), NotTracked()),
    ],
)
def test_every_kind_of_result_follows_the_schema(
    request_: EstimationRequest, assumptions: Assumptions, outcome: TrackerOutcome
) -> None:
    """The published JSON is what docs/provenance.schema.json says."""
    VALIDATOR.validate(published(request_, assumptions, outcome=outcome))


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_is_in_the_schema(reason: Reason) -> None:
    """The closed list of the code is the closed list of the schema."""
    shown = provenance(NotComputed(reason, "why"), "1.2.3")
    VALIDATOR.validate(shown)
    VALIDATOR.validate(shown | {"settings_revision": 3, "num_outputs": 1, "error": "why"})


def test_the_schema_refuses_other_keys() -> None:
    """A key that nobody documented would be found."""
    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate(published() | {"surprise": 1})


def test_the_consumers_own_keys_are_left_to_them() -> None:
    """Merging the provenance never replaces what keeps the consumers alive."""
    assert not {"num_outputs", "model_restrains", "error"} & published().keys()


def recomputed_device_kwh(factors: dict[str, Any], end: int) -> float:
    """Compute the device energy of one inference from the factors, as docs/numbers.md tells."""
    numbers = {name: float(factor["interval"][end]) for name, factor in factors.items()}
    if "power_w" in numbers:
        return numbers["power_w"] * numbers["latency_h"] / 1000
    if "energy_wh" in numbers:
        return numbers["energy_wh"] / 1000
    return numbers["measured_kwh"] / numbers["measured_inferences"]


@pytest.mark.parametrize("end", [0, 1, 2])
@pytest.mark.parametrize(
    ("request_", "assumptions", "outcome"),
    [
        (TASK, Assumptions(), CONFIRMED),
        (dataclasses.replace(TASK, inferences=1000.0), Assumptions(), CONFIRMED),
        (ENERGY, Assumptions(), NotTracked()),
        (TASK, MEASURING, MEASURED),
        (TASK, MEASURING, ESTIMATED),
        (dataclasses.replace(TASK, power_w=0.0, known=RATED), Assumptions(), NotTracked()),
    ],
)
def test_a_reader_can_recompute_every_number(
    request_: EstimationRequest, assumptions: Assumptions, outcome: TrackerOutcome, end: int
) -> None:
    """Low, value and high of energy and carbon follow from the published factors alone."""
    shown = published(request_, assumptions, outcome=outcome)
    device_kwh = recomputed_device_kwh(shown["factors"], end) * shown["inferences"]
    assert shown["device_energy_kwh"][end] == pytest.approx(device_kwh, rel=1e-14)
    facility_kwh = device_kwh * shown["factors"]["pue"]["interval"][end]
    assert shown["energy_kwh"][end] == pytest.approx(facility_kwh, rel=1e-14)
    carbon_g = facility_kwh * shown["factors"]["intensity_g_per_kwh"]["interval"][end]
    assert shown["carbon_g"][end] == pytest.approx(carbon_g, rel=1e-14)


def test_the_same_task_gives_the_same_bytes() -> None:
    """Nothing in the provenance depends on time, memory or the order of sets."""
    first, second = (json.dumps(published()) for _ in range(2))
    assert first == second


def test_a_normal_result_is_small() -> None:
    """A normal result stays far below 4 kB."""
    assert len(json.dumps(published())) < 2000


HOSTILE = dataclasses.replace(
    TASK, place=Place("\U0001f4a9" * 1_000_000, "\ud800" * 1_000_000), model_error=None
)


def test_what_peers_send_cannot_make_it_large() -> None:
    """Megabytes of text from peers are cut, and half characters are made whole ones."""
    warnings = tuple("w" * 1000 for _ in range(100))
    loud = dataclasses.replace(GRID, warnings=warnings)
    octets = json.dumps(published(HOSTILE, intensity=loud), ensure_ascii=False).encode()
    assert len(octets) < 4096


def test_only_so_many_warnings_components_and_parts_are_published() -> None:
    """The first eight warnings, components and meters, and six zones and parts of a text."""
    grid = dataclasses.replace(
        GRID,
        warnings=tuple(f"warning {each}" for each in range(9)),
        zones=tuple(f"zone {each}" for each in range(9)),
        understood=tuple(Understood(f"text {each}", "city") for each in range(9)),
        not_understood=tuple(f"left {each}" for each in range(9)),
    )
    names = tuple(f"name {each}" for each in range(9))
    run = dataclasses.replace(MEASURED, components=names, meters=names, excluded=names)
    shown = published(TASK, MEASURING, grid, run)
    assert shown["warnings"] == [f"warning {each}" for each in range(8)]
    assert shown["factors"]["intensity_g_per_kwh"]["zones"] == [f"zone {n}" for n in range(6)]
    assert shown["place"]["understood"] == [{"text": f"text {n}", "as": "city"} for n in range(6)]
    assert shown["place"]["not_understood"] == [f"left {each}" for each in range(6)]
    assert shown["tracker"]["components"] == list(names[:8])
    for key in ("components", "meters", "excluded"):
        assert shown["measured_on"][key] == list(names[:8])


def test_only_so_much_of_a_text_is_published() -> None:
    """160 characters of our lines, 64 of a place and a name, 40 of a part of a place's text."""
    grid = dataclasses.replace(
        GRID,
        source="s" * 200,
        understood=(Understood("u" * 200, "city"),),
        not_understood=("n" * 200,),
    )
    task = dataclasses.replace(TASK, hardware="h" * 200, place=Place("r" * 200, "c" * 200))
    shown = published(task, intensity=grid)
    place = shown["place"]
    assert len(shown["factors"]["intensity_g_per_kwh"]["source"]) == 160
    assert (len(shown["hardware"]["named"]), len(place["region"]), len(place["continent"])) == (
        64,
        64,
        64,
    )
    assert (len(place["understood"][0]["text"]), len(place["not_understood"][0])) == (40, 40)


def test_what_there_is_nothing_to_say_of_has_no_key() -> None:
    """A plain place, an unknown hardware and a task without a budget leave their keys out."""
    shown = published(dataclasses.replace(TASK, desired_carbon_g=0), outcome=NotTracked())
    assert shown["schema"] == 1
    assert shown["place"].keys() == {"region", "continent", "name", "code", "steps"}
    assert shown["place"]["steps"] == [
        {"rung": "code", "outcome": "no match"},
        {"rung": "country", "outcome": "taken", "name": "France", "code": "FR"},
    ]
    assert shown["factors"]["intensity_g_per_kwh"].keys() == {"interval", "source", "year"}
    assert shown["hardware"] == {"named": "", "energy_of": "the named hardware, as declared"}
    assert shown["tracker"] == {"run": "simulated"}
    assert (shown["inferences"], shown["settings_revision"]) == (1, 0)
    assert not {"budget", "measured_on"} & shown.keys()


def test_what_is_known_of_the_hardware_is_published() -> None:
    """Its full name, how many it stands for, its rating, and which entry says so."""
    shown = published(dataclasses.replace(TASK, hardware="H100_x4", known=RATED, power_w=0))
    assert shown["hardware"] == {
        "named": "H100_x4",
        "energy_of": "the named hardware, by what is known of it",
        "known_as": "NVIDIA H100 PCIe",
        "count": RATED.count,
        "rated_w": 1400,
        "entry": RATED.entry,
    }


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (
            CONFIRMED,
            {
                "run": "simulated",
                "device_energy_kwh": CONFIRMED.device_energy_kwh,
                "duration_s": 0.5,
                "inferences": 0,
                "components": ["simulated"],
                "agreement": pytest.approx(0.0006),
                "agreement_bound": 0.05,
                "agrees": True,
            },
        ),
        (
            TrackerFailure("timeout", "after 5 s"),
            {"run": "simulated", "failure": "timeout", "detail": "after 5 s"},
        ),
        (NotTracked(), {"run": "simulated"}),
    ],
)
def test_the_trackers_part_is_published(
    outcome: TrackerOutcome, expected: dict[str, object]
) -> None:
    """What was asked, what came back, and how far it agrees."""
    assert published(outcome=outcome)["tracker"] == expected


def test_a_run_of_the_model_has_nothing_to_agree_with() -> None:
    """A measured result names its run, and no agreement."""
    tracker = published(TASK, MEASURING, outcome=MEASURED)["tracker"]
    assert tracker["run"] == "model"
    assert tracker["inferences"] == 40
    assert "agreement" not in tracker
    formula = published(assumptions=Assumptions(mode=Mode.FORMULA), outcome=NotTracked())
    assert formula["tracker"] == {"run": "none"}


def test_a_long_failure_is_cut() -> None:
    """An upstream error of a megabyte becomes one line."""
    shown = published(dataclasses.replace(TASK, model_error="x" * 1_000_000))
    assert len(json.dumps(shown)) < 1000
    assert shown["not_computed"]["reason"] == "no model"


def test_the_units_of_the_doubles_are_named() -> None:
    """A consumer that asked for kg and Wh is told so; the provenance's own numbers keep theirs."""
    grams = published()
    kilograms = published(assumptions=Assumptions(output_units=OutputUnits.KG_WH))
    assert kilograms["units"] == {
        "carbon_footprint": "kgCO2e",
        "energy_consumption": "Wh",
        "carbon_intensity": "kgCO2e/Wh",
    }
    assert grams["carbon_g"] == kilograms["carbon_g"]


def test_the_budget_is_published() -> None:
    """Whether the budget is met, and by how much it is missed or kept."""
    budget = published()["budget"]
    assert budget["desired_g"] == 0.02
    assert budget["met"] is True
    assert budget["margin_g"] == pytest.approx(0.02 - published()["carbon_g"][1])


@given(st.floats(), st.floats(), st.floats(), st.floats(), st.text(), st.text())
def test_every_published_number_is_finite(
    power_w: float, latency: float, energy_kwh: float, duration_s: float, region: str, error: str
) -> None:
    """Whatever comes in, the JSON is valid by the schema and holds no NaN and no infinity."""
    request = EstimationRequest(
        "m",
        hardware_error=error or None,
        power_w=power_w,
        latency=latency,
        place=Place(region),
        desired_carbon_g=duration_s,
    )
    shown = published(request, outcome=Measurement(energy_kwh, duration_s))
    VALIDATOR.validate(shown)


def test_an_exact_estimate_is_shown_as_exact() -> None:
    """Exact factors show as three equal numbers."""
    assumptions = Assumptions(pue=Factor(exact(1.2), "setting pue"), power_tolerance=0)
    shown = published(
        assumptions=assumptions, intensity=dataclasses.replace(GRID, g_per_kwh=exact(50))
    )
    assert len(set(shown["carbon_g"])) == 1
    assert math.isclose(shown["carbon_g"][1], 600 / 3.6e6 * 1.2 * 50, rel_tol=1e-12)
