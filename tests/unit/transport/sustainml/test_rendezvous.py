"""Threads that wait for answers of another."""

import threading
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from tests.patience import PATIENCE_S

from carbon_node.errors import TransportError
from carbon_node.transport.sustainml.rendezvous import Released, Rendezvous


def waiting(
    pool: ThreadPoolExecutor, meeting: Rendezvous[str, int], timeout_s: float = PATIENCE_S
) -> Future[int]:
    """Let a thread wait for an answer to "key"; it waits when this returns."""
    handed_over = threading.Event()

    def wait() -> int:
        with meeting.inside():
            return meeting.wait("key", handed_over.set, timeout_s)

    future = pool.submit(wait)
    assert handed_over.wait(PATIENCE_S)
    return future


def test_an_answer_goes_to_the_thread_that_waits_for_its_key() -> None:
    """The waiting thread gets what was answered."""
    meeting: Rendezvous[str, int] = Rendezvous()
    with ThreadPoolExecutor() as pool:
        answer = waiting(pool, meeting)
        meeting.answer("key", 7)
        assert answer.result(PATIENCE_S) == 7


def test_an_answer_may_come_before_the_thread_blocks() -> None:
    """An answer may come at once, before the wait begins."""
    meeting: Rendezvous[str, int] = Rendezvous()
    assert meeting.wait("key", lambda: meeting.answer("key", 7), PATIENCE_S) == 7


def test_answers_to_one_key_go_to_the_oldest_first() -> None:
    """Two threads that wait for the same key are answered in the order in which they came."""
    meeting: Rendezvous[str, int] = Rendezvous()
    with ThreadPoolExecutor() as pool:
        answers = [waiting(pool, meeting), waiting(pool, meeting)]
        meeting.answer("key", 1)
        meeting.answer("key", 2)
        assert [answer.result(PATIENCE_S) for answer in answers] == [1, 2]


def test_a_late_answer_does_not_go_to_the_next_one_that_waits() -> None:
    """The answer to a wait that ran out of time is refused, and the next wait gets its own."""
    meeting: Rendezvous[str, int] = Rendezvous()
    with pytest.raises(TimeoutError):
        meeting.wait("key", lambda: None, timeout_s=0.0)
    with ThreadPoolExecutor() as pool:
        answer = waiting(pool, meeting)
        with pytest.raises(TransportError, match="deadline"):
            meeting.answer("key", 1)
        meeting.answer("key", 2)
        assert answer.result(PATIENCE_S) == 2


def test_an_answer_that_nobody_waits_for_is_refused() -> None:
    """A late answer is refused."""
    meeting: Rendezvous[str, int] = Rendezvous()
    with pytest.raises(TransportError, match="nobody waits"):
        meeting.answer("key", 1)


def test_a_release_ends_the_waits_of_now_and_later() -> None:
    """Threads that wait, and those that come afterwards, go on without an answer."""
    meeting: Rendezvous[str, int] = Rendezvous()
    with ThreadPoolExecutor() as pool:
        answer = waiting(pool, meeting)
        meeting.release()
        with pytest.raises(Released):
            answer.result(PATIENCE_S)
    with pytest.raises(Released):
        meeting.wait("key", lambda: None, PATIENCE_S)


def test_settling_waits_for_threads_inside() -> None:
    """It is quiet when no thread has been inside for a while, and not before."""
    meeting: Rendezvous[str, int] = Rendezvous()
    entered, may_leave = threading.Event(), threading.Event()

    def stay() -> None:
        with meeting.inside():
            entered.set()
            may_leave.wait(PATIENCE_S)

    assert meeting.settle(quiet_s=PATIENCE_S, timeout_s=0.0)
    with ThreadPoolExecutor() as pool:
        staying = pool.submit(stay)
        assert entered.wait(PATIENCE_S)
        meeting.release()
        assert not meeting.settle(quiet_s=PATIENCE_S, timeout_s=0.0)
        may_leave.set()
        assert meeting.settle(quiet_s=0.01, timeout_s=PATIENCE_S)
        staying.result(0.0)
