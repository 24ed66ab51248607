"""The assistant in the small world of tests/cast.py: one article about refunds, and a curve that trusts it."""

from tests.cast import World
from tickets import kept
from tickets.articles import article_approve, article_save
from tickets.assistant import turns
from tickets.models import Article, Calibration, Ticket, Topic

ASKED = "How long does a refund take?"


def switch_on(world: World, **more: object) -> Article:
    """The assistant tries first for refunds."""
    Topic.objects.filter(pk=world.refund.pk).update(**{"assistant": "on", "assistant_answers": 1} | more)
    article = article_save(
        Article(
            slug="refund-duration",
            topic=world.refund,
            language="en",
            title="How long a refund takes",
            wordings=ASKED,
            body="It takes three to five days.",
        ),
        user_id=None,
    )
    article_approve(article_id=article.pk, version=1, user_id=None)
    Calibration.objects.create(language="en", curve=[[0.1, 0.99]], questions=1)
    kept.forget()
    return article


def opened(world: World, text: str = ASKED) -> Ticket:
    """A ticket that the assistant has, nothing answered yet."""
    return Ticket.objects.select_related("customer", "topic").get(pk=world.ticket(text).pk)


def assisted(world: World) -> Ticket:
    """A ticket with an answer, about which the customer has said nothing."""
    if not Article.objects.exists():
        switch_on(world)
    ticket = opened(world)
    assert turns.answer(ticket_id=ticket.pk) is not None
    ticket.refresh_from_db()
    assert ticket.state == "assisted"
    return ticket
