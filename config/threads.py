"""ASGI in front of a WSGI application that runs in a fixed number of threads.

a2wsgi's own middleware lets the thread fetch the body and send the answer piece by piece: each piece wakes the loop and waits
for it, four times for a form, while the loop and the thread want the interpreter from each other. Here the loop reads the body
before a thread is taken, so that a slow upload holds none, and a whole answer goes back at once. Answers that are made while
they are sent (files) go piece by piece, from the thread that began them, since database connections are a thread's.
"""

import asyncio
import contextvars
import io
import tempfile
from collections.abc import Callable, Iterable
from typing import IO, Any

from a2wsgi.wsgi import build_environ

from config.shedding import Message, Receive, Send
from tickets.threads import LastFreeFirst

IN_MEMORY = 1024 * 1024  # bytes of a body; larger ones lie in a file meanwhile

WSGI = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class InThreads:
    """Plain HTTP for `app`. `longest`: bytes; a body that announces more is not read, and the application is to refuse it."""

    def __init__(self, app: WSGI, *, threads: int, longest: int) -> None:
        self.app = app
        self.longest = longest
        self.pool = LastFreeFirst(threads, "WSGI")

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        body = await self._body(scope, receive)
        if body is None:
            return
        with body:
            environ: Any = build_environ(scope, body)  # type: ignore[arg-type]
            # A context of its own, as each task has one: what a request leaves in it is gone with it.
            run = contextvars.copy_context().run
            loop = asyncio.get_running_loop()
            for message in await loop.run_in_executor(self.pool, run, self._answer, environ, send, loop):
                await send(message)

    async def _body(self, scope: Message, receive: Receive) -> IO[bytes] | None:
        """All of it; None when the client went away in the middle."""
        announced = next((value for name, value in scope["headers"] if name == b"content-length"), b"")
        length = int(announced) if announced.isdigit() else 0
        body: Any = io.BytesIO() if length <= IN_MEMORY else tempfile.TemporaryFile()  # noqa: SIM115  closed above
        more = 0 < length <= self.longest
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                body.close()
                return None
            body.write(message.get("body", b""))
            more = message.get("more_body", False)
        body.seek(0)
        return body  # type: ignore[no-any-return]

    def _answer(self, environ: dict[str, Any], send: Send, loop: asyncio.AbstractEventLoop) -> list[Message]:
        """Messages that are still to be sent. Runs in a thread."""
        head: Message = {"type": "http.response.start"}

        def start_response(status: str, headers: list[tuple[str, str]], *_: Any) -> None:
            head["status"] = int(status[:3])
            head["headers"] = [
                (name.strip().encode("latin1").lower(), value.strip().encode("latin1"))
                for name, value in headers
            ]

        chunks: Any = self.app(environ, start_response)
        try:
            if not getattr(chunks, "streaming", True):  # one of Django's, and whole
                return [head, {"type": "http.response.body", "body": b"".join(chunks)}]

            def now(message: Message) -> None:
                asyncio.run_coroutine_threadsafe(send(message), loop).result()  # type: ignore[arg-type]

            now(head)
            for chunk in chunks:
                now({"type": "http.response.body", "body": chunk, "more_body": True})
            return [{"type": "http.response.body", "body": b""}]
        finally:
            getattr(chunks, "close", lambda: None)()
