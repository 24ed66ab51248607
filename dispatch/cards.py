"""What an agent sees of an offer and of the tickets they hold, as data: the same for API, socket and page."""

from collections.abc import Collection, Iterable, Mapping
from datetime import timedelta
from functools import cache
from typing import Any, cast

from django.conf import settings
from django.db.models import Q, Sum
from django.db.models.functions import Coalesce, Now
from django.utils import timezone, translation

from agents.models import Agent, LedgerEntry, Shift
from dispatch import looks, routes
from dispatch.looks import CardRow, Look, ShiftRow
from dispatch.matching.explain import Language, Names, Reason, explain
from dispatch.models import Offer, OfferState
from dispatch.routes import LANGUAGES, Routes
from tickets.models import Ticket

Frame = dict[str, Any]
Card = dict[str, Any]


def offer_cards(offers: Iterable[int], language: str) -> dict[int, Card]:
    """`data` of offer.made for these offers, in the agent's language: no identity of the customer is in it. One query.

    `seconds_left` is counted by the database at this look, so the reader needs no right clock; below 0 when it is over.
    """
    plan = routes.routes()
    return {row.offer: card(row, plan, language) for row in looks.card_rows(list(offers))}


def card(row: CardRow, plan: Routes, language: str) -> Card:
    """`data` of offer.made. No query."""
    spec = plan.of(row.topic_id)
    tongue = language[:2]
    skills = [
        {"name": plan.skill_names[skill].get(tongue, plan.skill_names[skill]["en"]), "level": level}
        for skill, level in (spec.required if spec else {}).items()
        if skill in plan.skill_names
    ]
    return {
        "offer": row.offer,
        "expires_at": row.expires_at,
        "seconds_left": row.seconds_left,
        "pay_cents": row.pay_cents,
        "currency": row.currency,
        "topic": row.topic,
        "topic_name": (spec.topic_name.get(tongue) or spec.topic_name["en"]) if spec else "",
        "skills": skills,
        "language": row.language,
        "expected_minutes": spec.expected_minutes if spec else 0,
        "waiting_since": row.waiting_since,
        "summary": row.summary,
        "why": _why(row.why, plan, language),
    }


def why_lines(offer: Offer, language: str) -> list[str]:
    """Why this offer came to this agent, in sentences, what weighed most first."""
    return _why(offer.why, routes.routes(), language)


def _why(why: Mapping[str, Any], plan: Routes, language: str) -> list[str]:
    if not why:
        return []
    return explain(cast("Reason", why), language=tongue(language), names=_names(plan, tongue(language)))


def names(language: str) -> Names:
    """What skills and languages are called in this language, for the sentences of a decision."""
    return _names(routes.routes(), tongue(language))


def tongue(language: str) -> Language:
    """The language of sentences for who reads this one."""
    return "de" if language.startswith("de") else "en"


def _names(plan: Routes, language: Language) -> Names:
    skills = {skill: name[language] for skill, name in plan.skill_names.items()}
    return Names(skills, _languages(language))


@cache
def _languages(tongue: Language) -> dict[int, str]:
    """What languages are called in this one, by their place."""
    with translation.override(tongue):
        return {place: str(dict(settings.LANGUAGES)[code]) for place, code in enumerate(LANGUAGES)}


def accepted_offers(ticket_ids: Collection[int], language: str) -> dict[int, dict[str, Any]]:
    """Ticket id → what its holder's card said and still holds: {"pay_cents", "currency", "automatic", "why"}. One query."""
    return {
        offer.ticket_id: {
            "pay_cents": offer.pay_cents,
            "currency": offer.currency,
            "automatic": offer.automatic,
            "why": why_lines(offer, language),
        }
        for offer in Offer.objects.filter(ticket_id__in=ticket_ids, state=OfferState.ACCEPTED)
    }


def held_tickets(agent_id: int) -> list[Ticket]:
    """The tickets that are with this agent, the longest first. One query."""
    return list(
        Ticket.objects.filter(offers__agent_id=agent_id, offers__state=OfferState.ACCEPTED)
        .select_related("topic", "customer")
        .order_by("held_at", "id")
    )


def shift_data(shift: Shift | ShiftRow | None) -> dict[str, Any] | None:
    """`shift` of an agent's snapshot: null when offline."""
    if shift is None:
        return None
    if isinstance(shift, Shift):
        if shift.ended_at is not None:
            return None
        lost = shift.lost_at is not None
    else:
        lost = shift.lost
    return {"epoch": shift.epoch, "state": shift.state, "reason": shift.reason, "lost": lost}


def agent_snapshot(agent: Agent, language: str, look: Look | None = None) -> Frame:
    """The whole state of an agent's page at number `seq`; applying all later events to it gives the next snapshot.

    The number is read before the tickets: what happens in between is in the state already, and its event is applied
    again, which changes nothing. Two queries, one less with a look.
    """
    look = look or looks.look(agent.pk)
    return {
        "stream": f"agent:{agent.pk}",
        "seq": look.seq,
        "type": "snapshot",
        "data": {
            "shift": shift_data(look.shift),
            "offers": [card(row, look.plan, language) for row in look.cards],
            "tickets": [ticket.public_id for ticket in held_tickets(agent.pk)],
            "auto_accept": look.auto_accept,
        },
    }


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
