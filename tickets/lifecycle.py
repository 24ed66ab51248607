"""The states of a ticket, and the one function for each change.

assisted → waiting (handed over) or resolved; waiting → held → resolved; held → waiting (released);
assisted, waiting, held, asleep → closed; resolved, closed → waiting (reopened); held → asleep → waiting (tickets/sleep.py).
Functions that a customer's request calls are outermost; those that dispatch calls within its own transaction say "inner".
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.db.models import Case, F, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce, Now

from tickets import events, sleep, timeline
from tickets.assistant import handover
from tickets.attachments import Inspected
from tickets.conversation import body_clean, message_post
from tickets.errors import (
    AlreadyRated,
    Refusal,
    TicketClosed,
    TicketEnded,
    TicketMerged,
    TicketNotFound,
    TicketNotResolved,
    TicketNotWaiting,
)
from tickets.events import EventType
from tickets.models import (
    MISUSES,
    Author,
    Channel,
    EndedAs,
    HandoverReason,
    Rating,
    Ticket,
    TicketState,
    Topic,
)
from tickets.signals import tell_queue_changed, tell_rating_given

ENDED = (TicketState.RESOLVED, TicketState.CLOSED)
_PRACTICE = Q(channel=Channel.PRACTICE)
NOT_IN_QUEUE: dict[str, Any] = {
    "place": None,
    "expected_seconds": None,
    "flagged_at": None,
    "front_since": None,
}


# --- Inner steps, called by dispatch ----------------------------------------------------------------------------------


def ticket_hold(*, ticket_id: int, agent_name: str, actor_id: int) -> int:
    """waiting → held: an agent accepted. Inner. Returns the event's number. Raises TicketNotWaiting. Two queries."""
    return step(
        Ticket.objects.filter(pk=ticket_id, state=TicketState.WAITING),
        events.HELD,
        TicketNotWaiting,
        {"agent_name": agent_name},
        actor_id=actor_id,
        state=TicketState.HELD,
        held_at=Now(),
        first_held_at=Coalesce(F("first_held_at"), Now()),
        served_by=agent_name,
        **NOT_IN_QUEUE,
    )


def ticket_release(
    *, ticket_id: int, reason: str, actor_id: int | None, key: str | None = None, digest: str = ""
) -> int:
    """held → waiting with its age: handed back or dropped. Inner. Raises TicketClosed.

    For a scripted customer there is nobody else: practice is closed by it.
    """
    seq = step(
        Ticket.objects.filter(pk=ticket_id, state=TicketState.HELD),
        events.RELEASED,
        TicketClosed,
        {"reason": reason},
        actor_id=actor_id,
        key=key,
        digest=digest,
        state=Case(When(_PRACTICE, then=Value(TicketState.CLOSED)), default=Value(TicketState.WAITING)),
        closed_at=Case(When(_PRACTICE, then=Now())),
        held_at=None,
        wakes_at=None,
    )
    tell_queue_changed([ticket_id])
    return seq


def ticket_escalate(
    *, ticket_id: int, agent_name: str, more: int, actor_id: int, key: str | None = None, digest: str = ""
) -> int:
    """A held ticket counts `more` from now on, whenever it waits. Inner. Raises TicketClosed."""
    return step(
        Ticket.objects.filter(pk=ticket_id, state=TicketState.HELD),
        events.ESCALATED,
        TicketClosed,
        {"agent_name": agent_name},
        actor_id=actor_id,
        key=key,
        digest=digest,
        priority=F("priority") + more,
    )


def ticket_retopic(
    *, ticket_id: int, topic: Topic, actor_id: int, key: str | None = None, digest: str = ""
) -> bool:
    """A held ticket is about something else. Inner. False when it is about that already. Raises TicketClosed. Three queries.

    What its topic adds to its priority goes with it. Nobody is asked anew, and nothing that was agreed changes; should the
    ticket wait again, it goes the way of its new topic.
    """
    rows = Ticket.objects.select_for_update(of=("self",)).select_related("topic")
    ticket = rows.filter(pk=ticket_id, state=TicketState.HELD).first()
    if ticket is None:
        raise TicketClosed
    before = ticket.topic
    if before == topic:
        return False
    step(
        Ticket.objects.filter(pk=ticket_id, state=TicketState.HELD),
        events.TOPIC_CHANGED,
        TicketClosed,
        {"topic": topic.key, "before": before.key if before else None},
        actor_id=actor_id,
        key=key,
        digest=digest,
        topic=topic,
        priority=F("priority") + topic.priority - (before.priority if before else 0),
    )
    return True


