"""Too many requests at once: the surplus is told so at once, nothing is lost and nothing doubled."""

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any

import httpx
import psycopg2
import pytest

from config.shedding import Message, Receive, Send, Shedding
from dispatch.simulated.api import Api
from tests.stack import LiveStack, live_stack
from tickets.access import TOKEN_LENGTH


class Slow:
    """An application that answers when the test says so."""

    def __init__(self) -> None:
        self.begun = 0
        self.go = asyncio.Event()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        self.begun += 1
        await self.go.wait()
        if scope["path"] == "/broken":
            raise RuntimeError("broken")
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"served"})


@asynccontextmanager
async def client_of(app: Any) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


async def full(slow: Slow, client: httpx.AsyncClient, *paths: str) -> list[asyncio.Task[httpx.Response]]:
    """Requests that are inside and wait."""
    tasks = [asyncio.create_task(client.get(path)) for path in paths]
    while slow.begun < len(paths):
        await asyncio.sleep(0)
    return tasks


async def test_who_fits_waits_and_the_next_is_shed_at_once() -> None:
    slow = Slow()
    async with client_of(Shedding(slow, served=1, waiting=2)) as client:
        inside = await full(slow, client, "/a", "/b", "/c")
        answers = [await client.get("/d"), await client.post("/e", content=b"x" * 100_000)]
        assert [answer.status_code for answer in answers] == [503, 503]
        assert slow.begun == 3
        slow.go.set()
        assert [(await task).status_code for task in inside] == [200, 200, 200]
        assert (await client.get("/d")).text == "served"


async def test_who_fails_or_leaves_makes_room() -> None:
    slow = Slow()
    shedding = Shedding(slow, served=1, waiting=1)
    async with client_of(shedding) as client:
        leaves, breaks = await full(slow, client, "/left", "/broken")
        leaves.cancel()
        await asyncio.gather(leaves, return_exceptions=True)
        assert shedding.inside == 1
        slow.go.set()
        assert (await breaks).status_code == 500
        assert shedding.inside == 0


async def test_without_any_waiting_what_can_be_served_is() -> None:
    slow = Slow()
    async with client_of(Shedding(slow, served=1, waiting=0)) as client:
        inside = await full(slow, client, "/a")
        assert (await client.get("/b")).status_code == 503
        slow.go.set()
        assert (await inside[0]).status_code == 200


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/api/v1/topics", {}),
        ("/api/nothing", {"Accept": "text/html"}),
        ("/", {"Accept": "application/json"}),
    ],
)
async def test_programs_get_a_problem(path: str, headers: dict[str, str]) -> None:
    slow = Slow()
    async with client_of(Shedding(slow, served=0, waiting=0)) as client:
        answer = await client.get(path, headers=headers)
    detail = "A lot is going on right now. Please try again in a moment."
    assert answer.status_code == 503
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["Retry-After"] == "2"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.json() == {
        "type": "urn:standby:problem:overloaded",
        "title": detail,
        "status": 503,
        "code": "overloaded",
        "detail": detail,
    }
    assert slow.begun == 0


@pytest.mark.parametrize(
    ("headers", "language", "words"),
    [
        ({}, "en", "A lot is going on right now."),
        ({"Accept-Language": "de-AT,en;q=0.5"}, "de", "Gerade ist sehr viel los."),
        ({"Accept-Language": "fr"}, "en", "A lot is going on right now."),
        ({"Accept-Language": "en", "Cookie": "django_language=de"}, "de", "Gerade ist sehr viel los."),
        ({"Accept-Language": "\xff;;q=x", "Cookie": "=;\xff"}, "en", "A lot is going on right now."),
    ],
)
async def test_people_get_a_page_in_their_language(
    headers: dict[str, str], language: str, words: str
) -> None:
    async with client_of(Shedding(Slow(), served=0, waiting=0)) as client:
        answer = await client.get("/", headers=httpx.Headers(headers, encoding="latin-1"))
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.headers["Content-Language"] == language
    assert f'<html lang="{language}">' in answer.text
    assert f"<h1>{words}" in answer.text
    assert "<script" not in answer.text
    assert "style" not in answer.text


