"""The hardware map: what the names of tasks stand for."""

import tracemalloc
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbon_node.errors import ConfigError
from carbon_node.estimation import Interval, LatencyUnit, exact
from carbon_node.hardware import Catalogue, Entry, HardwareMap, Preset, power_of, preset

CATALOGUE = Catalogue()
SHIPPED = HardwareMap(CATALOGUE, presets=preset(Preset.SUSTAINML))


def entry(name: str, **values: Any) -> Entry:  # noqa: ANN401 - any field
    """Return an entry of the operator."""
    return Entry(name, "settings", **values)


def operators(*entries: Entry, here: Iterable[str] = ()) -> HardwareMap:
    """Return a map of an operator's entries over the preset."""
    return HardwareMap(CATALOGUE, entries, preset(Preset.SUSTAINML), here)


@pytest.mark.parametrize("name", ["H100_x4", "h100 X4", "H100-x4", "H100x4", " H100__x4 "])
def test_names_that_differ_in_case_and_separators_are_one(name: str) -> None:
    """One normalisation decides."""
    known = SHIPPED.known(name)
    assert (known.known_as, known.count, known.rated_w) == ("NVIDIA H100 PCIe", 4, 1400)
    assert known.entry == 'hardware."H100_x4" (preset sustainml)'


@pytest.mark.parametrize(
    ("name", "unit", "newer"),
    [
        ("Zynq UltraScale+ ZCU102", LatencyUnit.US, LatencyUnit.H),
        ("Snapdragon8gen3", LatencyUnit.S, LatencyUnit.H),
        ("PIM_AI_4chip", LatencyUnit.S, LatencyUnit.H),
        ("PIM_AI_24dimm", LatencyUnit.S, LatencyUnit.H),
    ],
)
def test_both_generations_of_producers_have_their_unit(
    name: str, unit: LatencyUnit, newer: LatencyUnit
) -> None:
    """The task has to show which of them sent it."""
    known = SHIPPED.known(name)
    assert (known.latency_unit, known.later_latency_unit) == (unit, newer)


@pytest.mark.parametrize(
    ("generation", "name", "unit"),
    [
        (Preset.SUSTAINML_2025, "H100_x4", LatencyUnit.S),
        (Preset.SUSTAINML_2025, "Ultra96-V2", LatencyUnit.US),
        (Preset.SUSTAINML_2025, "Axelera Edge 130p", LatencyUnit.H),
        (Preset.SUSTAINML_2026, "H100_x4", LatencyUnit.H),
        (Preset.SUSTAINML_2026, "Ultra96-V2", LatencyUnit.H),
    ],
)
def test_a_preset_of_one_generation_leaves_one_unit(
    generation: Preset, name: str, unit: LatencyUnit
) -> None:
    """The operator stated which nodes run, so there is nothing to tell apart."""
    known = HardwareMap(CATALOGUE, presets=preset(generation)).known(name)
    assert (known.latency_unit, known.later_latency_unit) == (unit, None)


@pytest.mark.parametrize("entries", [(), (entry("some new board", power_w=Interval(1, 2, 3)),)])
@pytest.mark.parametrize(
    ("generation", "later"),
    [
        (Preset.SUSTAINML, LatencyUnit.H),
        (Preset.SUSTAINML_2026, LatencyUnit.H),
        (Preset.SUSTAINML_2025, None),
        (Preset.OFF, None),
    ],
)
def test_hardware_without_a_unit_may_still_be_of_later_nodes(
    generation: Preset, later: LatencyUnit | None, entries: tuple[Entry, ...]
) -> None:
    """They know hardware that no preset has, unless they are not there."""
    known = HardwareMap(CATALOGUE, entries, preset(generation)).known("some new board")
    assert (known.latency_unit, known.later_latency_unit) == (None, later)


def test_hardware_without_a_rating_has_no_power() -> None:
    """Nobody rates the board, so nothing is taken for its power."""
    assert SHIPPED.known("Zynq UltraScale+ ZCU102").power is None


