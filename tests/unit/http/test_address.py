"""What `http_listen` may say."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbon_node.errors import ConfigError
from carbon_node.http.address import (
    UNIX_PATH_LIMIT_BYTES,
    Address,
    TcpAddress,
    UnixAddress,
    exposure,
    parse_address,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("127.0.0.1:9415", TcpAddress("127.0.0.1", 9415)),
        ("localhost:0", TcpAddress("localhost", 0)),
        ("[::1]:9415", TcpAddress("::1", 9415)),
        ("0.0.0.0:65535", TcpAddress("0.0.0.0", 65535)),  # noqa: S104  # parsed only
        ("/run/carbon-node/http.sock", UnixAddress(Path("/run/carbon-node/http.sock"))),
        ("unix:/run/carbon-node/http.sock", UnixAddress(Path("/run/carbon-node/http.sock"))),
        ("off", None),
    ],
)
def test_every_form_is_read(text: str, expected: Address | None) -> None:
    """TCP addresses, socket paths and off are told apart."""
    assert parse_address(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "9415",
        ":9415",
        "localhost",
        "localhost:",
        "localhost:65536",
        "localhost:-1",
        "localhost:٣",
        "localhost:" + "9" * 5000,
        "unix:relative.sock",
        "unix:",
        "/" + "x" * UNIX_PATH_LIMIT_BYTES,
        "/run/\0.sock",
        "OFF",
    ],
)
def test_everything_else_is_refused_with_its_value(text: str) -> None:
    """The message shows what was given and what is expected."""
    with pytest.raises(ConfigError, match="http_listen is "):
        parse_address(text)


@given(st.integers(0, 65535), st.sampled_from(["127.0.0.1", "::1", "node.example"]))
def test_an_address_is_read_from_its_own_text(port: int, host: str) -> None:
    """Printing and reading an address are inverse."""
    address = TcpAddress(host, port)
    assert parse_address(str(address)) == address


@pytest.mark.parametrize(
    "text",
    ["127.0.0.1:9415", "127.1.2.3:1", "localhost:9415", "[::1]:9415", "[::ffff:127.0.0.1]:1"],
)
def test_loopback_addresses_and_sockets_are_not_exposed(text: str) -> None:
    """Nobody but users of this host reaches them."""
    assert exposure(parse_address(text), has_token=False) is None
    assert exposure(UnixAddress(Path("/run/a")), has_token=False) is None
    assert exposure(None, has_token=False) is None


@pytest.mark.parametrize(
    "text", ["0.0.0.0:9415", "10.1.2.3:9415", "[::]:9415", "[fe80::1]:9415", "node.example:9415"]
)
def test_other_addresses_are_exposed_unless_a_token_guards_them(text: str) -> None:
    """The line names the address, and both remedies."""
    said = exposure(parse_address(text), has_token=False)
    assert said is not None
    for part in (f"reach {text} ", "http_token_file", "Unix socket"):
        assert part in said
    assert exposure(parse_address(text), has_token=True) is None
