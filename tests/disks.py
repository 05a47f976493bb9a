"""Disks without room."""

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
