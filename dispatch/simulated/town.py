"""Simulated customers and agents together, at a set rate, until told to stop."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product

from dispatch.demo.brand import PASSWORD, TOPICS
from dispatch.demo.people import OTHERS, Person
from dispatch.demo.stories import LANGUAGES, stories
from dispatch.simulated.agents import SimulatedAgent
from dispatch.simulated.api import Api, Refused, Unreachable
from dispatch.simulated.customers import SimulatedCustomer
from dispatch.simulated.people import Errands, Pace, Tally

logger = logging.getLogger(__name__)

MOST_CUSTOMERS = 100  # at once; who would come on top stays away
RESTS = (60.0, 300.0)  # seconds between two stretches of one place
STOPPING = 4.0  # seconds for all agents to go offline at the end
TRIES_AGAIN = (5.0, 15.0)

Combination = tuple[str, str]  # topic key, language


@dataclass(frozen=True)
class Town:
    """How much life there is. `rate` in tickets a minute; `minutes` None: until stopped."""

    base_url: str
    rate: float = 6.0
    agents: int = 12
    speed: float = 1.0
    seed: int | None = None
    minutes: float | None = None


async def live(town: Town, say: Callable[[str], None], stop: asyncio.Event) -> Tally:
    """Run the town. Raises Unreachable when nothing answers at all in the first minute, Refused likewise."""
    pace, tally = Pace(town.speed, town.seed), Tally()
    async with Api(town.base_url) as api:
        topics = {topic["key"] for topic in await api.get("topics")}
        staff = Staff(api, pace, tally, OTHERS)
        places, visitors = Errands(tally), Errands(tally)
        for place in range(min(town.agents, len(OTHERS))):
            places.start(staff.place(place))
        telling = asyncio.create_task(_tell(tally, staff, visitors, say))
        try:
            async with asyncio.timeout(town.minutes * 60 if town.minutes else None):
                while not await _stopped(
                    stop, pace.chance.expovariate(town.rate / 60) if town.rate else 3600
                ):
                    if visitors.running < MOST_CUSTOMERS:
                        story = pace.chance.choice(stories())
                        visitors.start(SimulatedCustomer(api, story, topics, pace, tally).live())
        except TimeoutError:
            pass  # the minutes are over
        finally:
            telling.cancel()
            await visitors.stop()
            await places.stop()
            await staff.leave()
            say(f"stopped; {sentence(tally)}")
    return tally


async def _stopped(stop: asyncio.Event, seconds: float) -> bool:
    """Wait so long, or until told to stop."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)
    return stop.is_set()


class Staff:
    """Who is online and who rests. There is no more than one place for anybody."""

    def __init__(self, api: Api, pace: Pace, tally: Tally, people: Sequence[Person]) -> None:
        self.api, self.pace, self.tally = api, pace, tally
        self.bench = list(people)
        self.working: dict[str, tuple[Person, SimulatedAgent]] = {}

    async def place(self, number: int) -> None:
        """One place, taken by one person after the other, for ever."""
        await self.pace.think(0, min(number, 20))
        while True:
            person = self._next()
            agent = SimulatedAgent(self.api, person.email, PASSWORD, self.pace, self.tally)
            self.working[person.login] = person, agent
            try:
                await agent.stretch()
                self.tally["stretches"] += 1
                rest = RESTS
            except Refused as refusal:
                # By a connection that was lost for too long: they come back.
                if refusal.code != "shift_ended":
                    self.tally["faults"] += 1
                    logger.warning("%s cannot work: %s", person.email, refusal)
                rest = TRIES_AGAIN
            except Unreachable:
                rest = TRIES_AGAIN
            await agent.leave()
            del self.working[person.login]
            self.bench.append(person)
            await self.pace.think(*rest)

    def _next(self) -> Person:
        """Of those who rest the one who helps most: topics and languages that nobody online serves count."""
        there = {pair for person, _agent in self.working.values() for pair in serves(person)}
        best = max(self.bench, key=lambda person: (len(serves(person) - there), self.pace.chance.random()))
        self.bench.remove(best)
        return best

    @property
    def online(self) -> int:
        return sum(agent.state == "online" for _person, agent in self.working.values())

    @property
    def chats(self) -> int:
        return sum(len(agent.chats) for _person, agent in self.working.values())

    async def leave(self) -> None:
        """All go offline at once."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOPPING):
                await asyncio.gather(*(agent.leave() for _person, agent in self.working.values()))


def serves(person: Person) -> set[Combination]:
    """What this person can be offered."""
    topics = [
        spec.key
        for spec in TOPICS
        if spec.pool in person.pools
        and all(person.skills.get(skill, 0) >= level for skill, level in spec.needs.items())
    ]
    return set(product(topics, [language for language in LANGUAGES if language in person.languages]))


async def _tell(tally: Tally, staff: Staff, visitors: Errands, say: Callable[[str], None]) -> None:
    """A line a minute."""
    before = Tally()
    while True:
        await asyncio.sleep(60)
        since = Tally()
        since.update({name: count - before[name] for name, count in tally.items()})
        since.scores = tally.scores[len(before.scores) :]
        say(
            f"{time.strftime('%H:%M')} {sentence(since)}; now {staff.online} agents online, {staff.chats} chats, "
            f"{visitors.running} customers here"
        )
        before = Tally()
        before.update(tally)
        before.scores = list(tally.scores)


def sentence(tally: Tally) -> str:
    """What happened, in a line."""
    mean = f" (mean {sum(tally.scores) / len(tally.scores):.1f})" if tally.scores else ""
    parts = [
        f"{tally['opened']} tickets opened",
        f"{tally['offer.accepted']} accepted",
        f"{tally['offer.declined']} declined",
        f"{tally['offer.expired']} missed",
        f"{tally['resolve']} resolved",
        f"{tally['hand-back']} handed back",
        f"{tally['close']} closed by the customer",
        f"{tally['rating']} rated{mean}",
    ]
    faults = tally["faults"] + tally["unreachable"]
    return ", ".join(parts) + (f", {faults} FAULTS" if faults else "")
