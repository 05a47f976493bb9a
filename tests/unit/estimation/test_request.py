"""What a task and the assumptions say where nobody said anything, and the documented bounds."""

from carbon_node.estimation import (
    DEFAULT_PUE,
    MAX_G_PER_KWH,
    MAX_JOB_HOURS,
    MAX_LATENCY_H,
    MAX_POWER_W,
    MAX_PUE,
    Assumptions,
    EstimationRequest,
    Factor,
    Interval,
    LatencyUnit,
    Mode,
    ModelRun,
    NamedHardware,
    OutputUnits,
)


def test_a_bare_task_is_one_inference_of_unknown_hardware() -> None:
    """No number is made up: zero is not given."""
    task = EstimationRequest("m")
    assert (task.inferences, task.power_w, task.latency, task.desired_carbon_g) == (1, 0, 0, 0)
    assert task.latency_unit is LatencyUnit.S
    assert task.known == NamedHardware(
        count=1, accelerators=0, is_here=False, rated_w=None, power=None, pue=None
    )


def test_the_documented_assumptions() -> None:
    """What docs/numbers.md says is assumed where the operator sets nothing."""
    assumed = Assumptions()
    assert (assumed.mode, assumed.output_units) == (Mode.AUTO, OutputUnits.G_KWH)
    assert assumed.pue == Factor(Interval(1.09, 1.58, 1.98), DEFAULT_PUE.source)
    assert assumed.power_tolerance == 0.05
    assert list(assumed.plausible_latency_s) == [1e-6, 300]
    assert assumed.revision == 0
    assert not assumed.model_is_runnable


def test_the_documented_bounds() -> None:
    """Beyond them a number is a wrong unit, not a large machine."""
    assert (MAX_POWER_W, MAX_LATENCY_H) == (10e6, 8784)
    assert (MAX_PUE, MAX_G_PER_KWH, MAX_JOB_HOURS) == (5, 3000, 1e8)


def test_a_serialized_model_is_not_shown() -> None:
    """It may have gigabytes, and nobody wants them in a log."""
    assert "xyzzy" not in repr(EstimationRequest("m", raw_model=b"xyzzy"))
    assert "xyzzy" not in repr(ModelRun("m", raw_model=b"xyzzy"))
