"""The node's numbers in the text formats of Prometheus.

Imported only when the HTTP interface starts: prometheus-client brings http.server and friends.
"""

from collections.abc import Iterable, Iterator
from itertools import accumulate

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from carbon_node.http.view import NodeSummary, NodeView
from carbon_node.observability.metrics import STAGE_BOUNDS_S, Durations, Metrics

JOULES_PER_KWH = 3_600_000


class MetricsPage:
    """Renders the metrics of one node, with those of its process.

    Args:
        metrics: what is counted.
        view: what is read at the time of a scrape.
    """

    def __init__(self, metrics: Metrics, view: NodeView) -> None:
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(_NodeCollector(metrics, view))
        ProcessCollector(registry=self._registry)

    def render(self, accept: str) -> tuple[str, bytes]:
        """Return content type and page in the format that an `Accept` header prefers."""
        encode, content_type = choose_encoder(accept)
        return content_type, encode(self._registry)


class _NodeCollector(Collector):
    def __init__(self, metrics: Metrics, view: NodeView) -> None:
        self._metrics = metrics
        self._view = view

    def collect(self) -> Iterator[Metric]:
        yield from _counters(self._metrics)
        yield _stages(self._metrics.stages)
        yield from _gauges(self._view.status())


def _counters(metrics: Metrics) -> Iterator[Metric]:
    yield _counter("tasks", "Tasks answered.", ["outcome"], _keyed(metrics.tasks))
    yield _counter(
        "tracker_failures",
        "Measurements without a trustworthy number.",
        ["failure"],
        _keyed(metrics.tracker_failures),
    )
    yield _counter(
        "requests", "Requests answered.", ["interface", "outcome"], metrics.requests.items()
    )
    yield _counter(
        "losses", "Times that peers may have lost the node.", ["action"], _keyed(metrics.losses)
    )
    energy_j = metrics.energy_kwh * JOULES_PER_KWH
    yield _counter("energy_joules", "Facility energy published.", [], [((), energy_j)])
    yield _counter("carbon_grams", "CO2 equivalent published.", [], [((), metrics.carbon_g)])


def _keyed(counts: dict[str, int]) -> list[tuple[tuple[str, ...], int]]:
    return [((name,), count) for name, count in counts.items()]


def _counter(
    name: str,
    description: str,
    labels: list[str],
    counts: Iterable[tuple[tuple[str, ...], float]],
) -> Metric:
    family = CounterMetricFamily(f"carbon_node_{name}", description, labels=labels)
    for values, count in counts:
        family.add_metric(values, count)
    return family


def _stages(stages: dict[str, Durations]) -> Metric:
    name = "carbon_node_stage_duration_seconds"
    family = HistogramMetricFamily(name, "Time of a task within a stage.", labels=["stage"])
    bounds = [str(bound) for bound in STAGE_BOUNDS_S] + ["+Inf"]
    for stage, durations in stages.items():
        buckets = list(zip(bounds, accumulate(durations.counts), strict=True))
        family.add_metric([stage], buckets, durations.sum_s)
    return family


def _gauges(summary: NodeSummary) -> Iterator[Metric]:
    yield _gauge("tasks_incomplete", "Tasks that wait for an input.", summary.incomplete)
    yield _gauge("tasks_waiting", "Complete tasks that wait for a worker.", summary.waiting)
    yield _gauge("tasks_running", "Tasks for which something is done.", len(summary.running))
    yield _gauge("ready", "Whether tasks are answered, 1 or 0.", summary.is_ready)
    yield _gauge("degraded", "How many things work less well than set.", len(summary.degraded))
    if summary.intensity_table_age_s is not None:
        age_s = summary.intensity_table_age_s
        yield _gauge("intensity_table_age_seconds", "Age of the intensity table.", age_s)
    labels = {"version": summary.version, "transport": summary.transport}
    yield InfoMetricFamily("carbon_node", "What runs.", labels)


def _gauge(name: str, description: str, number: float) -> Metric:
    return GaugeMetricFamily(f"carbon_node_{name}", description, value=number)