def test_the_operators_values_win_one_by_one() -> None:
    """What the operator leaves open is the preset's."""
    known = operators(entry("h100 x4", same_as="NVIDIA B200")).known("H100_x4")
    assert (known.known_as, known.count) == ("NVIDIA B200 SXM", 4)
    assert known.entry == 'hardware."h100 x4" (settings, preset sustainml)'


def test_the_operators_unit_holds_for_all_generations() -> None:
    """A stated unit is no default."""
    known = operators(entry("H100*", latency_unit=LatencyUnit.MS)).known("H100")
    assert (known.latency_unit, known.later_latency_unit) == (LatencyUnit.MS, None)


def test_the_narrowest_pattern_wins_and_a_name_beats_patterns() -> None:
    """Order in the file does not matter."""
    names = operators(
        entry("Edge*", count=2),
        entry("Edge Box*", count=3),
        entry("Edge Box 9", count=4),
        entry("Rack[12]", count=5),
    )
    assert [names.known(name).count for name in ("EdgeX", "edge_box_7", "EDGE BOX 9")] == [2, 3, 4]
    assert [names.known(name).count for name in ("rack 1", "rack 3")] == [5, 1]


def test_a_name_means_one_device_unless_an_entry_counts_them() -> None:
    """Power and rating are of them all, and only accelerators count as such."""
    one, two = SHIPPED.known("H100"), SHIPPED.known("H100_x2")
    assert (one.count, one.rated_w, one.accelerators) == (1, 350, 1)
    assert (two.count, two.rated_w, two.accelerators) == (2, 700, 2)
    assert one.power is not None
    assert two.power is not None
    assert two.power.interval == one.power.interval.scaled(2)
    assert one.power.source == "NVIDIA H100 PCIe: NVIDIA H100 data sheet"
    assert two.power.source == "2 x NVIDIA H100 PCIe: NVIDIA H100 data sheet"
    assert (one.pue, one.is_here) == (None, False)


@pytest.mark.parametrize(
    ("name", "known_as", "rated_w", "accelerators"),
    [
        ("NVIDIA L4", "NVIDIA L4", 72, 1),
        ("AMD EPYC 9654", "AMD EPYC 9654", 360, 0),
        ("nobody's", "", None, 0),
    ],
)
def test_a_name_of_the_catalogue_needs_no_entry(
    name: str, known_as: str, rated_w: float | None, accelerators: int
) -> None:
    """It is one device, with its maker's rating."""
    known = SHIPPED.known(name)
    assert (known.known_as, known.rated_w, known.accelerators) == (known_as, rated_w, accelerators)
    assert (known.entry, known.count, known.latency_unit) == ("", 1, None)


def test_an_entry_may_name_its_device_by_its_own_name() -> None:
    """Without same_as the name itself is looked up."""
    known = operators(entry("NVIDIA L4", count=3)).known("nvidia l4")
    assert (known.known_as, known.rated_w, known.accelerators) == ("NVIDIA L4", 216, 3)


def test_what_the_operator_leaves_open_is_the_presets() -> None:
    """Unit and PUE of a board stay those of the preset; stated ones win."""
    board = "Zynq UltraScale+ ZCU102"
    left = operators(entry(board, power_w=Interval(1, 2, 3))).known(board)
    assert left.latency_unit is LatencyUnit.US
    assert left.pue is not None
    assert left.pue.interval == exact(1)
    assert left.later_latency_unit is LatencyUnit.H
    with_pue = operators(entry(board, pue=1.5)).known(board)
    assert with_pue.pue is not None
    assert with_pue.pue.interval == exact(1.5)
    assert with_pue.pue.source == f'hardware."{board}" (settings, preset sustainml)'
    counted = operators(entry("H100_x4", count=1)).known("H100_x4")
    assert (counted.count, counted.rated_w) == (1, 350)


