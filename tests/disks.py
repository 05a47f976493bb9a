"""Disks without room."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def fill(place: Path) -> Path:
    """Fill a disk.

    Returns:
        The file that takes it; deleting it gives the room back.
    """
    filler = place / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(1024))
        except OSError:
            return filler


@contextmanager
def full_disk(*, is_full: bool = True) -> Iterator[None]:
    """Let every write of this process to a file fail, as a quota does, while the disk is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    if is_full:
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
