"""Shifts and leases: the row-level steps. The commands that agents give are in dispatch/presence.py, because going
offline also ends offers; all functions here are inner steps of such a command.

Lock order: a command locks the shifts that it will change before any ticket (docs/architecture.md).
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.db import connection
from django.db.models import F, FloatField, Func
from django.db.models.functions import Now
from django.utils import timezone

from agents.errors import NotAdmitted, NotOnline, NotYetPractising, OnShift, Practising, ShiftEnded, YouLeave
from agents.learning import may_practise
from agents.models import Agent, AgentStatus, EndReason, Lease, Shift, ShiftState
from agents.signals import tell_availability_changed

LEASE = timedelta(seconds=15)  # a browser beats every 5 s: two beats may be lost


def shift_open(*, agent_id: int) -> tuple[Shift, bool]:
    """The agent's open shift, made if there is none, online again if it was paused or finishing.

    Returns (shift, whether anything changed). Raises NotAdmitted, Practising, YouLeave.
    """
    # NO KEY: a run holds shifts when it commits, and its offers' foreign keys want a share of the agent's row then.
    agent = Agent.objects.select_for_update(of=("self",), no_key=True).select_related("user").get(pk=agent_id)
    if agent.status != AgentStatus.ADMITTED or not agent.user.is_active:
        raise NotAdmitted
    if agent.leaving_since is not None:
        raise YouLeave
    shift = Shift.objects.select_for_update().filter(agent=agent, ended_at__isnull=True).first()
    if shift is None:
        agent.last_epoch += 1
        agent.save(update_fields=["last_epoch"])
        shift = Shift.objects.create(
            agent=agent, epoch=agent.last_epoch, units=agent.units, online_since=Now()
        )
        Lease.objects.create(shift=shift, expires_at=Now() + LEASE)  # the database's clock
    else:
        lease_renew(shift_ids=[shift.pk])
        return shift, shift_choose(shift, ShiftState.ONLINE)
    tell_availability_changed([agent_id])
    return shift, True


def shift_open_practice(*, agent_id: int) -> tuple[Shift, bool]:
    """A shift for one scripted customer, of an applicant with a certificate, or of an agent who is offline. Inner.

    Returns (shift, whether it was made now). It counts as finishing from its first moment on, so nothing comes to it but what
    its maker puts there. Raises NotYetPractising, OnShift.
    """
    agent = Agent.objects.select_for_update(of=("self",), no_key=True).select_related("user").get(pk=agent_id)
    if not (agent.user.is_active and may_practise(agent)):
        raise NotYetPractising
    shift = Shift.objects.select_for_update().filter(agent=agent, ended_at__isnull=True).first()
    if shift is not None:
        if not shift.practice:
            raise OnShift
        return shift, False
    agent.last_epoch += 1
    agent.save(update_fields=["last_epoch"])
    shift = Shift.objects.create(
        agent=agent,
        epoch=agent.last_epoch,
        units=agent.units,
        state=ShiftState.FINISHING,
        practice=True,
    )
    Lease.objects.create(shift=shift, expires_at=Now() + LEASE)
    return shift, True


def practising(agent: Agent) -> bool:
    """Whether their open shift is one of practice. One query."""
    return Shift.objects.filter(agent=agent, ended_at__isnull=True, practice=True).exists()


def shift_locked(*, agent_id: int, epoch: int) -> Shift:
    """The agent's open shift of this epoch, its row locked. Raises ShiftEnded for an old one, NotOnline without any."""
    shift = Shift.objects.select_for_update().filter(agent_id=agent_id, ended_at__isnull=True).first()
    return _checked(shift, agent_id, epoch)


def shift_current(*, agent_id: int, epoch: int) -> Shift:
    """The same, locked only against its end: the holder's messages do not wait for each other. Raises likewise."""
    found = list(
        Shift.objects.raw(
            "SELECT * FROM agents_shift WHERE agent_id = %s AND ended_at IS NULL FOR KEY SHARE", [agent_id]
        )
    )
    return _checked(found[0] if found else None, agent_id, epoch)


def _checked(shift: Shift | None, agent_id: int, epoch: int) -> Shift:
    if shift is not None and shift.epoch == epoch:
        return shift
    if shift is None and not Shift.objects.filter(agent_id=agent_id, epoch=epoch).exists():
        raise NotOnline
    raise ShiftEnded


def shifts_lock(shift_ids: Iterable[int]) -> dict[int, Shift]:
    """Lock these shifts in the order of their ids, so that two commands never wait for each other. Returns id → shift."""
    return {
        shift.pk: shift
        for shift in Shift.objects.select_for_update().filter(pk__in=list(shift_ids)).order_by("pk")
    }


def shift_choose(shift: Shift, state: ShiftState, reason: str = "") -> bool:
    """Set what the agent chose on a locked, open shift. Returns whether anything changed. Raises Practising."""
    if shift.practice:
        raise Practising
    if shift.state == state and shift.reason == reason:
        return False
    shift.state, shift.reason = state, reason
    _set(shift, state=state, reason=reason)
    tell_availability_changed([shift.agent_id])
    return True


