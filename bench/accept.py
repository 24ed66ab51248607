"""`accept`, `accept_p99`: agents accept offers, 8 at a time, as fast as they are answered. And the same over HTTP.

Floor: the very statements of one accept (captured from the service when the row begins), sent by pgbench to the same tables
with 8 clients; so nothing is left but PostgreSQL. Ours: the service dispatch.offers.offer_accept in two processes with four
threads each; and `accept_http`: POST /api/v1/offers/{id}/accept over 8 keep-alive connections to two web processes.
Each accept is of another agent and another ticket, without rivals; durable, as everything here.
"""

import asyncio
import json
import os
import re
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from bench import client, ground
from bench.ground import Plan, Row, percentile, row
from config import embedded
from config.stack import PROJECT
from tests.stack import LiveStack, live_stack

CLIENTS = 8
PROCESSES = 2

Figures = dict[str, float]


def measure(plan: Plan, servers: embedded.Servers) -> list[Row]:
    sizes = {
        "floor": plan.size(6000, 80),
        "service": plan.size(3000, 80),
        "http": plan.size(2000, 80),
    }
    warm = CLIENTS * 4
    next_card = 1

    def cards(count: int) -> int:
        nonlocal next_card
        next_card += count
        return next_card - count

    with live_stack("accept", web_processes=PROCESSES, with_worker=False, with_beat=False) as stack:
        made = ground.child("cards", {"count": plan.rounds * sum(sizes.values()) + warm}, stack.environment)
        script = made["script"]
        http(stack, cards(warm), warm)
        found = ground.interleaved(
            plan,
            {
                "floor": lambda: pgbench(servers, stack, script, cards(sizes["floor"]), sizes["floor"]),
                "service": lambda: service(stack, cards(sizes["service"]), sizes["service"]),
                "http": lambda: http(stack, cards(sizes["http"]), sizes["http"]),
            },
        )
        (wrong,) = stack.sql(
            "SELECT count(*) FROM dispatch_offer WHERE state <> 'accepted' AND id < %s", [next_card]
        )
    if wrong[0]:
        raise RuntimeError(f"{wrong[0]} offers were not accepted")
    statements = f"{len(script)} statements with BEGIN and COMMIT, {CLIENTS} clients"
    names = {"service": ("accept", statements), "http": ("accept_http", "POST /api/v1/offers/{id}/accept")}
    return [
        row(
            name + suffix,
            unit,
            [one[figure] for one in found[side]],
            [one[figure] for one in found["floor"]],
            notes=f"{notes}; floor: the same statements in pgbench",
        )
        for side, (name, notes) in names.items()
        for suffix, figure, unit in (("", "rate", "1/s"), ("_p99", "p99", "ms"))
    ]


def pgbench(
    servers: embedded.Servers, stack: LiveStack, script: Sequence[str], first: int, count: int
) -> Figures:
    text = "\n".join(
        [f"\\set n {first} + :i * {CLIENTS} + :client_id", "\\set i :i + 1", *(f"{line};" for line in script)]
    )
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "accept.sql"
        file.write_text(text)
        command = [
            str(servers.program("pgbench")), "--no-vacuum", "--define", "i=0", "--client", str(CLIENTS), "--jobs", "1",
            "--transactions", str(count // CLIENTS), "--file", str(file), "--log", "--log-prefix", f"{folder}/log",
            stack.database_url,
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        if done.returncode:
            raise RuntimeError(f"pgbench: {done.stdout}\n{done.stderr}")
        seconds = [
            int(line.split()[2]) / 1e6
            for log in Path(folder).glob("log*")
            for line in log.read_text().splitlines()
        ]
    rate = re.search(r"tps = ([\d.]+)", done.stdout)
    assert rate is not None
    return told(float(rate[1]), seconds)


def service(stack: LiveStack, first: int, count: int) -> Figures:
    share = count // PROCESSES
    threads = CLIENTS // PROCESSES
    workers = []
    try:
        for place in range(PROCESSES):
            wish = {"first": first + place * share, "count": share, "threads": threads}
            workers.append(
                subprocess.Popen(
                    ground.inside("accepting", wish),
                    cwd=PROJECT,
                    env=os.environ | stack.environment,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
        for worker in workers:
            assert worker.stdout is not None
            if worker.stdout.readline() != "ready\n":
                raise RuntimeError("the accepting process did not get ready")
        for worker in workers:
            assert worker.stdin is not None
            worker.stdin.write("go\n")
            worker.stdin.flush()
        results = [json.loads(worker.communicate(timeout=300)[0]) for worker in workers]
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
    seconds = [one for result in results for one in result["seconds"]]
    whole = max(result["ended"] for result in results) - min(result["begun"] for result in results)
    return told(len(seconds) / whole, seconds)


def http(stack: LiveStack, first: int, count: int) -> Figures:
    seconds: list[float] = []

    async def accept(place: int) -> None:
        poster = client.Poster(stack.processes.port)
        for number in range(first + place, first + count, CLIENTS):
            headers = {"Authorization": f"Token {number:040d}", "Content-Type": "application/json"}
            begun = time.monotonic()
            answer = await poster.request("POST", f"/api/v1/offers/{number}/accept", b'{"epoch": 1}', headers)
            seconds.append(time.monotonic() - begun)
            if answer.status != 200:
                raise RuntimeError(f"accept answered {answer.status}: {answer.body[:300]!r}")
        poster.close()

    async def go() -> float:
        begun = time.monotonic()
        await asyncio.gather(*[accept(place) for place in range(CLIENTS)])
        return count / (time.monotonic() - begun)

    return told(client.run(go()), seconds)


def told(rate: float, seconds: Sequence[float]) -> Figures:
    figures = {"rate": rate, "p99": percentile(seconds, 0.99) * 1000}
    ground.say(f"    {rate:.0f} a second, p99 {figures['p99']:.1f} ms")
    return figures
