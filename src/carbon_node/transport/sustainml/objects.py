"""The objects of `sustainml_py` and what they hold, as samples of the wire.

The library names its accessors after the members on the wire; each reads without an argument and
writes with one. Its objects live in C++ and only as long as the callback that got them, so
everything is copied.
"""

import importlib
from collections.abc import Callable, Iterable
from typing import Any, Protocol, TypeVar

from carbon_node.errors import BindingUnavailable
from carbon_node.wire.samples import (
    CO2Footprint,
    ConfigurationRequest,
    ConfigurationResponse,
    HWResource,
    MLModel,
    UserInput,
)
from carbon_node.wire.types import STRUCTS, Struct, decode

SampleT = TypeVar("SampleT", UserInput, MLModel, HWResource, ConfigurationRequest)

MODULE = "sustainml_py.nodes.CarbonFootprintNode"
"""Where the library keeps the node's class."""


class LibraryNode(Protocol):
    """A node of the library: a participant and two threads that call its callbacks."""

    def spin(self) -> None:
        """Announce IDLE, then block until the class is told to terminate."""
        ...


class LibraryNodeClass(Protocol):
    """The class of the node, `CarbonFootprintNode`."""

    def __call__(
        self, *, callback: Callable[..., None], service_callback: Callable[..., None]
    ) -> LibraryNode:
        """Join the domain; callbacks may come from now on."""
        ...

    def terminate(self) -> None:
        """End `spin` of every node of this process, now and later."""
        ...


def library_node_class() -> LibraryNodeClass:
    """Import the library, which loads the workspace's Fast DDS into this process.

    Raises:
        BindingUnavailable: it cannot be imported.
    """
    try:
        node_class: LibraryNodeClass = importlib.import_module(MODULE).CarbonFootprintNode
    except (ImportError, AttributeError) as error:
        raise BindingUnavailable(
            f"{MODULE} cannot be imported ({error}): source the install/setup.bash of a SustainML "
            "workspace that was built for this Python, or choose --transport=fastdds"
        ) from error
    return node_class


def copied(sample_type: type[SampleT], source: object) -> SampleT:
    """Copy an object of the library.

    Args:
        sample_type: what it is on the wire.
        source: the library's object; called from the thread of its callback.

    Raises:
        WireError: an enumeration has a value that the contract does not know.
    """
    sample = decode(sample_type, _members(STRUCTS[sample_type], source))
    assert isinstance(sample, sample_type)  # noqa: S101 - decode constructs the type that it is given
    return sample


def fill(target: object, sample: CO2Footprint | ConfigurationResponse) -> None:
    """Write a sample into an object of the library.

    Args:
        target: the library's object; it takes its task id from the inputs by itself.
        sample: the values.
    """
    for member in STRUCTS[type(sample)].members:
        if not isinstance(member.type, Struct):
            getattr(target, member.name)(getattr(sample, member.name))


def _members(struct: Struct, source: object) -> tuple[Any, ...]:
    return tuple(_copied(member.type, getattr(source, member.name)()) for member in struct.members)


def _copied(kind: object, value: Any) -> object:  # noqa: ANN401 - any value of the library
    match kind:
        case Struct():
            return _members(kind, value)
        case "string":
            return _text(value)
        case "sequence<string>":
            strings: Iterable[str] = value
            return tuple(_text(item) for item in strings)
        case "sequence<octet>":
            return bytes(value)
        case _:
            return value


def _text(value: str) -> str:
    # What is not UTF-8 comes out of the library as lone surrogates, which no log and no JSON takes.
    return value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
