"""What an offer's end and a rating bring: lines of the ledger, by what the card said. Each once, by its reference."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Exists, IntegerField, OuterRef, QuerySet
from django.db.models.fields.json import KT
from django.db.models.functions import Cast, Now
from django.utils.translation import gettext as _
from django.utils.translation import override

from agents.models import EntryKind, LedgerEntry
from agents.pay import credit
from agents.pay.statements import money
from dispatch import events, feed
from dispatch.models import Offer, OfferState
from dispatch.pricing import Terms, percent_of, waited_seconds, waiting_pay
from tickets import timeline
from tickets.events import SNOOZED, WOKE
from tickets.models import Author, Message, Rating, TicketEvent

CATCH_UP = timedelta(days=7)  # for so long a rating whose news was lost is looked for
CLOSED = "customer"  # reason of an offer that was completed because the customer closed the ticket
RESOLVED = "resolved"  # reason of a completed offer whose ticket can be rated


def completed(offer_ids: Iterable[int]) -> None:
    """Pay, surge, and the minutes of waiting. Inner.

    Who has handed this ticket over before, and was paid for that, got a part of its pay in advance: it is taken off what they
    get now, and the line says so.
    """
    for offer, handed_over in _offers(offer_ids):
        off = _in_advance(offer) if handed_over else 0
        for kind, cents in ((EntryKind.TICKET, offer.pay_cents), (EntryKind.SURGE, offer.surge_cents)):
            less = min(off, cents)
            _credit(offer, kind, cents - less, _less(offer, less) if less else "")
            off -= less
        _credit(offer, EntryKind.WAITING, waiting_pay(*_waited(offer)))


def released(offer_ids: Iterable[int]) -> None:
    """The part that the rate pays for work that somebody else goes on with, and the minutes of waiting. Inner.

    Only who has written to the customer has worked; who hands the same ticket back again is not paid its part again.
    """
    for offer, handed_over in _offers(offer_ids):
        terms = Terms.of(offer.terms)
        if not (terms.release_percent or terms.waiting_cents):
            continue
        talk = _talk(offer)
        part = percent_of(offer.pay_cents + offer.surge_cents, terms.release_percent)
        if any(by_agent for by_agent, _at in talk) and not (handed_over and _released(offer).exists()):
            _credit(offer, EntryKind.RELEASE, part)
        _credit(offer, EntryKind.WAITING, waiting_pay(waited_seconds(talk, _asleep(offer)), terms))


def rated(*, rating_id: int) -> bool:
    """The bonus of a rating for who resolved the ticket then. Outermost; safe twice. Returns whether it was paid now."""
    rating = Rating.objects.get(pk=rating_id)
    offer = _earning(rating, rating.score)
    if offer is None:
        return False
    with timeline.command():
        return _bonus(offer)


def rating_corrected(*, rating_id: int, score: int) -> bool:
    """The bonus of a rating that a person has corrected to `score` (1–5), if it is earned by that and was not paid. Inner; safe
    twice. Returns whether it was paid now.

    What was paid stays paid: a correction takes nothing back.
    """
    rating = Rating.objects.get(pk=rating_id)
    offer = _earning(rating, score)
    return offer is not None and _bonus(offer, corrected=True)


def _earning(rating: Rating, score: int) -> Offer | None:
    """The completed offer whose bonus a rating earns by that score, unless it has been paid. Two queries."""
    offer = (
        Offer.objects.select_related("ticket__topic", "agent__user")
        .filter(
            ticket_id=rating.ticket_id,
            state=OfferState.COMPLETED,
            reason=RESOLVED,
            ended_at__lte=rating.created_at,
        )
        .order_by("-ended_at")
        .first()
    )
    if offer is None:
        return None
    terms = Terms.of(offer.terms)
    if not terms.bonus_cents or score < terms.bonus_score:
        return None
    paid = LedgerEntry.objects.filter(kind=EntryKind.BONUS, reference=_reference(offer)).exists()
    return None if paid else offer


def _bonus(offer: Offer, *, corrected: bool = False) -> bool:
    """Credit it, unless somebody else has in this moment. Inner. Returns whether it was paid now."""
    with override(offer.agent.user.language):
        why = _("rating corrected") if corrected else ""
    try:
        with transaction.atomic():  # a refused line must not spoil what it belongs to
            _credit(offer, EntryKind.BONUS, Terms.of(offer.terms).bonus_cents, why)
    except IntegrityError as error:  # another one was as fast
        if "ledger_credited_once" not in str(error):
            raise
        return False
    return True


def ratings_catch_up() -> int:
    """Bonuses of late ratings whose news was lost on the way. Outermost; for a task. Returns how many were paid."""
    promised = Offer.objects.filter(ticket=OuterRef("ticket"), state=OfferState.COMPLETED).annotate(
        least=Cast(KT("terms__bonus_score"), IntegerField())
    )
    late = Rating.objects.filter(
        Exists(promised.filter(terms__bonus_cents__gt=0, least__lte=OuterRef("score"))),
        created_at__gt=Now() - CATCH_UP,
    )
    return sum(rated(rating_id=pk) for pk in late.order_by("pk").values_list("pk", flat=True))


def _offers(offer_ids: Iterable[int]) -> list[tuple[Offer, bool]]:
    """The offers, each with whether its agent has handed the ticket over before. One query."""
    before = Offer.objects.filter(
        ticket=OuterRef("ticket"), agent=OuterRef("agent"), state=OfferState.RELEASED
    ).exclude(pk=OuterRef("pk"))
    found = Offer.objects.select_related("ticket__topic", "agent__user").filter(pk__in=list(offer_ids))
    return [(offer, offer.handed_over) for offer in found.annotate(handed_over=Exists(before))]


def _talk(offer: Offer) -> list[tuple[bool, datetime]]:
    """Who said something while this agent had the ticket, and when. One query."""
    said = Message.objects.filter(
        ticket_id=offer.ticket_id,
        internal=False,
        author__in=(Author.AGENT, Author.CUSTOMER),
        created_at__gte=offer.answered_at,
    )
    return [
        (author == Author.AGENT, at)
        for author, at in said.order_by("seq").values_list("author", "created_at")
    ]


def _waited(offer: Offer) -> tuple[float, Terms]:
    """Seconds, and the terms by which they are paid. No query when they pay nothing."""
    terms = Terms.of(offer.terms)
    if not terms.waiting_cents:
        return 0.0, terms
    closed_at = offer.ticket.closed_at if offer.reason == CLOSED else None
    return waited_seconds(_talk(offer), _asleep(offer), closed_at), terms


def _asleep(offer: Offer) -> list[tuple[datetime, datetime]]:
    """When the ticket was put aside while this agent had it: (from, to). What is not over lasts. One query."""
    spans: list[tuple[datetime, datetime]] = []
    since: datetime | None = None
    told = TicketEvent.objects.filter(
        ticket_id=offer.ticket_id,
        type__in=(SNOOZED.name, WOKE.name),
        created_at__gte=offer.answered_at,
    )
    for kind, at in told.order_by("seq").values_list("type", "created_at"):
        if kind == SNOOZED.name:
            since = since or at
        elif since is not None:
            spans.append((since, at))
            since = None
    if since is not None:
        spans.append((since, datetime.max.replace(tzinfo=UTC)))
    return spans


def _released(offer: Offer) -> QuerySet[LedgerEntry]:
    """What this agent was paid for handing this ticket over before: one line at most."""
    earlier = _handed_over(offer).values_list("pk", flat=True)
    return LedgerEntry.objects.filter(kind=EntryKind.RELEASE, reference__in=[f"offer:{pk}" for pk in earlier])


def _handed_over(offer: Offer) -> QuerySet[Offer]:
    return Offer.objects.filter(
        ticket_id=offer.ticket_id, agent_id=offer.agent_id, state=OfferState.RELEASED
    ).exclude(pk=offer.pk)


def _in_advance(offer: Offer) -> int:
    """Cents of a completed offer's pay and surge that its agent has got already, for handing the ticket over.

    Up to four queries. What was taken off once, when they completed it before it was opened again, is not taken off twice.
    Paid in another currency, it is the same part of what is paid now.
    """
    line = _released(offer).first()
    if line is None:
        return 0
    paid_for = Offer.objects.get(pk=line.reference.removeprefix("offer:"))
    if (
        Offer.objects.filter(
            ticket_id=offer.ticket_id,
            agent_id=offer.agent_id,
            state=OfferState.COMPLETED,
            ended_at__gte=paid_for.ended_at,
        )
        .exclude(pk=offer.pk)
        .exists()
    ):
        return 0
    if line.currency == offer.currency:
        return line.amount_cents
    return percent_of(offer.pay_cents + offer.surge_cents, Terms.of(paid_for.terms).release_percent)


def _less(offer: Offer, cents: int) -> str:
    """Why a line is less than what the card showed, in the agent's language."""
    with override(offer.agent.user.language):
        return _("less %(amount)s that handing it over has paid") % {"amount": money(cents, offer.currency)}


def _reference(offer: Offer) -> str:
    return f"offer:{offer.pk}"


def _credit(offer: Offer, kind: EntryKind, cents: int, why: str = "") -> None:
    """One line, and the agent is told; `why` is added to what it says. Three queries, none for nothing."""
    if not cents:
        return
    topic = offer.ticket.topic
    language = offer.agent.user.language
    general = "Allgemein" if language.startswith("de") else "General"
    entry = credit(
        agent_id=offer.agent_id,
        kind=kind,
        amount_cents=cents,
        currency=offer.currency,
        reference=_reference(offer),
        memo=" · ".join(
            filter(None, (offer.ticket.number, topic.name_in(language) if topic else general, why))
        ),
    )
    feed.record(
        offer.agent_id,
        events.LEDGER_CREDITED,
        {
            "kind": entry.kind,
            "amount_cents": entry.amount_cents,
            "currency": entry.currency,
            "reference": entry.reference,
            "memo": entry.memo,
        },
    )
