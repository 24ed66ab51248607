"""Is it alive, may it be sent requests, does the whole installation work: for supervisors, proxies and monitors.

    GET /healthz/live    this process answers: 200, asks nobody
    GET /healthz/web     this process may be sent requests: 503 while its database is away, lacks migrations, or it is leaving
    GET /healthz/ready   the installation works: 503 while PostgreSQL, Redis, a migration, matcher, worker or beat is missing

Answered before everything else (config/asgi.py): not shed when it is busy, without a thread of those that serve customers, for
any Host, without TLS, for probes come by address. Why three: docs/adr/0030-three-questions-of-health.md.
"""

import asyncio
import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

from django.db import Error, close_old_connections, connection
from django.db.migrations.loader import MigrationLoader
from django.utils import timezone
from redis.exceptions import RedisError

from config.shedding import App, Message, Receive, Send
from dispatch import pulse
from dispatch.models import ProcessKind
from tickets.redis import client

SILENT = 45.0  # seconds without a word from a kind of process, which should answer each ten
KEPT = 1.0  # seconds for which an answer is given again: many may ask
PATIENCE = 4.0  # seconds for all parts; who does not answer by then is not there
NOT_NEEDED = {"simulator"}  # nobody waits for it: it is told, and changes no status

Part = dict[str, Any]

leaving = False  # this web process was asked to end (config/web.py): it serves, and should get nothing new


def database() -> Part:
    """Whether PostgreSQL answers."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return {"ok": True}


@cache
def _newest() -> frozenset[tuple[str, str]]:
    """(app, name) of the migrations that this code comes with."""
    loader = MigrationLoader(None, ignore_no_migrations=True)
    return frozenset(loader.disk_migrations)


def migrations() -> Part:
    """Whether all migrations of this code are applied. More are no fault: in an upgrade the database goes first."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT app, name FROM django_migrations")
        missing = len(_newest() - set(cursor.fetchall()))
    return {"ok": not missing, "missing": missing}


def redis() -> Part:
    """Whether Redis answers. A web process goes on without it."""
    client().ping()
    return {"ok": True}


def processes() -> dict[str, Part]:
    """Each kind of process: whether it answers, and seconds since it was heard of (none: never)."""
    silent = set(pulse.silent(SILENT))
    now = timezone.now()
    return {
        kind: {
            "ok": kind not in silent and at is not None,
            "heard_seconds_ago": None if at is None else max(round((now - at).total_seconds()), 0),
        }
        for kind, at in pulse.pulses().items()
    }


def _asked(part: Callable[[], Part]) -> Part:
    """A part's answer, or which class of error it has. Never its text, which may hold an address."""
    try:
        return part()
    except (Error, RedisError, OSError) as error:
        return {"ok": False, "error": type(error).__name__}


def web() -> dict[str, Part]:
    """The parts without which this process can serve nobody."""
    close_old_connections()
    try:
        parts = {"database": _asked(database)}
        parts["migrations"] = _asked(migrations) if parts["database"]["ok"] else {"ok": False}
        return parts
    finally:
        close_old_connections()  # one that broke is not kept


def installation() -> dict[str, Part]:
    """All parts."""
    parts = web()
    parts["redis"] = _asked(redis)
    if parts["migrations"]["ok"]:
        try:
            parts.update(processes())
        except Error:
            parts["database"] = {"ok": False}
    if not parts["migrations"]["ok"] or not parts["database"]["ok"]:
        parts.update({kind: {"ok": False} for kind in ProcessKind.values})  # nobody can say
    return parts


class Health:
    """ASGI: answers /healthz/…, and passes everything else on to `app`. One event loop."""

    def __init__(self, app: App) -> None:
        self.app = app
        # A database that hangs must not hang more than this thread; who asks meanwhile is told that there is no answer.
        self.thread = ThreadPoolExecutor(1, thread_name_prefix="health")
        self.known: dict[str, tuple[float, dict[str, Part]]] = {}
        self.under_way: dict[str, asyncio.Future[dict[str, Part]]] = {}

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if leaving and scope["type"] == "http":
            send = not_kept(send)
        if scope["type"] != "http" or not scope["path"].startswith("/healthz/"):
            await self.app(scope, receive, send)
            return
        name = scope["path"].removeprefix("/healthz/")
        if name not in {"live", "web", "ready"}:
            await answer(send, 404, {"status": "unknown"})
        elif scope["method"] not in {"GET", "HEAD"}:
            await answer(send, 405, {"status": "unknown"})
        elif name == "live":
            await answer(send, 200, {"status": "ok"})
        else:
            parts = await self._parts(name)
            ok = all(part["ok"] for kind, part in parts.items() if kind not in NOT_NEEDED)
            await answer(send, 200 if ok else 503, {"status": "ok" if ok else "failing", "parts": parts})

    async def _parts(self, name: str) -> dict[str, Part]:
        leaves: dict[str, Part] = {"leaving": {"ok": False}} if leaving else {}
        at, known = self.known.get(name, (0.0, {}))
        if not known or time.monotonic() - at > KEPT:
            future = self.under_way.get(name)
            if future is None or future.done():
                ask = web if name == "web" else installation
                future = asyncio.get_running_loop().run_in_executor(self.thread, ask)
                self.under_way[name] = future
            try:
                known = await asyncio.wait_for(asyncio.shield(future), PATIENCE)
            except TimeoutError:
                return {"database": {"ok": False, "error": "TimeoutError"}, **leaves}
            self.known[name] = (time.monotonic(), known)
        return known | leaves


def not_kept(send: Send) -> Send:
    """The answer says that its connection is closed after it: a proxy sends its next request elsewhere or on a new one, and not
    on one that is just being closed.
    """

    async def closing(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", []), (b"connection", b"close")]}
        await send(message)

    return closing


async def answer(send: Send, status: int, body: dict[str, Any]) -> None:
    """JSON that nobody keeps."""
    content = json.dumps(body).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(content)).encode()),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})
