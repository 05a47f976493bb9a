"""Draw a random sample of mutants: `python -m mutation.draw PACKAGE SAMPLE SEED`, JSON on stdout.

Runs in Cosmic Ray's own environment. Only such changes are drawn as can turn one behaviour into
another. Left out is what no test could see, and what breaks wherever it runs and so flatters tests:

- a decorator removed, and what is in `@dataclass(...)`: frozen and slots are for readers;
- `==` turned into `is` or `is` into `==`, which depends on what Python shares;
- an operator for numbers turned into one for sets and bits, or back;
- signatures, `|` in annotations and in names for types, and imports for type checkers alone.
"""

import ast
import json
import random
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names

from mutation.mutant import SOURCES, Mutant

LEFT_OUT = {"RemoveDecorator", "VariableInserter", "VariableReplacer"}
ALIKE = (
    {"Add", "Sub", "Mul", "Div", "FloorDiv", "Mod", "Pow"},
    {"BitAnd", "BitOr", "BitXor"},
    {"Is", "IsNot"},
    {"Eq", "NotEq", "Lt", "LtE", "Gt", "GtE"},
)
"""Only operators of the same group take each other's place."""

Position = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Change:
    """One change that could be made: the `occurrence`-th of an operator, at a place of a module."""

    operator: str
    occurrence: int
    start: Position
    end: Position


def main(name: str, sample: int, seed: int) -> None:
    """Print the sample, each module's share in proportion to its places, and one at the least."""
    ranked = [
        (rank / len(places), path, changes)
        for path in modules(name)
        for places in [shuffled_places(path, seed)]
        for rank, changes in enumerate(places)
    ]
    ranked.sort(key=lambda entry: entry[:2])
    drawn: list[dict[str, object]] = []
    for _, path, changes in ranked:
        if len(drawn) == sample:
            break
        if mutant := first_that_compiles(path, changes):
            drawn.append(asdict(mutant))
    print(json.dumps(drawn))


def modules(name: str) -> list[Path]:
    """Return the files of a package, or the one of a module."""
    place = SOURCES.joinpath(*name.split("."))
    return sorted(place.rglob("*.py")) if place.is_dir() else [place.with_suffix(".py")]


def shuffled_places(path: Path, seed: int) -> list[list[Change]]:
    """Return what can be changed at each place of a module, places and changes in random order."""
    # Not for secrets: the same seed has to draw the same sample.
    chance = random.Random(f"{seed} {path}")  # noqa: S311
    by_place = defaultdict(list)
    for change in changes_of(path.read_text(encoding="utf-8")):
        by_place[change.start, change.end].append(change)
    places = [by_place[place] for place in sorted(by_place)]
    chance.shuffle(places)
    for changes in places:
        chance.shuffle(changes)
    return places


def changes_of(source: str) -> Iterator[Change]:
    """Yield every change that could be made to a module."""
    nodes = list(ast_nodes(get_ast(source)))
    dull = list(dull_spans(ast.parse(source)))
    for operator in filter(is_telling, operator_names()):
        positions_in = get_operator(operator)().mutation_positions
        positions = (position for node in nodes for position in positions_in(node))
        for occurrence, (start, end) in enumerate(positions):
            within = (kind for kind, first, last in dull if first <= start and end <= last)
            if not any(kind in operator for kind in within):
                yield Change(operator, occurrence, start, end)


def is_telling(operator: str) -> bool:
    """Whether the changes of an operator say something about tests."""
    name, *kinds = operator.removeprefix("core/").split("_")
    if name in ("ReplaceBinaryOperator", "ReplaceComparisonOperator"):
        return any(alike.issuperset(kinds) for alike in ALIKE)
    return name not in LEFT_OUT


def dull_spans(tree: ast.Module) -> Iterator[tuple[str, Position, Position]]:
    """Yield where changes say nothing, each with a part of the names of the operators meant."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(body=[first, *_]) | ast.AsyncFunctionDef(body=[first, *_]):
                # Its stars and slashes are taken for operators.
                yield "BinaryOperator", span(node)[0], span(first)[0]
            case ast.AnnAssign(annotation=types):
                yield "BitOr", *span(types)
            case ast.Assign(value=ast.BinOp(op=ast.BitOr()) as types) if node in tree.body:
                yield "BitOr", *span(types)
            case ast.ClassDef(decorator_list=decorators):
                yield from (("", *span(decorator)) for decorator in decorators)
            case ast.If(test=ast.Name(id="TYPE_CHECKING")):
                yield "", *span(node)
            case _:
                pass


def span(node: ast.expr | ast.stmt) -> tuple[Position, Position]:
    """Return where a node starts and ends: lines from 1, columns from 0."""
    return (node.lineno, node.col_offset), (node.end_lineno or 0, node.end_col_offset or 0)


def first_that_compiles(path: Path, changes: list[Change]) -> Mutant | None:
    """Return the mutant of the first change that is Python and not the same program."""
    original = path.read_text(encoding="utf-8")
    for change in changes:
        source = mutate_code(original, get_operator(change.operator)(), change.occurrence)
        if source is not None and is_another_program(original, source):
            module = ".".join(path.relative_to(SOURCES).with_suffix("").parts)
            operator = change.operator.removeprefix("core/")
            return Mutant(module, str(path), change.start[0], operator, source)
    return None


def is_another_program(original: str, source: str) -> bool:
    """Whether the source parses, and as something else than the original."""
    try:
        return ast.dump(ast.parse(source)) != ast.dump(ast.parse(original))
    except SyntaxError:
        return False


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
