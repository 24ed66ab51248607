"""Log lines: for people on a trial, JSON in production (LOG_FORMAT), and nothing personal in either.

Each line knows what it is about: request (X-Request-ID), ticket, task, run, as far as there is one (`about`). Texts of errors
are redacted before they are written: a driver's error tells the values of the row that it refused.
"""

import contextvars
import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

from pythonjsonlogger.json import JsonFormatter

from tickets.masking import mask
from tickets.redaction import redact

KEYS = ("request", "ticket", "task", "task_name", "run", "pool", "route", "method", "status", "ms")
_about: contextvars.ContextVar[Mapping[str, Any]] = contextvars.ContextVar(
    "standby_log", default=MappingProxyType({})
)

# What PostgreSQL tells about a row, and what looks like one of our tokens or keys (tickets/access.py: 32 characters and more).
_ROW = re.compile(r"^(DETAIL|CONTEXT|STATEMENT|LINE \d+):.*$", re.MULTILINE)
# Not the number of a task (a UUID).
_SECRET = re.compile(r"(?<![\w/.~-])(?![\da-f]{8}-[\da-f]{4}-)(?=[\w~-]*\d)[A-Za-z0-9_~-]{32,}(?![\w/.])")
_PASSWORD = re.compile(r"(?<=://)[^\s/@]*:[^\s/@]+(?=@)")
_ADDRESS = re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}\b(?!\.)")


@contextmanager
def about(**facts: Any) -> Iterator[None]:
    """Lines that are written inside also say this; facts of None change nothing."""
    token = _about.set({**_about.get(), **{key: value for key, value in facts.items() if value is not None}})
    try:
        yield
    finally:
        _about.reset(token)


def about_set(**facts: Any) -> contextvars.Token[Mapping[str, Any]]:
    """The same, until about_reset: for signals that come in pairs, and for what is known later."""
    return _about.set({**_about.get(), **{key: value for key, value in facts.items() if value is not None}})


def about_reset(token: contextvars.Token[Mapping[str, Any]]) -> None:
    _about.reset(token)


def forget() -> None:
    """A task is over, and with it what its lines said: the next one of this thread begins anew."""
    _about.set(MappingProxyType({}))


def known() -> Mapping[str, Any]:
    """What lines of this context say."""
    return _about.get()


def clean(text: str) -> str:
    """A line, or a traceback, without what is personal or secret in it."""
    text = _PASSWORD.sub("[…]", _ROW.sub(r"\1: […]", text))
    text = _SECRET.sub("[…]", text)
    text = mask(redact(text).text).text
    return _ADDRESS.sub("[…]", text)


class Knowing(logging.Filter):
    """Gives each record what its context knows, and takes the path out of Django's own complaints about requests."""

    def filter(self, record: logging.LogRecord) -> bool:
        for key, value in _about.get().items():
            if not hasattr(record, key):
                setattr(record, key, value)
        request = getattr(record, "request", None)
        if request is not None and not isinstance(request, str):
            # Of Django's own, written after the middleware: it carries the request, and its path as an argument.
            match = getattr(request, "resolver_match", None)
            if isinstance(record.args, tuple) and record.msg == "%s: %s":
                record.args = (record.args[0], match.route if match else "no such address")
            record.request = getattr(request, "number", "")
        return True


class Line(logging.Formatter):
    """For people: 2026-11-28 19:20:01,123 WARNING dispatch.tasks the broker does not answer [task=… run=…]."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        facts = " ".join(f"{key}={getattr(record, key)}" for key in KEYS if hasattr(record, key))
        first, newline, rest = clean(super().format(record)).partition("\n")
        return (f"{first} [{facts}]" if facts else first) + newline + rest


class Json(JsonFormatter):
    """For machines: one object a line; `at` in UTC, `level`, `logger`, `message`, the facts, `error` with its traceback."""

    def __init__(self) -> None:
        super().__init__(
            ["levelname", "name", "message"],
            rename_fields={"levelname": "level", "name": "logger", "exc_info": "error"},
            timestamp="at",
        )

    def add_fields(
        self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]
    ) -> None:
        super().add_fields(log_data, record, message_dict)
        for key in set(log_data) - {*KEYS, "level", "logger", "message", "at", "error"}:
            del log_data[key]  # an extra that nobody has thought about may be about somebody
        for key in ("message", "error"):
            if isinstance(log_data.get(key), str):
                log_data[key] = clean(log_data[key])


def logging_of(style: str, level: str) -> dict[str, Any]:
    """Django's LOGGING. `style`: json or line."""
    quiet = (
        # A line for each task and each request would bury the rest: the tick alone is one a second.
        "celery.app.trace",
        "celery.worker.strategy",
        "celery.beat",
        "httpx",
        "imapclient",
        *(("dispatch.runs",) if style == "line" else ()),  # a line a run: for machines
        # It tells each socket's address, with the client's and with the path.
        "uvicorn.error",
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"knowing": {"()": "config.logs.Knowing"}},
        "formatters": {"line": {"()": "config.logs.Line"}, "json": {"()": "config.logs.Json"}},
        "handlers": {
            "console": {"class": "logging.StreamHandler", "formatter": style, "filters": ["knowing"]}
        },
        "root": {"handlers": ["console"], "level": level},
        # Django's own would write each of its lines once more, in its own form, to mails and a console.
        "loggers": {name: {"level": "WARNING"} for name in quiet}
        | {
            "django": {"handlers": [], "level": "INFO", "propagate": True},
            "django.server": {"propagate": True},
        },
    }
