"""A file of texts as load: each is posted as a ticket, at a set rate, while agents are online on sockets; then the books
are balanced.

What is asked, all of it of the public interfaces:
  lost      acknowledged, and its own link does not find it, or finds another text than was sent
  doubled   one key made two tickets, two keys made one, or a ticket was with two agents at once
  unsettled acknowledged, and its state is not the one that its timeline adds up to
  unseen    an offer stands in an agent's numbered stream, and no frame of it came while it mattered
The streams are read again at the end, from the first number on a second socket: that tells what was made, the first
socket tells what was seen.
"""

import asyncio
import contextlib
import csv
import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from websockets.exceptions import WebSocketException

from dispatch.simulated.api import Api, Refused, Unreachable, new_key
from dispatch.simulated.live import Frame, dial
from dispatch.simulated.people import Pace, Tally
from dispatch.simulated.report import Percentiles, Report
from dispatch.simulated.worker import Chat, Worker

ANSWER = "Thank you for your message, this is settled now."
ANSWERS = 0.25  # share of tickets with an answer before they are resolved; chats are demo_traffic's matter
REPEATED = 20  # each so-many-th text is posted again with its key: a client that did not hear the answer
AUDIT_EVENTS = 250  # events of an agent after which the stream is read again; the server replays 500 at once
DECIDES = (0.2, 2.0)  # seconds: nobody is quicker, and most rivals hear in this time that they are late
LOG_INS = 8  # at once
CHECKS = 16  # at once
AUDIT_SECONDS = 20.0
FOLDED = {
    "ticket.opened": "waiting",
    "ticket.handed_over": "waiting",
    "ticket.held": "held",
    "ticket.released": "waiting",
    "ticket.resolved": "resolved",
    "ticket.closed": "closed",
    "ticket.reopened": "waiting",
}


@dataclass(frozen=True)
class Replay:
    """What to do. `rate` in tickets a second, `settle` in seconds without any progress."""

    base_url: str
    texts: Sequence[str]
    rate: float
    agents: Sequence[tuple[str, str]]  # (e-mail, password)
    settle: float = 30.0


