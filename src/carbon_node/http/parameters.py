"""Parameters of requests: what they may be; whatever else a request carries is refused."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from starlette.exceptions import HTTPException
from starlette.requests import Request

from carbon_node.json_value import Json

SHOWN_CHARS = 80
"""Characters of a refused text that are repeated."""


@dataclass(frozen=True, slots=True)
class Number:
    """An unsigned integer.

    Args:
        name: as it stands in the path or query.
        place: where it stands.
        summary: what it means.
        minimum: smallest accepted value.
        maximum: largest accepted value.
        default: taken where the query does not carry it.
    """

    name: str
    place: Literal["path", "query"]
    summary: str
    minimum: int
    maximum: int
    default: int | None = None

    @property
    def schema(self) -> Mapping[str, Json]:
        """Its JSON schema."""
        schema: dict[str, Json] = {"type": "integer"}
        schema |= {"minimum": self.minimum, "maximum": self.maximum}
        return schema if self.default is None else schema | {"default": self.default}


@dataclass(frozen=True, slots=True)
class Text:
    """A text in the query, which may be left out.

    Args:
        name: as it stands in the query.
        summary: what it means.
    """

    name: str
    summary: str
    place: Literal["query"] = "query"

    @property
    def schema(self) -> Mapping[str, Json]:
        """Its JSON schema."""
        return {"type": "string"}


Parameter: TypeAlias = Number | Text


def refuse_others(request: Request, known: Iterable[Parameter]) -> None:
    """Refuse a request whose query carries anything but known parameters, each once.

    Raises:
        HTTPException: it does; 400.
    """
    names = [parameter.name for parameter in known if parameter.place == "query"]
    given = [name for name, _ in request.query_params.multi_items()]
    for name in given:
        if name not in names:
            takes = f"takes {', '.join(names)}" if names else "takes none"
            raise HTTPException(400, f"unknown parameter {_quoted(name)}: this path {takes}")
        if given.count(name) > 1:
            raise HTTPException(400, f"{name} is given more than once")


def number_in_query(request: Request, parameter: Number) -> int:
    """Return the value of a parameter, its default where the query has none.

    Raises:
        HTTPException: it is out of bounds or no number; 400.
    """
    text = request.query_params.get(parameter.name, str(parameter.default))
    number = whole_number(text, parameter.maximum)
    if number is None or number < parameter.minimum:
        raise refusal(parameter, text, f"{parameter.minimum}..{parameter.maximum}")
    return number


def refusal(parameter: Parameter, text: str, expected: str) -> HTTPException:
    """Return the error that refuses a parameter's value."""
    return HTTPException(400, f"{parameter.name} is {_quoted(text)}, expected {expected}")


def whole_number(text: str, maximum: int) -> int | None:
    """Return the decimal number up to `maximum`, None if the text is anything else."""
    is_number = text.isascii() and text.isdecimal() and len(text) <= len(str(maximum))
    return int(text) if is_number and int(text) <= maximum else None


def _quoted(text: str) -> str:
    return repr(text[:SHOWN_CHARS])
