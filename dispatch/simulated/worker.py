"""An agent's client: log-in, shift, offers and held tickets, kept up by the frames of one socket.

What the agent does about them is a subclass's matter: `offered`, `serve`.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from dispatch.simulated.api import Api, Refused, Unreachable
from dispatch.simulated.live import Frame, Gone, Live
from dispatch.simulated.people import Errands, Pace, Tally

logger = logging.getLogger(__name__)

LEAVING_SECONDS = 2.5  # to say good-bye when the program ends


@dataclass
class Chat:
    """A held ticket as its frames tell it."""

    public_id: str
    known: asyncio.Event = field(default_factory=asyncio.Event)  # the snapshot has come
    news: asyncio.Event = field(default_factory=asyncio.Event)
    language: str = "en"
    topic: str | None = None
    messages: list[dict[str, Any]] = field(default_factory=list)
    over: bool = False

    @property
    def said(self) -> int:
        """Messages of agents, whoever they were."""
        return sum(message["author"] == "agent" for message in self.messages)

    def take(self, frame: Frame) -> None:
        data = frame["data"]
        if frame["type"] == "snapshot":
            self.language, self.topic = data["language"], data["topic"]
            self.messages = [message for message in data["messages"] if not message["internal"]]
            self.known.set()
        elif frame["type"] == "message.posted":
            self.messages.append(data)
        elif frame["type"] in ("ticket.closed", "ticket.resolved", "ticket.released"):
            self.over = True
        self.news.set()

    def end(self) -> None:
        self.over = True
        self.known.set()
        self.news.set()

    def ended(self) -> bool:
        return self.over

    async def customer_writes(self, seconds: float) -> bool:
        """Wait until the last message is the customer's, or the ticket is over; False when the time has passed."""
        return await self.until(
            lambda: not self.messages or self.messages[-1]["author"] == "customer", seconds
        )

    async def until(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Wait for news that make it true, or for the end of the ticket; False when the time has passed."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not (self.over or condition()):
                    self.news.clear()
                    await self.news.wait()
        return self.over or condition()


class Worker:
    """One agent. `epoch` is None when offline; `state` is the shift's."""

    def __init__(self, api: Api, email: str, password: str, pace: Pace, tally: Tally) -> None:
        self.api, self.email, self.password, self.pace, self.tally = api, email, password, pace, tally
        self.errands = Errands(tally)
        self.auth = ""
        self.name = ""
        self.stream = ""
        self.epoch: int | None = None
        self.state: str | None = None
        self.reason = ""
        self.offers: dict[int, dict[str, Any]] = {}  # open ones
        self.chats: dict[str, Chat] = {}
        self.wrapping: set[str] = set()  # tickets in wrap-up
        self.live: Live | None = None
        self._connection: asyncio.Task[None] | None = None

    # To be given by subclasses

    async def offered(self, card: dict[str, Any]) -> None:
        """An offer came; it is in `self.offers` as long as it is open."""
        raise NotImplementedError

    async def serve(self, chat: Chat) -> None:
        """This agent holds the ticket now."""
        raise NotImplementedError

    def saw(self, frame: Frame) -> None:
        """Called with each frame first."""

    # Shift

    async def log_in(self) -> None:
        """Get a token, once. Raises Refused, Unreachable."""
        if not self.auth:
            answer = await self.api.post("token", {"email": self.email, "password": self.password})
            self.auth = f"Token {answer['token']}"
            me = await self.api.get("me", self.auth)
            self.name, self.stream = me["name"], me["stream"]

    async def connect(self) -> None:
        """Open the socket, and keep it open."""
        if self._connection is None or self._connection.done():
            self.live = Live(self.api.base_url, "/ws/agent/", self.auth, self._frame, beat=self._beat)
            self._connection = asyncio.create_task(self._stay(self.live))
            await self.live.connected.wait()

    async def _stay(self, live: Live) -> None:
        try:
            await live.run()
        except Gone as gone:
            self.tally["closed"] += 1
            self.auth = "" if gone.code in (4401, 4403) else self.auth
            live.connected.set()  # whoever waits for it shall not wait for ever
        except Exception:
            self.tally["faults"] += 1
            logger.exception("a frame was not understood")
            raise

    def _beat(self) -> dict[str, Any]:
        return {} if self.epoch is None else {"epoch": self.epoch}

    async def online(self) -> None:
        """Go online, or come back from a pause."""
        self._shift((await self.api.post("shift/online", auth=self.auth))["shift"])

    async def say(self, word: str, **more: Any) -> None:
        """pause, finish or offline."""
        if self.epoch is not None:
            answer = await self.api.post(f"shift/{word}", {"epoch": self.epoch, **more}, self.auth)
            self._shift(answer["shift"])

    def _shift(self, shift: dict[str, Any] | None) -> None:
        if shift is None or shift["state"] == "ended":
            self.epoch, self.state, self.reason = None, None, ""
        elif self.epoch is None or shift["epoch"] >= self.epoch:
            self.epoch, self.state, self.reason = shift["epoch"], shift["state"], shift["reason"]

    async def leave(self) -> None:
        """Drop everything and go offline, quickly; for the end of the program."""
        await self.errands.stop()
        with contextlib.suppress(Refused, Unreachable, TimeoutError):
            async with asyncio.timeout(LEAVING_SECONDS):
                await self.say("offline")
        await self.disconnect()
        await self.errands.stop()  # frames that came while we said good-bye have started new ones

    async def disconnect(self) -> None:
        if self._connection is not None:
            self._connection.cancel()
            await asyncio.gather(self._connection, return_exceptions=True)
            self._connection = None

    # Frames

    def _frame(self, frame: Frame) -> None:
        self.saw(frame)
        name = frame.get("stream", "")
        if name == self.stream:
            self._own(frame)
        elif name.startswith("ticket:"):
            public_id = name.removeprefix("ticket:")
            if (
                frame["type"] == "snapshot"
            ):  # what was accepted while the connection was lost is known by this first
                self._hold(public_id)
            if public_id in self.chats:
                self.chats[public_id].take(frame)
        elif frame["type"] == "heartbeat":
            self._heartbeat(frame["data"])
        elif frame["type"] == "error":
            self.tally["faults"] += 1

    def _heartbeat(self, data: dict[str, Any]) -> None:
        if not data.get("shift") and self.epoch is not None:
            self.errands.start(self._look())

    async def _look(self) -> None:
        """The server knows nothing of our shift: what is it?"""
        epoch = self.epoch
        shift = (await self.api.get("shift", self.auth))["shift"]
        if self.epoch == epoch:
            self._shift(shift)

    def _own(self, frame: Frame) -> None:
        kind, data = frame["type"], frame["data"]
        if kind == "snapshot":
            self._shift(data["shift"])
            fresh = [card for card in data["offers"] if card["offer"] not in self.offers]
            self.offers = {card["offer"]: card for card in data["offers"]}
            for card in fresh:
                self.errands.start(self.offered(card))
            self.wrapping = {one["ticket"] for one in data["wrap_ups"]}
            for public_id in self.chats.keys() - set(data["tickets"]):
                self._drop(public_id)
            for public_id in data["tickets"]:
                self._hold(public_id)
        elif kind == "shift.changed":
            self._shift(data)
        elif kind == "offer.made":
            self.offers[data["offer"]] = data
            self.errands.start(self.offered(data))
        elif kind.startswith("offer."):
            self.offers.pop(data["offer"], None)
            self.tally[kind] += 1
            if kind == "offer.accepted":
                self._hold(data["ticket"])
            elif "ticket" in data:
                if data.get("wrap_up_until"):
                    self.wrapping.add(data["ticket"])
                self._drop(data["ticket"])
        elif kind == "wrap_up.ended":
            self.wrapping.discard(data["ticket"])
            self.tally[f"{kind}.{data['reason']}"] += 1

    def _hold(self, public_id: str) -> None:
        if public_id not in self.chats:
            chat = self.chats[public_id] = Chat(public_id)
            self.errands.start(self.serve(chat))

    def _drop(self, public_id: str) -> None:
        chat = self.chats.pop(public_id, None)
        if chat is not None:
            chat.end()
        if self.live is not None:
            self.live.forget(f"ticket:{public_id}")