def read_texts(path: Path, count: int) -> list[str]:
    """The column `text` of a CSV with a header line, from the top and round again until there are `count`.

    Raises ValueError when it has no such column or no text.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file)
        if "text" not in (rows.fieldnames or []):
            raise ValueError(f"{path} has no column “text”")
        texts = [text for row in rows if (text := (row["text"] or "").strip())]
    if not texts:
        raise ValueError(f"{path} has no text")
    return list(islice(cycle(texts), count))


@dataclass
class Sent:
    """One acknowledged ticket."""

    text: str
    id: str
    auth: str
    at: float  # when its POST was sent, of time.monotonic


class Desk(Worker):
    """An agent who takes what comes and settles it at once."""

    def __init__(self, *args: Any, first_seen: dict[datetime, float], taken: dict[str, list[str]]) -> None:
        super().__init__(*args)
        self.first_seen, self.taken = first_seen, taken
        self.seen: set[int] = set()
        self.made: set[int] = set()
        self.audited: int | None = None  # number of the stream up to which `made` is known
        self.too_late = 0
        self.coming_back = False

    def saw(self, frame: Frame) -> None:
        now = time.monotonic()
        if frame["type"] == "offer.made":
            self._see(frame["data"], now)
        elif frame["type"] == "snapshot" and frame["stream"] == self.stream:
            for card in frame["data"]["offers"]:
                self._see(card, now)
            if self.audited is None:
                self.audited = frame["seq"]

    def _see(self, card: dict[str, Any], now: float) -> None:
        self.seen.add(card["offer"])
        # The card does not name the ticket; the moment at which it came, to the microsecond, does.
        self.first_seen.setdefault(datetime.fromisoformat(card["waiting_since"]), now)

    async def offered(self, card: dict[str, Any]) -> None:
        await self.pace.think(*DECIDES)
        if self.epoch is None or card["offer"] not in self.offers:
            return
        try:
            answer = await self.api.post(f"offers/{card['offer']}/accept", {"epoch": self.epoch}, self.auth)
        except Refused as refusal:
            if refusal.code not in ("offer_gone", "offer_expired"):
                raise
            self.too_late += 1
            return
        self.taken.setdefault(answer["ticket"], []).append(self.email)

    async def serve(self, chat: Chat) -> None:
        if self.epoch is not None:
            where = f"desk/{chat.public_id}"
            if self.pace.happens(ANSWERS):
                await self.api.post(f"{where}/reply", {"epoch": self.epoch, "body": ANSWER}, self.auth)
            await self.api.post(f"{where}/resolve", {"epoch": self.epoch}, self.auth)

    async def come_back(self) -> None:
        """After a missed offer or an ended shift."""
        try:
            await self.online()
        finally:
            self.coming_back = False

    @property
    def seq(self) -> int:
        return self.live.after.get(self.stream, 0) if self.live else 0

    async def audit(self) -> None:
        """Read the stream again on a second socket: which offers were made since the last look?

        Raises TimeoutError, OSError or WebSocketException when that cannot be had.
        """
        if self.audited is None:
            return
        async with asyncio.timeout(AUDIT_SECONDS), dial(self.api.base_url, "/ws/agent/", self.auth) as socket:
            await socket.send(json.dumps({"type": "resume", "after": {self.stream: self.audited}}))
            await socket.send(json.dumps({"type": "beat"}))
            async for message in socket:
                frame = json.loads(message)
                if frame["type"] == "heartbeat":
                    break  # what the resume had to send came before it
                if frame.get("stream") != self.stream:
                    continue
                if frame["type"] == "snapshot":
                    raise TimeoutError("too many events to be read again")
                if frame["type"] == "offer.made":
                    self.made.add(frame["data"]["offer"])
                self.audited = frame["seq"]


async def reach(base_url: str) -> None:
    """Raises Unreachable, Refused when nobody answers there within some seconds."""
    async with Api(base_url, patience=10.0) as api:
        await api.get("topics")


async def replay(plan: Replay, say: Callable[[str], None]) -> Report:
    """Do it. Raises Unreachable, Refused when nothing can be started."""
    report, tally = Report(), Tally()
    first_seen: dict[datetime, float] = {}
    taken: dict[str, list[str]] = {}
    # Customers have connections of their own: they do not queue behind the agents.
    async with Api(plan.base_url) as api, Api(plan.base_url) as intake:
        desks = [
            Desk(api, email, password, Pace(), tally, first_seen=first_seen, taken=taken)
            for email, password in plan.agents
        ]
        say(f"{len(desks)} agents log in and go online …")
        await _in_parallel(desks, _start, LOG_INS)
        report.agents_online = sum(desk.state == "online" for desk in desks)
        watching = asyncio.create_task(_watch(desks, report))
        say(f"{report.agents_online} online; {len(plan.texts)} tickets at {plan.rate:g} a second …")
        book = _Book(intake, report)
        begun = time.monotonic()
        await _post_all(plan, book)
        report.seconds = time.monotonic() - begun
        say(
            f"{report.acknowledged} acknowledged after {report.seconds:.1f} s; waiting until they are settled …"
        )
        await _settle(desks, taken, book.tickets, plan.settle)
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        say("reading everything again …")
        await _in_parallel(desks, lambda desk: _audit(desk, report), CHECKS)
        await _in_parallel(book.tickets, lambda ticket: _check(api, ticket, report), CHECKS)
        await _in_parallel(desks, _go, CHECKS)
    report.doubled += sum(len(set(who)) > 1 for who in taken.values())
    report.offers_made = sum(len(desk.made) for desk in desks)
    report.offers_seen = sum(len(desk.made & desk.seen) for desk in desks)
    report.offers_unseen += report.offers_made - report.offers_seen
    report.accepted = sum(len(who) for who in taken.values())
    report.too_late = sum(desk.too_late for desk in desks)
    report.missed = tally["offer.expired"]
    report.reconnections = sum(desk.live.connections - 1 for desk in desks if desk.live)
    report.post = Percentiles.of(book.latencies)
    report.post_to_offer = Percentiles.of(
        first_seen[at] - sent for at, sent in book.created.items() if at in first_seen
    )
    if tally["faults"] or tally["unreachable"]:
        report.remark(
            f"{tally['faults']} faults and {tally['unreachable']} commands without answer of the agents"
        )
    return report


async def _start(desk: Desk) -> None:
    await desk.log_in()
    await desk.connect()
    await desk.online()


async def _go(desk: Desk) -> None:
    with contextlib.suppress(Refused, Unreachable):
        await desk.say("offline")
    await desk.leave()


async def _in_parallel(items: Sequence[Any], act: Callable[[Any], Any], at_once: int) -> None:
    waiting = iter(items)

    async def work() -> None:
        for item in waiting:
            await act(item)

    async with asyncio.TaskGroup() as group:
        for _number in range(at_once):
            group.create_task(work())


class _Book:
    """What was sent and acknowledged."""

    def __init__(self, api: Api, report: Report) -> None:
        self.api, self.report = api, report
        self.tickets: list[Sent] = []
        self.ids: set[str] = set()
        self.latencies: list[float] = []
        self.created: dict[datetime, float] = {}  # the server's moment → when its POST was sent

    async def post(self, text: str, again: bool) -> None:
        key, sent = new_key(), time.monotonic()
        try:
            answer = await self.api.post("tickets", {"text": text}, key=key)
        except (Refused, Unreachable) as error:
            self.report.failed += 1
            self.report.remark(f"not acknowledged: {error}")
            return
        self.latencies.append(time.monotonic() - sent)
        self.report.acknowledged += 1
        if answer["id"] in self.ids:
            self.report.doubled += 1
            self.report.remark(f"two keys, one ticket: {answer['id']}")
        self.ids.add(answer["id"])
        self.created[datetime.fromisoformat(answer["created_at"])] = sent
        self.tickets.append(Sent(text, answer["id"], f"Ticket {answer['token']}", sent))
        if again:
            await self._repeat(text, key, answer["id"])

    async def _repeat(self, text: str, key: str, first: str) -> None:
        try:
            status, answer = await self.api.command("tickets", {"text": text}, key=key)
        except (Refused, Unreachable) as error:
            self.report.failed += 1
            self.report.remark(f"the same key again was not acknowledged: {error}")
            return
        self.report.repeated += 1
        if answer["id"] != first or status != 200:
            self.report.doubled += 1
            self.report.remark(f"one key, two tickets: {first} and {answer['id']} (status {status})")


async def _post_all(plan: Replay, book: _Book) -> None:
    begun = time.monotonic()
    async with asyncio.TaskGroup() as group:
        for number, text in enumerate(plan.texts):
            # By the clock and not by the last answer: a slow server gets no rest by being slow.
            await asyncio.sleep(max(begun + number / plan.rate - time.monotonic(), 0))
            book.report.sent += 1
            group.create_task(book.post(text, number % REPEATED == REPEATED - 1))


async def _watch(desks: Sequence[Desk], report: Report) -> None:
    """While it runs: who missed an offer comes back, long streams are read in time."""
    while True:
        await asyncio.sleep(1)
        for desk in desks:
            if (desk.epoch is None or desk.state == "paused") and desk.auth and not desk.coming_back:
                desk.coming_back = True
                desk.errands.start(desk.come_back())
            if desk.audited is not None and desk.seq - desk.audited > AUDIT_EVENTS:
                await _audit(desk, report)


async def _audit(desk: Desk, report: Report) -> None:
    try:
        await desk.audit()
    except (TimeoutError, OSError, WebSocketException) as error:
        report.offers_unseen += 1  # not known to be seen
        report.remark(f"the stream of {desk.email} could not be read again: {error or type(error).__name__}")


async def _settle(
    desks: Sequence[Desk], taken: dict[str, list[str]], tickets: Sequence[Sent], patience: float
) -> None:
    """Until all tickets were taken and nobody holds any, or nothing moves for `patience` seconds."""
    before, since = (-1, -1), time.monotonic()
    while time.monotonic() - since < patience:
        now = (sum(ticket.id in taken for ticket in tickets), sum(len(desk.chats) for desk in desks))
        if now == (len(tickets), 0):
            return
        if now != before:
            before, since = now, time.monotonic()
        await asyncio.sleep(0.25)


def folded(events: Iterable[Mapping[str, Any]]) -> tuple[str, bool]:
    """The state that a ticket's frames add up to, empty before the first; and whether two agents ever held it at once."""
    state, twice = "", False
    for frame in events:
        twice = twice or (frame["type"] == "ticket.held" and state == "held")
        # With the assistant first, where a model has found a topic that lets it try.
        assisted = frame["type"] == "ticket.opened" and frame["data"].get("assisted")
        state = "assisted" if assisted else FOLDED.get(frame["type"], state)
    return state, twice


async def _check(api: Api, ticket: Sent, report: Report) -> None:
    """One acknowledged ticket: is it there, once, in the one state that its events add up to?"""
    try:
        now = await api.get(f"tickets/{ticket.id}", ticket.auth)
        events = (await api.get(f"tickets/{ticket.id}/events?after=0", ticket.auth))["frames"]
    except (Refused, Unreachable) as error:
        report.lost += 1
        report.remark(f"lost: {ticket.id}: {error}")
        return
    report.states[now["state"]] = report.states.get(now["state"], 0) + 1
    openings = [message["body"] for message in now["messages"][:1]]
    if now["public_id"] != ticket.id or not openings:
        report.lost += 1
        report.remark(f"lost: {ticket.id} has no message")
    (state, twice), seqs = folded(events), [frame["seq"] for frame in events]
    if twice:
        report.doubled += 1
        report.remark(f"two agents at once: {ticket.id}")
    if (
        state != now["state"]
        or seqs != sorted(set(seqs))
        or sum(f["type"] == "ticket.opened" for f in events) != 1
    ):
        report.unsettled += 1
        report.remark(f"unsettled: {ticket.id} is {now['state']}, its events say {state or 'nothing'}")
