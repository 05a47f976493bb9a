"""Behaves as the library's module of this name does, with a Unix socket in the place of DDS.

What it shares with the library, because callers come to rely on it or suffer from it: threads of
its own call back, two for tasks and one for requests; objects are valid during the callback only;
octets are a sequence of ints, and setters refuse other types than their own; an exception that
leaves a callback ends the process; `terminate` is of the class and for good; the domain comes from
the C environment; the output is sent whatever the callback has made of it, a moment after it has
returned; a node that is destroyed before that, or after its listeners, ends the process.

The socket, `$SUSTAINML_STAND_IN/<domain>`, carries one JSON object per line.
"""

import contextlib
import ctypes
import json
import os
import queue
import socket
import threading
import time
import traceback
import weakref
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn

TASK_THREADS = 2
SENDING_S = 0.02
INPUTS = ("ML_MODEL", "USER_INPUT", "HW_RESOURCE")
FOOTPRINT = {"carbon_footprint": 0.0, "energy_consumption": 0.0, "carbon_intensity": 0.0}
RESPONSE = {"node_id": 0, "transaction_id": 0, "success": False, "err_code": 0, "configuration": ""}

_terminated = threading.Event()


class Freed(RuntimeError):
    """An object was used after its callback, where the library reads memory of something else."""


class _Lifetime:
    def __init__(self) -> None:
        self.is_over = False

    def check(self) -> None:
        if self.is_over:
            raise Freed("used after its callback had returned")


class _Items(Sequence[Any]):
    """A vector: neither bytes nor list, and gone with its owner."""

    def __init__(self, items: Sequence[Any], lifetime: _Lifetime) -> None:
        self._items, self._lifetime = items, lifetime

    def __len__(self) -> int:
        self._lifetime.check()
        return len(self._items)

    def __getitem__(self, index: Any) -> Any:  # noqa: ANN401 - int or slice, as every sequence
        self._lifetime.check()
        return self._items[index]

    def __iter__(self) -> Iterator[Any]:
        for index in range(len(self)):
            yield self[index]


class _TaskId:
    def __init__(self, parts: list[int], lifetime: _Lifetime) -> None:
        self._parts, self._lifetime = parts, lifetime

    def problem_id(self) -> int:
        self._lifetime.check()
        return self._parts[0]

    def iteration_id(self) -> int:
        self._lifetime.check()
        return self._parts[1]


class _Object:
    """Has an accessor for each member, that reads without and writes with an argument."""

    def __init__(self, members: dict[str, Any], lifetime: _Lifetime) -> None:
        self._members, self._lifetime = members, lifetime

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def access(*new: Any) -> Any:  # noqa: ANN401 - whatever the member holds
            self._lifetime.check()
            if not new:
                return self._read(name, self._members[name])
            self._members[name] = _checked(name, self._members[name], *new)
            return None

        return access

    def _read(self, name: str, value: Any) -> Any:  # noqa: ANN401 - whatever the member holds
        if name == "task_id":
            return _TaskId(value, self._lifetime)
        return _Items(value, self._lifetime) if isinstance(value, list) else value

    def sent(self) -> dict[str, Any]:
        return dict(self._members)


def _checked(name: str, old: Any, new: Any) -> Any:  # noqa: ANN401 - whatever the member holds
    if isinstance(old, list):
        return list(new)
    if not isinstance(new, (int, float) if isinstance(old, float) else type(old)):
        raise TypeError(f"Wrong number or type of arguments for overloaded function {name!r}")
    return type(old)(new)


class _Listener:
    def __init__(self, callback: Callable[..., None]) -> None:
        self.callback = callback


class _Node:
    """What the library has in C++; leaves the domain when it is let go of."""

    def __init__(self, *listeners: "_Listener") -> None:
        self._listeners = [weakref.ref(listener) for listener in listeners]
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(str(Path(_c_environment("SUSTAINML_STAND_IN"), _domain())))
        worker = _Worker(self._socket, *(listener.callback for listener in listeners))
        for routine in (worker.read, worker.answer_requests, *[worker.answer_tasks] * TASK_THREADS):
            threading.Thread(target=routine, daemon=True).start()
        worker.send("STATUS", {"node_status": "INITIALIZING"})
        self._worker = worker

    def announce_idle(self) -> None:
        self._worker.send("STATUS", {"node_status": "IDLE"})

    def __del__(self) -> None:
        if self._worker.busy or None in [listener() for listener in self._listeners]:
            _end_process("pure virtual method called")
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


