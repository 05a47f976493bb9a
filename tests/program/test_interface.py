"""The local interface of the real program."""

import http.client
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psutil
import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.domains import fresh_domain
from tests.program.processes import PATIENCE_S, NodeProcess, run_command, running_node

from carbon_node.http.address import UnixAddress
from carbon_node.http.client import ask

KEY = "planted-live-key"


class Asked:
    """A node that runs, and what it answers.

    Args:
        node: the process.
        domain: where tasks can be submitted to it.
    """

    def __init__(self, node: NodeProcess, domain: int) -> None:
        self.node = node
        self.domain = domain
        self.address: str = node.wait_for_event("local interface")["address"]

    def get(self, path: str) -> tuple[int, str]:
        """Status and body of an answer."""
        connection = http.client.HTTPConnection(self.address, timeout=PATIENCE_S)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def json(self, path: str) -> Any:  # noqa: ANN401  # what JSON can be
        """An answer that is JSON."""
        status, body = self.get(path)
        assert status == 200, body
        return json.loads(body)


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    """A node that has answered one good and one bad task."""
    domain = fresh_domain()
    env = {"CARBON_NODE_TRACKER__MODE": "formula", "CARBON_NODE_LIVE_KEY": KEY}
    options = ["--http-listen=127.0.0.1:0"]
    with running_node(domain, tmp_path_factory.mktemp("state"), *options, env=env) as node:
        submit = ["submit", f"--domain={domain}", "--model=resnet", "--region=France"]
        for power in ("300", "nan"):
            assert run_command(*submit, f"--power={power}").returncode == 0
        yield Asked(node, domain)
        assert node.stop() == 0


def test_the_status_tells_what_the_node_is_and_has_done(asked: Asked) -> None:
    """Node and totals are those of the process and of the two tasks."""
    answer = asked.json("/api/status")
    node, totals = answer["node"], answer["totals"]
    assert (node["state"], node["is_ready"], node["stalled"]) == ("IDLE", True, [])
    assert (node["domain"], node["pid"]) == (asked.domain, asked.node.process.pid)
    assert node["running"] == []
    assert totals["tasks"] == {"estimated": 1, "failed": 1}
    assert totals["energy_kwh"] > 0


def test_results_are_listed_newest_first_and_found_by_task_id(asked: Asked) -> None:
    """The failed task has no numbers, the good one those that were published."""
    failed, good = asked.json("/api/results")
    assert (failed["outcome"], failed["carbon_g"]) == ("not_computed", None)
    assert failed["extra_data"]["error"].startswith("not finite")
    assert (good["outcome"], good["model"]) == ("computed", "resnet")
    assert (good["place_name"], good["place_code"]) == ("France", "FR")
    assert good["carbon_g"] == good["energy_kwh"] * good["intensity_g_per_kwh"]
    place = ".".join(
        str(failed[name]) for name in ("problem_id", "iteration_id", "edition", "writer")
    )
    assert asked.json(f"/api/results?limit=1&after={quote(place)}") == [good]
    assert asked.get("/api/results?offset=2147483647")[0] == 400
    assert asked.json(f"/api/results/{good['problem_id']}/{good['iteration_id']}") == good
    assert asked.get("/api/results/1/0")[0] == 404


def test_results_of_an_earlier_start_are_shown(tmp_path: Path) -> None:
    """What the store keeps is there again after a restart."""
    domain = fresh_domain()
    env = {"CARBON_NODE_TRACKER__MODE": "formula"}
    shown = []
    for is_first in (True, False):
        with running_node(domain, tmp_path, "--http-listen=127.0.0.1:0", env=env) as node:
            if is_first:
                assert run_command("submit", f"--domain={domain}").returncode == 0
            shown.append(Asked(node, domain).json("/api/results"))
            assert node.stop() == 0

    ((before,), (after,)) = shown
    # A reader may have acknowledged it meanwhile.
    assert before | {"state": ""} == after | {"state": ""}


def test_prometheus_reads_the_tasks(asked: Asked) -> None:
    """Outcomes, stages and totals are there for a real parser, and the node is ready."""
    families = text_string_to_metric_families(asked.get("/metrics")[1])
    samples = [sample for family in families for sample in family.samples]
    found = {(sample.name, *sample.labels.values()): sample.value for sample in samples}
    assert found["carbon_node_tasks_total", "estimated"] == 1
    assert found["carbon_node_tasks_total", "failed"] == 1
    assert found["carbon_node_stage_duration_seconds_count", "outbox"] == 2
    assert found["carbon_node_carbon_grams_total",] > 0
    assert found["carbon_node_ready",] == 1
    assert found["carbon_node_intensity_table_age_seconds",] > 0