async def test_it_is_logged_once_when_it_begins_and_once_when_it_is_over(
    caplog: pytest.LogCaptureFixture,
) -> None:
    slow = Slow()
    with caplog.at_level(logging.WARNING, "config.shedding"):
        async with client_of(Shedding(slow, served=1, waiting=1)) as client:
            inside = await full(slow, client, "/a", "/b")
            for _ in range(3):
                await client.get("/c")
            slow.go.set()
            await asyncio.gather(*inside)
    assert [record.getMessage() for record in caplog.records] == [
        "overloaded: 1 requests wait, further ones are shed",
        "overloaded no more: 3 requests were shed",
    ]


# --- The simulated clients --------------------------------------------------------------------------------------------


async def test_a_simulated_client_comes_back_when_told_with_the_same_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    keys, pauses, sleep = [], [], asyncio.sleep

    def answer(request: httpx.Request) -> httpx.Response:
        keys.append(request.headers["Idempotency-Key"])
        if len(keys) < 3:
            return httpx.Response(
                503, headers={"Retry-After": "2"} if len(keys) == 1 else {"Retry-After": "soon"}
            )
        return httpx.Response(201, json={"id": 1})

    async def short(seconds: float) -> None:
        pauses.append(seconds)
        await sleep(0)

    monkeypatch.setattr("dispatch.simulated.api.asyncio.sleep", short)
    async with Api("http://test") as api:
        api._client._transport = httpx.MockTransport(answer)
        api._client._mounts = {}
        assert await api.command("tickets", {"text": "Hello"}) == (201, {"id": 1})
    assert len(keys) == 3
    assert len(set(keys)) == 1
    assert 2 <= pauses[0] <= 3
    assert pauses[1] < 2


# --- The real web process ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def narrow() -> Iterator[LiveStack]:
    """A web process with one thread and room for one that waits."""
    with live_stack(
        "shedding",
        settings={"WEB_THREADS": "1", "WEB_WAITING": "1"},
        with_worker=False,
        with_beat=False,
    ) as started:
        yield started


@pytest.mark.servers
def test_the_web_process_sheds_and_nothing_is_lost_or_doubled(narrow: LiveStack) -> None:
    tickets = 12
    lock = psycopg2.connect(narrow.database_url)
    with lock, lock.cursor() as cursor:
        cursor.execute(
            "LOCK TABLE tickets_ticket IN ACCESS EXCLUSIVE MODE"
        )  # whoever looks for a ticket hangs
        first_shed = threading.Event()

        def look(_number: int) -> int:
            answer = httpx.get(
                f"{narrow.base_url}/api/v1/tickets/nowhere",
                headers={"Authorization": f"Ticket {'x' * TOKEN_LENGTH}"},
                timeout=60,
                trust_env=False,
            )
            if answer.status_code == 503:
                assert answer.json()["code"] == "overloaded"
                first_shed.set()
            return answer.status_code

        with ThreadPoolExecutor(3) as threads:
            asked = threads.map(look, range(3))
            assert first_shed.wait(60)
            # Two are inside: the third was told while they hang, and so is everybody else.
            page = httpx.post(
                narrow.base_url,
                data={"text": "x" * 100_000},
                headers={"Accept-Language": "de"},
                trust_env=False,
            )
            assert page.status_code == 503
            assert "Gerade ist sehr viel los." in page.text
            posting = threading.Thread(target=asyncio.run, args=[_post(narrow, tickets)])
            posting.start()
            lock.rollback()
            assert sorted(asked) == [404, 404, 503]
            posting.join()
    assert narrow.sql(
        "SELECT count(*), count(DISTINCT intake_key), count(DISTINCT summary) FROM tickets_ticket"
    ) == [(tickets, tickets, tickets)]
    assert "overloaded" in narrow.log("web")


async def _post(narrow: LiveStack, tickets: int) -> None:
    async with Api(narrow.base_url) as api:
        await asyncio.gather(
            *(api.post("tickets", {"text": f"Matter {number}"}) for number in range(tickets))
        )
