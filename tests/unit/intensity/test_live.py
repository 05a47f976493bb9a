"""Live intensities, asked of a real HTTP server that behaves well and badly."""

import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.patience import PATIENCE_S
from tests.unit.intensity.provider import Provider, Reply, says, says_octets

from carbon_node.errors import ConfigError
from carbon_node.estimation import Place
from carbon_node.intensity import IntensityConfig, IntensityLookup, LiveConfig, LiveIntensity
from carbon_node.intensity.live import LiveHit, LiveMiss
from carbon_node.intensity.live_cache import MAX_ZONES, LiveCache, LiveValue

KEY = "planted-key"
MAX_AGE_S = 900.0
USABLE: dict[str, Any] = {
    "key": KEY,
    "state_dir": None,
    "timeout_s": 2.0,
    "max_age_s": MAX_AGE_S,
}
TIME = "2026-11-22T12:00:00.000Z"
ANSWER = {"zone": "FR", "carbonIntensity": 50, "datetime": TIME}


class Clock:
    """Time that a test moves."""

    def __init__(self) -> None:
        self.now_s = 1_000_000.0

    def __call__(self) -> float:
        """Return the time in seconds."""
        return self.now_s


@pytest.fixture
def provider() -> Iterator[Provider]:
    """A provider that answers for France."""
    with Provider().running() as running:
        running.reply = says(ANSWER)
        yield running


@pytest.fixture
def clock() -> Clock:
    """A clock for both the age of values and pauses."""
    return Clock()


def asking(
    provider: Provider, clock: Clock, state_dir: Path | None = None, timeout_s: float = PATIENCE_S
) -> LiveIntensity:
    """Return the part under test, pointed at the provider."""
    config = LiveConfig(KEY, state_dir, timeout_s, MAX_AGE_S, provider.base_url)
    return LiveIntensity(config, wall_s=clock, monotonic_s=clock)


def hit(live: LiveIntensity, zone: str = "FR") -> LiveHit:
    """Ask for a zone that must have a value."""
    answer = live.intensity(zone)
    assert isinstance(answer, LiveHit), answer
    return answer


def miss(live: LiveIntensity, zone: str = "FR") -> str:
    """Ask for a zone that must have none; return why."""
    answer = live.intensity(zone)
    assert isinstance(answer, LiveMiss), answer
    assert KEY not in answer.reason
    return answer.reason


def test_a_value_is_asked_for_with_the_key(provider: Provider, clock: Clock) -> None:
    """One request to the documented path, the key in its header and not in its address."""
    assert hit(asking(provider, clock)).value == LiveValue(50, TIME, clock.now_s)
    (request,) = provider.requests
    line, headers = request.split(b"\r\n", 1)
    assert line == b"GET /v3/carbon-intensity/latest?zone=FR HTTP/1.1"
    assert f"auth-token: {KEY}".encode() in headers


def test_a_fresh_value_is_not_asked_for_again(provider: Provider, clock: Clock) -> None:
    """Within a quarter of an hour the kept value answers, with its age."""
    live = asking(provider, clock)
    hit(live)
    clock.now_s += 899
    assert hit(live).age_s == 899
    assert len(provider.requests) == 1


def test_an_old_value_is_asked_for_again(provider: Provider, clock: Clock) -> None:
    """After a quarter of an hour the provider is asked again."""
    live = asking(provider, clock)
    hit(live)
    clock.now_s += 901
    provider.reply = says(ANSWER | {"carbonIntensity": 60})
    assert (hit(live).value.g_per_kwh, hit(live).age_s) == (60, 0)


def test_values_and_their_age_survive_a_restart(
    provider: Provider, clock: Clock, tmp_path: Path
) -> None:
    """A new process knows what the last one was told, and how old that is."""
    hit(asking(provider, clock, tmp_path))
    clock.now_s += 600
    assert hit(asking(provider, clock, tmp_path)).age_s == 600
    assert len(provider.requests) == 1
    assert KEY not in "".join(path.read_text() for path in tmp_path.iterdir())


def test_an_old_value_stands_in_for_a_failing_provider(provider: Provider, clock: Clock) -> None:
    """For six hours, with the failure named in the answer too; then no more."""
    live = asking(provider, clock)
    hit(live)
    provider.reply = says({}, "503 Service Unavailable")
    clock.now_s += 6 * 3600
    kept = hit(live)
    assert (kept.value.g_per_kwh, kept.failure) == (50, "HTTP status 503")
    clock.now_s += 1
    assert "503" in miss(live)


