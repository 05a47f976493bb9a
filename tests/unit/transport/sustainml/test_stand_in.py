"""The stand-in is as unforgiving as the library."""

import signal
import subprocess
import sys
import textwrap

import pytest
from tests.library import STAND_IN
from tests.patience import PATIENCE_S

from carbon_node.transport.sustainml.objects import MODULE

PROGRAM = """
import socket, sys, tempfile, os, threading, json
sys.path.insert(0, {stand_in!r})
directory = tempfile.mkdtemp()
os.environ["SUSTAINML_STAND_IN"] = directory
os.environ["SUSTAINML_DOMAIN_ID"] = "7"
server = socket.socket(socket.AF_UNIX)
server.bind(os.path.join(directory, "7"))
server.listen()
from {module} import CarbonFootprintNode
done = threading.Event()
kept = []
def callback(*objects):
    {body}
node = CarbonFootprintNode(callback=callback, service_callback=callback)
request = dict(node_id=1, transaction_id=1, configuration="")
server.accept()[0].sendall(json.dumps(dict(topic="REQUEST", members=request)).encode() + b"\\n")
done.wait({patience_s})
{after}
"""


def outcome(body: str, after: str = "node = None") -> subprocess.CompletedProcess[str]:
    """Run a callback in a program of its own."""
    program = textwrap.dedent(PROGRAM).format(
        stand_in=str(STAND_IN), module=MODULE, body=body, after=after, patience_s=PATIENCE_S
    )
    return subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


@pytest.mark.parametrize("error", ["ValueError('oops')", "SystemExit(0)"])
def test_an_exception_that_leaves_a_callback_ends_the_process(error: str) -> None:
    """Whatever it is."""
    done = outcome(f"raise {error}")
    assert done.returncode == -signal.SIGABRT
    assert "terminate called" in done.stderr


def test_objects_are_gone_after_the_callback() -> None:
    """Using one fails as soon as the callback has returned."""
    late = "while True: kept[0].configuration()"
    done = outcome("kept.append(objects[0]); done.set()", late)
    assert "Freed" in done.stderr


def test_a_node_that_is_destroyed_while_it_sends_ends_the_process() -> None:
    """The end of a callback is not yet the end of its work."""
    done = outcome("done.set()")
    assert done.returncode == -signal.SIGABRT
    assert "pure virtual method called" in done.stderr
