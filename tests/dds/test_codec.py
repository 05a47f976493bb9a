"""The binding's codec: what it writes, what it reads, and what it refuses to believe."""

import hashlib
import itertools
import json
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.dds.plain_cdr import plain_payload
from tests.dds.recorded import EVERY_KIND, RECORDED, Values

from carbon_node.transport.binding import native
from carbon_node.transport.endpoints import native_type
from carbon_node.wire.samples import CO2Footprint, HWResource, MLModel, NodeStatus, TaskId
from carbon_node.wire.types import STRUCTS, Member, Struct, encode

Record: TypeAlias = dict[str, Any]

RECORDS: list[Record] = json.loads(Path("tests/data/payloads.json").read_text())
CASES = list(zip(RECORDED, RECORDS, strict=True))
NAMES = [f"{number}-{record['type']}" for number, record in enumerate(RECORDS)]
KNOWN = pytest.mark.parametrize(("sample", "record"), CASES, ids=NAMES)


def shortened(payload: bytes) -> str:
    """A payload as it was recorded."""
    return payload.hex() if len(payload) < 2000 else f"sha256:{hashlib.sha256(payload).hexdigest()}"


@KNOWN
@pytest.mark.parametrize("is_xcdr2", [False, True])
def test_payloads_are_those_of_dynamic_types(
    sample: tuple[Struct, Values], record: Record, *, is_xcdr2: bool
) -> None:
    """What was recorded from Fast DDS's own encoding is what is written, and it is read back."""
    struct, values = sample
    struct_type = native_type(struct)
    payload = struct_type.to_payload(values, is_xcdr2=is_xcdr2)
    assert shortened(payload) == record["xcdr2" if is_xcdr2 else "xcdr1"]
    assert struct_type.from_payload(payload) == values


@KNOWN
def test_handles_are_those_of_dynamic_types(sample: tuple[Struct, Values], record: Record) -> None:
    """Instances have the handles that peers compute too, from whatever representation."""
    struct, values = sample
    struct_type = native_type(struct)
    for is_xcdr2 in (False, True):
        payload = struct_type.to_payload(values, is_xcdr2=is_xcdr2)
        if record["handle"] is None:
            with pytest.raises(native.Error, match="no key"):
                struct_type.handle_of(payload, is_hashed=False)
        else:
            assert struct_type.handle_of(payload, is_hashed=False).hex() == record["handle"]
            assert struct_type.handle_of(payload, is_hashed=True).hex() == record["md5"]


@pytest.mark.parametrize(
    ("sample", "key"),
    [
        (CO2Footprint(task_id=TaskId(1, 2)), "00000001 00000002 00000000 00000000"),
        (NodeStatus(node_name="n", task_id=TaskId(1, 2)), ""),
    ],
)
def test_handles_hold_short_keys_and_digests_of_others(
    sample: CO2Footprint | NodeStatus, key: str
) -> None:
    """A key that may be longer than a handle is hashed, even where it happens to be short."""
    struct = STRUCTS[type(sample)]
    struct_type = native_type(struct)
    handle = struct_type.handle_of(
        struct_type.to_payload(encode(sample), is_xcdr2=False), is_hashed=False
    )
    serialized = bytes.fromhex("00000002 6e00 0000 00000001 00000002")
    expected = bytes.fromhex(key) if key else hashlib.md5(serialized).digest()  # noqa: S324
    assert handle == expected


@pytest.mark.parametrize(
    "sample",
    [each for each in RECORDED if each[0].extensibility != "mutable"],
    ids=lambda sample: sample[0].name,
)
@pytest.mark.parametrize("is_big", [False, True])
def test_peers_of_any_endianness_are_read(sample: tuple[Struct, Values], *, is_big: bool) -> None:
    """Samples of another encoder are read, and their instances are the same."""
    struct, values = sample
    struct_type = native_type(struct)
    payload = plain_payload(struct, values, is_big=is_big)
    assert struct_type.from_payload(payload) == values
    own = struct_type.to_payload(values, is_xcdr2=False)
    assert payload == own or is_big
    if any(member.is_key for member in struct.members):
        handles = [struct_type.handle_of(each, is_hashed=False) for each in (payload, own)]
        assert handles[0] == handles[1]