def test_a_clock_that_was_set_back_makes_values_unknown(provider: Provider, clock: Clock) -> None:
    """A value from the future has no age that could be trusted."""
    live = asking(provider, clock)
    hit(live)
    clock.now_s -= 3600
    hit(live)
    assert len(provider.requests) == 2


def drips(write: Callable[[bytes], None]) -> None:
    """Send a byte of a header every 20 ms, for ever."""
    write(b"HTTP/1.1 200 OK\r\nX: ")
    while True:
        time.sleep(0.02)
        write(b"x")


def drips_its_body(write: Callable[[bytes], None]) -> None:
    """Send a byte of the body every 20 ms, for ever."""
    write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while True:
        time.sleep(0.02)
        write(b" ")


def is_silent(write: Callable[[bytes], None]) -> None:  # noqa: ARG001 - it never writes
    """Answer nothing for longer than any test waits; the thread ends with the process."""
    time.sleep(PATIENCE_S)


@pytest.mark.parametrize("reply", [drips, drips_its_body, is_silent])
def test_a_slow_provider_costs_the_timeout(provider: Provider, clock: Clock, reply: Reply) -> None:
    """However it delays, without end, the whole request has one deadline, and its thread ends."""
    provider.reply = reply
    live = asking(provider, clock, timeout_s=0.3)
    # Either deadline may end a silent one: that of the whole request, or httpx's own of a read.
    assert "0.3 s" in (reason := miss(live)) or "Timeout" in reason
    for thread in threading.enumerate():
        if thread.name == "electricity-maps":
            thread.join(PATIENCE_S)
            assert not thread.is_alive()


def test_a_delayed_answer_within_the_timeout_counts(provider: Provider, clock: Clock) -> None:
    """Slow is not broken."""
    good = provider.reply

    def delayed(write: Callable[[bytes], None]) -> None:
        time.sleep(0.2)
        good(write)

    provider.reply = delayed
    assert hit(asking(provider, clock)).value.g_per_kwh == 50


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (says({}, "400 Bad Request"), "HTTP status 400"),
        (says({}, "401 Unauthorized"), "HTTP status 401"),
        (says({}, "403 Forbidden"), "HTTP status 403"),
        (says({}, "404 Not Found"), "HTTP status 404"),
        (says({}, "429 Too Many Requests", "Retry-After: 7"), "HTTP status 429"),
        (says({}, "500 Internal Server Error"), "HTTP status 500"),
        (says({}, "204 No Content"), "HTTP status 204"),
        (says({}, "302 Found", "Location: http://127.0.0.1:1/"), "HTTP status 302"),
        (says_octets(b""), "not JSON"),
        (says_octets(b"<html>"), "not JSON"),
        (says_octets(b"\xff\xfe\x00"), "not JSON"),
        (says_octets(b"[" * 60_000), "not JSON"),
        (says_octets(b"[" * 65 + b"]" * 65), "not JSON"),
        (says_octets(b"x" * 70_000), "more than 65536 bytes"),
        (says_octets(b"", "nonsense"), "request failed"),
        (lambda write: write(b"garbage\r\n\r\n"), "request failed"),
        (lambda _: None, "request failed"),
        (says([1]), "not about the zone"),
        (says(ANSWER | {"zone": "PL"}), "not about the zone"),
        (says({"zone": "FR"}), "no carbonIntensity"),
        (says(ANSWER | {"carbonIntensity": None}), "no carbonIntensity"),
        (says(ANSWER | {"carbonIntensity": "50"}), "no carbonIntensity"),
        (says(ANSWER | {"carbonIntensity": True}), "no carbonIntensity"),
        (says(ANSWER | {"carbonIntensity": 0}), "absurd"),
        (says(ANSWER | {"carbonIntensity": -50}), "absurd"),
        (says(ANSWER | {"carbonIntensity": 3001}), "absurd"),
        (says_octets(b'{"carbonIntensity": NaN}'), "absurd"),
        (says_octets(b'{"carbonIntensity": 1e999}'), "absurd"),
    ],
)
def test_a_bad_answer_is_no_value_and_says_why(
    provider: Provider, clock: Clock, reply: Reply, reason: str
) -> None:
    """Errors, redirects, garbage and absurd values never become an intensity."""
    provider.reply = reply
    assert reason in miss(asking(provider, clock))


def test_a_redirect_is_not_followed(provider: Provider, clock: Clock) -> None:
    """The key goes to the configured host and to no other."""
    with Provider().running() as elsewhere:
        provider.reply = says({}, "307 Temporary Redirect", f"Location: {elsewhere.base_url}/")
        assert "307" in miss(asking(provider, clock))
        assert elsewhere.requests == []


