"""How often the same may be logged."""

import logging

from carbon_node.observability.noise import BURST, KINDS_KEPT, LEFT_OUT, REFILL_S, NoiseFilter

PIPELINE = "carbon_node.pipeline"


def record(name: str, message: object = "again", level: int = logging.WARNING) -> logging.LogRecord:
    """A record of a logger."""
    return logging.makeLogRecord({"name": name, "msg": message, "levelno": level})


def test_a_librarys_flood_is_cut_and_counted() -> None:
    """A burst passes, then one record for each refill, which says how many did not."""
    now_s = [0.0]
    noise = NoiseFilter(clock=lambda: now_s[0])
    passed = [noise.filter(record("fastdds")) for _ in range(1000)]
    assert sum(passed) == BURST
    assert passed[:BURST] == [True] * BURST
    now_s[0] += REFILL_S
    next_one = record("fastdds")
    assert noise.filter(next_one)
    assert next_one.__dict__["suppressed_count"] == 1000 - BURST
    assert not noise.filter(record("fastdds"))


def test_one_flood_silences_no_other() -> None:
    """Each library's logger has a bound of its own, and so has each message of the node."""
    noise = NoiseFilter(clock=lambda: 0.0)
    for _ in range(1000):
        noise.filter(record("fastdds"))
        noise.filter(record(PIPELINE, {"event": "incomplete task given up"}))
        noise.filter(record(PIPELINE, {"event": "control command"}, logging.DEBUG))
    assert noise.filter(record("asyncio"))
    assert noise.filter(record("fastdds", level=logging.ERROR))
    assert noise.filter(record(PIPELINE, {"event": "sample rejected"}))
    assert noise.filter(record(PIPELINE, {"event": "control command"}, logging.INFO))


def test_the_nodes_own_repetitions_are_cut_and_counted() -> None:
    """25,000 samples that are given up take a burst of records, whatever they say beside."""
    now_s = [0.0]
    noise = NoiseFilter(clock=lambda: now_s[0])
    passed = [
        noise.filter(record(PIPELINE, {"event": "incomplete task given up", "task_id": number}))
        for number in range(25_000)
    ]
    assert sum(passed) == BURST
    assert noise.left_out() == []
    (at_end,) = noise.left_out(is_end=True)
    assert at_end.__dict__["count"] == 25_000 - BURST
    assert not noise.filter(record(PIPELINE, {"event": "incomplete task given up"}))
    now_s[0] += REFILL_S
    (summary,) = noise.left_out()
    assert (summary.msg, summary.levelno, summary.name) == (LEFT_OUT, logging.WARNING, PIPELINE)
    assert summary.__dict__["of"] == "incomplete task given up"
    assert summary.__dict__["count"] == 1
    assert noise.left_out() == []


def test_what_is_never_left_out_is_not_counted() -> None:
    """The one record of each task stays, however many tasks there are."""
    noise = NoiseFilter(always=["task answered"], clock=lambda: 0.0)
    answered = [noise.filter(record(PIPELINE, {"event": "task answered"})) for _ in range(1000)]
    assert all(answered)


def test_a_records_own_fields_are_left_alone() -> None:
    """The count is added to a copy: whoever logs an event may keep it."""
    now_s = [0.0]
    noise = NoiseFilter(clock=lambda: now_s[0])
    event = {"event": "again"}
    for _ in range(BURST + 1):
        noise.filter(record(PIPELINE, event))
    now_s[0] += REFILL_S
    following = record(PIPELINE, event)
    assert noise.filter(following)
    assert following.msg == {"event": "again", "suppressed_count": 1}
    assert event == {"event": "again"}


def test_the_number_of_loggers_is_bounded() -> None:
    """A library that makes a logger for each message is bounded, too."""
    noise = NoiseFilter(clock=lambda: 0.0)
    passed = [noise.filter(record(f"lib.{number}")) for number in range(10_000)]
    assert sum(passed) == KINDS_KEPT + BURST
