"""A chart of footprints: each task with its interval, below it each model and place."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Literal

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, NullFormatter

from carbon_node.errors import ConfigError, StoreError
from carbon_node.store.editions import Edition

_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
"""Hues of Okabe and Ito, which colour-blind readers can tell apart."""

_MARKERS = ("o", "s", "^", "D", "v", "P")
_OTHER_COLOUR, _OTHER_MARKER = "#9A9A9A", "X"
_INK, _GRID = "#333333", "#E6E6E6"

_PREFIXES = ((1e3, "k"), (1.0, ""), (1e-3, "m"), (1e-6, "µ"), (1e-9, "n"), (1e-12, "p"))

_GROUP_LIMIT = 16
"""Pairs of model and place in the lower part; those with the most tasks are drawn."""

_LABEL_LIMIT = 30
"""Characters of a label; model ids can be long."""

_LOGARITHMIC_FROM = 30.0
"""Ratio of largest to smallest footprint from which a linear axis would hide the small ones."""

_LABELLED_TASKS = 25
"""Tasks up to which each has its id below it."""

_MANY_TASKS = 150
"""Tasks from which points are drawn smaller and lighter."""


@dataclass(frozen=True, slots=True)
class _Point:
    """One task in the chart; its numbers are in the unit of the chart."""

    number: int
    task: str
    model: str
    place: str
    low: float
    value: float
    high: float


@dataclass(frozen=True, slots=True)
class _Chart:
    """What is drawn, and how: colours by model, markers by place."""

    points: Sequence[_Point]
    unit: str
    colours: dict[str, str]
    markers: dict[str, str]

    @property
    def is_logarithmic(self) -> bool:
        values = [point.value for point in self.points]
        return min(point.low for point in self.points) > 0 and (
            max(values) > _LOGARITHMIC_FROM * min(values)
        )

    def groups(self) -> dict[tuple[str, str], list[_Point]]:
        groups: dict[tuple[str, str], list[_Point]] = defaultdict(list)
        for point in self.points:
            groups[point.model, point.place].append(point)
        return groups

    def colour(self, model: str) -> str:
        return self.colours.get(model, _OTHER_COLOUR)

    def marker(self, place: str) -> str:
        return self.markers.get(place, _OTHER_MARKER)


def draw(editions: Iterable[Edition], path: Path) -> int:
    """Draw the computed editions as SVG or PNG, by the suffix of the path; return how many.

    Raises:
        ConfigError: the suffix is another, or the file cannot be written.
        StoreError: there is nothing to draw.
    """
    if path.suffix.lower() not in (".svg", ".png"):
        raise ConfigError(f"{path} cannot be drawn: let its name end in .svg or .png")
    chart = _chart(editions)

    lower = 1.0 + 0.28 * min(_GROUP_LIMIT, len(chart.groups()))
    layout = ConstrainedLayoutEngine(w_pad=0.15, h_pad=0.15)
    figure = Figure(figsize=(12.0, 4.4 + lower), layout=layout)
    FigureCanvasAgg(figure)
    tasks, groups = figure.subplots(2, 1, height_ratios=(4.4, lower))
    _draw_tasks(tasks, chart)
    _draw_groups(groups, chart)
    try:
        figure.savefig(path, dpi=150)
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}") from error
    return len(chart.points)


def _chart(editions: Iterable[Edition]) -> _Chart:
    computed = [(edition, carbon) for edition in editions if (carbon := _carbon_g(edition))]
    if not computed:
        raise StoreError("no computed result matches: nothing to draw")
    middle = median(carbon[1] for _, carbon in computed)
    factor, prefix = next((pair for pair in _PREFIXES if middle >= pair[0]), (1.0, ""))
    points = [
        _Point(
            number,
            f"{edition.key.task_id.problem_id}.{edition.key.task_id.iteration_id}",
            _label(edition.summary.model),
            _label(_place(edition)),
            *(grams / factor for grams in carbon),
        )
        for number, (edition, carbon) in enumerate(computed)
    ]
    models = Counter(point.model for point in points).most_common(len(_COLOURS))
    places = Counter(point.place for point in points).most_common(len(_MARKERS))
    return _Chart(
        points,
        f"{prefix}gCO₂e",
        {model: colour for (model, _), colour in zip(models, _COLOURS, strict=False)},
        {place: marker for (place, _), marker in zip(places, _MARKERS, strict=False)},
    )


def _carbon_g(edition: Edition) -> tuple[float, float, float] | None:
    """Return low end, value and high end in gCO2e, if they were computed."""
    answer = edition.answer
    if answer is None or answer.carbon_g is None or not math.isfinite(answer.carbon_g):
        return None
    low = answer.carbon_g if answer.carbon_low_g is None else answer.carbon_low_g
    high = answer.carbon_g if answer.carbon_high_g is None else answer.carbon_high_g
    return low, answer.carbon_g, high


def _place(edition: Edition) -> str:
    """Name the place whose intensity was used, which need not be the one that was asked for."""
    answer = edition.answer
    used = "" if answer is None else answer.place_name or answer.place_code
    return used or edition.summary.place


def _label(text: str) -> str:
    """Return one short line, without what matplotlib would typeset as mathematics."""
    line = " ".join(text.split()) or "unnamed"
    line = line if len(line) <= _LABEL_LIMIT else f"{line[: _LABEL_LIMIT - 1]}…"
    return line.replace("$", r"\$")


def _draw_tasks(axes: Axes, chart: _Chart) -> None:
    for (model, place), group in chart.groups().items():
        axes.errorbar(
            [point.number for point in group],
            [point.value for point in group],
            yerr=[
                [point.value - point.low for point in group],
                [point.high - point.value for point in group],
            ],
            color=chart.colour(model),
            marker=chart.marker(place),
            **_point_style(len(chart.points)),
        )
    _scale(axes, "y", chart)
    _label_tasks(axes, chart)
    _explain(axes, chart)
    _tidy(axes, "Footprint per task, with its interval", "y")


def _draw_groups(axes: Axes, chart: _Chart) -> None:
    groups = chart.groups()
    drawn = sorted(groups, key=lambda pair: len(groups[pair]), reverse=True)[:_GROUP_LIMIT]
    drawn.sort(key=lambda pair: median(point.value for point in groups[pair]))
    for height, (model, place) in enumerate(drawn):
        group, colour = groups[model, place], chart.colour(model)
        span = [min(point.low for point in group), max(point.high for point in group)]
        middle = median(point.value for point in group)
        axes.plot(span, [height, height], color=colour, linewidth=6, alpha=0.25)
        axes.plot(middle, height, color=colour, marker=chart.marker(place), markersize=7)
    labels = [f"{model} · {place} ({len(groups[model, place])})" for model, place in drawn]
    axes.set_yticks(range(len(drawn)), labels)
    axes.set_ylim(-0.6, len(drawn) - 0.4)
    _scale(axes, "x", chart)
    if len(groups) > len(drawn):
        axes.set_ylabel(f"{len(drawn)} of {len(groups)} pairs")
    _tidy(axes, "Per model and place (tasks): median, and span of the intervals", "x")


def _point_style(count: int) -> dict[str, Any]:
    is_many = count > _MANY_TASKS
    return {
        "linestyle": "none",
        "markersize": 4.0 if is_many else 6.5,
        "elinewidth": 0.7 if is_many else 1.5,
        "capsize": 0 if is_many else 3,
        "alpha": 0.6 if is_many else 0.95,
        # Thousands of shapes make an SVG that no program opens quickly.
        "rasterized": is_many,
    }


def _scale(axes: Axes, name: Literal["x", "y"], chart: _Chart) -> None:
    axis = axes.xaxis if name == "x" else axes.yaxis
    if chart.is_logarithmic:
        axes.set(**{f"{name}scale": "log"})
        axis.set_minor_formatter(NullFormatter())
    else:
        axes.set(**{f"{name}lim": (0, 1.05 * max(point.high for point in chart.points) or 1.0)})
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.6g}"))
    axis.set_label_text(chart.unit, color=_INK)


def _label_tasks(axes: Axes, chart: _Chart) -> None:
    points = chart.points
    if len(points) <= _LABELLED_TASKS:
        axes.set_xticks(range(len(points)), [point.task for point in points])
        axes.set_xlabel("task (problem.iteration), in order of acceptance", color=_INK)
    else:
        axes.set_xlabel(f"{len(points):,} tasks, in order of acceptance", color=_INK)
    axes.set_xlim(-0.7, len(points) - 0.3)


def _explain(axes: Axes, chart: _Chart) -> None:
    models = {**chart.colours, "other models": _OTHER_COLOUR}
    places = {**chart.markers, "other places": _OTHER_MARKER}
    if len({point.model for point in chart.points}) == len(chart.colours):
        del models["other models"]
    if len({point.place for point in chart.points}) == len(chart.markers):
        del places["other places"]
    handles = [Line2D([], [], color=colour, linewidth=6, label=m) for m, colour in models.items()]
    handles += [
        Line2D([], [], color=_INK, linestyle="", marker=marker, label=place)
        for place, marker in places.items()
    ]
    axes.legend(
        handles=handles,
        loc="upper left",
        bbox_to_anchor=(1.0, 1.0),
        frameon=False,
        fontsize=9,
        handlelength=1.2,
    )


def _tidy(axes: Axes, title: str, grid: Literal["x", "y"]) -> None:
    axes.set_title(title, loc="left", fontsize=11, fontweight="bold", color=_INK)
    axes.grid(axis=grid, color=_GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color("#B0B0B0")
    axes.tick_params(colors=_INK, labelsize=9)
