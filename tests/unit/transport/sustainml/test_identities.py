"""Writers of samples that do not name theirs."""

import pytest
from hypothesis import given
from tests.wire_samples import samples

from carbon_node.transport.sustainml import identities
from carbon_node.transport.sustainml.identities import Identities
from carbon_node.wire.samples import HWResource, Sample, TaskId, UserInput

SAMPLE = UserInput(extra_data=b'{"hf_token": "hf_secret"}', task_id=TaskId(1, 1))


@given(samples(UserInput), samples(UserInput))
def test_the_same_content_has_the_same_name_in_every_process(one: Sample, other: Sample) -> None:
    """A restarted node recognises what it has seen, and nothing else."""
    assert Identities().new([one]) == Identities().new([one])
    assert (Identities().new([one]) == Identities().new([other])) == (repr(one) == repr(other))


def test_content_that_comes_again_gets_another_name() -> None:
    """Each delivery is a task of its own, in the same order in every process."""
    names = Identities()
    first = [names.new([SAMPLE]) for _ in range(3)]
    names = Identities()
    assert len(set(first)) == 3
    assert [names.new([SAMPLE]) for _ in range(3)] == first


def test_every_sample_of_a_delivery_counts() -> None:
    """A task with other hardware is another task."""
    hardware = [HWResource(power_consumption=power, task_id=TaskId(1, 1)) for power in (1.0, 2.0)]
    assert Identities().new([SAMPLE, hardware[0]]) != Identities().new([SAMPLE, hardware[1]])


def test_names_do_not_tell_secrets() -> None:
    """Nothing of the content can be read from a name."""
    assert "secret" not in Identities().new([SAMPLE])


def test_the_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest content is forgotten, and counted from 1 again."""
    monkeypatch.setattr(identities, "REMEMBERED_COUNT", 1)
    names = Identities()
    first = names.new([SAMPLE])
    names.new([HWResource()])
    assert names.new([SAMPLE]) == first
