"""The JSON that travels as octets in `extra_data`.

Any key of a REST client ends up in a user input's extra_data, and the orchestrator parses ours
without a guard: what comes in is read with suspicion, what goes out is always a UTF-8 JSON object
with `num_outputs` and `model_restrains`.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from carbon_node.wire import bounded_json

AUTO_REITERATE: Final = "auto_reiterate"
"""Key by which an output of the carbon node of 2026 asks for another iteration."""

MAX_EXTRA_DATA_BYTES = 8 * 2**20
"""Longest extra_data that is read: parsing takes about 20 ms per MiB of the event loop's time, and
real ones have a few kB."""


@dataclass(frozen=True, slots=True)
class ExtraData:
    """Content of an extra_data, or the reason why it has none.

    Args:
        content: the JSON object; empty if there is none that can be read. May hold the user's
            `hf_token`.
        problem: why the octets could not be read; empty if they could.
    """

    content: Mapping[str, object]
    problem: str = ""

    def __repr__(self) -> str:
        """Name the keys only: the values may be secret."""
        return f"ExtraData(keys={sorted(self.content)}, problem={self.problem!r})"


def read(octets: bytes) -> ExtraData:
    """Read an extra_data without trusting it.

    Args:
        octets: as they came; empty means no content.

    Returns:
        The content, or no content and the problem. The problem quotes nothing of the octets.
    """
    if not octets:
        return ExtraData({})
    if len(octets) > MAX_EXTRA_DATA_BYTES:
        return ExtraData(
            {}, f"{len(octets)} bytes are more than the {MAX_EXTRA_DATA_BYTES} that are read"
        )
    try:
        content = bounded_json.loads(octets.decode("utf-8"))
    except UnicodeDecodeError as error:
        return ExtraData({}, f"not UTF-8 at byte {error.start}")
    except bounded_json.NestedTooDeep as error:
        return ExtraData({}, f"JSON {error}")
    except ValueError:
        return ExtraData({}, "not JSON")
    if not isinstance(content, dict):
        return ExtraData({}, f"a JSON {type(content).__name__} instead of an object")
    return ExtraData(content)


def number_of_outputs(user_input: Mapping[str, object]) -> int:
    """Tell how many results the orchestrator still wants for this problem.

    Args:
        user_input: content of the user input's extra_data.

    Returns:
        Its `num_outputs`, at least 1; 1 where it is missing or not an integer.
    """
    count = count_of(user_input.get("num_outputs"))
    return 1 if count is None else count


def count_of(value: object) -> int | None:
    """Read a count of an extra_data; None for anything that is no integer of at least 1.

    Args:
        value: as parsed.
    """
    match value:
        case bool():
            return None
        case int() if value >= 1:
            return value
        case _:
            return None


def model_restrains(user_input: Mapping[str, object], model: str) -> list[str]:
    """List the models that a next iteration must not choose again.

    Args:
        user_input: content of the user input's extra_data.
        model: id of this task's model; left out if empty.

    Returns:
        This model first, then those of the user input, without repeats.
    """
    match user_input.get("model_restrains"):
        case list(earlier):
            names = [name for name in earlier if isinstance(name, str)]
        case _:
            names = []
    return list(dict.fromkeys(_without_surrogates(name) for name in [model, *names] if name))


def number(value: object) -> float | None:
    """Read a number of an extra_data; None for anything that is none in JSON.

    Args:
        value: as parsed.
    """
    match value:
        case bool():
            return None
        case int() | float():
            try:
                return float(value)
            except OverflowError:
                return float("inf")
        case _:
            return None


def write(
    outputs: int, restrains: Sequence[str], rest: Mapping[str, object], error: str | None = None
) -> bytes:
    """Write the extra_data of an output.

    Args:
        outputs: `num_outputs`, >= 1.
        restrains: `model_restrains`.
        rest: further keys, without those three that consumers rely on.
        error: why there is no result; None if there is one.

    Returns:
        A compact UTF-8 JSON object, the consumers' keys first.

    Raises:
        ValueError: a number in `rest` is not finite.
    """
    content: dict[str, object] = {"num_outputs": outputs, "model_restrains": list(restrains)}
    if error is not None:
        content["error"] = _without_surrogates(error)
    content |= {key: value for key, value in rest.items() if key not in content}
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return _without_surrogates(text).encode("utf-8")


def with_single_output(octets: bytes) -> bytes:
    """Rewrite the extra_data of an output that is published again.

    A `num_outputs` above 1, or a true `auto_reiterate`, would start another iteration, one that was
    started before.

    Args:
        octets: what `write` has written.
    """
    content = dict(read(octets).content)
    asks = content.get(AUTO_REITERATE, False)
    if content.pop("num_outputs", None) == 1 and not asks:
        return octets
    if asks:
        content[AUTO_REITERATE] = False
    text = json.dumps({"num_outputs": 1} | content, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8")


def error_in(octets: bytes) -> str | None:
    """Return the error in the extra_data of an output; None if it has a result."""
    error = read(octets).content.get("error")
    return None if error is None else str(error)


def _without_surrogates(text: str) -> str:
    # A peer's JSON may spell half of a surrogate pair; UTF-8 cannot, and the orchestrator's parser
    # would end its process.
    return text.encode("utf-8", "replace").decode("utf-8") if not text.isascii() else text
