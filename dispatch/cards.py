"""What an agent sees of an offer and of the tickets they hold, as data: the same for API, socket and page."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from functools import cache
from typing import Any, cast

from django.conf import settings
from django.db import connection
from django.db.models import Q, Sum
from django.db.models.functions import Coalesce, Now
from django.utils import timezone, translation

from agents.models import Agent, LedgerEntry, Shift
from dispatch import routes
from dispatch.matching.explain import Language, Names, Reason, explain
from dispatch.models import Feed, Offer, OfferState
from dispatch.routes import LANGUAGES
from tickets import stream as ticket_stream
from tickets.models import Ticket
from tickets.statements import fetch

Frame = dict[str, Any]


CARDS = """
    SELECT o.id, o.expires_at, extract(epoch FROM o.expires_at - statement_timestamp())::float8, o.pay_cents, o.currency,
           o.why, t.topic_id, topic.key, t.language, t.waiting_since, t.summary,
           round(extract(epoch FROM o.expires_at - o.made_at))::int
    FROM dispatch_offer o JOIN tickets_ticket t ON t.id = o.ticket_id LEFT JOIN tickets_topic topic ON topic.id = t.topic_id
"""


def offer_cards(offers: Iterable[int], language: str) -> dict[int, dict[str, Any]]:
    """`data` of offer.made for these offers, in the agent's language: no identity of the customer is in it. One query.

    `seconds_left` is counted by the database at this look, so the reader needs no right clock; below 0 when it is over.
    """
    return {card["offer"]: card for card, _seconds in _cards("WHERE o.id = ANY(%s)", list(offers), language)}


def open_cards(agent_id: int, language: str) -> list[tuple[dict[str, Any], int]]:
    """The cards that wait for this agent's answer and are in time, by age; each with its seconds from making to deadline.

    One query.
    """
    return _cards(
        "WHERE o.agent_id = %s AND o.state = 'pending' AND o.expires_at > statement_timestamp()",
        agent_id,
        language,
    )


def _cards(condition: str, param: Any, language: str) -> list[tuple[dict[str, Any], int]]:
    plan = routes.routes()
    with connection.cursor() as cursor:
        cursor.execute(f"{CARDS} {condition} ORDER BY o.id", [param])
        rows = cursor.fetchall()
    cards = []
    for offer, expires, left, cents, currency, why, topic_id, topic, tongue, since, summary, seconds in rows:
        spec = plan.of(topic_id)
        needs = spec.required if spec else {}
        skills = [
            {"name": plan.skill_names[skill].get(language[:2], plan.skill_names[skill]["en"]), "level": level}
            for skill, level in needs.items()
            if skill in plan.skill_names
        ]
        card = {
            "offer": offer,
            "expires_at": expires.isoformat(),
            "seconds_left": round(left, 1),
            "pay_cents": cents,
            "currency": currency,
            "topic": topic,
            "topic_name": (spec.topic_name.get(language[:2]) or spec.topic_name["en"]) if spec else "",
            "skills": skills,
            "language": tongue,
            "expected_minutes": spec.expected_minutes if spec else 0,
            "waiting_since": since.isoformat(),
            "summary": summary,
            "why": _why(json.loads(why), language),
        }
        cards.append((card, seconds))
    return cards


def why_lines(offer: Offer, language: str) -> list[str]:
    """Why this offer came to this agent, in sentences, what weighed most first."""
    return _why(offer.why, language)


def _why(why: Mapping[str, Any], language: str) -> list[str]:
    if not why:
        return []
    tongue: Language = "de" if language.startswith("de") else "en"
    skills = {skill: name[tongue] for skill, name in routes.routes().skill_names.items()}
    return explain(cast("Reason", why), language=tongue, names=Names(skills, _languages(tongue)))


@cache
def _languages(tongue: Language) -> dict[int, str]:
    """What languages are called in this one, by their place."""
    with translation.override(tongue):
        return {place: str(dict(settings.LANGUAGES)[code]) for place, code in enumerate(LANGUAGES)}


def held_tickets(agent_id: int) -> list[Ticket]:
    """The tickets that are with this agent, the longest first. One query."""
    return list(
        Ticket.objects.filter(offers__agent_id=agent_id, offers__state=OfferState.ACCEPTED)
        .select_related("topic", "customer")
        .order_by("held_at", "id")
    )


def open_offer_ids(agent_id: int) -> list[int]:
    """Offers that wait for this agent's answer and are in time. One query."""
    return list(
        Offer.objects.filter(agent_id=agent_id, state=OfferState.PENDING, expires_at__gt=Now())
        .order_by("pk")
        .values_list("pk", flat=True)
    )


def shift_data(shift: Shift | None) -> dict[str, Any] | None:
    """`shift` of an agent's snapshot: null when offline."""
    if shift is None or shift.ended_at is not None:
        return None
    return {
        "epoch": shift.epoch,
        "state": shift.state,
        "reason": shift.reason,
        "lost": shift.lost_at is not None,
    }


def open_shift(agent_id: int) -> Shift | None:
    """The agent's open shift. One query."""
    found = fetch(Shift, "WHERE agent_id = %s AND ended_at IS NULL", [agent_id])
    return found[0] if found else None


def agent_snapshot(agent: Agent, language: str) -> Frame:
    """The whole state of an agent's page at number `seq`; applying all later events to it gives the next snapshot.

    The number is read first: what happens in between is in the state already, and its event is applied again, which
    changes nothing. Five queries.
    """
    seq = Feed.objects.filter(agent=agent).values_list("last_seq", flat=True).first() or 0
    shift = open_shift(agent.pk)
    cards = offer_cards(open_offer_ids(agent.pk), language)
    return {
        "stream": f"agent:{agent.pk}",
        "seq": seq,
        "type": "snapshot",
        "data": {
            "shift": shift_data(shift),
            "offers": [cards[offer] for offer in sorted(cards)],
            "tickets": [ticket.public_id for ticket in held_tickets(agent.pk)],
        },
    }


def ticket_snapshots(tickets: Sequence[Ticket]) -> list[Frame]:
    """Snapshots of held tickets, notes included."""
    return [ticket_stream.snapshot(ticket, staff=True) for ticket in tickets]


def earnings(agent_id: int) -> list[dict[str, Any]]:
    """Earned today and in the last 7 days: {"currency", "today_cents", "week_cents"} a currency, by its code.

    Never empty: who earned nothing earned no euros. "Today" is a day of TIME_ZONE. One query.
    """
    sums = (
        LedgerEntry.objects.filter(agent_id=agent_id, created_at__gt=Now() - timedelta(days=7))
        .order_by("currency")
        .values("currency")
        .annotate(
            today_cents=Coalesce(Sum("amount_cents", filter=Q(created_at__date=timezone.localdate())), 0),
            week_cents=Sum("amount_cents"),
        )
    )
    return [dict(row) for row in sums] or [{"currency": "EUR", "today_cents": 0, "week_cents": 0}]