def ticket_resolve(*, ticket_id: int, actor_id: int, key: str | None = None, digest: str = "") -> int:
    """held → resolved. Inner. Raises TicketClosed."""
    return step(
        Ticket.objects.filter(pk=ticket_id, state=TicketState.HELD),
        events.RESOLVED,
        TicketClosed,
        actor_id=actor_id,
        key=key,
        digest=digest,
        state=TicketState.RESOLVED,
        held_at=None,
        wakes_at=None,
        resolved_at=Now(),
    )


def ticket_end(
    *, ticket_id: int, kind: EndedAs, actor_id: int, key: str | None = None, digest: str = ""
) -> int:
    """held → closed, as spam or abuse: its customer can neither rate nor reopen it. Inner. Raises TicketClosed."""
    return step(
        Ticket.objects.filter(pk=ticket_id, state=TicketState.HELD),
        events.ENDED,
        TicketClosed,
        {"kind": kind},
        actor_id=actor_id,
        key=key,
        digest=digest,
        state=TicketState.CLOSED,
        ended_as=kind,
        held_at=None,
        wakes_at=None,
        closed_at=Now(),
    )


def ticket_merge(
    *,
    ticket: Ticket,
    into: Ticket,
    states: Sequence[TicketState],
    actor_id: int,
    key: str | None,
    digest: str,
) -> None:
    """A ticket in one of these states is closed and goes on as another, held one of the same customer. Inner.

    The caller has locked both rows. What was merged into the closed one goes on there too. The event of the other one is
    the receipt. Raises TicketClosed, for either.
    """
    step(
        Ticket.objects.filter(pk=ticket.pk, state__in=states, customer_id=into.customer_id),
        events.MERGED,
        TicketClosed,
        {"ticket": into.public_id, "number": into.number},
        actor_id=actor_id,
        state=TicketState.CLOSED,
        ended_as=EndedAs.MERGED,
        merged_into=into,
        held_at=None,
        wakes_at=None,
        closed_at=Now(),
        **NOT_IN_QUEUE,
    )
    step(
        Ticket.objects.filter(pk=into.pk, state=TicketState.HELD),
        events.TOOK_IN,
        TicketClosed,
        {"ticket": ticket.public_id, "number": ticket.number},
        actor_id=actor_id,
        key=key,
        digest=digest,
    )
    Ticket.objects.filter(merged_into=ticket).update(merged_into=into)
    tell_queue_changed([ticket.pk])


def ticket_restore(*, ticket_id: int, actor_id: int) -> None:
    """What was ended as spam or abuse waits again, before others and with a new age. Inner. Raises TicketNotResolved,
    also when its customer's data was deleted."""
    step(
        Ticket.objects.filter(
            pk=ticket_id, state=TicketState.CLOSED, ended_as__in=MISUSES, erased_at__isnull=True
        ),
        events.RESTORED,
        TicketNotResolved,
        actor_id=actor_id,
        state=TicketState.WAITING,
        ended_as="",
        waiting_since=Now(),
        front_since=Now(),
        closed_at=None,
    )
    tell_queue_changed([ticket_id])


# --- What the customer does -------------------------------------------------------------------------------------------


def ticket_request_human(*, ticket: Ticket, key: str | None = None) -> None:
    """The customer asks for a person. The ticket is, or stays, in the queue at once; asking twice changes nothing. One that
    was put aside wakes.

    It ends the assistant's turn: what it tried goes to the person as a note. Raises TicketClosed, KeyReused.
    """

    def act() -> None:
        with timeline.command():
            # A ticket that was not with the assistant when it was read never comes to be.
            asked = {}
            if ticket.state == TicketState.ASSISTED:
                asked = timeline.advance(
                    Ticket.objects.filter(pk=ticket.pk, state=TicketState.ASSISTED),
                    events.HUMAN_REQUESTED,
                    key=key,
                    digest=digest,
                    human_requested_at=Now(),
                    **handover.to_person(HandoverReason.PERSON),
                )
                if asked:
                    handover.note(ticket.pk, HandoverReason.PERSON)
            asked = asked or timeline.advance(
                Ticket.objects.filter(pk=ticket.pk, state__in=Ticket.OPEN, human_requested_at__isnull=True),
                events.HUMAN_REQUESTED,
                key=key,
                digest=digest,
                human_requested_at=Now(),
            )
            if not asked and not Ticket.objects.filter(pk=ticket.pk, state__in=Ticket.OPEN).exists():
                raise TicketClosed
            sleep.wake(Ticket.objects.filter(pk=ticket.pk), sleep.CUSTOMER)
        tell_queue_changed([ticket.pk])

    digest = timeline.digest_of("ticket_request_human")
    once(ticket, key, digest, act)


