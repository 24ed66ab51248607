"""The states of a ticket, and the one function for each change.

waiting → held → resolved; held → waiting (released); waiting, held → closed; resolved, closed → waiting (reopened).
Functions that a customer's request calls are outermost; those that dispatch calls within its own transaction say "inner".
"""

from collections.abc import Callable, Mapping
from typing import Any

from django.db.models import F, QuerySet
from django.db.models.functions import Coalesce, Now

from tickets import events, timeline
from tickets.conversation import body_clean, message_post
from tickets.errors import AlreadyRated, Refusal, TicketClosed, TicketNotResolved, TicketNotWaiting
from tickets.events import EventType
from tickets.models import Author, Rating, Ticket, TicketState
from tickets.signals import tell_queue_changed, tell_rating_given

ENDED = (TicketState.RESOLVED, TicketState.CLOSED)
NOT_IN_QUEUE = {"place": None, "expected_seconds": None, "flagged_at": None}


# --- Inner steps, called by dispatch ----------------------------------------------------------------------------------


def ticket_hold(*, ticket_id: int, agent_name: str, actor_id: int) -> int:
    """waiting → held: an agent accepted. Inner. Returns the event's number. Raises TicketNotWaiting. Two queries."""
    return _step(
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
    """held → waiting with its age: handed back or dropped. Inner. Raises TicketClosed."""
    seq = _step(
        Ticket.objects.filter(pk=ticket_id, state=TicketState.HELD),
        events.RELEASED,
        TicketClosed,
        {"reason": reason},
        actor_id=actor_id,
        key=key,
        digest=digest,
        state=TicketState.WAITING,
        held_at=None,
    )
    tell_queue_changed([ticket_id])
    return seq


def ticket_escalate(
    *, ticket_id: int, agent_name: str, more: int, actor_id: int, key: str | None = None, digest: str = ""
) -> int:
    """A held ticket counts `more` from now on, whenever it waits. Inner. Raises TicketClosed."""
    return _step(
        Ticket.objects.filter(pk=ticket_id, state=TicketState.HELD),
        events.ESCALATED,
        TicketClosed,
        {"agent_name": agent_name},
        actor_id=actor_id,
        key=key,
        digest=digest,
        priority=F("priority") + more,
    )


def ticket_resolve(*, ticket_id: int, actor_id: int, key: str | None = None, digest: str = "") -> int:
    """held → resolved. Inner. Raises TicketClosed."""
    return _step(
        Ticket.objects.filter(pk=ticket_id, state=TicketState.HELD),
        events.RESOLVED,
        TicketClosed,
        actor_id=actor_id,
        key=key,
        digest=digest,
        state=TicketState.RESOLVED,
        held_at=None,
        resolved_at=Now(),
    )


# --- What the customer does -------------------------------------------------------------------------------------------


def ticket_request_human(*, ticket: Ticket, key: str | None = None) -> None:
    """The customer asks for a person. The ticket is, or stays, in the queue at once; asking twice changes nothing.

    Raises TicketClosed, KeyReused. With the assistant (a later room) this also ends its turn.
    """

    def act() -> None:
        with timeline.command():
            asked = timeline.advance(
                Ticket.objects.filter(pk=ticket.pk, state__in=Ticket.OPEN, human_requested_at__isnull=True),
                events.HUMAN_REQUESTED,
                key=key,
                digest=digest,
                human_requested_at=Now(),
            )
            if not asked and not Ticket.objects.filter(pk=ticket.pk, state__in=Ticket.OPEN).exists():
                raise TicketClosed
        tell_queue_changed([ticket.pk])

    digest = timeline.digest_of("ticket_request_human")
    _once(ticket, key, digest, act)


def ticket_reopen(*, ticket: Ticket, body: str = "", key: str | None = None) -> None:
    """resolved or closed → waiting, with a new age, and with a message if there is one. Raises TicketNotResolved."""
    body = body_clean(body, required=False)
    digest = timeline.digest_of("ticket_reopen", body)

    def act() -> None:
        with timeline.command():
            _step(
                Ticket.objects.filter(pk=ticket.pk, state__in=ENDED),
                events.REOPENED,
                TicketNotResolved,
                key=key,
                digest=digest,
                state=TicketState.WAITING,
                waiting_since=Now(),
                resolved_at=None,
                closed_at=None,
            )
            if body:
                message_post(
                    ticket_id=ticket.pk, author=Author.CUSTOMER, author_name=ticket.customer.name, body=body
                )
            tell_queue_changed([ticket.pk])

    _once(ticket, key, digest, act)


def ticket_close(*, ticket: Ticket, key: str | None = None) -> None:
    """The customer needs nothing any more. Open offers and the holder's are ended by dispatch, which is told.

    Raises TicketClosed, KeyReused.
    """
    digest = timeline.digest_of("ticket_close")

    def act() -> None:
        with timeline.command():
            _step(
                Ticket.objects.filter(pk=ticket.pk, state__in=Ticket.OPEN),
                events.CLOSED,
                TicketClosed,
                key=key,
                digest=digest,
                state=TicketState.CLOSED,
                held_at=None,
                closed_at=Now(),
                **NOT_IN_QUEUE,
            )
            tell_queue_changed([ticket.pk])

    _once(ticket, key, digest, act)


def ticket_rate(
    *, ticket: Ticket, score: int, solved: bool, comment: str = "", key: str | None = None
) -> None:
    """Rate the last resolution, once. `score` is 1–5. Raises TicketNotResolved, AlreadyRated, KeyReused."""
    comment = body_clean(comment, required=False)[:2000]
    digest = timeline.digest_of("ticket_rate", score, solved, comment)

    def act() -> None:
        with timeline.command():
            _step(
                Ticket.objects.filter(pk=ticket.pk, state=TicketState.RESOLVED),
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

    _once(ticket, key, digest, act)


def _step(
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


def _once(ticket: Ticket, key: str | None, digest: str, act: Callable[[], None]) -> None:
    timeline.once(ticket.pk, key, digest, act, lambda _event: None)
