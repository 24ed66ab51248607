"""The one place where an offer changes: make, accept, decline, expire, and the endings that others cause.

Lock order: pool advisory → shifts (by id) → ticket → offer → feed counters. A command that ends offers of several agents
locks all their shifts first.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet, Subquery
from django.db.models.functions import Now

from agents.models import Agent, Shift, ShiftState
from agents.shifts import shift_choose, shift_locked, shifts_lock, units_free, units_wrap
from agents.signals import tell_availability_changed
from dispatch import events, feed, paying, routes, wrap_up
from dispatch.errors import AnswersByHand, OfferExpired, OfferGone, OfferNotFound
from dispatch.models import Offer, OfferState
from tickets import events as ticket_events
from tickets import timeline
from tickets.conversation import body_clean
from tickets.errors import TicketNotWaiting
from tickets.lifecycle import ticket_hold
from tickets.models import Ticket, TicketState
from tickets.signals import tell_queue_changed
from tickets.timeline import update_returning

DEADLINE = "deadline"  # reason of an offer that ran out
MISSED = "missed_offer"  # reason of the pause after an offer ran out

ENDINGS = {
    OfferState.DECLINED: events.OFFER_DECLINED,
    OfferState.EXPIRED: events.OFFER_EXPIRED,
    OfferState.RESCINDED: events.OFFER_RESCINDED,
    OfferState.REVOKED: events.OFFER_REVOKED,
    OfferState.CANCELLED: events.OFFER_CANCELLED,
    OfferState.COMPLETED: events.OFFER_COMPLETED,
    OfferState.RELEASED: events.OFFER_RELEASED,
}
AFTER_WORK = (OfferState.COMPLETED, OfferState.RELEASED)


@dataclass(frozen=True)
class Ended:
    """What ended, as the UPDATE returned it."""

    offer_id: int
    ticket_id: int
    agent_id: int
    shift_id: int
    units: int
    next_up: bool
    wrap_until: datetime | None


def offer_accept(
    *, offer_id: int, agent_id: int, epoch: int, key: str | None = None, automatic: bool = False
) -> Offer:
    """The agent takes the ticket: exactly one can. Outermost.

    `automatic`: it is accepted for them, by their own switch (dispatch/automatic.py). Accepting again what this agent already
    holds gives the same answer. Raises OfferNotFound, OfferGone (another was faster, or it was taken back), OfferExpired (by
    the database's clock), ShiftEnded, NotOnline, KeyReused; AnswersByHand when automatic. A next-up ends as many wrap-ups as
    it needs room of; AgentFull when there is not enough.
    """
    digest = timeline.digest_of("offer_accept", offer_id)
    return feed.once(
        agent_id,
        key,
        digest,
        lambda: _accept(offer_id, agent_id, epoch, key=key, digest=digest, automatic=automatic),
        lambda: _already_answered(offer_id),
    )


def _accept(
    offer_id: int, agent_id: int, epoch: int, *, key: str | None, digest: str, automatic: bool
) -> Offer:
    with timeline.command():
        if automatic and not _switched_on(agent_id):
            raise AnswersByHand
        offer, others = _own_and_others(offer_id, agent_id)
        rivals = [other for other in others if other.state in Offer.LIVE]
        shifts = shifts_lock([offer.shift_id, *(rival.shift_id for rival in rivals)])
        _end_left_over(offer, rivals, shifts)
        shift = shifts[offer.shift_id]
        if shift.ended_at is not None or shift.epoch != epoch:
            shift = shift_locked(agent_id=agent_id, epoch=epoch)  # says which of the two refusals it is
        won = Offer.objects.filter(
            pk=offer_id, shift=shift, state=OfferState.PENDING, expires_at__gt=Now()
        ).update(state=OfferState.ACCEPTED, answered_at=Now(), automatic=automatic)
        if not won:
            return _already_answered(offer_id)
        agent = offer.agent
        try:
            ticket_hold(ticket_id=offer.ticket_id, agent_name=agent.name, actor_id=agent.user_id)
        except TicketNotWaiting:
            raise OfferGone from None
        if rivals:
            pending = Offer.objects.filter(pk__in=[rival.pk for rival in rivals], state=OfferState.PENDING)
            end(pending, OfferState.RESCINDED, "taken", locked=shifts)
        # The customer opened again what this agent still wraps up: it is in hand once more.
        wrapping = [other.pk for other in others if other.wrap_until and other.shift_id == shift.pk]
        wrap_up.make_room(offer, shift, wrapping)
        feed.record(
            agent_id,
            events.OFFER_ACCEPTED,
            {"offer": offer_id, "reason": "", "ticket": offer.ticket.public_id, "automatic": automatic},
            key=key,
            digest=digest,
        )
    offer.state, offer.automatic = OfferState.ACCEPTED, automatic
    return offer


def _end_left_over(offer: Offer, others: list[Offer], locked: dict[int, Shift]) -> None:
    """The holder of before, whose ticket was closed and reopened before the tick has ended their offer. Mostly no query."""
    held = [other.pk for other in others if other.state == OfferState.ACCEPTED]
    if held and offer.state == OfferState.PENDING:
        waiting = Ticket.objects.filter(pk=offer.ticket_id, state=TicketState.WAITING).values("pk")
        accepted = Offer.objects.filter(pk__in=held, state=OfferState.ACCEPTED, ticket_id__in=waiting)
        complete(accepted, "customer", offer.ticket.topic_id, locked=locked)


def _switched_on(agent_id: int) -> bool:
    """Whether the agent accepts automatically; it stays so until the end of the transaction. Their row comes before shifts."""
    agent = Agent.objects.select_for_update(no_key=True).filter(pk=agent_id, auto_accept=True)
    return agent.values_list("pk", flat=True).first() is not None


def offer_decline(
    *, offer_id: int, agent_id: int, epoch: int, reason: str = "", key: str | None = None
) -> Offer:
    """The agent says no; units are free at once, and beside p (matching/score.py) nothing follows. Outermost.

    Declining again what this agent has declined gives the same answer. Raises as offer_accept, and
    MessageTooLong, BadText for the reason.
    """
    reason = body_clean(reason, required=False)[:40]
    digest = timeline.digest_of("offer_decline", offer_id, reason)
    return feed.once(
        agent_id,
        key,
        digest,
        lambda: _decline(offer_id, agent_id, epoch, reason, key=key, digest=digest),
        lambda: _already_answered(offer_id, OfferState.DECLINED),
    )


def _decline(offer_id: int, agent_id: int, epoch: int, reason: str, *, key: str | None, digest: str) -> Offer:
    with timeline.command():
        offer = _own(offer_id, agent_id)
        shift = shift_locked(agent_id=agent_id, epoch=epoch)
        ended = end(
            Offer.objects.filter(pk=offer_id, shift=shift, state=OfferState.PENDING, expires_at__gt=Now()),
            OfferState.DECLINED,
            reason,
            locked={shift.pk: shift},
            key=key,
            digest=digest,
        )
        if not ended:
            return _already_answered(offer_id, OfferState.DECLINED)
    offer.state, offer.reason = OfferState.DECLINED, reason
    return offer


def _own(offer_id: int, agent_id: int) -> Offer:
    offer = Offer.objects.select_related("agent", "ticket").filter(pk=offer_id, agent_id=agent_id).first()
    if offer is None:
        raise OfferNotFound
    return offer


def _own_and_others(offer_id: int, agent_id: int) -> tuple[Offer, list[Offer]]:
    """The agent's offer, and the others of its ticket that are live or in wrap-up. One query; no run adds to them meanwhile."""
    ticket = Offer.objects.filter(pk=offer_id, agent_id=agent_id).values("ticket_id")[:1]
    found = Offer.objects.select_related("agent", "ticket").filter(
        Q(pk=offer_id) | Q(state__in=Offer.LIVE) | Q(wrap_until__isnull=False), ticket_id=Subquery(ticket)
    )
    offers = {offer.pk: offer for offer in found}
    if offer_id not in offers:
        raise OfferNotFound
    own = offers.pop(offer_id)
    return own, list(offers.values())


def _already_answered(offer_id: int, same: OfferState = OfferState.ACCEPTED) -> Offer:
    """A pending offer could not be answered: because it was, in the same way; or else the refusal that says why."""
    offer = Offer.objects.select_related("agent", "ticket").get(pk=offer_id)
    if offer.state == same or (same == OfferState.ACCEPTED and offer.state in AFTER_WORK):
        return offer
    if offer.state in (
        OfferState.EXPIRED,
        OfferState.PENDING,
    ):  # still pending, yet late: the tick has not come by
        raise OfferExpired
    raise OfferGone


def due_offer_ids(limit: int = 500) -> list[tuple[int, int]]:
    """(offer id, shift id) of open offers whose deadline has passed, by shift so that locks come in order."""
    return list(
        Offer.objects.filter(state=OfferState.PENDING, expires_at__lte=Now())
        .order_by("shift_id", "pk")
        .values_list("pk", "shift_id")[:limit]
    )


def offer_expire(*, offer_id: int, shift_id: int) -> bool:
    """The deadline has passed: the offer ends, and its agent is paused so that nothing is offered to an empty chair.

    From an agent for whom it should have been accepted it is only taken back: they were never asked. Outermost.
    False when an answer came first; safe to run twice.
    """
    with timeline.command():
        shift = shifts_lock([shift_id])[shift_id]
        unasked = Offer.objects.filter(pk=offer_id, automatic=True, agent__auto_accept=True).exists()
        ended = end(
            Offer.objects.filter(pk=offer_id, state=OfferState.PENDING, expires_at__lte=Now()),
            OfferState.REVOKED if unasked else OfferState.EXPIRED,
            DEADLINE,
            locked={shift_id: shift},
        )
        if not ended:
            return False
        if (
            shift.state == ShiftState.ONLINE
            and not unasked
            and shift_choose(shift, ShiftState.PAUSED, MISSED)
        ):
            pending_revoke(shift, MISSED)
            tell_shift(shift)
    return True


def pending_revoke(shift: Shift, reason: str) -> None:
    """Take open offers of a locked shift back. Inner."""
    end(
        Offer.objects.filter(shift=shift, state=OfferState.PENDING),
        OfferState.REVOKED,
        reason,
        locked={shift.pk: shift},
    )


def offers_cancel(*, ticket_id: int) -> int:
    """The customer closed the ticket: open offers are cancelled, the holder's is completed and paid. Outermost.

    Returns how many ended. Safe to run twice, and late: when the ticket was reopened meanwhile, open offers are right again,
    and the holder of before is still to be paid. Does nothing else when the ticket is open.
    """
    with timeline.command():
        live = Offer.objects.filter(ticket_id=ticket_id, state__in=Offer.LIVE)
        shifts = shifts_lock(live.values_list("shift_id", flat=True))
        state, topic_id = (
            Ticket.objects.select_for_update().values_list("state", "topic_id").get(pk=ticket_id)
        )
        ended = []
        if state == TicketState.CLOSED:
            ended += end(
                live.filter(state=OfferState.PENDING), OfferState.CANCELLED, "customer", locked=shifts
            )
        if state in (TicketState.CLOSED, TicketState.WAITING):
            ended += complete(live.filter(state=OfferState.ACCEPTED), "customer", topic_id, locked=shifts)
        return len(ended)


def complete(
    offers: QuerySet[Offer], reason: str, topic_id: int | None, *, locked: dict[int, Shift]
) -> list[Ended]:
    """accepted → completed, and what was shown is credited, once (dispatch/paying.py). Inner.

    The offers are of a ticket of this topic. Their units stay taken for the wrap-up of its route, unless the agent's
    connection is lost: then nobody wraps up. Nor does anybody after practice.
    """
    route = routes.routes().of(topic_id)
    here = all(shift.lost_at is None and not shift.practice for shift in locked.values())
    ended = end(
        offers,
        OfferState.COMPLETED,
        reason,
        locked=locked,
        wrap_up_seconds=route.wrap_up_seconds if route and here else 0,
    )
    paying.completed(one.offer_id for one in ended)
    return ended


def end(
    offers: QuerySet[Offer],
    state: OfferState,
    reason: str,
    *,
    locked: dict[int, Shift],
    wrap_up_seconds: int = 0,
    key: str | None = None,
    digest: str = "",
) -> list[Ended]:
    """End those of the offers that still are in the state the queryset asks for; free their units; tell everybody.

    Inner. The queryset's condition decides races by the row count; `locked` are the shifts that the caller has locked.
    With `wrap_up_seconds` the units of completed ones stay taken for so long. `key` and `digest` make the agent's event the
    receipt of a command that ends one offer.
    """
    values = {"state": state, "reason": reason, "ended_at": Now(), "resolves_at": None}
    worked = state in AFTER_WORK
    if not worked:
        values["answered_at"] = Now()
    if wrap_up_seconds:
        values["wrap_until"] = Now() + timedelta(seconds=wrap_up_seconds)
    ended = [
        Ended(*row)
        for row in update_returning(
            offers,
            ["id", "ticket_id", "agent_id", "shift_id", "units", "next_up", "wrap_until"],
            **values,
        )
    ]
    for one in ended:
        if one.shift_id not in locked:
            raise RuntimeError(
                f"shift {one.shift_id} of offer {one.offer_id} was not locked before its ticket"
            )
        if one.wrap_until is not None:
            units_wrap(one.shift_id, one.units)
        elif worked or not one.next_up:  # a next-up has taken none before it is accepted
            units_free(one.shift_id, one.units, worked=worked)
    _tell_ended(ended, state, reason, key, digest)
    if state == OfferState.RELEASED:
        paying.released(one.offer_id for one in ended)
    return ended


def _tell_ended(
    ended: Iterable[Ended], state: OfferState, reason: str, key: str | None = None, digest: str = ""
) -> None:
    ended = list(ended)
    if not ended:
        return
    names = {}
    if state in AFTER_WORK:
        names = dict(
            Ticket.objects.filter(pk__in=[one.ticket_id for one in ended]).values_list("pk", "public_id")
        )
    else:
        # What became of the ticket itself is told by its own step; these would leave no trace in its timeline otherwise.
        for one in ended:
            timeline.advance(
                Ticket.objects.filter(pk=one.ticket_id),
                ticket_events.OFFER_ENDED,
                {"offer": one.offer_id, "agent": one.agent_id, "state": state, "reason": reason},
            )
    news = []
    for one in ended:  # each of another agent: nobody has two open offers, and a ticket has one holder
        data: dict[str, object] = {"offer": one.offer_id, "reason": reason}
        if names:
            data["ticket"] = names[one.ticket_id]
        if state == OfferState.COMPLETED:
            data["wrap_up_until"] = one.wrap_until.isoformat() if one.wrap_until else None
        news.append((one.agent_id, ENDINGS[state], data))
    feed.record_many(news, key=key, digest=digest)
    if state in (OfferState.DECLINED, OfferState.EXPIRED, OfferState.REVOKED):
        tell_queue_changed(one.ticket_id for one in ended)
    tell_availability_changed({one.agent_id for one in ended})


def tell_shift(shift: Shift, *, lost: bool = False, key: str | None = None, digest: str = "") -> None:
    """Tell all tabs of the agent what the shift is now. Inner."""
    feed.record(
        shift.agent_id,
        events.SHIFT_CHANGED,
        {"epoch": shift.epoch, "state": shift.state, "reason": shift.reason, "lost": lost},
        key=key,
        digest=digest,
    )
