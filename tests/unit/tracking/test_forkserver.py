"""What the forkserver imports before it forks."""

import os
import subprocess
import sys
from pathlib import Path

PRELOADING = """
import os
from carbon_node.tracking.forkserver import preload
preload("carbon_node.tracking.workload:run")
print(len(os.listdir("/proc/self/task")))
import pyarrow
"""

THREADED = """
import threading
threading.Thread(target=threading.Event().wait, daemon=True).start()
"""


def test_what_forks_has_one_thread_whatever_is_installed(tmp_path: Path) -> None:
    """A pyarrow that starts a thread is left out, and can be imported by a model all the same."""
    (tmp_path / "pyarrow").mkdir()
    (tmp_path / "pyarrow" / "__init__.py").write_text(THREADED)
    environment = os.environ | {"PYTHONPATH": str(tmp_path), "OPENBLAS_NUM_THREADS": "1"}
    preloaded = subprocess.run(
        [sys.executable, "-c", PRELOADING], env=environment, check=True, capture_output=True
    )
    assert preloaded.stdout == b"1\n"
