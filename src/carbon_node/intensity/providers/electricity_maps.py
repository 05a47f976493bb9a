"""One request to Electricity Maps: the latest intensity of a zone, within a deadline.

httpx bounds each read, not the whole answer: a server that sends a byte a second holds it for ever.
So the request runs in a thread that is left behind when the deadline passes. Its connection is
closed under it, which ends it; it is a daemon thread and never delays the exit of the process.

Importing this module costs the 90 ms of httpx: only a configured live provider does.
"""

import queue
import re
import threading
from dataclasses import dataclass, field

import httpx

from carbon_node.estimation import CarbonIntensity
from carbon_node.intensity.provider import Answer, NoZone, Reading, Refusal
from carbon_node.wire import bounded_json

PATH = "/v3/carbon-intensity/latest"

MAX_ANSWER_BYTES = 64 * 1024
"""An answer has some 300 bytes; a longer one is not from the provider."""


_TIME = re.compile(r"[0-9T:.Z+-]{1,40}")
"""Nothing else of the provider's text goes into published results."""

HOPELESS_S = 3600.0
"""Pause after a refusal of the key or of the zone: only the operator can change that."""

_ABOUT_THE_ZONE = {httpx.codes.FORBIDDEN, httpx.codes.NOT_FOUND}
"""Keys are sold for some zones; another one is refused without a word about the rest."""


@dataclass(frozen=True, slots=True)
class ElectricityMaps:
    """Asks Electricity Maps; its zones are those of the shipped table.

    Args:
        key: the operator's key.
        base_url: scheme and host of the provider.
        timeout_s: deadline of a whole request in seconds, name resolution included.
    """

    key: str = field(repr=False)
    base_url: str
    timeout_s: float

    @property
    def title(self) -> str:
        """Name of the provider."""
        return "Electricity Maps"

    def zone(self, answer: CarbonIntensity) -> str | NoZone:
        """Return the zone of a place: one grid zone, or a country that is one."""
        if len(answer.zones) > 1:
            return NoZone(f"{answer.place} lies in {len(answer.zones)} zones")
        if answer.zones:
            return answer.zones[0]
        is_country = answer.code and "-" not in answer.code
        return answer.code if is_country else NoZone(f"no zone for {answer.place}")

    def latest(self, zone: str) -> Answer:
        """Ask for the latest intensity of a zone. Blocks, at most for the timeout.

        Redirects are not followed, for the key must not go to another host.

        Args:
            zone: zone of the provider, e.g. "FR".
        """
        answers: queue.SimpleQueue[Answer] = queue.SimpleQueue()
        client = httpx.Client(
            base_url=self.base_url, timeout=self.timeout_s, headers={"auth-token": self.key}
        )
        threading.Thread(
            target=lambda: answers.put(_asked(client, zone)), name="electricity-maps", daemon=True
        ).start()
        try:
            return answers.get(timeout=self.timeout_s)
        except queue.Empty:
            return Refusal(f"no whole answer within {self.timeout_s:g} s")
        finally:
            client.close()


def _asked(client: httpx.Client, zone: str) -> Answer:
    try:
        with client.stream("GET", PATH, params={"zone": zone}) as response:
            return _read(response, zone)
    # A client that is closed under its request raises RuntimeError or OSError.
    except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL, RuntimeError, OSError) as error:
        return Refusal(f"request failed ({type(error).__name__})")


def _read(response: httpx.Response, zone: str) -> Answer:
    if response.status_code != httpx.codes.OK:
        return _refused(response)
    body = b""
    for chunk in response.iter_bytes():
        body += chunk
        if len(body) > MAX_ANSWER_BYTES:
            return Refusal(f"answer of more than {MAX_ANSWER_BYTES} bytes")
    return _parsed(body, zone)


def _parsed(body: bytes, zone: str) -> Answer:
    try:
        answer = bounded_json.loads(body)
    except ValueError:
        return Refusal("answer is not JSON")
    if not isinstance(answer, dict) or answer.get("zone", zone) != zone:
        return Refusal("answer is not about the zone that was asked")
    value = answer.get("carbonIntensity")
    if isinstance(value, bool) or not isinstance(value, int | float):
        return Refusal("answer holds no carbonIntensity")
    stated = str(answer.get("datetime", ""))
    return Reading(float(value), stated if _TIME.fullmatch(stated) else "")


def _refused(response: httpx.Response) -> Refusal:
    status, header = response.status_code, response.headers.get("retry-after", "")
    wait_s = float(header) if header.isascii() and header.isdecimal() else None
    if status in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN, httpx.codes.NOT_FOUND}:
        wait_s = HOPELESS_S
    return Refusal(f"HTTP status {status}", status in _ABOUT_THE_ZONE, wait_s)
