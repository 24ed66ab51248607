"""One raw ASGI process: sockets that are pushed to, and a POST that inserts a ticket and claims an agent in one statement.

    python -m bench.floors.push DESCRIPTOR

Uvicorn with the settings of config/web.py, psycopg2 on one connection, called in the loop (a thread would only add to it).
Nothing of the product's promises: no form, no redaction, no offer that somebody may decline, agents known to one process.
"""

import asyncio
import json
import os
import re
import socket
import sys
import time
from typing import Any

import psycopg2
import uvicorn

SCHEMA = """
CREATE TABLE IF NOT EXISTS floor_agent (id int PRIMARY KEY, taken boolean NOT NULL, idle_since timestamptz NOT NULL);
CREATE TABLE IF NOT EXISTS floor_ticket (id bigserial PRIMARY KEY, body text NOT NULL, agent_id int,
                                         created_at timestamptz NOT NULL DEFAULT now());
"""
CLAIM = """
WITH agent AS (
    UPDATE floor_agent SET taken = true
    WHERE id = (SELECT id FROM floor_agent WHERE NOT taken ORDER BY idle_since, id LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING id)
INSERT INTO floor_ticket (body, agent_id) SELECT %s, (SELECT id FROM agent) RETURNING id, agent_id
"""
# What a card has beside the text, so that frames have a card's size.
CARD = {
    "expires_at": "2026-01-01T00:00:00.000000+00:00",
    "seconds_left": 20.0,
    "pay_cents": 400,
    "currency": "EUR",
    "topic": "topic-1",
    "topic_name": "Topic 1",
    "skills": [{"name": "Skill 1", "level": 2, "certificate": False}],
    "language": "en",
    "expected_minutes": 6,
    "waiting_since": "2026-01-01T00:00:00.000000+00:00",
    "why": ["You have the skill Skill 1 at level 5, 2 was needed.", "You have no other ticket open."],
}

TEXT = re.compile(r'name="text"\r\n\r\n(.*?)\r\n--', re.DOTALL)

sockets: dict[int, Any] = {}
database: Any = None


async def application(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "websocket":
        await agent(int(scope["path"].rsplit("/", 1)[1]), receive, send)
    elif scope["method"] == "POST" and scope["path"] == "/":
        await ticket(receive, send)
    elif scope["path"].startswith("/push/"):
        _, _, rate, count = scope["path"].split("/")[:4]
        pusher.append(asyncio.create_task(push(float(rate), int(count))))
        await answer(send, 200)
    else:
        await answer(send, 200)


pusher: list[asyncio.Task[None]] = []


async def agent(number: int, receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    sockets[number] = send
    try:
        while (message := await receive())["type"] == "websocket.receive":
            frame = json.loads(message["text"])
            if frame["type"] == "beat":
                data = {"stream": f"agent:{number}", "seq": 0, "shift": True}
                await send_frame(send, {"type": "heartbeat", "data": data})
            else:
                data = {"shift": None, "offers": [], "tickets": []}
                await send_frame(
                    send, {"stream": f"agent:{number}", "seq": 0, "type": "snapshot", "data": data}
                )
    finally:
        sockets.pop(number, None)


async def ticket(receive: Any, send: Any) -> None:
    body = b""
    while (message := await receive()).get("more_body"):
        body += message["body"]
    text = TEXT.search((body + message["body"]).decode())[1]  # type: ignore[index]
    with connect().cursor() as cursor:
        cursor.execute(CLAIM, [text])
        ticket_id, agent_id = cursor.fetchone()
    if agent_id in sockets:
        await send_frame(sockets[agent_id], offer(agent_id, ticket_id, text))
    await answer(send, 303)


async def push(rate: float, count: int) -> None:
    """Send `count` frames to the sockets in turn, `rate` a second; each says when it was sent (time.monotonic)."""
    numbers = sorted(sockets)
    begun = time.monotonic()
    for place in range(count):
        await asyncio.sleep(max(begun + place / rate - time.monotonic(), 0))
        number = numbers[place * 7 % len(numbers)]
        if number in sockets:
            frame = offer(number, place, "Where is my refund? I sent the parcel back two weeks ago.")
            await send_frame(sockets[number], {**frame, "sent": time.monotonic()})


def offer(agent_id: int, ticket_id: int, text: str) -> dict[str, Any]:
    data = {"offer": ticket_id, "summary": text, **CARD}
    return {
        "stream": f"agent:{agent_id}",
        "seq": 1,
        "type": "offer.made",
        "at": CARD["expires_at"],
        "data": data,
    }


async def send_frame(send: Any, frame: dict[str, Any]) -> None:
    await send({"type": "websocket.send", "text": json.dumps(frame, ensure_ascii=False)})


async def answer(send: Any, status: int) -> None:
    headers = [(b"content-length", b"0")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body"})


def connect() -> Any:
    global database  # noqa: PLW0603
    if database is None:
        database = psycopg2.connect(os.environ["DATABASE_URL"])
        database.autocommit = True
    return database


def main() -> None:
    listener = socket.socket(fileno=int(sys.argv[1]))
    config = uvicorn.Config(
        "bench.floors.push:application", ws="websockets-sansio", lifespan="off", access_log=False,
        timeout_graceful_shutdown=3,
    )  # fmt: skip
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
