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
