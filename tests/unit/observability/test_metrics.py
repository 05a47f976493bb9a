"""The metrics as Prometheus reads them."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import Metric
from prometheus_client.openmetrics import parser as openmetrics_parser
from prometheus_client.parser import text_string_to_metric_families
from tests.unit.http.node_view import PlainView, ask, serving

from carbon_node.http.metrics_page import MetricsPage
from carbon_node.observability.metrics import STAGE_BOUNDS_S, Metrics

pytestmark = pytest.mark.anyio


def families(metrics: Metrics, view: PlainView | None = None) -> dict[str, Metric]:
    """What a real parser reads of the page."""
    _, page = MetricsPage(metrics, view or PlainView()).render("")
    return {family.name: family for family in text_string_to_metric_families(page.decode())}


def values(family: Metric) -> dict[tuple[str, ...], float]:
    """Values of a family by their labels' values."""
    return {tuple(sample.labels.values()): sample.value for sample in family.samples}


def counted() -> Metrics:
    """Metrics of a node that has done a bit of everything."""
    metrics = Metrics()
    metrics.task_finished("estimated", energy_kwh=0.5, carbon_g=200.0)
    metrics.task_finished("estimated", energy_kwh=0.25, carbon_g=100.0)
    metrics.task_finished("failed")
    metrics.stage("tracker", 0.52)
    metrics.stage("tracker", 700.0)
    metrics.stage("join", 0.001)
    metrics.tracker_failed("timeout")
    metrics.request("configuration", "refused")
    return metrics


def test_what_was_counted_is_read_back() -> None:
    """Tasks, energy, carbon, failures and requests arrive with their labels and base units."""
    read = families(counted())
    assert values(read["carbon_node_tasks"]) == {("estimated",): 2, ("failed",): 1}
    assert values(read["carbon_node_energy_joules"]) == {(): 0.75 * 3.6e6}
    assert values(read["carbon_node_carbon_grams"]) == {(): 300.0}
    assert values(read["carbon_node_tracker_failures"]) == {("timeout",): 1}
    assert values(read["carbon_node_requests"]) == {("configuration", "refused"): 1}


def test_the_state_is_read_at_the_scrape() -> None:
    """Waiting, running, readiness, degradation and the table's age are those of this moment."""
    view = PlainView()
    metrics = Metrics()
    assert values(families(metrics, view)["carbon_node_tasks_waiting"]) == {(): 2}
    view.change(incomplete=3, waiting=5, running=(), is_ready=False, degraded=())
    read = families(metrics, view)
    assert values(read["carbon_node_tasks_incomplete"]) == {(): 3}
    assert values(read["carbon_node_tasks_waiting"]) == {(): 5}
    assert values(read["carbon_node_tasks_running"]) == {(): 0}
    assert values(read["carbon_node_ready"]) == {(): 0}
    assert values(read["carbon_node_degraded"]) == {(): 0}
    assert values(read["carbon_node_intensity_table_age_seconds"]) == {(): 86_400}
    assert values(read["carbon_node_info"]) == {("fastdds", "1.2.3"): 1}


def test_a_node_without_a_table_has_no_age() -> None:
    """What is not known is left out instead of being zero."""
    view = PlainView()
    view.change(intensity_table_age_s=None)
    assert "carbon_node_intensity_table_age_seconds" not in families(Metrics(), view)


def test_the_process_is_measured() -> None:
    """Memory, descriptors and processor time come with every page."""
    read = families(Metrics())
    assert values(read["process_resident_memory_bytes"])[()] > 10e6
    assert values(read["process_open_fds"])[()] > 3
    assert "process_cpu_seconds" in read


@given(st.lists(st.floats(min_value=0, max_value=1e6), min_size=1, max_size=30))
def test_a_histogram_adds_up(durations_s: list[float]) -> None:
    """Buckets grow with their bound, the last holds everything, and the sum is the seconds'."""
    metrics = Metrics()
    for duration_s in durations_s:
        metrics.stage("tracker", duration_s)
    samples = families(metrics)["carbon_node_stage_duration_seconds"].samples
    buckets = [sample.value for sample in samples if sample.name.endswith("_bucket")]
    assert all(low <= high for low, high in pairwise(buckets))
    assert buckets[-1] == len(durations_s)
    for bound, bucket in zip(STAGE_BOUNDS_S, buckets, strict=False):
        assert bucket == sum(duration_s <= bound for duration_s in durations_s)
    (total,) = [sample.value for sample in samples if sample.name.endswith("_sum")]
    assert total == pytest.approx(sum(durations_s))


def test_openmetrics_is_served_to_those_who_prefer_it() -> None:
    """The header `Accept` chooses between the two formats."""
    page = MetricsPage(counted(), PlainView())
    content_type, text = page.render("application/openmetrics-text; version=1.0.0")
    assert content_type.startswith("application/openmetrics-text")
    parsed = openmetrics_parser.text_string_to_metric_families(text.decode())  # type: ignore[no-untyped-call]
    assert "carbon_node_tasks" in {family.name for family in parsed}


def test_two_nodes_in_one_process_do_not_share_numbers() -> None:
    """There is no global registry."""
    one, other = counted(), Metrics()
    assert values(families(one)["carbon_node_tasks"]) != values(
        families(other)["carbon_node_tasks"]
    )


async def test_a_scrape_over_the_interface_is_counted() -> None:
    """A scrape is read by a real parser, and appears among the requests of the next."""
    async with serving(metrics=counted()) as interface:
        await ask(interface, "/metrics")
        answer = await ask(interface, "/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    read = {family.name: family for family in text_string_to_metric_families(answer.body.decode())}
    assert values(read["carbon_node_requests"])["http", "200"] == 1
