"""The chart of footprints."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from tests.unit.store.samples import answer, failure, summary, task

from carbon_node.cli.chart import draw
from carbon_node.errors import ConfigError, StoreError
from carbon_node.store.editions import Edition, State


def _edition(number: int, model: str = "resnet50", carbon_g: float = 2e-5) -> Edition:
    key = task(number)
    return Edition(key, 1, "d", summary(model), 0, State.SAVED, answer(key, carbon_g), 0)


def _texts(path: Path) -> list[str]:
    """Return the comments of an SVG, where matplotlib keeps the texts that it draws as paths."""
    return re.findall(r"<!-- (.*?) -->", path.read_text())


def test_svg_names_tasks_models_places_and_unit(tmp_path: Path) -> None:
    """The SVG names every computed task, its model and place, and a readable unit."""
    rows = [_edition(1), _edition(2, "bert"), replace(_edition(3), answer=failure(task(3)))]
    assert draw(rows, tmp_path / "chart.svg") == 2
    texts = _texts(tmp_path / "chart.svg")
    for text in ("resnet50 · ES (1)", "bert · ES (1)", "µgCO₂e", "1.1", "2.1"):
        assert text in texts
    assert "3.1" not in texts


@pytest.mark.parametrize(
    "rows",
    [
        [_edition(1, carbon_g=0.0)],
        [_edition(1, carbon_g=0.0), _edition(2, carbon_g=5.0)],
        [_edition(n, f"$model_{n % 30}^{{", 10.0**n * 1e-9) for n in range(12)],
        [_edition(n, f"model {n % 30} " + "x" * 100) for n in range(400)],
        [_edition(1, "", 1e9)],
        [replace(_edition(1), answer=replace(answer(task(1)), carbon_low_g=None))],
    ],
)
def test_png_of_any_results_is_drawn(tmp_path: Path, rows: list[Edition]) -> None:
    """Any results can be drawn: zero, one, many, a wide range, names that look like mathematics."""
    assert draw(rows, tmp_path / "chart.PNG") == len(rows)
    assert (tmp_path / "chart.PNG").read_bytes().startswith(b"\x89PNG")


def test_chart_without_numbers_is_refused(tmp_path: Path) -> None:
    """Without numbers no file is written, and the message says why."""
    with pytest.raises(StoreError, match="nothing to draw"):
        draw([replace(_edition(3), answer=failure(task(3)))], tmp_path / "chart.svg")
    assert not (tmp_path / "chart.svg").exists()


@pytest.mark.parametrize("name", ["chart.pdf", "chart", "no/chart.svg"])
def test_file_that_cannot_be_drawn_is_said_so(tmp_path: Path, name: str) -> None:
    """An unknown suffix, none, or a missing directory is refused."""
    with pytest.raises(ConfigError, match=r"cannot be (drawn|written)"):
        draw([_edition(1)], tmp_path / name)
