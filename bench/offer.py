"""`offer_p50`, `offer_p99`: from the form's POST to the offer's frame at the first agent's socket.

20 tickets a second, started at their time whether the ones before have ended or not, 500 agents online on two web processes,
each beating every 5 s. The clock runs from the moment before the POST is written to the moment after the first frame of that
ticket was read: form with CSRF, redaction, language detection, ticket, Celery, matching run with up to three offers,
bell, consumer, card, rendered fragment, socket.

Floor: one raw ASGI process on the same PostgreSQL, one statement that inserts and claims, one send (floors/push.py).

Behind the desk lie 20,000 tickets that are over, as many rows behind the floor.

500 agents would all have an open card after 8 seconds, so once a second, outside the measured way, both sides are given
their people back by SQL: offers older than half a second are ended, units returned, their tickets closed.

Hops: one more round in which each step writes down when it was reached (bench/hops.py).
"""

import asyncio
import json
import random
import re
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import psycopg2

from bench import begins, client, ground, hops
from bench.floors.push import SCHEMA
from bench.ground import Plan, Row, percentile, row
from bench.sockets import FRAGMENTS
from config import embedded
from tests.stack import LiveStack, live_stack

RATE = 20.0  # tickets a second
WEBS = 2  # web processes, as in `make demo`
WARM = 20  # tickets before the clock counts
PAST = 20_000  # tickets that are closed, on both sides (bench/past.py)
MARK = re.compile(r"ref ([a-z]{8})\b")
TEXTS = (
    "I still have not received my refund for the parcel I sent back two weeks ago, could you check it please",
    "My card was declined in the shop today although the limit is not reached",
    "Can I move the date of my next payment to the end of the month",
    "The app shows the same purchase twice and I only bought it once",
    "I want to pay everything at once, where do I find the amount that is left",
)
FLOOR_BACK = "UPDATE floor_agent SET taken = false, idle_since = clock_timestamp() WHERE taken"
OURS_BACK = """
WITH old AS MATERIALIZED (
    SELECT id, ticket_id, shift_id FROM dispatch_offer
    WHERE state = 'pending' AND made_at < clock_timestamp() - interval '0.5 s'),
shifts AS MATERIALIZED (
    SELECT id FROM agents_shift WHERE id IN (SELECT shift_id FROM old) ORDER BY id FOR UPDATE),
back AS (
    UPDATE agents_shift SET units_taken = 0, idle_since = clock_timestamp()
    WHERE id IN (SELECT id FROM shifts) RETURNING id),
closed AS (
    UPDATE tickets_ticket SET state = 'closed', closed_at = clock_timestamp()
    WHERE id IN (SELECT ticket_id FROM old) AND state = 'waiting' RETURNING id)
UPDATE dispatch_offer SET state = 'rescinded', reason = 'bench', ended_at = clock_timestamp(), answered_at = clock_timestamp()
WHERE id IN (SELECT id FROM old) AND state = 'pending'
    AND (SELECT count(*) FROM back) >= 0 AND (SELECT count(*) FROM closed) >= 0
"""


Seen = dict[str, tuple[float, float]]  # mark of a ticket → POST begun, first frame read


def measure(plan: Plan, servers: embedded.Servers) -> list[Row]:
    people, count, past = plan.size(500, 40), plan.size(400, 20), plan.size(PAST, 200)
    with ground.empty_database("bench_floor") as database, live_stack("offer", web_processes=WEBS) as stack:
        prepare_floor(database, people, past)
        made = ground.child("world", {"agents": people, "tickets": past}, stack.environment)
        with ground.floor("push", {"DATABASE_URL": database}) as floor:
            base = f"ws://127.0.0.1:{floor.port}/agent/"
            seats = [client.Seat(f"{base}{n}", {}, '{"type": "beat", "epoch": 1}') for n in range(people)]
            found = ground.interleaved(
                plan,
                {
                    "floor": lambda: one_round(floor.port, seats, count, database, FLOOR_BACK),
                    "ours": lambda: ours(stack, made, count, servers),
                },
            )
    traces = traced(plan, people, count, past, servers)
    together = {what: [one for trace in traces for one in trace[what]] for what in traces[0]}
    more: dict[str, Any] = {"hops": hops.medians(together)}
    samples = sum(len(one) for one in found["ours"])
    offers = [
        row(
            f"offer_{name}",
            "ms",
            [percentile(delays(one), share) * 1000 for one in found["ours"]],
            [percentile(delays(one), share) * 1000 for one in found["floor"]],
            notes=f"form POST to frame, {people} agents, {RATE:g}/s, {samples} samples"
            + ("" if FRAGMENTS else "; without HTML fragments"),
            **(more if name == "p50" else {}),
        )
        for name, share in ground.PERCENTILES.items()
    ]
    return offers + begins.rows(traces, RATE, servers.redis_url)


def prepare_floor(database: str, people: int, past: int) -> None:
    with psycopg2.connect(database) as connection, connection.cursor() as cursor:
        cursor.execute(SCHEMA)
        cursor.execute(
            "INSERT INTO floor_agent SELECT n, false, clock_timestamp() FROM generate_series(0, %s) AS n",
            [people - 1],
        )
        cursor.execute(
            "INSERT INTO floor_ticket (body, agent_id) SELECT repeat('I sent the parcel back two weeks ago. ', 3), n %% %s"
            " FROM generate_series(1, %s) AS n",
            [people, past],
        )
        cursor.execute("ANALYZE")
    connection.close()


