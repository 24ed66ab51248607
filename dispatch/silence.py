"""A customer who has been silent for long costs less: the ticket gives most of its units back until they write again.

Both ways are the tick's, so a message knows nothing of it: a second after it the units are back, as far as there is room. All
of it happens under the shift's lock, by whose counter capacity is never exceeded.
"""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce, Now

from agents.models import Shift
from agents.shifts import shifts_lock, units_free, units_take
from agents.signals import tell_availability_changed
from dispatch import events, feed, routes
from dispatch.models import Offer, OfferState
from dispatch.rules import units as rules
from tickets import timeline
from tickets.models import Author, Message


class Due(NamedTuple):
    """A held ticket of which something is to be changed."""

    offer_id: int
    shift_id: int
    silent_since: datetime | None  # of a customer who has fallen silent


def customers_look() -> int:
    """Lower what silent customers cost, and raise it for those who have written again. Outermost; for the tick.

    Each ticket in a transaction of its own, safe twice or late. Returns how many changed. One query for each length of silence
    that routes have, and one more.
    """
    changed = sum(_lower(one) for one in _fallen_silent())
    return changed + sum(_raise(one) for one in _awake())


def _last_words() -> QuerySet[Message]:
    """What was said in a ticket, the last first; notes and the system are no part of the talk."""
    talk = Message.objects.filter(
        ticket=OuterRef("ticket"), internal=False, author__in=(Author.AGENT, Author.CUSTOMER)
    )
    return talk.order_by("-seq")


def _silent() -> Any:
    """Held tickets whose holder had the last word, `at` some time; what was said before they came is not theirs. One that
    was put aside takes nothing that could be spared, and when it woke its units come back first.

    A queryset of offers; the type checker loses what is annotated.
    """
    last = _last_words()
    return (
        Offer.objects.filter(state=OfferState.ACCEPTED, silent_since__isnull=True, units__gt=0)
        .annotate(by=Subquery(last.values("author")[:1]), at=Subquery(last.values("created_at")[:1]))
        .filter(by=Author.AGENT, at__gt=F("answered_at"))
    )


def _fallen_silent() -> list[Due]:
    """Those who have been silent for as long as their route says, just now."""
    plan = routes.routes()
    limits = {spec.topic_id: spec.silent_seconds for spec in plan.all() if spec.silent_seconds}
    found = []
    for seconds in sorted(set(limits.values())):
        topics = Q(ticket__topic_id__in=[topic_id for topic_id, limit in limits.items() if limit == seconds])
        if plan.default is not None and plan.default.silent_seconds == seconds:
            topics |= Q(ticket__topic_id__isnull=True) | ~Q(ticket__topic_id__in=list(plan.by_topic))
        due = _silent().filter(topics, at__lte=Now() - timedelta(seconds=seconds))
        found += [Due(*row) for row in due.order_by("shift_id", "pk").values_list("pk", "shift_id", "at")]
    return found


def _awake() -> list[Due]:
    """Those who have written since, those whose ticket woke (dispatch/snooze.py), and those whose units did not all fit when
    they did, while there is room."""
    written = Message.objects.filter(
        ticket=OuterRef("ticket"),
        internal=False,
        author=Author.CUSTOMER,
        created_at__gt=OuterRef("silent_since"),
    )
    room = Q(silent_since__isnull=True, units_spared__gt=0, shift__units_taken__lt=F("shift__units"))
    due = Offer.objects.filter(
        Q(silent_since__isnull=False) & Exists(written) | room,
        state=OfferState.ACCEPTED,
        ticket__wakes_at__isnull=True,
    )
    return [Due(*row, None) for row in due.order_by("shift_id", "pk").values_list("pk", "shift_id")]


def _lower(due: Due) -> bool:
    with timeline.command():
        shifts_lock([due.shift_id])
        offer = _silent().filter(pk=due.offer_id, at=due.silent_since).select_related("ticket").first()
        if offer is None:  # they have written meanwhile, or it ended
            return False
        spec = routes.routes().of(offer.ticket.topic_id)
        units = rules.while_silent(offer.units, spec.silent_units) if spec else offer.units
        spared = offer.units - units
        Offer.objects.filter(pk=offer.pk).update(
            units=units, units_spared=F("units_spared") + spared, silent_since=due.silent_since
        )
        units_free(due.shift_id, spared, worked=False)
        _tell(offer, units, silent=True)
        if spared:
            tell_availability_changed([offer.agent_id])
    return True


def _raise(due: Due) -> bool:
    with timeline.command():
        shift = shifts_lock([due.shift_id])[due.shift_id]
        offer = (
            Offer.objects.filter(pk=due.offer_id, state=OfferState.ACCEPTED).select_related("ticket").first()
        )
        if offer is None or offer.ticket.wakes_at is not None:  # who puts it aside locks the shift, too
            return False
        more = rules.back(
            offer.units_spared,
            shift.units_free,
            wrapping=shift.units_wrapping,
            next_up=_next_up_units(shift),
        )
        if offer.silent_since is None and not more:
            return False
        Offer.objects.filter(pk=offer.pk).update(
            units=offer.units + more, units_spared=offer.units_spared - more, silent_since=None
        )
        if more and not units_take(shift.pk, more):
            raise RuntimeError(f"shift {shift.pk} has no room for {more} units under its lock")
        _tell(offer, offer.units + more, silent=False)
    return True


def _next_up_units(shift: Shift) -> int:
    """Units that an open next-up of this shift will want when it is accepted."""
    pending = Offer.objects.filter(shift=shift, state=OfferState.PENDING, next_up=True)
    total: int = pending.aggregate(units=Coalesce(Sum("units"), 0))["units"]
    return total


def _tell(offer: Offer, units: int, *, silent: bool) -> None:
    feed.record(
        offer.agent_id,
        events.ATTENTION_CHANGED,
        {"offer": offer.pk, "ticket": offer.ticket.public_id, "units": units, "silent": silent},
    )