def test_nobody_listening_is_a_miss(clock: Clock) -> None:
    """A refused connection is named, and no zone is asked for until the pause is over."""
    with Provider().running() as gone:
        pass
    live = asking(gone, clock)
    assert miss(live) == "request failed (ConnectError)"
    assert miss(live, "PL") == "pausing after: request failed (ConnectError)"


def test_after_a_failure_there_is_a_pause_that_grows(provider: Provider, clock: Clock) -> None:
    """30 s, then 60 s; meanwhile nobody waits for a request."""
    provider.reply = says({}, "500 Internal Server Error")
    live = asking(provider, clock)
    requests = []
    for _ in range(5):
        miss(live)
        requests.append(len(provider.requests))
        clock.now_s += 25
    assert requests == [1, 1, 2, 2, 2]


def test_pauses_last_as_long_as_they_say(provider: Provider, clock: Clock) -> None:
    """30 s after the first failure, twice as long after each further one, an hour at most."""
    provider.reply = says({}, "500 Internal Server Error")
    live = asking(provider, clock)
    for count, pause_s in enumerate((30, 60, 120, 240, 480, 960, 1920, 3600, 3600), start=1):
        miss(live)
        assert len(provider.requests) == count
        clock.now_s += pause_s - 1
        assert miss(live) == "pausing after: HTTP status 500"
        assert len(provider.requests) == count
        clock.now_s += 1


@pytest.mark.parametrize(
    ("status", "retry_after", "pause_s"),
    [
        ("401 Unauthorized", "7", 3600),
        ("403 Forbidden", "7", 3600),
        ("404 Not Found", "7", 3600),
        ("429 Too Many Requests", "7", 7),
        ("429 Too Many Requests", "-7", 30),
        ("429 Too Many Requests", "soon", 30),
        ("503 Service Unavailable", "90", 90),
    ],
)
def test_how_long_a_refusal_pauses(
    provider: Provider, clock: Clock, status: str, retry_after: str, pause_s: float
) -> None:
    """As long as it says, in seconds; an hour where only the operator can help."""
    provider.reply = says({}, status, f"Retry-After: {retry_after}")
    live = asking(provider, clock)
    miss(live)
    clock.now_s += pause_s - 1
    assert "pausing" in miss(live)
    clock.now_s += 1
    assert "pausing" not in miss(live)


def test_a_value_is_fresh_up_to_its_age(provider: Provider, clock: Clock) -> None:
    """A quarter of an hour is still fresh."""
    live = asking(provider, clock)
    hit(live)
    clock.now_s += MAX_AGE_S
    assert hit(live).age_s == MAX_AGE_S
    assert hit(live).failure is None
    assert len(provider.requests) == 1


def test_an_operator_may_keep_values_longer_than_a_failing_provider_does(
    provider: Provider, clock: Clock
) -> None:
    """A day, if they say so."""
    config = LiveConfig(KEY, None, PATIENCE_S, 24 * 3600, provider.base_url)
    live = LiveIntensity(config, wall_s=clock, monotonic_s=clock)
    hit(live)
    clock.now_s += 23 * 3600
    assert hit(live).failure is None
    assert len(provider.requests) == 1


@pytest.mark.parametrize("grams", [3000, 0.5, 7])
def test_a_value_within_what_grids_emit_is_taken(
    provider: Provider, clock: Clock, grams: float
) -> None:
    """Above 0, up to 3000."""
    provider.reply = says(ANSWER | {"carbonIntensity": grams})
    assert hit(asking(provider, clock)).value.g_per_kwh == grams


@pytest.mark.parametrize(
    ("stated", "measured_at"), [("1" * 40, "1" * 40), ("1" * 41, ""), ("today", ""), (None, "")]
)
def test_a_time_is_taken_over_if_it_is_one(
    provider: Provider, clock: Clock, stated: str | None, measured_at: str
) -> None:
    """Up to 40 characters of digits and marks."""
    provider.reply = says(ANSWER | {"datetime": stated})
    assert hit(asking(provider, clock)).value.measured_at == measured_at


@pytest.mark.parametrize(("size", "is_read"), [(65536, True), (65537, False)])
def test_an_answer_is_read_up_to_64_kib(
    provider: Provider,
    clock: Clock,
    size: int,
    is_read: bool,  # noqa: FBT001 - a case
) -> None:
    """A longer one is not from the provider."""
    provider.reply = says_octets(json.dumps(ANSWER).encode().ljust(size))
    assert isinstance(asking(provider, clock).intensity("FR"), LiveHit) is is_read