def ours(stack: LiveStack, made: Mapping[str, Any], count: int, servers: embedded.Servers) -> Seen:
    wake(stack)
    query = "?fragments=1&lang=en" if FRAGMENTS else "?lang=en"
    seats = [
        client.Seat(
            f"{stack.socket_url}/ws/agent/{query}",
            {"Authorization": f"Token {token}"},
            json.dumps({"type": "beat", "epoch": epoch}),
        )
        for _agent, token, epoch in made["agents"]
    ]
    cores = ground.Cores(stack.processes.pids, servers)
    seen = one_round(stack.processes.port, seats, count, stack.database_url, OURS_BACK, made["topics"], cores)
    ground.say(f"    of a core: {cores.told()}")
    wake(stack)  # or the end of 500 leases would be the floor's burden
    return seen


def wake(stack: LiveStack) -> None:
    """Everybody is online with nothing open, and no lease ends for an hour: between rounds nobody sits on the sockets."""
    time.sleep(1.0)  # beats that were on their way when the sockets closed
    stack.sql(OURS_BACK.replace("0.5 s", "0 s"))
    stack.sql(
        "UPDATE agents_shift SET state = 'online', reason = '', end_reason = '', lost_at = NULL, ended_at = NULL,"
        " online_since = coalesce(online_since, now()), units_taken = 0 WHERE epoch = 1"
    )
    stack.sql(
        "INSERT INTO agents_lease (shift_id, beat_at, expires_at) SELECT id, now(), now() + interval '1 hour'"
        " FROM agents_shift ON CONFLICT (shift_id) DO UPDATE SET expires_at = excluded.expires_at"
    )


def one_round(
    port: int,
    seats: Sequence[client.Seat],
    count: int,
    database: str,
    back: str,
    topics: Sequence[str] = (),
    cores: AbstractContextManager[Any] | None = None,
) -> Seen:
    """When each of `count` tickets was posted and first seen."""
    marks = ["".join(random.choices("abcdefghijklmnopqrstuvwxyz", k=8)) for _ in range(WARM + count)]
    begun: dict[str, float] = {}
    first: dict[str, float] = {}

    def heard(_place: int, text: str, at: float) -> None:
        if '"offer.made"' in text and (mark := MARK.search(text)):
            first.setdefault(mark[1], at)

    async def go() -> float:
        posters: asyncio.LifoQueue[client.Door] = asyncio.LifoQueue()
        for _ in range(8):
            await posters.put(await client.Door.opened(port))

        async def post(number: int) -> None:
            door = await posters.get()
            mark = marks[number]
            door.come_anew()
            fields = {
                "text": f"{TEXTS[number % len(TEXTS)]} (ref {mark})",
                "key": mark,
            }
            if topics:
                fields["topic"] = topics[number % len(topics)]
            begun[mark] = time.monotonic()
            answer = await door.send("/", fields)
            posters.put_nowait(door)
            if answer.status not in (302, 303):
                raise RuntimeError(f"the form answered {answer.status}: {answer.body[:400]!r}")

        async with client.crowd(seats, port, heard):
            with cores or nullcontext():
                late = await client.paced(RATE, len(marks), post)
            await asyncio.sleep(2.0)
        while not posters.empty():
            posters.get_nowait().poster.close()
        return late

    with giving_back(database, back):
        late = client.run(go())
    missing = [mark for mark in marks if mark not in first]
    if missing:
        raise RuntimeError(f"{len(missing)} of {len(marks)} tickets were never offered")
    seen = {mark: (begun[mark], first[mark]) for mark in marks[WARM:]}
    found = delays(seen)
    p50, p99 = (percentile(found, share) * 1000 for share in ground.PERCENTILES.values())
    ground.say(
        f"    p50 {p50:.2f} ms, p99 {p99:.2f}, worst {max(found) * 1000:.1f}; client late {late * 1000:.1f}"
    )
    return seen


def delays(seen: Seen) -> list[float]:
    """Seconds from POST to first frame."""
    return [at - begun for begun, at in seen.values()]


class giving_back:  # noqa: N801  a context manager, read as a verb
    """Run the statement once a second in a thread, until the block ends."""

    def __init__(self, database: str, statement: str) -> None:
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.work, args=(database, statement), daemon=True)

    def work(self, database: str, statement: str) -> None:
        connection = psycopg2.connect(database)
        connection.autocommit = True
        with connection.cursor() as cursor:
            while not self.over.wait(1.0):
                cursor.execute(statement)
        connection.close()

    def __enter__(self) -> None:
        self.thread.start()

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.thread.join()


def traced(
    plan: Plan, people: int, count: int, past: int, servers: embedded.Servers
) -> list[dict[str, list[float]]]:
    """The same load once more, with every step's time written down. Prints each hop's share; returns of each round hop →
    milliseconds."""
    found = []
    with (
        tempfile.TemporaryDirectory() as folder,
        live_stack("hops", web_processes=WEBS, settings=hops.settings(Path(folder))) as stack,
    ):
        made = ground.child("world", {"agents": people, "tickets": past}, stack.environment)
        for number in range(plan.rounds):
            ground.say(f"  tracing the hops, round {number + 1}/{plan.rounds}")
            seen = ours(stack, made, count, servers)
            found.append(hops.read(Path(folder), seen))
            print(hops.table(found[-1], percentile(delays(seen), 0.5) * 1000), flush=True)
    return found