def test_the_operators_pattern_beats_the_presets() -> None:
    """And what it leaves open is that of the preset's pattern."""
    known = operators(entry("PIM_AI_*", count=2)).known("PIM_AI_24dimm")
    assert (known.count, known.latency_unit) == (2, LatencyUnit.S)


def test_the_narrower_of_two_patterns_wins_in_either_order() -> None:
    """Eight letters catch less than four."""
    wide, narrow = entry("Edge*", count=2), entry("Edge Box*", count=3)
    for entries in ((wide, narrow), (narrow, wide)):
        assert operators(*entries).known("edge box 1").count == 3


def test_off_is_a_map_without_entries() -> None:
    """The operator can do without the preset."""
    assert preset(Preset.OFF) == ()


def test_a_map_holds_a_thousand_entries() -> None:
    """One more is refused: each result looks at every pattern."""
    thousand = [entry(f"X{each}", count=2) for each in range(1000)]
    assert operators(*thousand).known("x999").count == 2
    with pytest.raises(ConfigError, match="has 1001 entries; 1000 is the limit"):
        operators(*thousand, entry("Y"))


@pytest.mark.parametrize(
    "values",
    [
        {"name": "ab*"},
        {"name": "x" * 200},
        {"count": 1},
        {"count": 100_000},
        {"pue": 1.0},
        {"pue": 5.0},
        {"power_w": Interval(1, 2, 10e6)},
    ],
)
def test_an_entry_may_reach_its_bounds(values: dict[str, Any]) -> None:
    """They are the most, and the least, that somebody can mean."""
    assert Entry(**{"name": "X1", "origin": "settings", **values}).label.endswith('" (settings)')


def test_as_many_devices_as_a_site_can_feed_are_taken() -> None:
    """10,000 of 1,000 W are 10 MW."""
    assert (
        operators(entry("farm", same_as="NVIDIA B200", count=10_000)).known("farm").count == 10_000
    )
    with pytest.raises(ConfigError, match="10001 x NVIDIA B200 SXM"):
        operators(entry("farm", same_as="NVIDIA B200", count=10_001))


@pytest.mark.parametrize(
    ("watts", "expected"),
    [
        (5, exact(5)),
        (7.5, exact(7.5)),
        ([5.0], exact(5)),
        ([1, 2, 3], Interval(1, 2, 3)),
    ],
)
def test_watts_are_one_number_or_three(watts: float | list[float], expected: Interval) -> None:
    """One is exact; three are low, value and high."""
    assert power_of(watts) == expected


def test_a_changed_power_is_checked_again() -> None:
    """Whoever changes an entry meets the same limit."""
    assert entry("X1").with_power(exact(3)).power_w == exact(3)
    with pytest.raises(ConfigError, match="power_w reaches"):
        entry("X1").with_power(exact(10_000_001))


def test_stated_watts_win_over_the_catalogue() -> None:
    """They are of all devices together."""
    known = operators(entry("H100_x4", power_w=Interval(500, 900, 1200))).known("H100_x4")
    assert known.power is not None
    assert known.power.interval == Interval(500, 900, 1200)
    assert known.power.source.startswith('power_w of hardware."H100_x4"')


@pytest.mark.parametrize(
    ("name", "is_here"),
    [("gpu-7", True), ("GPU_7", True), ("NVIDIA L4", True), ("localhost", True), ("", False)],
)
def test_a_host_is_named_by_itself_and_its_devices(name: str, is_here: bool) -> None:  # noqa: FBT001
    """And by nothing else: no name is no name of this host."""
    names = operators(here=("gpu-7", "NVIDIA L4", ""))
    assert names.known(name).is_here is is_here


@pytest.mark.parametrize("names", [("H100_x4", "h100 X4"), ("rack 7 *", "Rack-7*")])
def test_two_entries_of_one_name_are_refused(names: tuple[str, str]) -> None:
    """Whichever won, the operator would have to guess."""
    with pytest.raises(ConfigError, match="the same name as"):
        operators(*(entry(name, count=2) for name in names))