def test_a_success_ends_the_pauses(provider: Provider, clock: Clock) -> None:
    """After a success, the next failure pauses as briefly as the first."""
    good = provider.reply
    live = asking(provider, clock)
    for reply in (says({}, "500 Internal Server Error"), good, says({}, "502 Bad Gateway")):
        provider.reply = reply
        live.intensity("FR")
        clock.now_s += 7 * 3600
    provider.reply = good
    assert hit(live).failure is None


def test_the_provider_may_ask_for_a_pause(provider: Provider, clock: Clock) -> None:
    """Retry-After is kept to, up to an hour."""
    provider.reply = says({}, "429 Too Many Requests", "Retry-After: 600")
    live = asking(provider, clock)
    miss(live)
    clock.now_s += 599
    assert "pausing" in miss(live)
    clock.now_s += 2
    provider.reply = says(ANSWER)
    hit(live)


def test_an_endless_pause_is_an_hour(provider: Provider, clock: Clock) -> None:
    """No header silences the node for ever."""
    provider.reply = says({}, "429 Too Many Requests", "Retry-After: 99999999")
    live = asking(provider, clock)
    miss(live)
    clock.now_s += 3601
    provider.reply = says(ANSWER)
    hit(live)


def test_a_refused_zone_does_not_pause_the_others(provider: Provider, clock: Clock) -> None:
    """Free keys are for one zone: another one's refusal says nothing about it."""
    live = asking(provider, clock)
    provider.reply = says({}, "403 Forbidden")
    miss(live, "PL")
    provider.reply = says(ANSWER)
    hit(live, "FR")
    assert "pausing" in miss(live, "PL")


def test_a_refused_key_pauses_every_zone(provider: Provider, clock: Clock) -> None:
    """A wrong key is wrong everywhere."""
    live = asking(provider, clock)
    provider.reply = says({}, "401 Unauthorized")
    miss(live, "PL")
    assert "pausing" in miss(live, "FR")
    assert len(provider.requests) == 1


def looking_up(provider: Provider, clock: Clock) -> IntensityLookup:
    """Return a look-up that asks the provider."""
    return IntensityLookup(IntensityConfig(), asking(provider, clock))


def test_a_live_value_replaces_the_yearly_one(provider: Provider, clock: Clock) -> None:
    """The place is found by the tables, its value by the provider, with age and time named."""
    answer = looking_up(provider, clock).lookup(Place("France"))
    assert (answer.place, answer.g_per_kwh.value, answer.year) == ("France", 50, None)
    assert "2026-11-22T12:00" in answer.source
    assert (answer.steps[-1].rung, answer.steps[-1].outcome) == ("live", "taken, 0 s old")
    assert answer.origin == "live"
    assert answer.g_per_kwh.high == pytest.approx(60)


def test_the_table_stands_in_for_a_failing_provider(provider: Provider, clock: Clock) -> None:
    """The yearly value goes out, and its warnings say why."""
    provider.reply = says({}, "500 Internal Server Error")
    answer = looking_up(provider, clock).lookup(Place("France"))
    assert answer.g_per_kwh.value == 41.44
    assert "HTTP status 500" in answer.warnings[0]
    assert answer.steps[-1].rung == "live"


def test_an_old_live_value_says_its_age(provider: Provider, clock: Clock) -> None:
    """The reader learns how old it is, and why there is no newer one."""
    lookup = looking_up(provider, clock)
    lookup.lookup(Place("France"))
    provider.reply = says({}, "500 Internal Server Error")
    clock.now_s += 3600
    answer = lookup.lookup(Place("France"))
    assert answer.warnings == ("live intensity is 3600 s old (HTTP status 500)",)
    assert (answer.steps[-1].outcome, answer.g_per_kwh.value) == ("taken, 3600 s old", 50)
    assert lookup.known(Place("France")) is None


@pytest.mark.parametrize(
    ("region", "reason"),
    [
        ("Europe", "not asked: no zone for Europe"),
        ("California", "not asked: California, United States lies in 5 zones"),
        ("Guangdong", "not asked: no zone for Guangdong, China"),
    ],
)
def test_why_nobody_is_asked_is_said(
    provider: Provider, clock: Clock, region: str, reason: str
) -> None:
    """As a step, and not as a warning."""
    answer = looking_up(provider, clock).lookup(Place(region))
    assert answer.steps[-1].outcome == reason


