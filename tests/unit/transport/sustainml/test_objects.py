"""What is read from the library's objects, and from a workspace that has none."""

import sys

import pytest
from tests.library import LibraryObject

from carbon_node.errors import BindingUnavailable
from carbon_node.transport.sustainml.objects import MODULE, copied, library_node_class
from carbon_node.wire.samples import ConfigurationRequest


def test_text_that_is_not_utf_8_is_repaired() -> None:
    """Lone surrogates, as the library hands them out, become replacement characters."""
    source = LibraryObject(node_id=1, transaction_id=2, configuration="a\udcffb")
    assert copied(ConfigurationRequest, source).configuration == "a\N{REPLACEMENT CHARACTER}b"


def test_a_library_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says what to do."""
    monkeypatch.setitem(sys.modules, MODULE, None)
    with pytest.raises(BindingUnavailable, match=r"setup\.bash"):
        library_node_class()
