"""A scripted customer, and Nina, an applicant with a certificate who practises with him."""

from datetime import date

from django.test import Client

from agents.models import Agent, AgentSkill, AgentStatus, Quiz, User
from dispatch import desk, practice
from dispatch.models import Practice, PracticePoint, PracticeScript
from tests.cast import PASSWORD, World
from tickets.models import Message

ASKS = "Could you tell me your order number, please?"
HELPS = "I have paused the bill for 21 days."


def make_script(topic: object = None) -> PracticeScript:
    """Points: ask for the order number, pause the bill, and never ask for a card number."""
    script = PracticeScript.objects.create(
        key="parcel",
        topic=topic,  # type: ignore[misc]
        name_en="A parcel sent back",
        name_de="Ein Paket zurück",
        customer="Peter Practice",
        opening_en="I sent my parcel back and still get bills.",
        opening_de="Ich habe mein Paket zurückgeschickt und bekomme noch Rechnungen.",
        unclear_en="Sorry, I do not understand.",
        unclear_de="Entschuldigung, das verstehe ich nicht.",
        thanks_en="Thank you, that is all!",
        thanks_de="Danke, das ist alles!",
    )
    for position, (avoid, name, words_en, words_de, answer) in enumerate(
        (
            (
                False,
                "Asked for the order number",
                "order number\norder id",
                "bestellnummer",
                "It is K-7731.",
            ),
            (False, "Paused the bill", "pause bill", "rechnung angehalten\nrechnung pausier", ""),
            (
                True,
                "Did not ask for a card number",
                "card number",
                "kartennummer",
                "I would rather not write that.",
            ),
        )
    ):
        PracticePoint.objects.create(
            script=script,
            position=position,
            avoid=avoid,
            name_en=name,
            name_de=f"{name} (de)",
            words_en=words_en,
            words_de=words_de,
            answer_en=answer,
            answer_de=answer,
            advice_en="Without it nobody finds the purchase.",
        )
    return script


def make_applicant(world: World, name: str = "Nina", *, certified: bool = True) -> Agent:
    """Somebody who has applied, in no pool."""
    user = User.objects.create_user(f"{name.lower()}@home.example", PASSWORD, name=name)
    agent = Agent.objects.create(user=user, name=name, status=AgentStatus.APPLIED, languages=["en", "de"])
    if certified:
        Quiz.objects.get_or_create(skill=world.payments)
        AgentSkill.objects.create(
            agent=agent, skill=world.payments, level=2, certified_until=date(2100, 1, 1)
        )
    return agent


def begin(agent: Agent, language: str = "en") -> Practice:
    return practice.start(agent=agent, script_key="parcel", language=language)


def say(one: Practice, *texts: str) -> None:
    """As the agent, one after the other; the customer answers each."""
    for text in texts:
        desk.reply(agent=one.agent, epoch=one.shift.epoch, ticket_id=one.ticket_id, body=text)
        practice.look()


def resolve(one: Practice) -> None:
    """And the tick comes by."""
    desk.resolve(agent=one.agent, epoch=one.shift.epoch, ticket_id=one.ticket_id)
    practice.look()


def talk(one: Practice) -> list[tuple[str, str]]:
    return list(
        Message.objects.filter(ticket=one.ticket_id).order_by("seq").values_list("author_name", "body")
    )


def browser(agent: Agent, language: str = "en") -> Client:
    client = Client(headers={"accept-language": language})
    client.force_login(agent.user)
    return client
