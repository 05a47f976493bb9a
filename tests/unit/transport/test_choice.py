"""Which transport a node runs on."""

from pathlib import Path

import pytest
from tests.library import IS_INSTALLED, STAND_IN

from carbon_node.transport import choice as transport_choice
from carbon_node.transport.choice import TransportChoice, TransportKind, choose


def library(directory: Path, source: str) -> Path:
    """Make a sustainml_py of a kind."""
    nodes = directory / "sustainml_py" / "nodes"
    nodes.mkdir(parents=True)
    (directory / "sustainml_py" / "__init__.py").touch()
    (nodes / "__init__.py").touch()
    (nodes / "CarbonFootprintNode.py").write_text(source)
    return directory


@pytest.mark.parametrize("setting", ["fastdds", "sustainml"])
def test_a_stated_transport_is_taken_as_it_is(setting: str) -> None:
    """Nothing is tried."""
    assert choose(setting) == TransportChoice(TransportKind(setting), f"transport = {setting}")  # type: ignore[arg-type]


@pytest.mark.skipif(IS_INSTALLED, reason="the library is installed here")
def test_auto_takes_the_embedded_one_where_no_library_is_installed() -> None:
    """And says so."""
    reason = "sustainml_py is not installed"
    assert choose("auto") == TransportChoice(TransportKind.FASTDDS, reason)


def test_auto_takes_the_library_if_it_loads(monkeypatch: pytest.MonkeyPatch) -> None:
    """And says so."""
    monkeypatch.syspath_prepend(STAND_IN)
    assert choose("auto") == TransportChoice(TransportKind.SUSTAINML, "sustainml_py can be loaded")


@pytest.mark.parametrize(
    ("source", "trial_s", "said"),
    [
        ("raise ImportError('libsustainml_cpp.so')", 20.0, "ImportError: libsustainml_cpp.so"),
        ("import os; os.abort()", 20.0, "status -6"),
        ("import time; time.sleep(60)", 0.5, "did not load within 0.5 s"),
    ],
)
def test_auto_takes_the_embedded_one_if_the_library_does_not_load(
    source: str, trial_s: float, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And says why."""
    monkeypatch.setattr(transport_choice, "TRIAL_S", trial_s)
    monkeypatch.syspath_prepend(library(tmp_path, source))
    choice = choose("auto")
    assert choice.kind is TransportKind.FASTDDS
    assert said in choice.reason
