"""What an agent says about being there: go online, pause, finish, go offline, beat; and what happens when they vanish."""

from collections.abc import Iterable

from django.db.models import Exists, OuterRef, Q, QuerySet

from agents.errors import ShiftEnded
from agents.models import EndReason, Shift, ShiftState
from agents.shifts import (
    lease_renew,
    lost_among,
    lost_shift_ids,
    shift_choose,
    shift_end,
    shift_found,
    shift_locked,
    shift_mark_lost,
    shift_open,
    shifts_lock,
)
from dispatch import feed, resolving, routes, snooze, wrap_up
from dispatch.models import Offer, OfferState
from dispatch.offers import complete, end, pending_revoke, tell_shift
from tickets import events as ticket_events
from tickets import timeline
from tickets.conversation import body_clean
from tickets.errors import TicketClosed
from tickets.lifecycle import ticket_release
from tickets.models import Ticket, TicketState

DEFAULT_GRACE = 60  # seconds, for an agent of no pool with a policy


def go_online(*, agent_id: int, key: str | None = None) -> Shift:
    """Open a shift, or return to the open one from a pause, from finishing, or after a lost connection. Outermost.

    Doing it twice, or in a second tab, gives the same shift. Raises NotAdmitted, KeyReused.
    """
    digest = timeline.digest_of("go_online")

    def act() -> Shift:
        with timeline.command():
            shift, changed = shift_open(agent_id=agent_id)
            if _found(shift) or changed:
                tell_shift(shift, key=key, digest=digest)
        return shift

    def again() -> Shift:
        shift = Shift.objects.filter(agent_id=agent_id, ended_at__isnull=True).first()
        if shift is None:  # the receipt is that of a shift that is over
            raise ShiftEnded
        return shift

    return feed.once(agent_id, key, digest, act, again)


def pause(*, agent_id: int, epoch: int, reason: str = "", key: str | None = None) -> Shift:
    """Nothing new for a while; open offers are taken back, held tickets stay. Outermost.

    40 characters of the reason are kept. Raises ShiftEnded, NotOnline, MessageTooLong, BadText, KeyReused.
    """
    reason = body_clean(reason, required=False)[:40]
    return _choose(agent_id, epoch, ShiftState.PAUSED, reason, key)


def finish(*, agent_id: int, epoch: int, key: str | None = None) -> Shift:
    """Nothing new any more; held tickets are brought to their end, and the shift with them (finished_end). Outermost.

    Raises ShiftEnded, NotOnline.
    """
    return _choose(agent_id, epoch, ShiftState.FINISHING, "", key)


def _choose(agent_id: int, epoch: int, state: ShiftState, reason: str, key: str | None) -> Shift:
    digest = timeline.digest_of("shift_choose", state, reason, epoch)

    def act() -> Shift:
        with timeline.command():
            shift = shift_locked(agent_id=agent_id, epoch=epoch)
            if shift_choose(shift, state, reason):
                pending_revoke(shift, state)
                tell_shift(shift, key=key, digest=digest)
        return shift

    return feed.once(agent_id, key, digest, act, lambda: Shift.objects.get(agent_id=agent_id, epoch=epoch))


def go_offline(*, agent_id: int, epoch: int, key: str | None = None) -> Shift:
    """End the shift: open offers are taken back, held tickets go back to waiting with their age. Outermost.

    Raises ShiftEnded, NotOnline.
    """
    digest = timeline.digest_of("go_offline", epoch)

    def act() -> Shift:
        with timeline.command():
            shift = shift_locked(agent_id=agent_id, epoch=epoch)
            _end(shift, EndReason.AGENT, key=key, digest=digest)
        return shift

    return feed.once(agent_id, key, digest, act, lambda: Shift.objects.get(agent_id=agent_id, epoch=epoch))


def shift_force(*, agent_id: int) -> bool:
    """End the open shift of an agent whose row the caller has locked. Inner. False when there is none."""
    open_ids = Shift.objects.filter(agent_id=agent_id, ended_at__isnull=True).values_list("pk", flat=True)
    for shift in shifts_lock(open_ids).values():
        if shift.ended_at is None:
            _end(shift, EndReason.FORCED)
            return True
    return False


def shift_leave(*, agent_id: int) -> bool:
    """Who leaves gets nothing new: their shift is finishing while they hold something, and ends when they do not. Inner.

    The caller has locked the agent's row. Returns whether a shift is still open.
    """
    open_ids = Shift.objects.filter(agent_id=agent_id, ended_at__isnull=True).values_list("pk", flat=True)
    for shift in shifts_lock(open_ids).values():
        if shift.ended_at is not None:
            continue
        if not _held_ticket_ids(shift):
            _end(shift, EndReason.AGENT)
            continue
        if shift_choose(shift, ShiftState.FINISHING):
            pending_revoke(shift, ShiftState.FINISHING)
            tell_shift(shift)
        return True
    return False


def beat(*, agent_id: int, epoch: int) -> Shift:
    """The browser is still there. One write, to the lease only. Raises ShiftEnded, NotOnline."""
    shift = Shift.objects.filter(agent_id=agent_id, epoch=epoch, ended_at__isnull=True).first()
    if shift is None or not beats([shift.pk]):
        raise ShiftEnded
    return shift


def beats(shift_ids: Iterable[int]) -> set[int]:
    """Beats of many shifts in one statement. Returns those that are still open; who was lost is back with it. Outermost."""
    renewed = lease_renew(shift_ids=shift_ids)
    for shift_id in lost_among(renewed):
        with timeline.command():
            shift = shifts_lock([shift_id])[shift_id]
            if _found(shift):
                tell_shift(shift)
    return renewed


