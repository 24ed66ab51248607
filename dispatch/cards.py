"""What an agent sees of an offer and of the tickets they hold, as data: the same for API, socket and page."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, time, timedelta, tzinfo
from functools import cache
from typing import Any, NamedTuple, cast

from django.conf import settings
from django.db.models import DurationField, Exists, ExpressionWrapper, F, OuterRef, Q, Sum
from django.db.models.functions import Coalesce, Now
from django.utils import timezone, translation

from agents.models import Agent, LedgerEntry, Shift
from agents.pay.ledger import PAID_OUT
from dispatch import looks, routes
from dispatch.looks import CardRow, Look, ShiftRow
from dispatch.matching.explain import Names, Reason, explain
from dispatch.matching.problem import certified
from dispatch.matching.sentences import Language
from dispatch.models import Escalation, Offer
from dispatch.pricing import Terms
from dispatch.routes import LANGUAGES, Routes, RouteSpec
from tickets import masking
from tickets.models import HandoverReason, Ticket

Frame = dict[str, Any]
Card = dict[str, Any]


def offer_cards(offers: Iterable[int], language: str) -> dict[int, Card]:
    """`data` of offer.made for these offers, in the agent's language: no identity of the customer is in it (what they wrote of
    themselves is masked in the summary). One query.

    `seconds_left` is counted by the database at this look, so the reader needs no right clock; below 0 when it is over.
    """
    plan = routes.routes()
    return {row.offer: card(row, plan, language) for row in looks.card_rows(list(offers))}


def card_of(row: CardRow, look: Look, language: str) -> Card:
    """card() of a look, made once for the frame and what is drawn of it."""
    name = row.offer, language
    if name not in look.told:
        look.told[name] = card(row, look.plan, language)
    return look.told[name]


def card(row: CardRow, plan: Routes, language: str) -> Card:
    """`data` of offer.made. No query."""
    spec = plan.of(row.topic_id)
    terms = Terms.of(row.terms)
    tongue = language[:2]
    needs = _needs(row.why, spec)
    skills = [
        {
            "name": plan.skill_names[skill].get(tongue, plan.skill_names[skill]["en"]),
            "level": level,
            "certificate": certified(skill) in needs,
        }
        for skill, level in needs.items()
        if skill in plan.skill_names
    ]
    return {
        "offer": row.offer,
        "expires_at": row.expires_at,
        "seconds_left": row.seconds_left,
        "pay_cents": row.pay_cents,
        "surge_cents": row.surge_cents,
        "bonus_cents": terms.bonus_cents,
        "bonus_score": terms.bonus_score,
        "waiting_cents": terms.waiting_cents,
        "waiting_minutes": terms.waiting_minutes,
        "release_percent": terms.release_percent,
        "currency": row.currency,
        "topic": row.topic,
        "topic_name": (spec.topic_name.get(tongue) or spec.topic_name["en"]) if spec else "",
        "skills": skills,
        "language": row.language,
        "expected_minutes": spec.expected_minutes if spec else 0,
        "waiting_since": row.waiting_since,
        "summary": masking.mask(row.summary, masking.surnames(row.customer_name)).text,
        "handover": _handover(row.handover, language),
        "why": _why(row.why, plan, language),
        "next_up": row.next_up,
    }


def _needs(why: Mapping[str, Any], spec: RouteSpec | None) -> Mapping[int, int]:
    """Skill, or certified(skill) → least level that was asked for when the offer was made, at its step of the route."""
    if why:
        return {fact["skill"]: fact["needed"] for fact in cast("Reason", why)["skills"] if fact["required"]}
    return spec.required if spec else {}


def _handover(reason: str, language: str) -> str:
    """Why the assistant handed over, in words; empty when it did not have the ticket."""
    if not reason:
        return ""
    with translation.override(language):
        return str(HandoverReason(reason).label)


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
    if language not in plan.spoken:
        skills = {skill: name[language] for skill, name in plan.skill_names.items()}
        plan.spoken[language] = Names(skills, _languages(language))
    found: Names = plan.spoken[language]
    return found


@cache
def _languages(tongue: Language) -> dict[int, str]:
    """What languages are called in this one, by their place."""
    with translation.override(tongue):
        return {place: str(dict(settings.LANGUAGES)[code]) for place, code in enumerate(LANGUAGES)}


class OnDesk(NamedTuple):
    """A ticket on an agent's desk: held, or in wrap-up."""

    ticket: Ticket
    offer: Offer
    wrap_left: float | None  # seconds by the database's clock, at this look; None while it is held
    resolve_left: float | None  # seconds until it is resolved, when that is planned
    escalated: bool  # team leads were asked and have not settled it
    others: bool  # its customer has other open tickets


