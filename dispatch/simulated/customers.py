"""A simulated customer: opens a ticket, waits more or less patiently, chats, rates or just leaves."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dispatch.demo.stories import AGAIN, NAMES, STILL_THERE, THANKS, Story, address_of
from dispatch.simulated.api import Api, Refused
from dispatch.simulated.live import Frame, Gone, Live
from dispatch.simulated.people import Pace, Tally

READS = (4.0, 15.0)  # seconds until the answer to an agent's message
ASKS_FOR_A_PERSON, LEAVES_EARLY, VANISHES, REOPENS, RATES, THANKS_SHARE = 0.12, 0.05, 0.05, 0.04, 0.75, 0.5
HELPED = 0.55  # by what the assistant answers
IMPATIENT = (20.0, 60.0)
GIVES_UP = (240.0, 480.0)  # without anybody
STAYS = 1500.0  # at most
BEFORE_RATING = (3.0, 12.0)


class SimulatedCustomer:
    """One person with one story, from opening the ticket to the end."""

    def __init__(self, api: Api, story: Story, topics: set[str], pace: Pace, tally: Tally) -> None:
        self.api, self.story, self.topics, self.pace, self.tally = api, story, topics, pace, tally
        self.state = ""  # until the first snapshot
        self.answers = 0  # messages of the assistant
        self.heard = 0  # messages of agents
        self.said = 1
        self.news = asyncio.Event()
        self.path = ""
        self.auth = ""

    async def live(self) -> None:
        """Raises Refused, Unreachable."""
        name = self.pace.chance.choice(NAMES[self.story.language])
        opened = await self.api.post(
            "tickets",
            {
                "text": self.story.opening,
                "name": name,
                "email": address_of(name) if self.pace.happens(0.7) else "",
                "topic": self.story.topic
                if self.story.topic in self.topics and self.pace.happens(0.9)
                else "",
                "language": self.story.language if self.pace.happens(0.7) else "",
            },
        )
        self.tally["opened"] += 1
        self.path, self.auth = f"tickets/{opened['id']}", f"Ticket {opened['token']}"
        live = Live(self.api.base_url, f"/ws/tickets/{opened['id']}/", self.auth, self._frame)
        connection = asyncio.create_task(live.run())
        try:
            async with asyncio.timeout(STAYS / self.pace.speed):
                await self._stay()
        except TimeoutError:
            self.tally["vanished"] += 1
        finally:
            connection.cancel()
            with contextlib.suppress(asyncio.CancelledError, Gone):
                await connection

    async def _stay(self) -> None:
        if self.pace.happens(VANISHES):
            await self.pace.think(5, 60)
            self.tally["vanished"] += 1
            return
        await self._try_the_machine()
        if self.state in ("resolved", "closed"):
            return
        if not await self._wait_for_somebody():
            return
        await self._talk()
        if self.state == "resolved" and self.pace.happens(REOPENS):
            await self.pace.think(*READS)
            await self._do("reopen", body=self._one_of(AGAIN))
            await self._talk()
        if self.state == "resolved" and self.pace.happens(RATES):
            await self._rate()

    async def _try_the_machine(self) -> None:
        """While the assistant has the ticket: some are helped, some say no, some want a person at once."""
        await self._until(lambda: self.state != "", self.pace.seconds(*IMPATIENT))
        while self.state == "assisted":
            await self._until(
                lambda: self.answers > 0 or self.state != "assisted", self.pace.seconds(*IMPATIENT)
            )
            await self.pace.think(*READS)
            if self.state != "assisted":
                return
            try:
                if self.answers and self.pace.happens(HELPED):
                    await self._do("answer", helped=True)
                else:
                    await self._do("request-human")
            except Refused:  # handed over in the same moment
                return

    async def _wait_for_somebody(self) -> bool:
        """False when this customer has closed the ticket."""
        if self.pace.happens(LEAVES_EARLY):
            await self.pace.think(5, 40)
            if self.state == "waiting":
                await self._do("close")
                return False
        asks = self.pace.happens(ASKS_FOR_A_PERSON)
        if await self._until(lambda: self.state != "waiting", self.pace.seconds(*IMPATIENT)):
            return True
        if asks:
            await self._do("request-human")
            await self._say(self._one_of(STILL_THERE))
        if await self._until(lambda: self.state != "waiting", self.pace.seconds(*GIVES_UP)):
            return True
        await self._do("close")
        return False

    async def _talk(self) -> None:
        """Answer each message of the agent, until the ticket is over."""
        answered = 0
        while self.state in ("waiting", "held"):
            if not await self._next_answer(answered):
                return
            await self.pace.think(*READS)
            answered = self.heard
            if self.said < len(self.story.customer):
                await self._say(self.story.customer[self.said])
            elif self.said == len(self.story.customer) and self.pace.happens(THANKS_SHARE):
                await self._say(self._one_of(THANKS))

    async def _next_answer(self, answered: int) -> bool:
        """Wait for another message of an agent; False when the ticket is over."""
        await self._until(lambda: self.heard > answered or self.state not in ("waiting", "held"), None)
        return self.state in ("waiting", "held")

    async def _say(self, body: str) -> None:
        if self.state in ("waiting", "held"):
            with contextlib.suppress(Refused):  # resolved in the same moment
                await self.api.post(f"{self.path}/messages", {"body": body}, self.auth)
                self.said += 1

    async def _do(self, word: str, **more: Any) -> None:
        now = await self.api.post(f"{self.path}/{word}", more, self.auth)
        self.tally[word] += 1
        self.state = now["state"]

    async def _rate(self) -> None:
        await self.pace.think(*BEFORE_RATING)
        score = self.story.score if self.pace.happens(0.8) else self.pace.chance.choice((2, 3, 4, 5))
        comment = self.story.comment if score == self.story.score and self.pace.happens(0.5) else ""
        await self._do("rating", score=score, solved=score >= 3, comment=comment)
        self.tally.scores.append(score)

    async def _until(self, condition: Callable[[], bool], seconds: float | None) -> bool:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not condition():
                    self.news.clear()
                    await self.news.wait()
        return condition()

    def _one_of(self, lines: Mapping[str, Sequence[str]]) -> str:
        return self.pace.chance.choice(lines[self.story.language])

    def _frame(self, frame: Frame) -> None:
        kind, data = frame["type"], frame.get("data", {})
        if kind == "snapshot":
            self.state = data["state"]
            self.heard = sum(message["author"] == "agent" for message in data["messages"])
            self.answers = sum(message["author"] == "system" for message in data["messages"])
        elif kind == "message.posted" and data["author"] == "system":
            self.answers += 1
        elif kind == "message.posted" and data["author"] == "agent":
            self.heard += 1
        elif kind in STATES:
            self.state = STATES[kind]
        self.news.set()


STATES = {
    "ticket.handed_over": "waiting",
    "ticket.held": "held",
    "ticket.released": "waiting",
    "ticket.resolved": "resolved",
    "ticket.closed": "closed",
    "ticket.reopened": "waiting",
}
