"""The API as an OpenAPI 3.1 document, written from its operations and their types. GET /openapi.json."""

import inspect
import re
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import version
from typing import Any

import msgspec
from aiohttp import web

from collector.access.token import Scope
from collector.alerts.rules import MOST_NAME_CHARS
from collector.api.answer import told_if_changed
from collector.api.operation import Operation, Parameter
from collector.api.parameters import HOST
from collector.problem import CONTENT_TYPE, ProblemShape
from shared.limits import MAX_BODY_BYTES, MAX_TIME_MS

_DOCUMENT: web.AppKey[bytes] = web.AppKey("openapi", bytes)
_REFERENCE = "#/components/schemas/{name}"
_ID = {"type": "integer", "minimum": 1, "maximum": MAX_TIME_MS}
_PATHS = {"host": HOST.schema, "id": _ID, "name": {"type": "string", "minLength": 1, "maxLength": MOST_NAME_CHARS}}
_ABOUT = {
    400: "A parameter or a body that cannot be used; `parameter` names it.",
    401: "No token, or none that is known and alive.",
    403: "A good token, but not for this.",
    404: "Nothing of that name.",
    409: "Something else stands there already; `detail` says what.",
    413: f"More than {MAX_BODY_BYTES:,} bytes.",
    415: "A type, an encoding or a schema that is not read here; the answer says which are.",
    500: "A fault of the collector's own; its log says more.",
    503: "No room or no database at the moment; try again after `Retry-After` seconds.",
}
_INTRODUCTION = (
    "What a portgauge collector answers. Tokens are made with `portgauge-collector token create`. Errors are problem"
    " documents (RFC 9457). Lists are paged: hand `next` back as `cursor`. Times are Unix times in ms. Keys may be"
    " added within v1: ignore those you do not know."
)


def prepare(app: web.Application, operations: Iterable[Operation]) -> None:
    """Write the document once; it does not change while the process lives."""
    app[_DOCUMENT] = msgspec.json.encode(document(operations))


async def show_openapi(request: web.Request) -> web.Response:
    """This document."""
    return told_if_changed(request, request.app[_DOCUMENT])


def document(operations: Iterable[Operation]) -> dict[str, Any]:
    """The whole document. Operations are sorted by path, so that it reads the same however they are declared."""
    listed = sorted(operations, key=lambda one: (one.path, one.method))
    kinds = [ProblemShape, *_kinds(listed)]
    schemas, components = msgspec.json.schema_components(kinds, ref_template=_REFERENCE)
    by_kind = dict(zip(map(repr, kinds), schemas, strict=True))
    paths: dict[str, Any] = {}
    for one in listed:
        paths.setdefault(one.path, {})[one.method.lower()] = _operation(one, by_kind)
    statuses = sorted({status for one in listed for status in statuses_of(one) if status >= 400})  # noqa: PLR2004
    made = {
        "openapi": "3.1.0",
        "info": {"title": "portgauge collector", "version": version("portgauge"), "description": _INTRODUCTION},
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": components,
            "responses": {str(status): _problem(status) for status in statuses},
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "`Authorization: Bearer pg_…`"}
            },
        },
    }
    renamed: dict[str, Any] = _renamed(made)
    return renamed


def statuses_of(one: Operation) -> list[int]:
    """Every status that this operation may be answered with."""
    found = {one.status, 500, *one.faults}
    if one.scope is not None:
        found |= {400, 401, 403, 503}
    if one.body:
        found |= {400, 413}
    if "{" in one.path:
        found |= {404}
    if one.is_conditional:
        found |= {304}
    return sorted(found)


def _kinds(operations: Iterable[Operation]) -> Iterator[Any]:
    for one in operations:
        if one.answer is not None:
            yield one.answer
        if one.body and one.body.kind is not None:
            yield one.body.kind


def _operation(one: Operation, schemas: Mapping[str, Any]) -> dict[str, Any]:
    text = inspect.getdoc(one.handler) or ""
    said: dict[str, Any] = {
        "operationId": one.handler.__name__,
        "summary": text.partition("\n")[0],
        "parameters": [*_in_path(one.path), *(_in_query(parameter) for parameter in one.query)],
        "responses": {str(status): _response(one, status, schemas) for status in statuses_of(one)},
        "security": [] if one.scope is None else [{"token": [scope.value]} for scope in _sufficient(one.scope)],
    }
    if one.is_conditional:
        known = {"name": "If-None-Match", "in": "header", "description": "an ETag that is known already"}
        said["parameters"].append(known | {"schema": {"type": "string"}})
    if one.body:
        content: dict[str, Any] = {} if one.body.kind is None else {"schema": schemas[repr(one.body.kind)]}
        if one.body.example:
            content["example"] = dict(one.body.example)
        said["requestBody"] = {"required": True, "content": {one.body.media_type: content}}
    return said


def _sufficient(scope: Scope) -> tuple[Scope, ...]:
    return (Scope.READ, Scope.ADMIN) if scope is Scope.READ else (scope,)


def _in_path(path: str) -> list[dict[str, Any]]:
    names = re.findall(r"{(\w+)}", path)
    return [{"name": name, "in": "path", "required": True, "schema": _PATHS[name]} for name in names]


def _in_query(one: Parameter) -> dict[str, Any]:
    said: dict[str, Any] = {"name": one.name, "in": "query", "description": one.about, "schema": dict(one.schema)}
    if one.is_required:
        said["required"] = True
    if one.example:
        said["example"] = one.example
    return said


def _response(one: Operation, status: int, schemas: Mapping[str, Any]) -> dict[str, Any]:
    if status >= 400:  # noqa: PLR2004 - HTTP's class of errors
        return {"$ref": f"#/components/responses/{status}"}
    said: dict[str, Any] = {"description": {304: "What the client has is current."}.get(status, "Done.")}
    if one.is_conditional:
        said["headers"] = {"ETag": {"required": True, "schema": {"type": "string"}}}
    if status != one.status:
        return said
    if one.answer is not None:
        said["content"] = {one.media_type: {"schema": schemas[repr(one.answer)]}}
    elif one.media_type.startswith("text/"):
        said["content"] = {one.media_type: {"schema": {"type": "string"}}}
    return said


def _problem(status: int) -> dict[str, Any]:
    schema = {"$ref": _REFERENCE.format(name="ProblemShape")}
    return {"description": _ABOUT[status], "content": {CONTENT_TYPE: {"schema": schema}}}


def _renamed(value: Any) -> Any:
    """Names of types without what marks them in the code: HostShape is Host to the world."""
    if isinstance(value, dict):
        return {_public(key): _renamed(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_renamed(one) for one in value]
    if isinstance(value, str) and value.startswith("#/"):
        return _public(value)
    return value


def _public(name: str) -> str:
    return re.sub(r"Shape(?=_|$)", "", name).rstrip("_")