def on_desk(agent_id: int, public_id: str | None = None) -> list[OnDesk]:
    """The tickets that are with this agent or being wrapped up by them, the longest first. One query."""
    found = (
        Offer.objects.filter(Offer.ON_DESK, agent_id=agent_id)
        .select_related("ticket__topic", "ticket__customer", "agent")
        .annotate(
            wrap_left=ExpressionWrapper(F("wrap_until") - Now(), output_field=DurationField()),
            resolve_left=ExpressionWrapper(F("resolves_at") - Now(), output_field=DurationField()),
            escalated=Exists(
                Escalation.objects.filter(ticket=OuterRef("ticket_id"), settled_at__isnull=True)
            ),
            others=Exists(
                Ticket.objects.filter(
                    customer=OuterRef("ticket__customer_id"), state__in=Ticket.OPEN
                ).exclude(pk=OuterRef("ticket_id"))
            ),
        )
        .order_by("answered_at", "pk")
    )
    if public_id is not None:
        found = found.filter(ticket__public_id=public_id)
    return [
        OnDesk(
            offer.ticket,
            offer,
            None if offer.wrap_left is None else offer.wrap_left.total_seconds(),
            None if offer.resolve_left is None else offer.resolve_left.total_seconds(),
            offer.escalated,
            offer.others,
        )
        for offer in found
    ]


def accepted(offer: Offer, language: str) -> dict[str, Any]:
    """What the card of an accepted offer said and still holds: {"pay_cents", "surge_cents", "currency", "automatic", "why"}."""
    return {
        "pay_cents": offer.pay_cents,
        "surge_cents": offer.surge_cents,
        "currency": offer.currency,
        "automatic": offer.automatic,
        "why": why_lines(offer, language),
    }


def held_tickets(agent_id: int) -> list[Ticket]:
    """The tickets that are with this agent, the longest first. One query."""
    return [one.ticket for one in on_desk(agent_id) if one.wrap_left is None]


def wrap_ups(desk: Iterable[OnDesk]) -> list[dict[str, Any]]:
    """`wrap_ups` of an agent's snapshot. `seconds_left` is below 0 when it is over and nobody has come by yet."""
    return [
        {
            "offer": offer.pk,
            "ticket": ticket.public_id,
            "until": offer.wrap_until.isoformat(),
            "seconds_left": round(left, 1),
        }
        for ticket, offer, left, *_more in desk
        if left is not None and offer.wrap_until is not None
    ]


def resolving(desk: Iterable[OnDesk]) -> list[dict[str, Any]]:
    """`resolving` of an agent's snapshot: tickets that are resolved in a moment, unless that is undone."""
    return [
        {
            "offer": one.offer.pk,
            "ticket": one.ticket.public_id,
            "resolves_at": one.offer.resolves_at.isoformat(),
            "seconds_left": round(one.resolve_left, 1),
        }
        for one in desk
        if one.resolve_left is not None and one.offer.resolves_at is not None
    ]


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


def agent_snapshot(
    agent: Agent, language: str, look: Look | None = None, desk: Sequence[OnDesk] | None = None
) -> Frame:
    """The whole state of an agent's page at number `seq`; applying all later events to it gives the next snapshot.

    The number is read before the tickets: what happens in between is in the state already, and its event is applied
    again, which changes nothing. Two queries; none when the caller has just looked and then read the desk.
    """
    look = look or looks.look(agent.pk)
    desk = on_desk(agent.pk) if desk is None else desk
    held = [one for one in desk if one.wrap_left is None]
    return {
        "stream": f"agent:{agent.pk}",
        "seq": look.seq,
        "type": "snapshot",
        "data": {
            "shift": shift_data(look.shift),
            "offers": [card(row, look.plan, language) for row in look.cards],
            "tickets": [one.ticket.public_id for one in held],
            "silent": [one.ticket.public_id for one in held if one.offer.silent_since],
            "wrap_ups": wrap_ups(desk),
            "resolving": resolving(desk),
            "auto_accept": look.auto_accept,
        },
    }


def day_begin(zone: tzinfo) -> datetime:
    """The first moment of today on the clock of a zone."""
    return datetime.combine(timezone.localdate(timezone=zone), time.min, zone)


def earnings(agent_id: int, zone: tzinfo) -> list[dict[str, Any]]:
    """Earned today and in the last 7 days, not paid out yet, paid out: {"currency", "today_cents", "week_cents",
    "pending_cents", "paid_cents"} a currency, by its code.

    Never empty: who earned nothing earned no euros. "Today" is the day of `zone`. One query.
    """
    earned = ~Q(kind__in=PAID_OUT)
    sums = (
        LedgerEntry.objects.filter(agent_id=agent_id)
        .order_by("currency")
        .values("currency")
        .annotate(
            today_cents=Coalesce(Sum("amount_cents", filter=earned & Q(created_at__gte=day_begin(zone))), 0),
            week_cents=Coalesce(
                Sum("amount_cents", filter=earned & Q(created_at__gt=Now() - timedelta(days=7))), 0
            ),
            pending_cents=Sum("amount_cents"),
            paid_cents=-Coalesce(Sum("amount_cents", filter=Q(kind__in=PAID_OUT)), 0),
        )
    )
    nothing = {"currency": "EUR", "today_cents": 0, "week_cents": 0, "pending_cents": 0, "paid_cents": 0}
    return [dict(row) for row in sums] or [nothing]
