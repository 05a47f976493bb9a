"""The program that forks one guard per measurement, with CarbonTracker already imported.

Why a forkserver of our own. CarbonTracker takes 0.4 to 0.8 s to import, so a fresh interpreter per
task is out; the node holds DDS threads, so it must never fork. A warm spare, replaced after each
use, costs that import for every task, and a burst of tasks waits for it; one small process that
imports once and then forks costs some ten milliseconds a task and 86 MB once. It is started by
exec, has one thread, and does nothing but fork and reap.

Who watches whom:

    node ──control──> forkserver ──fork──> keeper ──fork──> measuring process ──> what that starts
      └──────────────connection──────────────┘              (own process group)

- One keeper per measurement, because only a process of its own can be the subreaper of exactly one
  measurement's descendants: what the measurement leaves behind by double forks and setsid falls to
  its keeper and is killed there.
- The node talks to the keeper over a socket that travels through the control channel. It never
  needs a process id to end something: a byte says stop, and the end of the connection says that
  the node is gone, however it went.
- The measuring process dies with its keeper by PR_SET_PDEATHSIG. That signal is bound to the
  thread that forked, which is exact here, as a keeper has only one. The forkserver has it too while
  it imports and cannot listen: its parent is the thread of the node's event loop, and without that
  nobody is left to ask. Then it lives on the control channel alone, so that it can clean up after
  a node that was killed, also after keepers that cannot.
- A keeper does not need the forkserver after it was forked: when the forkserver is killed, running
  measurements end well, and the node starts another one. When a keeper is killed, its descendants
  fall to the forkserver, which is a subreaper too and kills every child that is no keeper.
- Stop signals that a terminal or a supervisor sends to the whole group are held back here: the
  node decides.

What it does not protect from: code that attacks its own guards by their process ids runs as the
same user and can.
"""

import gc
import os
import selectors
import socket
import sys
import time
import traceback
from contextlib import suppress
from importlib import import_module
from typing import NoReturn

from carbon_node.tracking import confinement, keeper

MESSAGE_BYTES = 1
"""Size of a request on the control channel; what matters is the file descriptors beside it."""

KEEPERS_LIMIT_S = 1.0
"""For keepers to end after the node has; whatever they are, they are killed then."""

STARTS_THREADS = ("pyarrow",)
"""Packages that start a thread when they are imported. pandas imports them where they are
installed, no measurement needs them, and what forks must have one thread."""

DESCRIPTORS_LIMIT = 2
"""Of one request: the connection to the node and, for some, the model's bytes."""


def serve(control: socket.socket) -> None:
    """Fork a keeper for every request until the node closes the control channel.

    Args:
        control: sequenced-packet socket from the node; each packet carries the file descriptors of
            one measurement.
    """
    server = _Forkserver(control)
    while server.is_wanted:
        server.handle_events()
    server.wait_for_keepers()


class _Forkserver:
    def __init__(self, control: socket.socket) -> None:
        self.is_wanted = True
        self._control = control
        self._keepers: dict[int, int] = {}
        self._selector = selectors.DefaultSelector()
        self._selector.register(control, selectors.EVENT_READ)

    def handle_events(self) -> None:
        for key, _ in self._selector.select():
            if key.fileobj is self._control:
                self._answer()
            else:
                self._forget(key.fd)

    def wait_for_keepers(self) -> None:
        # Each saw its connection to the node end, and kills without grace.
        patience_ends_s = time.monotonic() + KEEPERS_LIMIT_S
        while self._keepers and (left_s := patience_ends_s - time.monotonic()) > 0:
            for key, _ in self._selector.select(left_s):
                self._forget(key.fd)
        confinement.end_children()

    def _answer(self) -> None:
        message, descriptors, _, _ = socket.recv_fds(
            self._control, MESSAGE_BYTES, DESCRIPTORS_LIMIT
        )
        if not message:
            self.is_wanted = False
            self._selector.unregister(self._control)
            return
        pid = os.fork()
        if pid == 0:
            _become_keeper(descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        with suppress(ProcessLookupError):  # it has ended, and was dropped
            exit_descriptor = os.pidfd_open(pid)
            self._keepers[exit_descriptor] = pid
            self._selector.register(exit_descriptor, selectors.EVENT_READ)

    def _forget(self, exit_descriptor: int) -> None:
        del self._keepers[exit_descriptor]
        self._selector.unregister(exit_descriptor)
        os.close(exit_descriptor)
        # A keeper leaves nothing behind unless it was killed.
        confinement.end_children(spared=frozenset(self._keepers.values()))


def _become_keeper(descriptors: list[int]) -> NoReturn:
    status = 1
    try:
        confinement.keep_only(*descriptors)
        # Bound to a name: it closes with this process, so that its end means that nothing is left.
        node = socket.socket(fileno=descriptors[0])
        keeper.keep(node, descriptors[1] if len(descriptors) > 1 else None)
        status = 0
    except BaseException:  # noqa: BLE001 - nothing may return into the forkserver's loop
        traceback.print_exc()
    finally:
        os._exit(status)


def main() -> None:
    """Serve the node that started this program.

    Arguments of the program: file descriptor of the control channel, process id of the node,
    workload to preload.
    """
    control_descriptor, node_pid, workload = sys.argv[1:]
    confinement.die_with_parent(int(node_pid))
    confinement.hold_stop_signals()
    confinement.adopt_orphans()
    # Keepers must not wait as zombies: if this process is killed, the node may inherit them.
    confinement.reap_at_once()
    preload(workload)
    confinement.outlive_parent()  # from here on the control channel says when the node is gone
    serve(socket.socket(fileno=int(control_descriptor)))


def preload(workload: str) -> None:
    """Import what every measurement needs, and keep it shared after a fork.

    Args:
        workload: `module:function` that measuring processes will run.
    """
    hidden = dict.fromkeys(set(STARTS_THREADS) - sys.modules.keys())
    sys.modules.update(hidden)  # type: ignore[arg-type]  # None: the import is refused
    import_module(workload.partition(":")[0])
    for name in hidden:
        # A model that brings its own need of one may import it, in its own process.
        del sys.modules[name]
    gc.collect()
    gc.freeze()


if __name__ == "__main__":
    main()
