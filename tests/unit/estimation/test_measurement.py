"""What a measurement says of itself."""

import pytest

from carbon_node.estimation import GuessedPower, Interval, Measurement, exact

GUESS = GuessedPower("CPU", Interval(3.6, 36, 360))


@pytest.mark.parametrize(
    ("components", "used_gpu", "accelerators"),
    [
        (("gpu:A", "gpu:B", "cpu:C"), True, 2),
        (("gpu:A", "gpu:B", "cpu:C"), False, 0),
        (("cpu:C",), True, 0),
        (("a gpu:",), True, 0),
    ],
)
def test_gpus_count_if_the_model_ran_on_them(
    components: tuple[str, ...],
    used_gpu: bool,  # noqa: FBT001 - a case of the table
    accelerators: int,
) -> None:
    """A GPU that was charged while the model ran on the processor is not what ran it."""
    assert Measurement(1, 1, components=components, used_gpu=used_gpu).accelerators == accelerators


def test_a_bare_measurement_claims_nothing() -> None:
    """What nobody stated is none: no inferences, no GPU, no guess, no uncertainty of its own."""
    bare = Measurement(0.002, 1.0)
    assert (bare.inferences, bare.used_gpu, bare.accelerators) == (0, False, 0)
    assert bare.spread == exact(1)
    assert not bare.power_is_guessed
    assert Measurement(0.002, 1.0, guesses=(GUESS,)).power_is_guessed
