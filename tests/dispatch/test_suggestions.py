"""Suggestions beside a chat: what fits is shown, labelled, counted, and never sent by itself."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from agents.models import User
from dispatch import suggestions
from dispatch.errors import NotHolder
from dispatch.models import Suggestion
from tests.cast import World
from tests.console import Person
from tickets import kept
from tickets.conversation import customer_reply
from tickets.models import Article, ArticleState, Calibration, CannedReply, Ticket

pytestmark = pytest.mark.django_db(transaction=True)

ASKED = "When does my refund arrive after I sent the parcel back?"


@pytest.fixture
def anna(world: World) -> Person:
    for slug, title, body in (
        (
            "refund",
            "When your refund arrives",
            "A refund arrives five days after the parcel came back to us.",
        ),
        ("cards", "A new card", "Order a new card in the app."),
        ("address", "Change the address", "You change your address in your account."),
    ):
        Article.objects.create(
            slug=slug, language="en", title=title, body=body, wordings=ASKED if slug == "refund" else "",
            state=ArticleState.APPROVED, approved_at=timezone.now(), topic=None,
        )  # fmt: skip
    Calibration.objects.create(
        language="en", questions=10, curve=[[0.0, 0.1], [0.2, 0.9], [1.0, 0.95]], report={}
    )
    CannedReply.objects.create(
        title="Refund on its way",
        body="Your refund is on its way, and the parcel has arrived.",
        language="en",
    )
    CannedReply.objects.create(title="Greeting", body="Hello, how can I help?", language="en")
    kept.forget()
    return Person(world, "Anna").online()


def shown(anna: Person, ticket: Ticket) -> list[tuple[str, str]]:
    return [
        (one.kind, one.title) for one in suggestions.suggest(agent=anna.agent, public_id=ticket.public_id)
    ]


def test_what_fits_the_last_words_is_shown_and_counted_once(anna: Person) -> None:
    ticket = anna.holding(text=ASKED)
    both = [("article", "When your refund arrives"), ("canned", "Refund on its way")]
    assert shown(anna, ticket) == shown(anna, ticket) == both
    assert Suggestion.objects.count() == 2
    article = suggestions.suggest(agent=anna.agent, public_id=ticket.public_id)[0]
    assert article.text == "A refund arrives five days after the parcel came back to us."
    assert article.link == "/help/refund"
    messages = ticket.messages.count()
    customer_reply(ticket=ticket, body="Xyz qqq")
    assert shown(anna, ticket) == []
    assert ticket.messages.count() == messages + 1  # nothing was said by itself


def test_only_to_the_holder(anna: Person, world: World) -> None:
    ticket = anna.holding(text=ASKED)
    bernd = world.agent("Bernd")
    with pytest.raises(NotHolder):
        suggestions.suggest(agent=bernd, public_id=ticket.public_id)
    assert not Suggestion.objects.exists()
    other = Client()
    other.force_login(bernd.user)
    assert other.get(f"/console/tickets/{ticket.public_id}/suggestions").content.strip() == b""


def test_use_is_measured_without_the_agent(anna: Person) -> None:
    ticket = anna.holding(text=ASKED)
    page = anna.get(f"/console/tickets/{ticket.public_id}/suggestions").content.decode()
    assert "found by a machine" in page
    assert "Nothing is sent by itself" in page
    one = Suggestion.objects.get(kind="article")
    path = f"/console/tickets/{ticket.public_id}/suggestions/{one.pk}/used"
    assert [anna.client.post(path).status_code for _ in range(2)] == [204, 204]
    other = Client()
    other.force_login(User.objects.create_user("x@agents.example", "x", name="X"))
    assert other.post(path).status_code in {302, 403}
    since = timezone.now() - timedelta(days=1)
    assert [(row["shown"], row["used"], row["share"]) for row in suggestions.record(since)] == [
        (1, 1, 1.0),
        (1, 0, 0.0),
    ]
    boss = Client()
    boss.force_login(User.objects.create_superuser("boss@staff.example", "x"))
    found = " ".join(boss.get("/lead/assistant").content.decode().split())
    assert "<td>1</td><td>1</td><td>100 %</td>" in found
    assert not {field.name for field in Suggestion._meta.get_fields()} & {"agent", "user"}


@pytest.mark.parametrize(
    ("said", "title"),
    [
        ("my refund, where is the parcel", "Refund on its way"),
        ("refund", None),  # one word in common is chance
        ("", None),
    ],
)
def test_the_canned_reply_that_shares_most_words(said: str, title: str | None) -> None:
    replies = [
        ("Refund on its way", "Your refund is on its way, and the parcel has arrived."),
        ("Hello", "Hello"),
    ]
    assert suggestions.best_of(said, replies) == title
