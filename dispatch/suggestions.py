"""What the desk suggests beside a chat: the article that fits the customer's last words, and the canned reply that does.

A suggestion is text for the composer, labelled as a machine's find, and nothing else: it is never sent by itself, and not
looking at it costs nothing. What is measured is how many of those shown were put into an answer, not by whom.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.translation import override

from agents.models import Agent
from dispatch import cards
from dispatch.errors import NotHolder
from dispatch.models import Suggestion, SuggestionKind
from tickets import canned
from tickets.assistant import search, words
from tickets.models import Author, CannedReply, Channel, Message, Ticket

LEAST = 0.5  # of the articles that are shown so many fit, by the calibrated score: a person reads them before anybody else does
SHARED = 2  # words that a canned reply has in common with the question, at least
WORD = re.compile(r"\w{4,}")


@dataclass(frozen=True)
class Suggested:
    """`text`: for the composer. `link`: the whole article, empty for a canned reply."""

    id: int
    kind: str
    title: str
    text: str
    link: str = ""


def suggest(*, agent: Agent, public_id: str) -> list[Suggested]:
    """What fits the last words of the customer of a ticket that the agent holds; the same as before until they write again.

    Raises NotHolder. Ten queries at most.
    """
    found = cards.on_desk(agent.pk, public_id)
    if not found or found[0].wrap_left is not None:
        raise NotHolder
    ticket = found[0].ticket
    if ticket.channel == Channel.PRACTICE:
        return []
    said = ticket.messages.filter(author=Author.CUSTOMER, internal=False).order_by("-seq").first()
    if said is None:
        return []
    return [*_article(ticket, said), *_canned(ticket, said, agent.name)]


def _article(ticket: Ticket, said: Message) -> list[Suggested]:
    best = search.find(said.body, ticket.language)
    if best is None or search.score_of(best.raw, ticket.language) < LEAST:
        return []
    row = _shown(ticket, said.seq, SuggestionKind.ARTICLE, article_id=best.id)
    with override(ticket.language):
        link = reverse("article", args=[best.slug])
    return [Suggested(row.pk, row.kind, best.title, words.passage(best.body, said.body), link)]


def _canned(ticket: Ticket, said: Message, agent_name: str) -> list[Suggested]:
    replies = {reply["title"]: reply["text"] for reply in canned.replies(ticket, agent_name)}
    title = best_of(said.body, replies.items())
    one = (
        CannedReply.objects.filter(title=title, language=ticket.language, active=True).first()
        if title
        else None
    )
    if title is None or one is None:
        return []
    row = _shown(ticket, said.seq, SuggestionKind.CANNED, canned_id=one.pk)
    return [Suggested(row.pk, row.kind, title, replies[title])]


def best_of(said: str, replies: Iterable[tuple[str, str]]) -> str | None:
    """Title of the reply (title, text) that shares most words of four letters or more with what was said; None below SHARED.

    Of two that share as many, the shorter one: more of it is about that.
    """
    asked = {word.casefold() for word in WORD.findall(said)}
    ranked = [
        (len(asked & {word.casefold() for word in WORD.findall(f"{title} {text}")}), -len(text), title)
        for title, text in replies
    ]
    best = max(ranked, default=(0, 0, ""))
    return best[2] if best[0] >= SHARED else None


def _shown(ticket: Ticket, seq: int, kind: SuggestionKind, **which: int) -> Suggestion:
    row, _made = Suggestion.objects.get_or_create(ticket=ticket, seq=seq, kind=kind, defaults=which)
    return row


def use(*, agent: Agent, public_id: str, suggestion_id: int) -> None:
    """It was put into the composer. Twice changes nothing. Raises NotHolder."""
    if not cards.on_desk(agent.pk, public_id):
        raise NotHolder
    Suggestion.objects.filter(pk=suggestion_id, ticket__public_id=public_id, used_at__isnull=True).update(
        used_at=Now()
    )


def record(since: datetime) -> list[dict[str, object]]:
    """[{"kind", "shown", "used", "share"}] of each kind; share 0 to 1, None without any. One query."""
    counted: dict[str, tuple[int, int]] = {
        row["kind"]: (row["shown"], row["used"])
        for row in Suggestion.objects.filter(shown_at__gte=since)
        .values("kind")
        .annotate(shown=Count("pk"), used=Count("pk", filter=Q(used_at__isnull=False)))
        .order_by("kind")
    }
    return [
        {"kind": label, "shown": shown, "used": used, "share": used / shown if shown else None}
        for value, label in SuggestionKind.choices
        for shown, used in [counted.get(value, (0, 0))]
    ]
