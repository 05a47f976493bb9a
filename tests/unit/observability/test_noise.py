"""How much libraries may log."""

import logging

from carbon_node.observability.noise import BURST, REFILL_S, NoiseFilter


def record(name: str) -> logging.LogRecord:
    """A record of a logger."""
    return logging.makeLogRecord({"name": name, "msg": "again", "levelno": logging.WARNING})


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


def test_one_librarys_flood_silences_no_other() -> None:
    """Each logger has a bound of its own, and the node's own records have none."""
    noise = NoiseFilter(clock=lambda: 0.0)
    for _ in range(1000):
        noise.filter(record("fastdds"))
        assert noise.filter(record("carbon_node.pipeline"))
    assert noise.filter(record("asyncio"))


def test_the_number_of_loggers_is_bounded() -> None:
    """A library that makes a logger for each message is bounded, too."""
    noise = NoiseFilter(clock=lambda: 0.0)
    assert sum(noise.filter(record(f"lib.{number}")) for number in range(10_000)) < 500