def shift_end(shift: Shift, reason: EndReason) -> None:
    """End a locked, open shift: its epoch is over, its lease gone. Its offers were ended before by the caller."""
    shift.state, shift.end_reason, shift.reason = ShiftState.ENDED, reason, ""
    _set(
        shift,
        state=ShiftState.ENDED,
        ended_at=Now(),
        end_reason=reason,
        units_taken=0,
        units_wrapping=0,
        reason="",
    )
    shift.units_taken = shift.units_wrapping = 0
    Lease.objects.filter(shift=shift).delete()
    tell_availability_changed([shift.agent_id])


def _set(shift: Shift, **values: Any) -> None:
    """Write a change of a locked shift's state or connection, which `shift` has already: its time online up to now is added up,
    and counted on from now if it is online."""
    counts = shift.state == ShiftState.ONLINE and shift.lost_at is None
    Shift.objects.filter(pk=shift.pk).update(
        **values, online_seconds=F("online_seconds") + _UP_TO_NOW, online_since=Now() if counts else None
    )


_UP_TO_NOW = Func(
    F("online_since"),
    template="coalesce(greatest(extract(epoch FROM statement_timestamp() - %(expressions)s), 0), 0)",
    output_field=FloatField(),
)


def units_free(shift_id: int, units: int, *, worked: bool) -> None:
    """Give units back to a locked shift. `worked`: a ticket ended with them, and its agent is idle from now on.

    Whoever said no, or was not needed, is as long idle as before: a no must not put them behind others who are equal.
    """
    if worked:
        Shift.objects.filter(pk=shift_id).update(units_taken=F("units_taken") - units, idle_since=Now())
    elif units:
        Shift.objects.filter(pk=shift_id).update(units_taken=F("units_taken") - units)


def units_take(shift_id: int, units: int) -> bool:
    """Take more units of a locked shift. False when it has not so many free; then nothing is taken."""
    room = Shift.objects.filter(pk=shift_id, units_taken__lte=F("units") - units)
    return bool(room.update(units_taken=F("units_taken") + units))


def units_wrap(shift_id: int, units: int) -> None:
    """Units of a ticket whose work is done stay taken for its wrap-up."""
    Shift.objects.filter(pk=shift_id).update(units_wrapping=F("units_wrapping") + units)


def units_unwrap(shift_id: int, units: int) -> None:
    """The wrap-up is over: its units are free, and the agent is idle from now on."""
    Shift.objects.filter(pk=shift_id).update(
        units_taken=F("units_taken") - units, units_wrapping=F("units_wrapping") - units, idle_since=Now()
    )


def lease_renew(*, shift_ids: Iterable[int]) -> set[int]:
    """Beat for these shifts; one statement for any number. Returns those that are open: an ended shift has no lease."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE agents_lease SET beat_at = statement_timestamp(),"
            " expires_at = statement_timestamp() + make_interval(secs => %s)"
            " WHERE shift_id = ANY(%s) RETURNING shift_id",
            [LEASE.total_seconds(), sorted(shift_ids)],
        )
        return {row[0] for row in cursor.fetchall()}


def lost_shift_ids(limit: int = 200) -> list[int]:
    """Shifts whose lease has run out and that are not marked lost yet, oldest first."""
    return list(
        Shift.objects.filter(ended_at__isnull=True, lost_at__isnull=True, lease__expires_at__lte=Now())
        .order_by("pk")
        .values_list("pk", flat=True)[:limit]
    )


def lost_among(shift_ids: Iterable[int]) -> list[int]:
    """Those of the shifts that are open and marked lost."""
    return list(
        Shift.objects.filter(pk__in=list(shift_ids), ended_at__isnull=True, lost_at__isnull=False)
        .order_by("pk")
        .values_list("pk", flat=True)
    )


def shift_found(shift: Shift) -> bool:
    """A locked, open shift whose agent is back. Returns whether it was lost."""
    if shift.lost_at is None or shift.ended_at is not None:
        return False
    shift.lost_at = None
    _set(shift, lost_at=None)
    tell_availability_changed([shift.agent_id])
    return True


def shift_mark_lost(shift_id: int) -> Shift | None:
    """Mark a shift lost if its lease still is over, and lock it; None if a beat came first."""
    shift = Shift.objects.select_for_update(of=("self",)).filter(pk=shift_id).first()
    if shift is None or shift.ended_at or shift.lost_at:
        return None
    if not Lease.objects.filter(shift_id=shift_id, expires_at__lte=Now()).exists():
        return None
    shift.lost_at = timezone.now()  # as good as the database's: only whether it is there is looked at
    _set(shift, lost_at=Now())
    tell_availability_changed([shift.agent_id])
    return shift
