"""The cast of the tests: a small world with named people. Anna and Bernd are agents, Greta is German-speaking only."""

from dataclasses import dataclass, field
from datetime import date

from agents.models import Agent, AgentSkill, AgentStatus, Pool, Skill, User
from dispatch.models import Rate, Requirement, Route
from tickets.intake import ticket_open
from tickets.models import Channel, Ticket, Topic

PASSWORD = "correct horse battery staple"


@dataclass
class World:
    """One pool, two topics (refund needs "payments" 2; card needs "cards" 3), a default route, a rate of 4.00 and 2.50."""

    pool: Pool
    payments: Skill
    cards: Skill
    refund: Topic
    card: Topic
    agents: dict[str, Agent] = field(default_factory=dict)

    def agent(
        self,
        name: str,
        *,
        payments: int = 3,
        cards: int = 3,
        languages: tuple[str, ...] = ("en", "de"),
        units: int = 100,
    ) -> Agent:
        """An admitted agent of the pool with these levels (0: without the skill)."""
        user = User.objects.create_user(f"{name.lower()}@agents.example", PASSWORD, name=name)
        agent = Agent.objects.create(
            user=user, name=name, status=AgentStatus.ADMITTED, languages=list(languages), units=units
        )
        agent.pools.add(self.pool)
        for skill, level in ((self.payments, payments), (self.cards, cards)):
            if level:
                AgentSkill.objects.create(agent=agent, skill=skill, level=level)
        self.agents[name] = agent
        return agent

    def ticket(self, text: str = "Where is my refund?", topic: Topic | None = None, **more: str) -> Ticket:
        """A ticket of a customer called Carla, in English."""
        return ticket_open(
            text=text,
            name="Carla",
            email="carla@customers.example",
            topic_key=(topic or self.refund).key,
            chosen_language=more.get("language", "en"),
            channel=Channel.FORM,
        ).ticket


def make_world() -> World:
    pool = Pool.objects.create(key="first", name_en="First line", name_de="Erste Reihe")
    payments = Skill.objects.create(key="payments", name_en="Payments", name_de="Zahlungen")
    cards = Skill.objects.create(key="cards", name_en="Cards", name_de="Karten")
    refund = Topic.objects.create(key="refund", name_en="Refund", name_de="Erstattung", position=1)
    card = Topic.objects.create(key="card", name_en="Card", name_de="Karte", position=2)
    for topic, skill, level in ((refund, payments, 2), (card, cards, 3)):
        route = Route.objects.create(topic=topic, pool=pool)
        Requirement.objects.create(route=route, skill=skill, level=level)
    Route.objects.create(topic=None, pool=pool)
    Rate.objects.create(topic=None, amount_cents=250, valid_from=date(2026, 1, 1))
    Rate.objects.create(topic=refund, amount_cents=400, valid_from=date(2026, 1, 1))
    return World(pool, payments, cards, refund, card)