def test_more_devices_than_a_site_can_feed_are_refused() -> None:
    """The cause is a wrong count."""
    with pytest.raises(ConfigError, match=r"20000 x NVIDIA B200 SXM draw up to 2e\+07 W"):
        operators(entry("farm", same_as="NVIDIA B200", count=20_000))


def test_a_device_of_this_host_can_be_measured_on_another() -> None:
    """The operator's word on where counts more than a product name that two hosts share."""
    elsewhere = entry("NVIDIA H200", measured_on="rack 9")
    assert not operators(elsewhere, here=["NVIDIA H200"]).known("nvidia h200").is_here
    assert operators(here=["NVIDIA H200"]).known("nvidia h200").is_here


def test_an_entry_says_where_a_name_is_measured() -> None:
    """measured_on makes a name one of this host's."""
    names = operators(entry("H100", measured_on="gpu-7"), here=("GPU-7",))
    assert names.known("H100").is_here
    assert not names.known("H100_x2").is_here


@pytest.mark.parametrize(
    ("name", "values", "why"),
    [
        ("*", {}, "letter or a digit|catches everything"),
        ("?*", {}, "catches everything"),
        ("[a-z]*", {}, "catches everything"),
        ("a*", {}, "catches everything"),
        ("", {}, "letter or a digit"),
        ("x" * 201, {}, "200 characters"),
        ("X1", {"count": 0}, "count is 0"),
        ("X1", {"count": 100_001}, "count is 100001"),
        ("X1", {"pue": 0.9}, "pue is 0.9"),
        ("X1", {"pue": 5.01}, "pue is 5.01; it must lie between 1 and 5"),
        ("X1", {"pue": float("inf")}, "pue is inf"),
        ("X1", {"pue": float("nan")}, "pue is nan"),
        ("X1", {"power_w": Interval(1, 1, 2e7)}, "power_w reaches"),
    ],
)
def test_an_entry_that_means_nothing_or_everything_is_refused(
    name: str, values: dict[str, object], why: str
) -> None:
    """The message names the entry."""
    with pytest.raises(ConfigError, match=why) as raised:
        entry(name, **values)
    assert str(raised.value).startswith('hardware."')


def test_an_unknown_same_as_is_refused_with_near_names() -> None:
    """A misspelt device is found when the map is made, not when a task comes."""
    with pytest.raises(ConfigError, match=r'hardware\."X1".*same_as.*similar: NVIDIA H100'):
        operators(entry("X1", same_as="NVIDIA H100 SXN"))


@pytest.mark.parametrize(
    "watts", [(), (1, 2), (3, 2, 1), (0,), -5.0, float("nan"), (1, 2, float("inf"))]
)
def test_impossible_watts_are_refused(watts: float | tuple[float, ...]) -> None:
    """One number above 0, or three in order."""
    with pytest.raises(ConfigError, match="power_w"):
        power_of(watts)


def test_every_name_of_the_preset_has_a_unit_and_a_known_device() -> None:
    """The shipped map can be used as it is."""
    for name in Preset:
        operators(*preset(name))
        assert all(each.latency_unit for each in preset(name))


@given(st.text())
def test_no_name_raises(name: str) -> None:
    """Whatever a task calls its hardware, something or nothing is known of it."""
    assert SHIPPED.known(name).count >= 1


def test_a_name_of_a_megabyte_is_nothings_name() -> None:
    """It is not even compared."""
    assert SHIPPED.known("H100" * 250_000).known_as == ""


def test_names_of_a_megabyte_are_not_remembered() -> None:
    """A hostile task cannot fill the memory with the names of its hardware."""
    names = operators()
    tracemalloc.start()
    try:
        for each in range(16):
            names.known("x" * 1_000_000 + str(each))
        kept_bytes, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept_bytes < 4_000_000