class _Worker:
    def __init__(
        self,
        connection: socket.socket,
        on_task: Callable[..., None],
        on_request: Callable[..., None],
    ) -> None:
        self._connection = connection.dup()
        self._on_task, self._on_request = on_task, on_request
        self._tasks: queue.SimpleQueue[list[dict[str, Any]]] = queue.SimpleQueue()
        self._requests: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._partial: dict[tuple[int, ...], dict[str, dict[str, Any]]] = {}
        self._lock = threading.Lock()
        self.busy: set[int] = set()

    def send(self, topic: str, members: dict[str, Any]) -> None:
        line = json.dumps({"topic": topic, "members": members}) + "\n"
        # Whoever left hears nothing.
        with self._lock, contextlib.suppress(OSError):
            self._connection.sendall(line.encode())

    def read(self) -> None:
        with self._connection.makefile("r", encoding="utf-8") as lines:
            for line in lines:
                sample = json.loads(line)
                if sample["topic"] == "REQUEST":
                    self._requests.put(sample["members"])
                else:
                    self._join(sample["topic"], sample["members"])

    def _join(self, topic: str, members: dict[str, Any]) -> None:
        task_id = tuple(members["task_id"])
        partial = self._partial.setdefault(task_id, {})
        partial[topic] = members
        if len(partial) == len(INPUTS):
            self._tasks.put([partial[name] for name in INPUTS])
            del self._partial[task_id]

    def answer_tasks(self) -> None:
        while True:
            inputs, lifetime = self._tasks.get(), _Lifetime()
            ml_model, user_input, hw = (_Object(members, lifetime) for members in inputs)
            status = _Object({"node_status": 4}, lifetime)
            output = _Object({**FOOTPRINT, "extra_data": []}, lifetime)
            with self._work(lifetime):
                self._on_task(ml_model, user_input, hw, status, output)
                footprint = {**output.sent(), "task_id": inputs[0]["task_id"]}
            self.send("FOOTPRINT", footprint)

    def answer_requests(self) -> None:
        while True:
            members, lifetime = self._requests.get(), _Lifetime()
            request = _Object(members, lifetime)
            response = _Object(dict(RESPONSE), lifetime)
            with self._work(lifetime):
                self._on_request(request, response)
            self.send("RESPONSE", response.sent())

    @contextlib.contextmanager
    def _work(self, lifetime: _Lifetime) -> Iterator[None]:
        self.busy.add(threading.get_ident())
        try:
            yield
        except BaseException:  # noqa: BLE001 - the library ends the process, whatever it is
            _end_process(traceback.format_exc())
        lifetime.is_over = True
        time.sleep(SENDING_S)
        self.busy.discard(threading.get_ident())


class CarbonFootprintNode:
    """The carbon footprint node of a pipeline."""

    def __init__(
        self,
        callback: Callable[..., None] | None = None,
        service_callback: Callable[..., None] | None = None,
    ) -> None:
        if callback is None or service_callback is None:
            raise ValueError("both callbacks are needed")
        self.listener_ = _Listener(callback)
        self.listener_service_ = _Listener(service_callback)
        self.node_ = _Node(self.listener_, self.listener_service_)

    def spin(self) -> None:
        """Announce IDLE, and block until the class is terminated."""
        self.node_.announce_idle()
        _terminated.wait()

    def terminate() -> None:  # type: ignore[misc]
        """Let `spin` return."""
        _terminated.set()


def _end_process(why: str) -> NoReturn:
    os.write(2, f"terminate called: {why}\n".encode())
    os.abort()


def _c_environment(name: str) -> str:
    getenv = ctypes.CDLL(None).getenv
    getenv.restype = ctypes.c_char_p
    value = getenv(name.encode())
    return value.decode() if value is not None else ""


def _domain() -> str:
    domain = _c_environment("SUSTAINML_DOMAIN_ID")
    return domain if domain.isdecimal() else "0"