def test_probes_hold(asked: Asked) -> None:
    """An idle node lives and is ready."""
    for path in ("/healthz", "/readyz"):
        assert asked.get(path) == (200, '{"ok":true,"state":"IDLE","reasons":[]}')


def test_settings_name_their_sources_and_hide_secrets(asked: Asked) -> None:
    """Every value stands beside the place where it was set, but for the key."""
    settings = asked.json("/api/settings")
    assert settings["domain"] == {"value": asked.domain, "source": "option --domain"}
    assert settings["live_key"]["value"] == "***"
    assert KEY not in json.dumps(settings)


def test_the_status_command_shows_the_node(asked: Asked) -> None:
    """`carbon-node status` finds the node at its address."""
    done = run_command("status", f"--http-listen={asked.address}", env={"COLUMNS": "120"})
    assert done.returncode == 0, done.stderr
    for part in ("IDLE", f"domain {asked.domain}", "1 estimated", "1 failed", "resnet"):
        assert part in done.stdout


def test_a_taken_port_is_a_warning(tmp_path: Path) -> None:
    """The node works without its interface and says why."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        domain = fresh_domain()
        option = f"--http-listen=127.0.0.1:{port}"
        with running_node(domain, tmp_path, option) as node:
            warning = node.wait_for_event("no local interface")
            assert warning["level"] == "warning"
            assert warning["problem"].startswith(f"cannot listen at 127.0.0.1:{port}: ")
            assert run_command("submit", f"--domain={domain}").returncode == 0
            assert node.stop() == 0


def test_a_unix_socket_is_served_and_removed_at_the_end(tmp_path: Path) -> None:
    """Anyone who may open the socket's file can ask; after the stop the file is gone."""
    path = tmp_path / "http.sock"
    with running_node(fresh_domain(), tmp_path, f"--http-listen={path}") as node:
        node.wait_for_event("local interface")
        assert ask(UnixAddress(path), "/api/status")["node"]["state"] == "IDLE"
        assert node.stop() == 0
    assert not path.exists()


def test_an_interface_that_strangers_can_read_is_a_warning(tmp_path: Path) -> None:
    """Log and status name the address that is open to others, and say how to close it."""
    with running_node(fresh_domain(), tmp_path, "--http-listen=0.0.0.0:0") as node:
        warning = node.wait_for_event("local interface is open to others")
        asked = Asked(node, 0)
        assert warning["level"] == "warning"
        assert warning["problem"].startswith(f"anyone who can reach {asked.address} ")
        status = asked.json("/api/status")["node"]
        assert (status["warnings"], status["degraded"]) == ([warning["problem"]], [])
        assert node.stop() == 0


def test_off_listens_nowhere(tmp_path: Path) -> None:
    """With `off` no TCP socket is open; with an address there is one."""
    for option, count in (("--http-listen=off", 0), ("--http-listen=127.0.0.1:0", 1)):
        with running_node(fresh_domain(), tmp_path, option) as node:
            if count:
                node.wait_for_event("local interface")
            assert len(psutil.Process(node.process.pid).net_connections("tcp")) == count
            assert node.stop() == 0


def test_an_unwritable_state_directory_is_degraded_not_dead(tmp_path: Path) -> None:
    """The node answers, and log, probe, metrics and command say what works less well."""
    domain, in_the_way = fresh_domain(), tmp_path / "file"
    in_the_way.touch()
    env = {"CARBON_NODE_TRACKER__MODE": "formula"}
    with running_node(domain, in_the_way / "state", "--http-listen=127.0.0.1:0", env=env) as node:
        assert node.wait_for_event("degraded: results are kept in memory only")["level"] == "error"
        asked = Asked(node, domain)
        assert run_command("submit", f"--domain={domain}").returncode == 0
        (reason,) = asked.json("/readyz")["reasons"]
        assert "make it a directory that this user may write" in reason
        assert "carbon_node_degraded 1.0" in asked.get("/metrics")[1]
        done = run_command("status", f"--http-listen={asked.address}", env={"COLUMNS": "200"})
        assert "degraded: results:" in done.stdout
        assert node.stop() == 0