@KNOWN
@pytest.mark.parametrize("is_xcdr2", [False, True])
def test_samples_that_end_early_are_skipped_or_short(
    sample: tuple[Struct, Values], record: Record, *, is_xcdr2: bool
) -> None:
    """A payload cut anywhere is refused, or its later members keep their defaults."""
    struct, values = sample
    struct_type = native_type(struct)
    payload = struct_type.to_payload(values, is_xcdr2=is_xcdr2)
    for length in range(min(len(payload), 300)):
        found = struct_type.from_payload(payload[:length])
        assert found is None or len(found) == len(values)
    assert record["type"] == struct.name


@given(st.data())
def test_no_payload_does_harm(data: st.DataObject) -> None:
    """Whatever comes is a sample or is skipped, and so is its key."""
    struct, values = data.draw(st.sampled_from(RECORDED))
    struct_type = native_type(struct)
    payload = bytearray(struct_type.to_payload(values, is_xcdr2=data.draw(st.booleans())))
    for _ in range(data.draw(st.integers(1, 6))):
        position = data.draw(st.integers(0, min(len(payload), 400) - 1))
        payload[position] = data.draw(st.sampled_from((0, 1, 2, 0x3F, 0x40, 0x50, 0x80, 0xFF)))
    payload[1] = data.draw(st.sampled_from((payload[1], *range(12))))
    octets = bytes(payload[: data.draw(st.integers(0, len(payload)))])
    found = struct_type.from_payload(octets)
    assert found is None or len(found) == len(values)
    if found is None and any(member.is_key for member in struct.members):
        with pytest.raises(native.Error, match="no key"):
            struct_type.handle_of(octets, is_hashed=False)


@pytest.mark.parametrize("kind", ["string", "sequence<octet>", "sequence<string>"])
@pytest.mark.parametrize("order", ["little", "big"])
def test_lengths_that_lie_are_refused(kind: Any, order: Any) -> None:  # noqa: ANN401
    """A length beyond the end of the payload is not believed, so nothing is allocated for it."""
    struct_type = native_type(Struct("T", (Member("m", kind),)))
    header = bytes((0, order == "little", 0, 0))
    for stated in (5, 2**31, 2**32 - 1):
        assert struct_type.from_payload(header + stated.to_bytes(4, order) + b"abcd") is None


def test_lengths_within_a_mutable_struct_end_with_the_payload() -> None:
    """A header that promises more than there is, or stands at an odd end, is refused."""
    struct_type = native_type(Struct("T", (Member("m", "string"),), "mutable"))
    whole = struct_type.to_payload(("abc",), is_xcdr2=False)
    assert whole == bytes.fromhex("00030000 0000 0800 04000000 61626300 023f 0000")
    for end in (1, 2, 3, 4, 5, 6, 7):
        for claimed in range(4):
            octets = bytes((0, claimed)) + whole[2:-end]
            assert struct_type.from_payload(octets) is None
    assert struct_type.from_payload(whole[:6] + b"\x60" + whole[7:]) is None


@pytest.mark.parametrize("sample", RECORDED, ids=lambda sample: sample[0].name)
def test_padding_that_lies_is_refused(sample: tuple[Struct, Values]) -> None:
    """More padding than there are octets is not believed; fastcdr would read on after the end."""
    struct_type = native_type(sample[0])
    for encoding, padding in itertools.product(range(12), (1, 2, 3, 0xFF)):
        assert struct_type.from_payload(bytes((0, encoding, 0, padding))) is None


