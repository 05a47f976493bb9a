"""The description of the interface says what the interface does."""

import json
from typing import Any

import jsonschema
import pytest
from tests.unit.http.node_view import Answer, PlainView, ask, serving

from carbon_node.http.app import operations
from carbon_node.observability.metrics import Metrics

pytestmark = pytest.mark.anyio

EXAMPLES = {"{problem}": "2", "{iteration}": "1"}


async def fetched(*paths: str) -> list[Answer]:
    """Answers of one served interface."""
    async with serving() as interface:
        return [await ask(interface, path) for path in paths]


@pytest.fixture
async def description() -> dict[str, Any]:
    """The description as served."""
    (answer,) = await fetched("/openapi.json")
    content: dict[str, Any] = json.loads(answer.body)
    return content


def example(path: str) -> str:
    """A path with its parameters filled in."""
    for parameter, value in EXAMPLES.items():
        path = path.replace(parameter, value)
    return path


async def test_every_route_is_described_and_every_description_is_routed(
    description: dict[str, Any],
) -> None:
    """Routes and description name the same paths."""
    routed = {operation.path for operation in operations(PlainView(), Metrics())}
    assert set(description["paths"]) == routed


def _closed(schema: Any) -> Any:  # noqa: ANN401  # any part of a schema
    """The schema with every object limited to its known properties."""
    match schema:
        case {"type": "object", "properties": _}:
            known = {key: _closed(part) for key, part in schema.items()}
            return {"additionalProperties": False} | known
        case dict():
            return {key: _closed(part) for key, part in schema.items()}
        case list():
            return [_closed(part) for part in schema]
        case _:
            return schema


async def test_every_described_path_answers_as_described(description: dict[str, Any]) -> None:
    """Each path gives a described status, and JSON that its schema describes."""
    paths = list(description["paths"])
    answers = await fetched(*map(example, paths))
    for path, answer in zip(paths, answers, strict=True):
        described = description["paths"][path]["get"]["responses"][str(answer.status)]["content"]
        media = answer.headers["content-type"].partition(";")[0]
        assert media in described
        if media == "application/json":
            schema = described[media]["schema"] | {"components": description["components"]}
            jsonschema.validate(json.loads(answer.body), _closed(schema))


async def test_every_reference_leads_somewhere(description: dict[str, Any]) -> None:
    """No schema refers to one that is not there."""
    names = {f"#/components/schemas/{name}" for name in description["components"]["schemas"]}
    text = json.dumps(description)
    used = {part.split('"')[0] for part in text.split('"$ref": "')[1:]}
    assert used
    assert used <= names


async def test_parameters_are_those_of_the_paths(description: dict[str, Any]) -> None:
    """Path parameters are described, required, and stand in the path."""
    for path, described in description["paths"].items():
        for parameter in described["get"]["parameters"]:
            is_in_path = "{" + parameter["name"] + "}" in path
            assert (parameter["in"] == "path") == is_in_path == parameter["required"]
