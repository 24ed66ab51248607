"""Plain HTTP in threads: bodies are read before a thread is taken, whole answers go at once, others piece by piece."""

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from django.http import HttpResponse, StreamingHttpResponse

from config.shedding import Message
from config.threads import IN_MEMORY, InThreads

LONGEST = 2 * IN_MEMORY


class Wsgi:
    """Answers with what it has read, and remembers who did what."""

    def __init__(self, streaming: bool = False) -> None:
        self.streaming = streaming
        self.threads: list[int] = []
        self.closed = 0

    def pieces(self, body: bytes) -> Iterator[bytes]:
        size = max(4, len(body) // 8)
        for start in range(0, len(body), size):
            self.threads.append(threading.get_ident())
            yield body[start : start + size]

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        self.threads.append(threading.get_ident())
        body = environ["wsgi.input"].read()
        answer: Any = StreamingHttpResponse(self.pieces(body)) if self.streaming else HttpResponse(body)
        start_response("201 Created", [("X-Length", str(len(body)))])
        answer.close = self.close
        return answer

    def close(self) -> None:
        self.closed += 1
        self.threads.append(threading.get_ident())


def client_of(app: Any) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://test")


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("body", [b"", b"0123456789", b"x" * (IN_MEMORY + 1)], ids=len)
async def test_it_is_read_and_answered(body: bytes, streaming: bool) -> None:
    wsgi = Wsgi(streaming)
    async with client_of(InThreads(wsgi, threads=2, longest=LONGEST)) as client:
        answer = await client.post("/", content=body)
    assert (answer.status_code, answer.headers["x-length"], answer.content) == (201, str(len(body)), body)
    assert wsgi.closed == 1
    # All by the thread that began it, whose database connection it is, and that is not the loop's.
    assert len(set(wsgi.threads)) == 1
    assert threading.get_ident() not in wsgi.threads


async def test_what_announces_too_much_is_not_read() -> None:
    async with client_of(InThreads(Wsgi(), threads=1, longest=3)) as client:
        answer = await client.post("/", content=b"four")
    assert answer.headers["x-length"] == "0"


async def test_a_slow_upload_holds_no_thread_and_one_that_ends_in_the_middle_is_dropped() -> None:
    wsgi = Wsgi()
    app = InThreads(wsgi, threads=1, longest=LONGEST)
    more: asyncio.Queue[Message] = asyncio.Queue()
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/",
        "query_string": b"",
        "http_version": "1.1",
        "headers": [(b"content-length", b"10")],
    }
    slow = asyncio.create_task(app(scope, more.get, send))
    more.put_nowait({"type": "http.request", "body": b"01234", "more_body": True})
    async with client_of(app) as client:
        assert (await client.post("/", content=b"another")).content == b"another"
    more.put_nowait({"type": "http.disconnect"})
    await slow
    assert (sent, wsgi.closed) == ([], 1)