def ticket_reopen(
    *, ticket: Ticket, body: str = "", files: Sequence[Inspected] = (), key: str | None = None
) -> None:
    """resolved or closed → waiting, with a new age, and with a message if there is one.

    Raises TicketNotResolved; TicketEnded after spam or abuse; TicketMerged when it goes on as another one; TicketNotFound when
    its data was deleted meanwhile: no link opens it.
    """
    body = body_clean(body, required=False)
    digest = timeline.digest_of("ticket_reopen", body, *(file.sha256 for file in files))

    def act() -> None:
        with timeline.command():
            # Locked, so that it is not erased between the look and the step.
            found = Ticket.objects.select_for_update().values_list("ended_as", "erased_at")
            ended, erased_at = found.get(pk=ticket.pk)
            if erased_at is not None:
                raise TicketNotFound
            refusal = TicketMerged if ended == EndedAs.MERGED else TicketEnded
            step(
                Ticket.objects.filter(pk=ticket.pk, state__in=ENDED, ended_as=""),
                events.REOPENED,
                refusal if ended else TicketNotResolved,
                key=key,
                digest=digest,
                state=TicketState.WAITING,
                waiting_since=Now(),
                resolved_at=None,
                closed_at=None,
            )
            if body or files:
                message_post(
                    ticket_id=ticket.pk,
                    author=Author.CUSTOMER,
                    author_name=ticket.customer.name,
                    body=body,
                    files=files,
                )
            tell_queue_changed([ticket.pk])

    once(ticket, key, digest, act)


def ticket_close(*, ticket: Ticket, key: str | None = None) -> None:
    """The customer needs nothing any more. Open offers and the holder's are ended by dispatch, which is told.

    Raises TicketClosed, KeyReused.
    """
    digest = timeline.digest_of("ticket_close")

    def act() -> None:
        with timeline.command():
            step(
                Ticket.objects.filter(pk=ticket.pk, state__in=Ticket.OPEN),
                events.CLOSED,
                TicketClosed,
                key=key,
                digest=digest,
                state=TicketState.CLOSED,
                held_at=None,
                wakes_at=None,
                assist_due_at=None,
                closed_at=Now(),
                **NOT_IN_QUEUE,
            )
            tell_queue_changed([ticket.pk])

    once(ticket, key, digest, act)


def ticket_rate(
    *, ticket: Ticket, score: int, solved: bool, comment: str = "", key: str | None = None
) -> None:
    """Rate the last resolution, once. `score` is 1–5. Raises TicketNotResolved, AlreadyRated, KeyReused."""
    comment = body_clean(comment, required=False)[:2000]
    digest = timeline.digest_of("ticket_rate", score, solved, comment)

    def act() -> None:
        with timeline.command():
            step(
                Ticket.objects.filter(pk=ticket.pk, state=TicketState.RESOLVED, erased_at__isnull=True),
                events.RATED,
                TicketNotResolved,
                {"score": score, "solved": solved},
                key=key,
                digest=digest,
            )
            # The ticket's row is locked by the step above, so nothing comes between the look and the insert.
            resolution = (
                ticket.events.filter(type=events.RESOLVED.name)
                .order_by("-seq")
                .values_list("seq", flat=True)[0]
            )
            if ticket.ratings.filter(resolution_seq=resolution).exists():
                raise AlreadyRated
            rating = Rating.objects.create(
                ticket=ticket, resolution_seq=resolution, score=score, solved=solved, comment=comment
            )
            tell_rating_given(rating.pk)

    once(ticket, key, digest, act)


def step(
    tickets: QuerySet[Ticket],
    event: EventType,
    otherwise: type[Refusal],
    data: Mapping[str, Any] | None = None,
    **values: Any,
) -> int:
    """One ticket, one conditional change, one event; `otherwise` is raised when the condition no longer holds."""
    numbered = timeline.advance(tickets, event, data, **values)
    if not numbered:
        raise otherwise
    return next(iter(numbered.values()))


def once(ticket: Ticket, key: str | None, digest: str, act: Callable[[], None]) -> None:
    timeline.once(ticket.pk, key, digest, act, lambda _event: None)