def _found(shift: Shift) -> bool:
    """The agent is back within the grace time: customers are told."""
    if not shift_found(shift):
        return False
    for ticket_id in _held_ticket_ids(shift):
        timeline.advance(_waits_for_them(ticket_id), ticket_events.AGENT_BACK)
    return True


# --- The tick's part --------------------------------------------------------------------------------------------------


def leases_end() -> int:
    """Mark agents whose lease ran out as lost: open offers are taken back at once, customers are told of the grace time.

    Each in a transaction of its own. Returns how many.
    """
    return sum(_lose(shift_id) for shift_id in lost_shift_ids())


def _lose(shift_id: int) -> bool:
    with timeline.command():
        shift = shift_mark_lost(shift_id)
        if shift is None:
            return False
        pending_revoke(shift, "lease")
        _wrap_ups_end(shift, "lease")
        grace = _grace(shift)
        for ticket_id in _held_ticket_ids(shift):
            timeline.advance(
                _waits_for_them(ticket_id),
                ticket_events.AGENT_LOST,
                {"grace_seconds": grace},
            )
        tell_shift(shift, lost=True)
    return True


def graces_end() -> int:
    """End the shifts whose grace time is over too; their tickets go back to waiting. Returns how many."""
    over = 0
    for shift in Shift.objects.filter(ended_at__isnull=True, lost_at__isnull=False).order_by("pk")[:200]:
        over += _end_lost(shift.pk, _grace(shift))
    return over


def _end_lost(shift_id: int, grace: int) -> bool:
    with timeline.command():
        shift = shifts_lock([shift_id])[shift_id]
        held = _held_ticket_ids(shift)
        gone = Shift.objects.filter(pk=shift_id, ended_at__isnull=True, lost_at__isnull=False)
        if held:  # who holds nothing needs no grace: nobody is waiting for them
            gone = gone.extra(
                where=["lost_at + make_interval(secs => %s) <= statement_timestamp()"], params=[grace]
            )
        if not gone.exists():
            return False
        _end(shift, EndReason.LEASE)
    return True


def finished_end() -> int:
    """End the shifts that are finishing and have nothing left to finish, each in a transaction of its own. Returns how many.

    Safe twice or late. One query while there is nothing.
    """
    return sum(_end_finished(shift_id) for shift_id in list(_finished().values_list("pk", flat=True)[:200]))


def _finished() -> QuerySet[Shift]:
    """Shifts that are finishing, and hold nothing any more, put aside or not, are offered nothing, and wrap nothing up.

    One of practice ends with its ticket (dispatch/practice.py), one that is lost as every lost one.
    """
    left = Offer.objects.filter(Q(state__in=Offer.LIVE) | Q(wrap_until__isnull=False), shift=OuterRef("pk"))
    return Shift.objects.filter(
        ~Exists(left), state=ShiftState.FINISHING, practice=False, lost_at__isnull=True
    ).order_by("pk")


def _end_finished(shift_id: int) -> bool:
    with timeline.command():
        shift = shifts_lock([shift_id])[shift_id]
        if not _has_finished(shift_id):
            return False
        _end(shift, EndReason.FINISHED)
    return True


def _has_finished(shift_id: int) -> bool:
    """Whether it still is so, now that the shift is locked: its agent may have come back online, and have a ticket again."""
    return _finished().filter(pk=shift_id).exists()


def _grace(shift: Shift) -> int:
    pool_id = shift.agent.pools.order_by("pk").values_list("pk", flat=True).first()
    return routes.policy(pool_id).grace_seconds if pool_id is not None else DEFAULT_GRACE


# --- Shared steps -----------------------------------------------------------------------------------------------------


def _end(shift: Shift, reason: EndReason, *, key: str | None = None, digest: str = "") -> None:
    pending_revoke(shift, reason)
    for ticket_id in _held_ticket_ids(shift):
        mine = Offer.objects.filter(ticket_id=ticket_id, shift=shift, state=OfferState.ACCEPTED)
        if _resolved(mine, shift) or snooze.left(ticket_id, shift, reason):
            continue
        try:
            ticket_release(ticket_id=ticket_id, reason=reason, actor_id=None)
        except TicketClosed:  # by the customer, and their offers have not heard of it yet
            topic_id = Ticket.objects.values_list("topic_id", flat=True).get(pk=ticket_id)
            complete(mine, "customer", topic_id, locked={shift.pk: shift})
        else:
            end(mine, OfferState.RELEASED, reason, locked={shift.pk: shift})
    _wrap_ups_end(shift, reason)
    shift_end(shift, reason)
    tell_shift(shift, key=key, digest=digest)


def _resolved(mine: QuerySet[Offer], shift: Shift) -> bool:
    """Whether it was to be resolved in a moment anyway, and is now: nobody else is asked about work that is done."""
    try:
        return resolving.fulfil(mine, locked={shift.pk: shift})
    except TicketClosed:
        return False


def _wrap_ups_end(shift: Shift, reason: str) -> None:
    wrap_up.end(Offer.objects.filter(shift=shift), reason, locked={shift.pk: shift})


def _waits_for_them(ticket_id: int) -> QuerySet[Ticket]:
    """A held ticket whose customer waits for its agent just now: not one that is put aside."""
    return Ticket.objects.filter(pk=ticket_id, state=TicketState.HELD, wakes_at__isnull=True)


def _held_ticket_ids(shift: Shift) -> list[int]:
    """Tickets whose holder this shift is, by id: the order in which their rows are locked."""
    return list(
        Offer.objects.filter(shift=shift, state=OfferState.ACCEPTED)
        .order_by("ticket_id")
        .values_list("ticket_id", flat=True)
    )
