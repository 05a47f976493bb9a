"""The compiled binding as a file: its stub, and what happens when it cannot be loaded."""

import shutil
import subprocess
import sys
from pathlib import Path

import carbon_node
from carbon_node.transport import binding
from carbon_node.transport.binding import explanation, native

STUB = Path(carbon_node.__file__).with_name("transport") / "_fastdds.pyi"


def test_the_stub_describes_the_extension(tmp_path: Path) -> None:
    """The committed stub is what the built extension generates; `scripts/stub` renews it."""
    generated = tmp_path / "stub.pyi"
    command = [sys.executable, "-m", "nanobind.stubgen", "-q", "-m", native.__name__]

    subprocess.run([*command, "-o", str(generated)], check=True)

    assert STUB.read_text() == generated.read_text()


def test_a_missing_library_is_explained(tmp_path: Path) -> None:
    """Without Fast DDS's library next to it, importing says what is missing and what to do."""
    package = tmp_path / "carbon_node"
    shutil.copytree(Path(carbon_node.__file__).parent, package)
    assert native.__file__ is not None
    shutil.copy(native.__file__, package / "transport")
    # -I and -S keep the installed package, whose import hook comes first, out of the way.
    script = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import {binding.__name__}"

    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", script], capture_output=True, text=True, check=False
    )

    last = done.stderr.splitlines()[-1]
    assert last.startswith("carbon_node.errors.BindingUnavailable: the Fast DDS library")
    assert "libfastdds.so" in last
    assert "pip install ros-fastdds" in last


def test_a_missing_extension_is_explained() -> None:
    """A source tree that was never built says how to build it."""
    error = ModuleNotFoundError("No module named 'carbon_node.transport._fastdds'")
    assert "scripts/setup" in explanation(error)


def test_a_misplaced_library_is_explained() -> None:
    """If the wheel is installed but not found, the two are in different places."""
    text = explanation(ImportError("libfastdds.so.3.2: cannot open shared object file"))
    assert "libfastdds.so.3.2" in text
    assert "same environment" in text
