"""The first thing that a newcomer runs."""

from tests.domains import fresh_domain
from tests.program.processes import run_command

from carbon_node.cli.demo import TASKS


def test_the_demo_prints_three_results() -> None:
    """Node and peers as separate processes: a row for each task, and status 0."""
    done = run_command("demo", f"--domain={fresh_domain()}", env={"COLUMNS": "100"})

    assert done.returncode == 0, done.stderr
    for task in TASKS:
        (row,) = [line for line in done.stdout.splitlines() if task.hardware in line]
        _, _, _, energy_kwh, intensity, carbon_g, _, _ = (cell.strip() for cell in row.split("│"))
        assert float(carbon_g) > 0
        product = float(energy_kwh) * float(intensity)
        # Four printed digits of each factor.
        assert abs(product - float(carbon_g)) <= 1.5e-3 * float(carbon_g)


def test_submit_says_who_is_missing() -> None:
    """Without a node in the domain, submit ends with status 1 and the command that starts one."""
    domain = fresh_domain()
    done = run_command("submit", f"--domain={domain}", "--timeout=0.5")

    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        f"carbon-node: no carbon node answered in domain {domain} within 0.5 s; "
        f"start one with: carbon-node run --domain {domain}"
    ]
