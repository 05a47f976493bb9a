"""What the fields of the settings are made of: their types, and the reasons why some are fixed."""

import re
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, Strict

USED_AT_START = "it is used once, when the node starts"
OPENS_FILE = "a request must not choose files or directories"
OPENS_SOCKET = "a request must not open sockets"
OPERATOR_ONLY = "only the operator decides what peers may do to this node"
USES_DEVICES = "a request must not choose devices of this host"
GUARDS_NODE = "it protects the node from the code that it measures"

MAX_PLACE_CHARACTERS = 200
"""Longest place name that is kept; the longest official names of countries have a third of it."""

MAX_SOCKET_PATH_BYTES = 107
"""Longest path that the kernel takes as the address of a Unix socket."""

_DEVICE = re.compile(r"all|none|[0-9]{1,3}|(GPU|MIG)-[0-9A-Za-z/-]{1,80}")
_ADDRESS = re.compile(r"(?P<host>[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):(?P<port>[0-9]{1,5})")


def setting(
    default: object,
    description: str,
    *,
    unit: str = "",
    fixed: str = "",
    allowed: str = "",
    ge: float | None = None,
    gt: float | None = None,
    le: float | None = None,
) -> Any:  # noqa: ANN401 (stands where pydantic's own Field, which is typed Any, would stand)
    """Return a field with its unit, its values in words, and why it is fixed, each empty for none.

    Bounds are those of pydantic: at least, above, at most.
    """
    words = {"unit": unit, "fixed": fixed, "allowed": allowed}
    return Field(
        default,
        description=description,
        ge=ge,
        gt=gt,
        le=le,
        json_schema_extra={name: word for name, word in words.items() if word},
    )


def _absolute(path: Path) -> Path:
    if not path.is_absolute() or "\0" in str(path):
        raise ValueError("not an absolute path")
    return path


def _listen_address(text: str) -> str:
    path = text.removeprefix("unix:")
    if path.startswith("/") and path.isprintable() and len(path.encode()) <= MAX_SOCKET_PATH_BYTES:
        return text
    if text == "off":
        return text
    address = _ADDRESS.fullmatch(text)
    if address is None or int(address["port"]) > 65535:
        raise ValueError("not an address")
    return text


def _one_line(text: str) -> str:
    text = text.strip()
    if not text.isprintable() or len(text) > MAX_PLACE_CHARACTERS:
        raise ValueError("not one short printable line")
    return text


def _visible(secret: SecretStr) -> SecretStr:
    text = secret.get_secret_value()
    if not (text and text.isascii() and text.isprintable()):
        raise ValueError("not visible text")
    return secret


def _device(text: str) -> str:
    if not _DEVICE.fullmatch(text):
        raise ValueError("not a device")
    return text


# A path arrives as text from every source, which pydantic's strict mode alone would refuse.
AbsolutePath = Annotated[Path, Strict(strict=False), AfterValidator(_absolute)]
Device = Annotated[str, AfterValidator(_device)]
Address = Annotated[str, AfterValidator(_listen_address)]
Key = Annotated[SecretStr, AfterValidator(_visible)]
OneLine = Annotated[str, AfterValidator(_one_line)]


class Frozen(BaseModel):
    """A table of settings; strict, so that a request's "1.25" or true is not taken for a number."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        allow_inf_nan=False,
        # one of the inputs is a secret
        hide_input_in_errors=True,
        # pydantic would warn about settings whose name begins with model_
        protected_namespaces=(),
    )
