"""The token of the local interface: from a file that nobody else may read."""

import os
from pathlib import Path

import pytest

from carbon_node.errors import ConfigError
from carbon_node.http.token import SHORTEST_CHARS, is_authorized, read_token

TOKEN = "planted-token-of-the-interface"  # noqa: S105 - planted


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file with a token, as an editor leaves it."""
    path = tmp_path / "token"
    path.write_text(f"  {TOKEN}\n")
    path.chmod(0o600)
    return path


@pytest.mark.parametrize("mode", [0o400, 0o600, 0o440, 0o640])
def test_a_token_is_read_from_a_file_of_its_own(file: Path, mode: int) -> None:
    """The owner's and the group's rights to read do no harm; white space is no part of it."""
    file.chmod(mode)
    assert read_token(file) == TOKEN


@pytest.mark.parametrize("mode", [0o604, 0o602, 0o601, 0o620, 0o666])
def test_a_file_that_is_open_to_others_is_refused(file: Path, mode: int) -> None:
    """The line names the file, its mode, and the command that closes it; never the token."""
    file.chmod(mode)
    with pytest.raises(ConfigError, match=rf"mode {mode:04o}\): chmod g-w,o= {file}") as caught:
        read_token(file)
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize(
    "content",
    [
        *("", "\n", "short", "x" * (SHORTEST_CHARS - 1), "x" * 5000, "two words of a token"),
        *("two\nlines-of-a-token", "tökën-of-the-interface", "null\0in-the-token-of-it"),
    ],
)
def test_what_is_no_token_is_refused(file: Path, content: str) -> None:
    """A short or long text, or one that a header cannot hold, is refused and not repeated."""
    file.write_text(content)
    with pytest.raises(ConfigError, match="holds no token: write 16 to 4096 visible") as caught:
        read_token(file)
    assert not content.strip() or content.strip() not in str(caught.value)


def test_the_shortest_and_the_longest_are_read(file: Path) -> None:
    """The bounds that the refusal names are themselves allowed."""
    for count in (16, 4096):
        file.write_text("x" * count + "\n")
        assert read_token(file) == "x" * count


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    """A missing file, a directory and a pipe are refused at once, with what to do."""
    with pytest.raises(ConfigError, match="none cannot be read: No such file or directory; give"):
        read_token(tmp_path / "none")
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe, 0o600)
    for path in (tmp_path, pipe):
        with pytest.raises(ConfigError, match="is no file"):
            read_token(path)


@pytest.mark.parametrize(
    ("token", "authorization", "expected"),
    [
        ("", "", True),
        ("", "Bearer anything", True),
        (TOKEN, f"Bearer {TOKEN}", True),
        (TOKEN, f"BEARER   {TOKEN} ", True),
        (TOKEN, "", False),
        (TOKEN, "Bearer ", False),
        (TOKEN, TOKEN, False),
        (TOKEN, f"Digest {TOKEN}", False),
        (TOKEN, f"Bearer {TOKEN[:-1]}", False),
        (TOKEN, "Bearer é\udcff", False),
    ],
)
def test_only_who_shows_the_token_is_let_in(
    token: str,
    authorization: str,
    expected: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """The scheme is bearer, the token is the whole one; without a token everybody is let in."""
    assert is_authorized(token, authorization) is expected
