"""Where the library's threads wait for answers of the event loop."""

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Hashable, Iterator
from concurrent.futures import CancelledError, Future
from contextlib import contextmanager
from typing import Generic, TypeVar

from carbon_node.errors import TransportError

KeyT = TypeVar("KeyT", bound=Hashable)
AnswerT = TypeVar("AnswerT")


class Released(Exception):
    """The wait ended without an answer, because no more will come."""


class Rendezvous(Generic[KeyT, AnswerT]):
    """Pairs each answer with the thread that waits for it, oldest first where a key repeats.

    Safe to use from any thread. A wait that ran out of time keeps its place in the queue of its
    key: its late answer must not go to the next one that waits there.
    """

    def __init__(self) -> None:
        self._waiting: dict[KeyT, deque[Future[AnswerT]]] = {}
        self._inside_count = 0
        self._left_s = -math.inf
        self._is_released = False
        self._changed = threading.Condition()

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Count the calling thread among those that `settle` waits for."""
        with self._changed:
            self._inside_count += 1
        try:
            yield
        finally:
            with self._changed:
                self._inside_count -= 1
                self._left_s = time.monotonic()
                self._changed.notify_all()

    def wait(self, key: KeyT, hand_over: Callable[[], None], timeout_s: float) -> AnswerT:
        """Hand something over and block until its answer comes.

        Args:
            key: what the answer will be about.
            hand_over: passes the question on; must not block.
            timeout_s: seconds to wait at most, >= 0.

        Raises:
            TimeoutError: no answer in time.
            Released: none will come.
        """
        future = self._enqueue(key)
        hand_over()
        try:
            return future.result(timeout_s)
        except CancelledError:
            raise Released from None
        except TimeoutError:
            if future.cancel():
                raise
            return future.result()

    def answer(self, key: KeyT, answer: AnswerT) -> None:
        """Let the thread go on that has waited longest for this key; does not block.

        Raises:
            TransportError: nobody waits, or not any more.
        """
        with self._changed:
            futures = self._waiting.get(key)
            if not futures:
                raise TransportError(f"nobody waits for an answer to {key}")
            future = futures.popleft()
            if not futures:
                del self._waiting[key]
        if not future.set_running_or_notify_cancel():
            raise TransportError(f"the answer to {key} came after its deadline")
        future.set_result(answer)

    def release(self) -> None:
        """End all waits, now and later."""
        with self._changed:
            self._is_released = True
            for future in (each for futures in self._waiting.values() for each in futures):
                future.cancel()

    def settle(self, quiet_s: float, timeout_s: float) -> bool:
        """Block until no thread has been inside for a while.

        Args:
            quiet_s: seconds without a thread inside, counted from before the call, > 0.
            timeout_s: seconds to wait at most, >= 0.

        Returns:
            Whether it was quiet in time.
        """
        deadline_s = time.monotonic() + timeout_s
        with self._changed:
            while (wait_s := self._until_quiet_s(quiet_s)) > 0:
                if time.monotonic() >= deadline_s:
                    return False
                self._changed.wait(min(wait_s, deadline_s - time.monotonic()))
        return True

    def _until_quiet_s(self, quiet_s: float) -> float:
        if self._inside_count > 0:
            return quiet_s
        return self._left_s + quiet_s - time.monotonic()

    def _enqueue(self, key: KeyT) -> Future[AnswerT]:
        future: Future[AnswerT] = Future()
        with self._changed:
            if self._is_released:
                raise Released
            self._waiting.setdefault(key, deque()).append(future)
        return future
