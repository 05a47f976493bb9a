"""The OpenAPI description of the interface, made from the table that makes its routes too."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, TypeAlias

from pydantic import TypeAdapter
from pydantic.json_schema import JsonSchemaMode
from starlette.requests import Request
from starlette.responses import Response

from carbon_node.http.parameters import Parameter

Endpoint: TypeAlias = Callable[[Request], Awaitable[Response]]

_SERIALIZED: JsonSchemaMode = "serialization"
_REFERENCE = "#/components/schemas/{model}"
_ERROR = {
    "type": "object",
    "properties": {"error": {"type": "string"}, "detail": {"type": "string"}},
    "required": ["error", "detail"],
}


@dataclass(frozen=True, slots=True)
class Operation:
    """What GET answers at one path.

    Args:
        path: with parameters in braces.
        endpoint: what answers.
        summary: what the answer is.
        answer: type of the JSON answer; None for text.
        parameters: what the path or query carries.
        statuses: status codes of that answer.
        failures: status codes of errors, apart from those that any request can get.
        link: what its `Link` header leads to; empty if it has none.
    """

    path: str
    endpoint: Endpoint
    summary: str
    answer: TypeAdapter[Any] | None
    parameters: tuple[Parameter, ...] = ()
    statuses: tuple[int, ...] = (200,)
    failures: tuple[int, ...] = ()
    link: str = ""


def description(operations: Sequence[Operation], version: str) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of the operations."""
    answers = [(op.path, _SERIALIZED, op.answer) for op in operations if op.answer is not None]
    schemas, shared = TypeAdapter.json_schemas(answers, ref_template=_REFERENCE)
    paths = {op.path: _path(op, schemas.get((op.path, _SERIALIZED), {})) for op in operations}
    return {
        "openapi": "3.1.0",
        "info": {"title": "carbon_node", "version": version, "description": "Read-only."},
        "paths": paths,
        "components": {
            "schemas": {**shared.get("$defs", {}), "Error": _ERROR},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        # A token, where the operator has set one.
        "security": [{}, {"token": []}],
    }


def _path(operation: Operation, schema: dict[str, Any]) -> dict[str, Any]:
    media = "text/plain" if operation.answer is None else "application/json"
    answered = {"description": operation.summary, "content": {media: {"schema": schema}}}
    if operation.link:
        link = {"description": operation.link, "schema": {"type": "string"}}
        answered["headers"] = {"Link": link}
    return {
        "get": {
            "summary": operation.summary,
            "parameters": [_parameter(parameter) for parameter in operation.parameters],
            "responses": {str(status): answered for status in operation.statuses}
            | {str(status): _failure(status) for status in operation.failures},
        }
    }


def _parameter(parameter: Parameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "in": parameter.place,
        "required": parameter.place == "path",
        "description": parameter.summary,
        "schema": dict(parameter.schema),
    }


def _failure(status: int) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    return {"description": HTTPStatus(status).phrase, "content": content}