@pytest.mark.parametrize("padding", [1, 2, 3])
def test_padding_is_no_content(padding: int) -> None:
    """Octets that the header declares to be padding are not read as further members."""
    struct_type = native_type(Struct("T", (Member("m", "string"), Member("n", "boolean"))))
    text = bytes(3 - padding) + b"\0"
    content = len(text).to_bytes(4, "little") + text
    octets = bytes((0, 1, 0, padding)) + content + bytes(padding)
    assert struct_type.from_payload(octets) == ("\0" * (3 - padding), False)


def test_unknown_members_are_passed_over() -> None:
    """A later version's mutable struct is read as far as it is known."""
    known = Struct("T", (Member("m", "uint32", id=7),), "mutable")
    later = replace(known, members=(Member("new", "string", id=3), *known.members))
    for is_xcdr2 in (False, True):
        payload = native_type(later).to_payload(("text", 5), is_xcdr2=is_xcdr2)
        assert native_type(known).from_payload(payload) == (5,)


def test_members_that_are_not_there_have_defaults() -> None:
    """An earlier version's appendable struct is read; what it lacks is zero or empty."""
    known = EVERY_KIND[1]
    earlier = replace(known, members=known.members[:1])
    for is_xcdr2 in (False, True):
        payload = native_type(earlier).to_payload(("text",), is_xcdr2=is_xcdr2)
        expected = ("text", False, 0.0, False, 0, b"", 0, (), 0.0, (False, 0.0))
        assert native_type(known).from_payload(payload) == expected


def test_text_with_an_end_within_is_refused() -> None:
    """NUL would end a text early at the reader, so it is not written."""
    struct_type = native_type(Struct("T", (Member("m", "string"),)))
    with pytest.raises(native.Error, match="encode T: ERROR"):
        struct_type.to_payload(("a\0b",), is_xcdr2=False)


@pytest.mark.parametrize(
    ("octets", "text"),
    [(b"", ""), (b"a", "a"), (b"a\0", "a"), (b"a\0b\0", "a\0b"), (b"\xff\xc3\0", "\ufffd\ufffd")],
)
def test_foreign_texts_are_read(octets: bytes, text: str) -> None:
    """Text with or without its end, empty or not UTF-8, is read as well as it can be."""
    payload = bytes((0, 1, 0, 0)) + len(octets).to_bytes(4, "little") + octets
    assert native_type(Struct("T", (Member("m", "string"),))).from_payload(payload) == (text,)


def test_a_boolean_is_zero_or_one() -> None:
    """Another octet is no boolean, and its sample is skipped."""
    struct_type = native_type(Struct("T", (Member("m", "boolean"),)))
    found = [struct_type.from_payload(bytes((0, 1, 0, 0, octet))) for octet in (0, 1, 2)]
    assert found == [(False,), (True,), None]


@pytest.mark.parametrize("wrap", [bytes, bytearray, memoryview])
def test_octets_are_written_from_any_buffer(wrap: Any) -> None:  # noqa: ANN401 - a constructor
    """Octets are sent without being copied first."""
    struct_type = native_type(STRUCTS[HWResource])
    octets = bytes(range(256))
    values = encode(HWResource(extra_data=cast(bytes, wrap(octets))))
    found = struct_type.from_payload(struct_type.to_payload(values, is_xcdr2=False))
    assert found is not None
    assert found[-2] == octets


def test_only_borrowed_octets_are_views() -> None:
    """A borrowed member is a read-only view, even if it is empty; others are bytes."""
    struct_type = native_type(STRUCTS[MLModel])
    for octets in (b"", b"model"):
        values = encode(MLModel(raw_model=octets, extra_data=b"extra"))
        found = struct_type.from_payload(struct_type.to_payload(values, is_xcdr2=False))
        assert found is not None
        view = found[2]
        assert isinstance(view, memoryview)
        assert (view.readonly, view.format, bytes(view)) == (True, "B", octets)
        assert type(found[-2]) is bytes
