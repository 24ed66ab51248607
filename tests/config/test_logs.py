"""Log lines: JSON for machines, sentences for people, each knows its request, and nothing personal in either."""

import json
import logging
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client

from config import celery, logs
from config.logs import Json, Knowing, Line
from dispatch import tasks
from tests.cast import World

SECRET = "Zx8_kkPq2mVw7TtYb1LhN4sRdE6uJ0aCgFiOvQyXnWeM5"


@pytest.fixture
def written() -> Iterator[Callable[[], list[str]]]:
    """A function that gives the JSON lines so far; all loggers are heard, from DEBUG on."""
    lines: list[str] = []

    class Heard(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(self.format(record))

    handler = Heard()
    handler.addFilter(Knowing())
    handler.setFormatter(Json())
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield lambda: lines
    root.removeHandler(handler)
    root.setLevel(before)


def test_a_line_is_one_object_with_what_it_is_about(written: Callable[[], list[str]]) -> None:
    with logs.about(request="r-1", ticket=7, run=None):
        logging.getLogger("standby.test").warning("two\nlines of %s", "it", extra={"whoever": "Carla"})
    logging.getLogger("standby.test").warning("after")
    found = [json.loads(line) for line in written()]
    assert set(found[0]) == {"at", "level", "logger", "message", "request", "ticket"}
    assert (found[0]["message"], found[0]["request"], found[0]["ticket"]) == ("two\nlines of it", "r-1", 7)
    assert "request" not in found[1]


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("mail to carla@customers.example failed", "mail to c…@… failed"),
        ("from 203.0.113.9 and 10.0.0.1", "from […] and […]"),
        (f"token {SECRET} is old", "token […] is old"),
        ("/t/d7b2gb/#abcdefghijklmnop0~UgQJXHoQWVlw1XQyMbb5EQ", "/t/d7b2gb/#[…]"),
        ("task 5f0c1a2b-1111-4222-8333-123456789abc", "task 5f0c1a2b-1111-4222-8333-123456789abc"),
        ("postgres://standby:hush@db/x", "postgres://[…]@db/x"),
        ("duplicate key\nDETAIL:  Key (email)=(x) already exists.\nmore", "duplicate key\nDETAIL: […]\nmore"),
        ("card 4111 1111 1111 1111", "card [card …1111]"),
        (
            "match[5f0c] took 0.25 s, ticket 4711, pool 3",
            "match[5f0c] took 0.25 s, ticket 4711, pool 3",
        ),
    ],
)
def test_lines_are_cleaned_for_machines_and_for_people(text: str, clean: str) -> None:
    record = logging.LogRecord("x", logging.ERROR, "x.py", 1, text, (), None)
    assert json.loads(Json().format(record))["message"] == clean
    assert clean in Line().format(record)


def test_tracebacks_are_cleaned_too() -> None:
    try:
        raise ValueError("Key (email)=(carla@customers.example)")
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, "x.py", 1, "broke", (), sys.exc_info())
    for formatter in (Json(), Line()):
        told = formatter.format(record)
        assert "ValueError" in told
        assert "carla" not in told


@pytest.mark.django_db
def test_the_request_has_a_number_that_comes_in_and_goes_out(
    client: Client, written: Callable[[], list[str]]
) -> None:
    given = client.get("/no/such/page", headers={"X-Request-ID": "from-the-proxy.42"})
    assert given["X-Request-ID"] == "from-the-proxy.42"
    for bad in ("short", "x" * 65, "with space here", "new\\nline-and-more", "ümläute-und-mehr"):
        assert client.get("/no/such/page", headers={"X-Request-ID": bad})["X-Request-ID"] != bad
    complaints = [json.loads(line) for line in written() if '"django.request"' in line]
    assert complaints[0]["request"] == "from-the-proxy.42"
    assert complaints[0]["message"] == "Not Found: no such address"


def test_a_task_knows_itself(written: Callable[[], list[str]]) -> None:
    celery.lines_know(task_id="t-1", task=tasks.match, args=(3,))
    try:
        assert dict(logs.known()) == {"task": "t-1", "task_name": "dispatch.tasks.match", "pool": 3}
    finally:
        celery.lines_forget()
    assert not logs.known()


@pytest.mark.django_db
def test_a_whole_way_writes_nothing_about_anybody(
    world: World, client: Client, written: Callable[[], list[str]], settings: Any
) -> None:
    """Form, chat page, refusals, a run, an error in a view: neither name nor mail, text, link nor address is written."""
    settings.LOG_REQUESTS = True
    world.agent("Anna")
    form = {
        "text": "My parrot Quentin was charged twice",
        "name": "Carla Winterfeld",
        "email": "carla@customers.example",
    }
    opened = client.post("/", form, REMOTE_ADDR="203.0.113.77")
    assert opened.status_code == 303
    address, _hash, token = opened["Location"].partition("#")
    client.get(address, REMOTE_ADDR="203.0.113.77")
    client.get("/t/not-a-ticket/", REMOTE_ADDR="203.0.113.77")
    client.post("/accounts/login/", {"login": "carla@customers.example", "password": "hunter2hunter2"})
    tasks.tick()
    lines = written()
    assert any('"standby.requests"' in line for line in lines)
    told = "\n".join(lines)
    personal = (
        "Carla",
        "Winterfeld",
        "carla@",
        "Quentin",
        "parrot",
        "203.0.113.77",
        "hunter2",
        *([token] if token else []),
    )
    assert [word for word in personal if word in told] == []
