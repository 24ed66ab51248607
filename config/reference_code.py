"""What the reference says of events and of the API, from their declarations: docs/reference/events.md and api.md."""

from collections.abc import Iterator
from typing import Any

VERBS = ("get", "post", "put", "patch", "delete")


def events_page() -> str:
    """Every event type, by stream."""
    from dispatch import events as feed  # noqa: PLC0415  it wants Django to stand
    from tickets.events import EVENTS, EventType  # noqa: PLC0415  as above

    own = {one.name for one in vars(feed).values() if isinstance(one, EventType)}
    lines = [
        "# Events",
        "",
        "Made from the code by `python -m config.reference`. What streams are, how they are resumed, and an example of each",
        "event: [protocol](../protocol.md). Types are those of JSON.",
    ]
    parts = (
        (
            "Of a ticket",
            "Stream `ticket:<public id>`. *customer*: sent to the customer too.",
            set(EVENTS) - own,
        ),
        ("Of an agent", "Stream `agent:<id>`, for this agent alone.", own),
    )
    for heading, words, names in parts:
        lines += [
            "",
            f"## {heading}",
            "",
            words,
            "",
            "| event | for | what it says | data |",
            "|---|---|---|---|",
        ]
        lines += [_event(EVENTS[name], "agent" if names is own else "") for name in sorted(names)]
    return "\n".join(lines) + "\n"


def _event(event: Any, reader: str) -> str:
    fields = "<br>".join(f"`{name}` {kind.replace('|', ' or ')}" for name, kind in event.fields.items())
    return f"| `{event.name}` | {reader or ('customer' if event.public else 'staff')} | {event.says} | {fields} |"


def api_page() -> str:
    """Every operation of /api/v1/, by tag."""
    from drf_spectacular import generators  # noqa: PLC0415  as above

    untyped: Any = generators
    schema = untyped.SchemaGenerator().get_schema(request=None, public=True)
    operations: dict[str, list[str]] = {}
    for path, verb, operation in _operations(schema):
        row = (
            f"| `{verb.upper()} {path}` | {_line(operation)} | {_keys(operation)} | {_body(operation)} "
            f"| {', '.join(f'{status}' for status in operation['responses'])} |"
        )
        operations.setdefault(operation["tags"][0], []).append(row)
    lines = [
        "# API",
        "",
        "Made from the code by `python -m config.reference`, from the same OpenAPI schema as `/api/schema/` and the page",
        "`/api/docs/`, which have every field. How to use it: [API](../api.md). Every error is `application/problem+json`.",
    ]
    for tag, rows in sorted(operations.items()):
        lines += [
            "",
            f"## {tag}",
            "",
            "| operation | what it does | asked in the address | body | answers |",
            "|---|---|---|---|---|",
            *rows,
        ]
    return "\n".join(lines) + "\n"


def _operations(schema: Any) -> Iterator[tuple[str, str, Any]]:
    for path, item in sorted(schema["paths"].items()):
        for verb in VERBS:
            if verb in item:
                yield path, verb, item[verb]


def _line(operation: Any) -> str:
    """The first sentence or line of what it says."""
    text = str(operation.get("summary") or operation.get("description") or operation["operationId"])
    return text.strip().split("\n\n")[0].replace("\n", " ").replace("|", "/")


def _keys(operation: Any) -> str:
    asked = (one["name"] for one in operation.get("parameters", ()) if one["in"] == "query")
    return ", ".join(f"`{name}`" for name in asked)


def _body(operation: Any) -> str:
    content = operation.get("requestBody", {}).get("content", {})
    names = {
        one["schema"]["$ref"].rsplit("/", 1)[1] for one in content.values() if "$ref" in one.get("schema", {})
    }
    return ", ".join(f"`{name}`" for name in sorted(names))
