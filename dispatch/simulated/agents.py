"""A simulated agent with habits: takes most offers, thinks, chats by the stories, pauses, goes and comes back."""

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta
from typing import Any

from dispatch.demo.stories import ANSWERS, NOTES, by_opening
from dispatch.simulated.api import Refused
from dispatch.simulated.worker import Chat, Worker
from tickets.masking import mask

ACCEPTS, MISSES = 0.85, 0.04  # shares of offers; the rest is declined
HANDS_BACK, NOTES_SHARE = 0.05, 0.15  # shares of tickets
PUTS_ASIDE = 0.08  # likewise
DONE_EARLY = 0.6  # of wrap-ups; the others end by the clock
ACCEPTS_AUTOMATICALLY = 0.15  # share of stretches
DECIDES = (2.0, 10.0)  # seconds, all of them
THINKS = (5.0, 14.0)
PATIENCE = (50.0, 90.0)  # with a customer who does not answer
LAST_WORDS = (6.0, 15.0)
ASIDE = (60.0, 180.0)
WRAPS_UP = (4.0, 15.0)
WORKS = (480.0, 1800.0)  # one stretch of being online
UNTIL_PAUSE = (180.0, 600.0)
PAUSES = (30.0, 90.0)
COMES_BACK = (10.0, 40.0)  # after a missed offer
FINISHES = 240.0
HEARD_SECONDS = 20.0  # real ones; a lost connection must not stop the talk for ever
DECLINE_REASONS = ("other_topic", "too_long", "break")


class SimulatedAgent(Worker):
    """Works one stretch after the other (`stretch`)."""

    async def stretch(self) -> None:
        """Go online, work, pause now and then, bring what is held to its end, go offline. Raises Refused, Unreachable."""
        await self.log_in()
        await self.connect()
        automatic = self.pace.happens(ACCEPTS_AUTOMATICALLY)
        await self.api.post("me/auto-accept", {"auto_accept": automatic}, self.auth)
        await self.online()
        clock = asyncio.get_running_loop().time
        until = clock() + self.pace.seconds(*WORKS)
        pause_at = clock() + self.pace.seconds(*UNTIL_PAUSE)
        while clock() < until and self.auth:
            await self.pace.think(5, 8)
            if self.epoch is None:
                await self.online()  # the shift ended without us: connection lost for too long
            elif self.reason == "missed_offer":
                await self.pace.think(*COMES_BACK)
                await self.online()
            elif clock() > pause_at:
                await self.say("pause", reason="break")
                self.tally["pauses"] += 1
                await self.pace.think(*PAUSES)
                await self.online()
                pause_at = clock() + self.pace.seconds(*UNTIL_PAUSE)
        if self.chats:
            await self.say("finish")
            end = clock() + FINISHES / self.pace.speed
            while self.chats and clock() < end:
                await self.pace.think(2, 4)
        # Who was finishing and has finished is offline by itself, perhaps just now.
        with contextlib.suppress(Refused):
            await self.say("offline")
        await self.errands.stop()
        await self.disconnect()

    async def offered(self, card: dict[str, Any]) -> None:
        if self.pace.happens(MISSES):
            return  # just getting a coffee
        seconds = min(self.pace.seconds(*DECIDES), max(card["seconds_left"] - 1.0, 0.0))
        await asyncio.sleep(seconds)
        if card["offer"] not in self.offers or self.epoch is None:
            return
        if self.pace.happens(ACCEPTS / (1 - MISSES)):
            await self.api.post(f"offers/{card['offer']}/accept", {"epoch": self.epoch}, self.auth)
        else:
            reason = self.pace.chance.choice(DECLINE_REASONS)
            await self.api.post(
                f"offers/{card['offer']}/decline", {"epoch": self.epoch, "reason": reason}, self.auth
            )

    async def serve(self, chat: Chat) -> None:
        await chat.known.wait()
        mine = 0
        while not chat.ended():
            lines = _lines(chat)
            if chat.said >= len(lines):
                await chat.customer_writes(self.pace.seconds(*LAST_WORDS))
                break
            if mine and not await chat.customer_writes(self.pace.seconds(*PATIENCE)):
                break  # nobody there any more
            await self.pace.think(*THINKS)
            if chat.ended():
                break
            if mine == 1 and self.pace.happens(HANDS_BACK):
                await self._desk(chat, "hand-back", reason="needs_other_skill")
                return
            await self._desk(
                chat, "reply", body=lines[min(chat.said, len(lines) - 1)].format(agent=self.name)
            )
            mine += 1
            if self.pace.happens(NOTES_SHARE / 2):
                await self._desk(chat, "note", body=NOTES[chat.language])
            if mine == 1 and self.pace.happens(PUTS_ASIDE):
                await self._aside(chat)
        if not chat.ended():
            await self._desk(chat, "resolve")
            await self._wrap_up(chat)

    async def _aside(self, chat: Chat) -> None:
        """Something is to be asked elsewhere first. Until then nobody waits here, unless the customer writes."""
        seconds = self.pace.seconds(*ASIDE)
        until = datetime.now(UTC) + timedelta(seconds=seconds)
        await self._desk(chat, "snooze", until=until.isoformat())
        await chat.customer_writes(seconds)

    async def _wrap_up(self, chat: Chat) -> None:
        """A note now and then, and most do not need all the time there is."""
        if not self.pace.happens(DONE_EARLY):
            return
        await self.pace.think(*WRAPS_UP)
        if chat.public_id not in self.wrapping:
            return  # over, or there was none
        if self.pace.happens(NOTES_SHARE):
            await self._desk(chat, "note", body=NOTES[chat.language])
        await self._desk(chat, "done")

    async def _desk(self, chat: Chat, word: str, **more: Any) -> None:
        if self.epoch is None:
            raise Refused(409, "shift_ended")
        before = chat.said
        await self.api.post(f"desk/{chat.public_id}/{word}", {"epoch": self.epoch, **more}, self.auth)
        self.tally[word] += 1
        if word == "reply":
            # The own message comes back by the socket, and counts from then on.
            await chat.until(lambda: chat.said > before, HEARD_SECONDS)


def _lines(chat: Chat) -> tuple[str, ...]:
    """What an agent says in this chat, one line after the other."""
    opening = chat.messages[0]["body"] if chat.messages else ""
    story = by_opening().get(mask(opening).text)
    return story.agent if story else ANSWERS[chat.language if chat.language in ANSWERS else "en"]