@pytest.mark.parametrize("region", ["", "Europe", "Korea", "California", "Guangdong"])
def test_what_has_no_zone_is_not_asked_for(provider: Provider, clock: Clock, region: str) -> None:
    """Continents, the world, and states without a zone of their own keep their table value."""
    looking_up(provider, clock).lookup(Place(region))
    assert provider.requests == []


def test_a_province_has_a_zone(provider: Provider, clock: Clock) -> None:
    """Quebec is a zone of its own."""
    provider.reply = says({"zone": "CA-QC", "carbonIntensity": 30})
    assert looking_up(provider, clock).lookup(Place("Montréal")).g_per_kwh.value == 30


def test_an_explicit_intensity_asks_nobody(provider: Provider, clock: Clock) -> None:
    """The operator's word stands above the provider's."""
    lookup = IntensityLookup(IntensityConfig(g_per_kwh=57), asking(provider, clock))
    assert lookup.lookup(Place("France")).g_per_kwh.value == 57
    assert provider.requests == []


def test_the_providers_text_is_not_repeated(provider: Provider, clock: Clock) -> None:
    """Only a time is taken over as text, lest the provider write into results."""
    provider.reply = says(ANSWER | {"datetime": f"<script>{KEY}"})
    assert "unknown time" in looking_up(provider, clock).lookup(Place("France")).source


def test_the_key_is_never_shown(
    provider: Provider, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither the log, nor a repr, nor an answer holds it."""
    caplog.set_level(logging.DEBUG)
    live = asking(provider, clock)
    shown = [repr(LiveConfig(**USABLE)), repr(live), repr(live.intensity("FR")), caplog.text]
    assert KEY not in "".join(shown)


@pytest.mark.parametrize(
    "arguments",
    [
        {"key": ""},
        {"key": "  "},
        {"key": "a\nb"},
        {"key": "schlüssel"},
        {"timeout_s": 0},
        {"timeout_s": float("nan")},
        {"timeout_s": float("inf")},
        {"max_age_s": -1},
        {"max_age_s": float("inf")},
        {"base_url": "file:///etc/passwd"},
    ],
)
def test_a_configuration_that_cannot_work_is_refused(arguments: dict[str, object]) -> None:
    """Before the first request, and without showing the key."""
    with pytest.raises(ConfigError) as raised:
        LiveConfig(**{**USABLE, **arguments})
    assert KEY not in str(raised.value)


@pytest.mark.parametrize(
    "arguments",
    [
        {"timeout_s": 0.01},
        {"max_age_s": 0},
        {"base_url": "http://127.0.0.1:1"},
        {"base_url": "https://example.org"},
    ],
)
def test_a_configuration_may_reach_its_bounds(arguments: dict[str, object]) -> None:
    """An age of 0 asks each time."""
    assert LiveConfig(**{**USABLE, **arguments}).key == KEY


VALUE = LiveValue(50, "2026-11-22T12:00", 1_000.0)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"\xff",
        b'{"FR": 5}',
        b'{"FR": {}}',
        b'{"FR": {"g_per_kwh": -5, "measured_at": "", "fetched_s": 0}}',
        b'{"FR": {"g_per_kwh": 0, "measured_at": "", "fetched_s": 0}}',
        b'{"FR": {"g_per_kwh": NaN, "measured_at": "", "fetched_s": 0}}',
        b'{"FR": {"g_per_kwh": 1e999, "measured_at": "", "fetched_s": 0}}',
        b'{"FR": {"g_per_kwh": 5, "measured_at": "", "fetched_s": NaN}}',
    ],
)
def test_a_damaged_cache_is_an_empty_one(tmp_path: Path, content: bytes) -> None:
    """And the next value replaces it."""
    (tmp_path / "live-intensity.json").write_bytes(content)
    assert LiveCache(tmp_path).get("FR") is None
    LiveCache(tmp_path).put("FR", VALUE)
    assert LiveCache(tmp_path).get("FR") == VALUE


def test_a_cache_that_cannot_be_written_is_kept_in_memory(tmp_path: Path) -> None:
    """A missing folder costs the restart's memory, not the task."""
    cache = LiveCache(tmp_path / "missing")
    cache.put("FR", VALUE)
    assert cache.get("FR") == VALUE


def test_the_cache_does_not_grow_without_end(tmp_path: Path) -> None:
    """The oldest value goes first."""
    cache = LiveCache(tmp_path)
    for number in range(MAX_ZONES + 1):
        cache.put(f"Z{number}", LiveValue(50, "", float(number)))
    assert cache.get("Z0") is None
    assert cache.get("Z1") is not None
    kept = json.loads((tmp_path / "live-intensity.json").read_text())
    assert len(kept) == MAX_ZONES
