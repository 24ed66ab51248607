"""The API's description of itself: complete, so that clients and people can be made from it."""

from typing import Any

import pytest
from django.conf import settings
from drf_spectacular.generators import SchemaGenerator

SCHEMA: dict[str, Any] = SchemaGenerator().get_schema(public=True)  # type: ignore[no-untyped-call]
OPERATIONS = [
    (f"{method.upper()} {path}", operation)
    for path, methods in SCHEMA["paths"].items()
    for method, operation in methods.items()
]


def test_every_operation_says_what_it_does_and_where_it_belongs() -> None:
    known = {tag["name"] for tag in settings.SPECTACULAR_SETTINGS["TAGS"]}
    for name, operation in OPERATIONS:
        assert 3 < len(operation["summary"]) < 130, name
        assert "\n" not in operation["summary"], name
        assert operation["tags"], name
        assert set(operation["tags"]) <= known, name
    ids = [operation["operationId"] for _name, operation in OPERATIONS]
    assert len(ids) == len(set(ids))


def test_every_refusal_is_a_problem_with_its_codes() -> None:
    for name, operation in OPERATIONS:
        refused = {status: one for status, one in operation["responses"].items() if status >= "4"}
        assert refused, name
        for status, response in refused.items():
            assert list(response["content"]) == ["application/problem+json"], (name, status)
            assert response["description"].startswith("`"), (name, status)


def test_every_command_takes_a_key_unless_it_says_why_not() -> None:
    without = {
        name
        for name, operation in OPERATIONS
        if name.startswith("POST")
        and "Idempotency-Key" not in {one["name"] for one in operation.get("parameters", [])}
    }
    assert without == {"POST /api/v1/mail", "POST /api/v1/token"}


@pytest.mark.parametrize(
    "path", [path for path, methods in SCHEMA["paths"].items() if "/Paginated" in str(methods.get("get", {}))]
)
def test_every_list_is_in_pages_without_a_count(path: str) -> None:
    operation = SCHEMA["paths"][path]["get"]
    names = {one["name"] for one in operation["parameters"]}
    assert names >= {"cursor", "limit"}
    component = operation["responses"]["200"]["content"]["application/json"]["schema"]["$ref"].rsplit("/", 1)[
        1
    ]
    assert set(SCHEMA["components"]["schemas"][component]["properties"]) == {"next", "previous", "results"}
