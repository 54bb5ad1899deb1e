"""The document: valid as OpenAPI 3.1, current, and as the handlers are."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from jsonschema_rs import meta

from collector.api.openapi import document, statuses_of
from collector.api.routes import OPERATIONS, SNAPSHOTS
from tools.openapi import PAGE, written

DOCUMENT: dict[str, Any] = document((*OPERATIONS, SNAPSHOTS))


def operations() -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in DOCUMENT["paths"].items():
        for method, operation in methods.items():
            yield f"{method} {path}", operation


def test_it_is_valid_as_openapi_3_1() -> None:
    assert DOCUMENT["openapi"].startswith("3.1.")
    schemathesis.openapi.from_dict(DOCUMENT).validate()


@pytest.mark.parametrize("name", sorted(DOCUMENT["components"]["schemas"]))
def test_every_type_is_valid_json_schema(name: str) -> None:
    schema = DOCUMENT["components"]["schemas"][name]
    meta.validate({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema})


def test_every_reference_leads_somewhere() -> None:
    for reference in re.findall(r'"\$ref": "#/components/(\w+)/(\w+)"', json.dumps(DOCUMENT)):
        part, name = reference
        assert name in DOCUMENT["components"][part], reference


def test_the_committed_document_is_current() -> None:
    """Otherwise: python -m tools.openapi."""
    assert PAGE.read_text(encoding="utf-8") == written()


def test_operations_have_names_of_their_own_and_say_what_they_do() -> None:
    names = [operation["operationId"] for _, operation in operations()]
    assert len(set(names)) == len(names)
    assert all(operation["summary"].endswith(".") for _, operation in operations())


def test_no_name_of_a_type_shows_how_the_code_marks_it() -> None:
    assert [name for name in DOCUMENT["components"]["schemas"] if "Shape" in name or name.endswith("_")] == []


def test_who_may_ask_is_said_of_each() -> None:
    by_name = dict(operations())
    assert by_name["get /v1/hosts"]["security"] == [{"token": ["read"]}, {"token": ["admin"]}]
    assert by_name["post /v1/silences"]["security"] == [{"token": ["admin"]}]
    assert by_name["post /v1/snapshots"]["security"] == [{"token": ["push"]}]
    assert by_name["get /healthz"]["security"] == []


def test_every_problem_that_may_come_is_said() -> None:
    by_path = {operation.key: statuses_of(operation) for operation in (*OPERATIONS, SNAPSHOTS)}
    assert by_path["GET", "/v1/hosts/{host}"] == [200, 400, 401, 403, 404, 500, 503]
    assert by_path["POST", "/v1/silences"] == [201, 400, 401, 403, 413, 500, 503]
    assert by_path["GET", "/v1/rules"] == [200, 304, 400, 401, 403, 500, 503]
