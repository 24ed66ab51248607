"""What team leads do from the wallboard and the forecast: whisper, reassign, call in, take offline, write needed hours.

Each needs the right to intervene (a shift also ends by the right to change shifts) and a reason, goes through the step that
everybody else's act of the kind goes through, and is written down in the same transaction (LeadAction), so that nothing is done
that nobody answers for.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import IntegrityError
from django.db.models import Q

from agents.models import Agent, Notice, NoticeKind, Pool, Shift, Skill, User
from agents.permissions import everywhere
from agents.shifts import shifts_lock
from dispatch import calling, hours, passing, presence
from dispatch.errors import MayNotIntervene, NotInHand, NotOnShift, WhyMissing
from dispatch.models import LeadAction, LeadActionKind, Offer, OfferState
from dispatch.offers import end
from tickets import events, timeline
from tickets.conversation import body_clean, message_of, message_post
from tickets.errors import KeyReused, MessageTooLong, TicketNotFound
from tickets.lifecycle import ticket_release
from tickets.models import Author, Message, Ticket, TicketState
from tickets.signals import tell_queue_changed

INTERVENE = "dispatch.intervene"  # the permission
CHANGE_SHIFTS = "agents.change_shift"  # of admins: ends shifts, and nothing else of this
REASSIGNED = "reassigned"  # reason of the offers that end by it
WHY = 400  # characters
TRIES = 3  # a run may make an offer between the look and the locks


def whisper(*, lead: User, ticket_id: int, body: str, key: str | None = None) -> Message:
    """A note to whoever has the ticket, which its customer never sees. Outermost. A repeated key gives the same note.

    Raises MayNotIntervene, EmptyMessage, MessageTooLong, BadText, TicketNotFound, TicketClosed, KeyReused.
    """
    _may(lead)
    body = body_clean(body)
    digest = timeline.digest_of("whisper", lead.pk, body)

    def act() -> Message:
        with timeline.command():
            _real(ticket_id)
            note = message_post(
                ticket_id=ticket_id,
                author=Author.LEAD,
                author_name=str(lead),
                author_user_id=lead.pk,
                body=body,
                internal=True,
                key=key,
                digest=digest,
            )
            # The words stand in the note, and are erased with it.
            _record(LeadActionKind.WHISPER, lead, "", ticket_id=ticket_id, data={"note": note.seq})
        return note

    return timeline.once(ticket_id, key, digest, act, message_of)


def reassign(
    *,
    lead: User,
    ticket_id: int,
    why: str,
    pool_id: int | None = None,
    to_agent_id: int | None = None,
    key: str | None = None,
) -> None:
    """A ticket that waits, or is with somebody, goes to a pool or is first offered to one agent by name. Outermost.

    It keeps its age; who had it is told and paid as for passing it on, and the reason stands in a note for whoever gets it.
    Raises MayNotIntervene, WhyMissing, MessageTooLong, BadText, NobodyThere, NotInHand, TicketNotFound, KeyReused.
    """
    _may(lead)
    why = _why(why)
    digest = timeline.digest_of("reassign", lead.pk, why, pool_id, to_agent_id)

    def act() -> None:
        for _try in range(TRIES):
            if _reassigned(
                lead=lead,
                ticket_id=ticket_id,
                why=why,
                pool_id=pool_id,
                to_agent_id=to_agent_id,
                key=key,
                digest=digest,
            ):
                return
        raise NotInHand

    timeline.once(ticket_id, key, digest, act, lambda _event: None)


def _reassigned(
    *,
    lead: User,
    ticket_id: int,
    why: str,
    pool_id: int | None,
    to_agent_id: int | None,
    key: str | None,
    digest: str,
) -> bool:
    """False when the ticket's offers are others than those whose shifts were locked."""
    with timeline.command():
        live = Offer.objects.filter(ticket_id=ticket_id, state__in=Offer.LIVE)
        shifts = shifts_lock(live.values_list("shift_id", flat=True))
        ticket = Ticket.objects.select_for_update(no_key=True).filter(Ticket.REAL, pk=ticket_id).first()
        if ticket is None:
            raise TicketNotFound
        if ticket.state not in (TicketState.WAITING, TicketState.HELD):
            raise NotInHand
        offers = list(live)
        if any(offer.shift_id not in shifts for offer in offers):
            return False
        holder = next((offer for offer in offers if offer.state == OfferState.ACCEPTED), None)
        told = passing.named(
            passing.targets_of(ticket, but=holder.agent_id if holder else None), pool_id, to_agent_id
        )
        message_post(
            ticket_id=ticket_id,
            author=Author.LEAD,
            author_name=str(lead),
            author_user_id=lead.pk,
            body=why,
            internal=True,
        )
        timeline.advance(
            Ticket.objects.filter(pk=ticket_id),
            events.TRANSFERRED,
            {"by": str(lead), **told},
            actor_id=lead.pk,
            key=key,
            digest=digest,
        )
        if ticket.state == TicketState.HELD:
            # To the customer it is as if their agent had passed it on.
            ticket_release(ticket_id=ticket_id, reason=passing.TRANSFERRED, actor_id=lead.pk)
        passing.point(ticket_id, pool_id, to_agent_id)
        end(live.filter(state=OfferState.PENDING), OfferState.REVOKED, REASSIGNED, locked=shifts)
        end(live.filter(state=OfferState.ACCEPTED), OfferState.RELEASED, REASSIGNED, locked=shifts)
        tell_queue_changed([ticket_id])
        _record(
            LeadActionKind.REASSIGN,
            lead,
            why,
            ticket_id=ticket_id,
            agent_id=holder.agent_id if holder else None,
            data=dict(told),
        )
    return True


