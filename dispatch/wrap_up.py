"""The time after a ticket's last message in which its units stay taken: begun with its completion, ended here.

The ticket is resolved and paid already; a wrap-up is a moment in `Offer.wrap_until` and units of the shift, both changed
under the shift's lock. It ends when the agent says so, by the tick, when they accept their next ticket and need the room, and
when the shift ends or is lost.
"""

from collections.abc import Iterable

from django.db.models import QuerySet
from django.db.models.functions import Now

from agents.errors import AgentFull
from agents.models import Agent, Shift
from agents.shifts import shift_locked, shifts_lock, units_take, units_unwrap
from agents.signals import tell_availability_changed
from dispatch import events, feed
from dispatch.errors import NotHolder, NotWrappingUp
from dispatch.models import Offer, OfferState
from dispatch.rules import units as rules
from tickets import timeline
from tickets.models import Ticket
from tickets.timeline import update_returning

DONE, TIME, NEXT = "done", "time", "next"  # why it ended; or the reason for which the shift did


def done(*, agent: Agent, epoch: int, ticket_id: int, key: str | None = None) -> None:
    """The agent is through with their wrap-up of this ticket before its time. Outermost.

    One that is over already is no error: the clock was as fast. Raises NotHolder, NotWrappingUp (the ticket is still with
    them), ShiftEnded, NotOnline, KeyReused.
    """
    digest = timeline.digest_of("wrap_up_done", ticket_id)

    def act() -> None:
        with timeline.command():
            shift = shift_locked(agent_id=agent.pk, epoch=epoch)
            mine = Offer.objects.filter(ticket_id=ticket_id, shift=shift)
            if end(mine, DONE, locked={shift.pk: shift}, key=key, digest=digest):
                return
            states = set(mine.values_list("state", flat=True))
            if OfferState.ACCEPTED in states:
                raise NotWrappingUp
            if OfferState.COMPLETED not in states:
                raise NotHolder

    feed.once(agent.pk, key, digest, act, lambda: None)


def end_due(limit: int = 200) -> int:
    """End the wrap-ups whose time is over, each shift's in a transaction of its own. Outermost; for the tick.

    Returns how many. Safe twice or late.
    """
    due = (
        Offer.objects.filter(wrap_until__lte=Now())
        .order_by("shift_id")
        .values_list("shift_id", flat=True)
        .distinct()[:limit]
    )
    return sum(_end_due(shift_id) for shift_id in list(due))


def _end_due(shift_id: int) -> int:
    with timeline.command():
        locked = shifts_lock([shift_id])
        return len(end(Offer.objects.filter(shift_id=shift_id, wrap_until__lte=Now()), TIME, locked=locked))


def make_room(offer: Offer, shift: Shift, same: Iterable[int]) -> None:
    """What accepting needs of wrap-ups. Those of the same ticket (`same`: offers) end; for a next-up also as many as must make
    room for it, and it takes its units. Inner; `shift` is locked.

    Raises AgentFull when all of them are not enough; nothing has changed then. No query for a plain offer.
    """
    same = set(same)
    if not (offer.next_up or same):
        return
    wrapping = sorted(
        Offer.objects.filter(shift=shift, wrap_until__isnull=False)
        .order_by("wrap_until", "pk")
        .values_list("pk", "units"),
        key=lambda one: one[0] not in same,
    )
    ending = [pk for pk, _units in wrapping if pk in same]
    if offer.next_up:
        free = shift.units_free + sum(units for pk, units in wrapping if pk in same)
        others = rules.room_for(offer.units, free, [one for one in wrapping if one[0] not in same])
        if others is None:
            raise AgentFull
        ending += others
    end(Offer.objects.filter(pk__in=ending), NEXT, locked={shift.pk: shift})
    if offer.next_up and not units_take(shift.pk, offer.units):
        raise AgentFull


def end(
    offers: QuerySet[Offer],
    reason: str,
    *,
    locked: dict[int, Shift],
    key: str | None = None,
    digest: str = "",
) -> list[int]:
    """End those of these wrap-ups that still run, free their units, and tell the agents. Inner.

    `locked`: the shifts that the caller has locked. Returns the offers' ids. `key` and `digest` make the event of one wrap-up
    the receipt of a command.
    """
    ended = update_returning(
        offers.filter(wrap_until__isnull=False),
        ["id", "ticket_id", "agent_id", "shift_id", "units"],
        wrap_until=None,
    )
    names = dict(
        Ticket.objects.filter(pk__in=[one[1] for one in ended]).values_list("pk", "public_id")
        if ended
        else []
    )
    for offer_id, ticket_id, agent_id, shift_id, units in sorted(ended):
        if shift_id not in locked:
            raise RuntimeError(f"shift {shift_id} of wrap-up {offer_id} was not locked")
        units_unwrap(shift_id, units)
        feed.record(
            agent_id,
            events.WRAP_UP_ENDED,
            {"offer": offer_id, "ticket": names[ticket_id], "reason": reason},
            key=key,
            digest=digest,
        )
    tell_availability_changed({one[2] for one in ended})
    return sorted(one[0] for one in ended)
