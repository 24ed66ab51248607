"""`intake`: tickets that the web form accepts a second, 4 visitors at once, each as fast as it is answered, 2 web processes.

Ours is the whole product: CSRF, redaction, language detection, timeline, idempotency key, private link, and beside the web the
worker and beat, which match and write mail while the form is filled. Nobody is online, so all tickets wait.
Beside it, on the same PostgreSQL, each in turn:
- a bare Django ModelForm view (floors/form.py): the floor;
- django-helpdesk 2.6.1 (bench/helpdesk): what the ratio is taken to. It mails within the request; its mail goes nowhere.
All run on Uvicorn with Django in a pool of 8 threads (ours by config/threads.py, the others by a2wsgi). After each of our
rounds the tickets are closed by SQL.
"""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack

import psutil

from bench import client, ground
from bench.client import Door
from bench.ground import Plan, Row, row
from bench.offer import TEXTS
from config import embedded
from config.stack import PROJECT
from tests.stack import LiveStack, live_stack

VISITORS = 4
PROCESSES = 2
HELPDESK = PROJECT / ".venv-helpdesk"
LOCK = PROJECT / "bench" / "requirements-helpdesk.txt"

Fields = Callable[[int], Mapping[str, str]]


def measure(plan: Plan, servers: embedded.Servers) -> list[Row]:  # noqa: ARG001  every row has this signature
    seconds = 1.0 if plan.quick else 8.0
    with ExitStack() as stays:
        stack = stays.enter_context(live_stack("intake", web_processes=PROCESSES, settings=MAIL))
        made = ground.child("world", {"agents": 1}, stack.environment)
        stack.sql("UPDATE agents_shift SET state = 'paused'")
        form, helpdesk = (
            stays.enter_context(ground.empty_database(f"bench_{name}")) for name in ("form", "helpdesk")
        )
        python = helpdesk_python()
        bare_port = running(stays, "form", [sys.executable, "-m", "bench.floors.form"], form)
        theirs_port = running(stays, "helpdesk", [python, "-m", "bench.helpdesk.server"], helpdesk)
        topics = made["topics"]

        def our_fields(number: int) -> Mapping[str, str]:
            return written(number) | {
                "topic": topics[number % len(topics)],
                "key": f"bench-{time.monotonic_ns()}",
            }

        def their_fields(number: int) -> Mapping[str, str]:
            text = TEXTS[number % len(TEXTS)]
            return {
                "queue": "1", "title": text[:60], "body": text, "priority": "3",
                "submitter_email": "carla@customers.example",
            }  # fmt: skip

        sides = {
            "bare ModelForm": lambda: fill(bare_port, "/", written, seconds),
            "django-helpdesk": lambda: fill(theirs_port, "/tickets/submit/", their_fields, seconds),
            "ours": lambda: ours(stack, our_fields, seconds),
        }
        for one in sides.values():  # warm: first requests import, compile and connect
            one()
        found = ground.interleaved(plan, sides)
    rates = found["ours"]
    return [
        row(
            "intake",
            "1/s",
            rates,
            found["bare ModelForm"],
            against=found["django-helpdesk"],
            notes=f"ratio is to django-helpdesk 2.6.1 ({ground.middle(found['django-helpdesk']):.0f}/s);"
            " floor is a bare ModelForm",
            helpdesk=[round(one, 1) for one in found["django-helpdesk"]],
        )
    ]


MAIL = {"EMAIL_BACKEND": "django.core.mail.backends.dummy.EmailBackend"}


def written(number: int) -> dict[str, str]:
    """What a visitor writes."""
    return {"text": TEXTS[number % len(TEXTS)], "name": "Carla", "email": "carla@customers.example"}


def running(stays: ExitStack, name: str, argv: list[str], database: str) -> int:
    """Prepare a peer's database and start its processes; returns their port."""
    environment = {"DATABASE_URL": database}
    done = subprocess.run(
        [*argv, "prepare"], cwd=PROJECT, env=os.environ | environment, capture_output=True, text=True, timeout=300,
        check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"{name} cannot be prepared:\n{done.stdout}\n{done.stderr}")
    return stays.enter_context(ground.processes(name, argv, environment, PROCESSES)).port


def ours(stack: LiveStack, fields: Fields, seconds: float) -> float:
    worker = psutil.Process(stack.processes.pids["worker"])
    before = sum(worker.cpu_times()[:2])
    rate = fill(stack.processes.port, "/", fields, seconds)
    ground.say(
        f"    meanwhile the worker used {(sum(worker.cpu_times()[:2]) - before) / seconds:.0%} of a core"
    )
    stack.sql("UPDATE tickets_ticket SET state = 'closed', closed_at = now() WHERE state = 'waiting'")
    time.sleep(1.0)  # for the run that is under way
    return rate


def fill(port: int, path: str, fields: Fields, seconds: float) -> float:
    """Accepted forms a second."""
    accepted = 0

    async def visit(place: int, until: float) -> None:
        nonlocal accepted
        door = await Door.opened(port, path)
        number = place
        while time.monotonic() < until:
            door.come_anew()
            answer = await door.send(path, fields(number))
            if answer.status not in (302, 303):
                raise RuntimeError(f"{path} answered {answer.status}: {answer.body[:600]!r}")
            accepted += 1
            number += VISITORS
        door.poster.close()

    async def go() -> float:
        begun = time.monotonic()
        await asyncio.gather(*[visit(place, begun + seconds) for place in range(VISITORS)])
        return accepted / (time.monotonic() - begun)

    rate = client.run(go())
    ground.say(f"    {rate:.0f} a second")
    return rate


def helpdesk_python() -> str:
    """The interpreter of django-helpdesk's environment, which is made when it is missing or its lock has changed."""
    python, mark = HELPDESK / "bin" / "python", HELPDESK / "standby-lock"
    lock = LOCK.read_text()
    if not mark.exists() or mark.read_text() != lock:
        ground.say("  installing django-helpdesk into .venv-helpdesk")
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(HELPDESK)], check=True)
        subprocess.run(
            [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "--prefer-binary",
             "--require-hashes", "-r", str(LOCK)],
            check=True, timeout=600, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        mark.write_text(lock)
    return str(python)