def call_in(
    *,
    lead: User,
    pool_id: int,
    why: str,
    skill_id: int | None = None,
    people: int | None = None,
    key: str | None = None,
) -> int:
    """Call people of a pool who are offline and have agreed to it, within what they have agreed to. Outermost.

    `people`: at most so many, of those who have the skill if there is one, whatever waits. Returns how many are called; a
    repeated key calls nobody else, and gives the same number. Raises MayNotIntervene, WhyMissing, MessageTooLong, BadText,
    KeyReused.
    """
    _may(lead)
    why = _why(why)
    digest = timeline.digest_of("call_in", pool_id, why, skill_id, people)
    if (before := _before(lead, key, digest)) is not None:
        return int(before.data["called"])
    try:
        with timeline.command():
            pool = Pool.objects.get(pk=pool_id)
            more = {"skill": Skill.objects.get(pk=skill_id).key} if skill_id is not None else {}
            called = calling.call_in(pool_id=pool_id, skill_id=skill_id, people=people)
            data = {"pool": pool.key, "called": called} | more
            _record(LeadActionKind.CALL_IN, lead, why, data=data, key=key, digest=digest)
    except IntegrityError as error:
        if "lead_action_key_once" not in str(error):
            raise
        before = _before(lead, key, digest)  # of two at once; whom this one has claimed was rolled back
        assert before is not None
        return int(before.data["called"])
    return called


def _before(lead: User, key: str | None, digest: str) -> LeadAction | None:
    """The act that this key has brought before. Raises KeyReused when that was another one."""
    found = LeadAction.objects.filter(by=lead, key=key).first() if key is not None else None
    if found is not None and found.digest != digest:
        raise KeyReused
    return found


def hours_write(*, lead: User, pool_id: int, seats: Mapping[datetime, int], why: str) -> tuple[int, int]:
    """Fill the table of needed hours, from which people book. Outermost. Nobody's seat is taken away.

    Returns (hours added, hours changed). Raises MayNotIntervene, WhyMissing, MessageTooLong, BadText.
    """
    _may(lead)
    why = _why(why)
    with timeline.command():
        pool = Pool.objects.get(pk=pool_id)
        added, changed = hours.needed_write(pool_id=pool_id, seats=seats)
        data = {"pool": pool.key, "hours": len(seats), "added": added, "changed": changed}
        _record(LeadActionKind.HOURS, lead, why, data=data)
    return added, changed


def force_offline(*, lead: User, agent_id: int, why: str) -> None:
    """End an agent's shift: open offers are taken back, held tickets go back to the queue. Outermost.

    The agent is told, with the reason. Raises MayNotIntervene, WhyMissing, MessageTooLong, BadText, NotOnShift.
    """
    _may(lead)
    _offline(lead, agent_id, Q(), _why(why))


def shift_force_offline(*, by: User, shift_id: int, why: str) -> None:
    """The same from the admin's list of shifts, for who may change shifts there. Outermost. No later shift is ended.

    Raises MayNotIntervene, WhyMissing, MessageTooLong, BadText, NotOnShift.
    """
    if not by.has_perm(CHANGE_SHIFTS):
        raise MayNotIntervene
    _offline(by, Shift.objects.values_list("agent_id", flat=True).get(pk=shift_id), Q(pk=shift_id), _why(why))


def _offline(by: User, agent_id: int, which: Q, why: str) -> None:
    with timeline.command():
        Agent.objects.select_for_update(no_key=True).get(pk=agent_id)
        shift = Shift.objects.filter(which, agent_id=agent_id, ended_at__isnull=True).first()
        if shift is None or not presence.shift_force(agent_id=agent_id):
            raise NotOnShift
        _record(LeadActionKind.FORCE_OFFLINE, by, why, agent_id=agent_id, data={"epoch": shift.epoch})
        Notice.objects.create(agent_id=agent_id, kind=NoticeKind.OFFLINE, text=why)


def acknowledged(*, lead: User, alert_id: int, kind: str, subject: str, why: str = "") -> None:
    """Write down that a lead has seen to an alert. Inner."""
    _record(LeadActionKind.ACKNOWLEDGE, lead, why, data={"alert": alert_id, "kind": kind, "subject": subject})


def may_intervene(lead: User) -> None:
    """Raises MayNotIntervene."""
    _may(lead)


def _may(lead: User) -> None:
    if not everywhere(lead, INTERVENE):
        raise MayNotIntervene


def _why(text: str) -> str:
    clean = body_clean(text, required=False)
    if not clean:
        raise WhyMissing
    if len(clean) > WHY:
        raise MessageTooLong
    return clean


def _real(ticket_id: int) -> None:
    if not Ticket.objects.filter(Ticket.REAL, pk=ticket_id).exists():
        raise TicketNotFound


def _record(kind: LeadActionKind, lead: User, why: str, **more: Any) -> None:
    LeadAction.objects.create(kind=kind, by=lead, why=why, **more)
