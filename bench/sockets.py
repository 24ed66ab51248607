"""`sockets_p50`, `sockets_p99`, `sockets_memory`: 2,000 agents online on one web process, beating, 200 offers a second, paced.

Ours: another process writes offer events through dispatch.feed.record; from its commit on, the bell rings, the consumer reads
the card from PostgreSQL, renders it, and the frame arrives. Floor: one bare Uvicorn process sends frames of a card's size out
of its own memory; from the moment of sending to the arrival.
Memory: growth of the web process from the 10th part of the sockets to all of them, a connection; each round on a fresh process.
"""

import asyncio
import json
import os
import subprocess
import time
from collections.abc import Mapping
from typing import Any

import psutil

from bench import client, ground
from bench.ground import Plan, Row, percentile, row
from config import embedded
from config.stack import PROJECT, Stack
from tests.stack import LiveStack, live_stack

RATE = 200.0  # events a second
FRAGMENTS = (PROJECT / "templates" / "dispatch" / "fragments" / "agent_event.html").exists()

Figures = dict[str, float]


def measure(plan: Plan, servers: embedded.Servers) -> list[Row]:  # noqa: ARG001  every row has this signature
    people, count = plan.size(2000, 50), plan.size(3000, 100)
    with live_stack("sockets") as stack, ground.floor("push") as floor:
        ground.say(f"  making {people} agents")
        made = ground.child("world", {"agents": people, "offers": True}, stack.environment)
        found = ground.interleaved(
            plan,
            {"floor": lambda: bare(floor, people, count), "ours": lambda: ours(stack, made, count)},
        )
    rows = [
        row(
            f"sockets_{name}",
            "ms",
            [one[name] for one in found["ours"]],
            [one[name] for one in found["floor"]],
            notes=f"push to {people} sockets, {RATE:g}/s, {count} samples a round"
            + ("" if FRAGMENTS else "; without HTML fragments"),
        )
        for name in ground.PERCENTILES
    ]
    memory = row(
        "sockets_memory",
        "KB/conn",
        [one["memory"] for one in found["ours"]],
        [one["memory"] for one in found["floor"]],
        notes="growth of the web process, a connection",
    )
    return [*rows, memory]


def bare(floor: Stack, people: int, count: int) -> Figures:
    name = next(iter(floor.pids))
    floor.restart(name)
    floor.wait()
    base = f"ws://127.0.0.1:{floor.port}"
    seats = [
        client.Seat(f"{base}/agent/{number}", {}, '{"type": "beat", "epoch": 1}') for number in range(people)
    ]
    delays: list[float] = []

    def heard(_place: int, text: str, at: float) -> None:
        if '"offer.made"' in text:
            delays.append(at - json.loads(text)["sent"])

    async def go() -> float:
        watched = Watched(seats, floor.port, heard, floor.pids[name])
        async with watched:
            poster = client.Poster(floor.port)
            warm = int(RATE)  # as bench/newsfeed.py
            await poster.get(f"/push/{RATE:g}/{warm + count}")
            await until(lambda: len(delays) >= warm + count, count / RATE + 10)
            del delays[:warm]
            poster.close()
        return watched.memory

    memory = client.run(go())
    return summary(delays, count, memory)


def ours(stack: LiveStack, made: Mapping[str, Any], count: int) -> Figures:
    rest(stack)
    stack.processes.restart("web")
    stack.processes.wait()
    query = "?fragments=1&lang=en" if FRAGMENTS else "?lang=en"
    seats = [
        client.Seat(
            f"{stack.socket_url}/ws/agent/{query}",
            {"Authorization": f"Token {token}"},
            json.dumps({"type": "beat", "epoch": epoch}),
        )
        for _agent, token, epoch in made["agents"]
    ]
    arrived: dict[tuple[int, int], float] = {}

    def heard(place: int, text: str, at: float) -> None:
        if '"offer.made"' in text:
            arrived[made["agents"][place][0], json.loads(text)["seq"]] = at

    async def go() -> tuple[dict[str, Any], float]:
        watched = Watched(seats, stack.processes.port, heard, stack.processes.pids["web"])
        async with watched:
            writer = await asyncio.create_subprocess_exec(
                *ground.inside("newsfeed", {"rate": RATE, "count": count, "offers": made["offers"]}),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                limit=2**24,
                cwd=PROJECT,
                env={**os.environ, **stack.environment},
            )
            assert writer.stdin is not None
            assert writer.stdout is not None
            try:
                assert (await writer.stdout.readline()) == b"ready\n"
                writer.stdin.write(b"go\n")
                told = json.loads(await asyncio.wait_for(writer.stdout.readline(), count / RATE * 3 + 30))
            finally:
                if writer.returncode is None:
                    writer.terminate()
                await writer.wait()
            wanted = {(agent, seq) for agent, seq, _at in told["sent"]}
            await until(lambda: wanted <= arrived.keys(), 60)  # late ones are late, not lost
        return told, watched.memory

    told, memory = client.run(go())
    stack.sql(
        "UPDATE agents_lease SET expires_at = now() + interval '1 hour'"
    )  # the floor's round shall be quiet
    if told["late"] > 0.05:
        ground.say(f"  the writer was late by {told['late'] * 1000:.0f} ms at worst")
    delays = [arrived[agent, seq] - at for agent, seq, at in told["sent"] if (agent, seq) in arrived]
    return summary(delays, count, memory)


def rest(stack: LiveStack) -> None:
    """No lease ends for an hour, though nobody sits on the sockets."""
    time.sleep(1.0)  # beats that were on their way when the sockets closed
    stack.sql("UPDATE agents_lease SET expires_at = now() + interval '1 hour'")


def summary(delays: list[float], count: int, memory: float) -> Figures:
    if len(delays) < count:
        raise RuntimeError(f"only {len(delays)} of {count} frames arrived")
    figures = {name: percentile(delays, share) * 1000 for name, share in ground.PERCENTILES.items()}
    ground.say(f"    p50 {figures['p50']:.2f} ms, p99 {figures['p99']:.2f} ms, {memory:.1f} KB a connection")
    return figures | {"memory": memory}


class Watched:
    """A crowd that arrives in two parts, with the server's memory read after each."""

    def __init__(self, seats: list[client.Seat], port: int, heard: Any, pid: int) -> None:
        self.people = client.Crowd(seats, f"http://127.0.0.1:{port}", heard)
        self.process = psutil.Process(pid)
        self.memory = 0.0  # KB a connection

    async def __aenter__(self) -> "Watched":
        count = len(self.people.seats)
        first = count // 10
        await self.people.arrive(0, first)
        await asyncio.sleep(0.5)
        before = self.process.memory_info().rss
        await self.people.arrive(first, count)
        await asyncio.sleep(0.5)
        self.memory = (self.process.memory_info().rss - before) / 1024 / (count - first)
        self.people.beat()
        await asyncio.sleep(client.BEAT_SECONDS + 1)  # everybody has beaten once: leases are alive
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.people.leave()
        if self.people.lost:
            raise RuntimeError(f"{self.people.lost} sockets were closed by the server")


async def until(met: Any, seconds: float) -> None:
    """Wait until `met()`, at most so long."""
    for _ in range(int(seconds / 0.02)):
        if met():
            return
        await asyncio.sleep(0.02)
