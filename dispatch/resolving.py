"""Sending and resolving in one: the message goes out at once, the ticket is resolved some seconds later, unless that is undone.

The moment stands with the offer (`Offer.resolves_at`), so a reload, another tab or the death of a process change nothing: the
tick does what is due. A customer who writes meanwhile has the last word: then it is not resolved.
"""

from datetime import timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Now

from agents.models import Agent, Shift
from agents.shifts import shift_current, shifts_lock
from dispatch import events, feed
from dispatch.errors import NotHolder, TooLateToUndo
from dispatch.models import Offer, OfferState
from dispatch.offers import complete
from tickets import lifecycle, timeline
from tickets.errors import TicketClosed
from tickets.models import Author, Message, Ticket
from tickets.timeline import update_returning

UNDO_SECONDS = 5
AGENT, CUSTOMER = "agent", "customer"  # who changed it


def plan(mine: QuerySet[Offer], message: Message) -> None:
    """The ticket will be resolved after this message of its holder. Inner; the ticket's row is locked. Four queries."""
    planned = update_returning(
        mine,
        ["id", "agent_id", "resolves_at"],
        resolves_at=Now() + timedelta(seconds=UNDO_SECONDS),
        resolves_after=message.seq,
    )
    for offer_id, agent_id, at in planned:
        feed.record(
            agent_id,
            events.RESOLVE_PLANNED,
            {"offer": offer_id, "ticket": message.ticket.public_id, "resolves_at": at.isoformat()},
        )


def undo(*, agent: Agent, epoch: int, ticket_id: int, key: str | None = None) -> None:
    """The holder takes back that the ticket is to be resolved; the message stays sent. Outermost.

    Nothing to undo any more is no error: another tab or the customer was faster. Raises TooLateToUndo, NotHolder, ShiftEnded,
    NotOnline, KeyReused.
    """
    digest = timeline.digest_of("resolve_undo", ticket_id)

    def act() -> None:
        with timeline.command():
            shift = shift_current(agent_id=agent.pk, epoch=epoch)
            mine = Offer.objects.filter(ticket_id=ticket_id, shift=shift)
            if unplan(mine, AGENT, key=key, digest=digest):
                return
            states = set(mine.values_list("state", flat=True))
            if OfferState.ACCEPTED in states:
                return
            raise TooLateToUndo if OfferState.COMPLETED in states else NotHolder

    feed.once(agent.pk, key, digest, act, lambda: None)


def unplan(mine: QuerySet[Offer], reason: str, *, key: str | None = None, digest: str = "") -> bool:
    """It is not resolved, if that was planned. Inner. Returns whether it was."""
    undone = update_returning(
        mine.filter(resolves_at__isnull=False), ["id", "agent_id", "ticket_id"], resolves_at=None
    )
    for offer_id, agent_id, ticket_id in undone:
        public_id = Ticket.objects.values_list("public_id", flat=True).get(pk=ticket_id)
        feed.record(
            agent_id,
            events.RESOLVE_UNDONE,
            {"offer": offer_id, "ticket": public_id, "reason": reason},
            key=key,
            digest=digest,
        )
    return bool(undone)


def look() -> int:
    """Resolve what is due, and undo what a customer has written into since; each in a transaction of its own. Outermost; for
    the tick. Returns how many. Safe twice or late. One query while there is nothing.
    """
    waiting = Offer.objects.filter(resolves_at__isnull=False, state=OfferState.ACCEPTED).filter(
        Q(resolves_at__lte=Now()) | Q(Exists(_said_since()))
    )
    return sum(
        _settle(*row) for row in list(waiting.order_by("shift_id").values_list("pk", "shift_id")[:200])
    )


def _said_since() -> QuerySet[Message]:
    return Message.objects.filter(
        ticket=OuterRef("ticket"), author=Author.CUSTOMER, seq__gt=OuterRef("resolves_after")
    )


def _settle(offer_id: int, shift_id: int) -> bool:
    mine = Offer.objects.filter(pk=offer_id)
    try:
        with timeline.command():
            locked = shifts_lock([shift_id])
            return fulfil(mine.filter(resolves_at__lte=Now()), locked=locked) or _said(mine)
    except TicketClosed:  # by the customer; the holder's offer is completed by that
        return False


def _said(mine: QuerySet[Offer]) -> bool:
    """Undo it if the customer has written. Inner."""
    return unplan(mine.filter(Exists(_said_since()), state=OfferState.ACCEPTED), CUSTOMER)


def fulfil(mine: QuerySet[Offer], *, locked: dict[int, Shift]) -> bool:
    """Resolve the ticket of this offer, if that is planned and the customer has not written since. Inner.

    Raises TicketClosed. One query when nothing is planned.
    """
    offer = (
        mine.filter(resolves_at__isnull=False, state=OfferState.ACCEPTED)
        .select_related("agent", "ticket")
        .first()
    )
    if offer is None:
        return False
    # Under the ticket's lock no message comes between the look and the step; a statement of its own sees those before.
    Ticket.objects.select_for_update().get(pk=offer.ticket_id)
    since = Message.objects.filter(
        ticket_id=offer.ticket_id, author=Author.CUSTOMER, seq__gt=offer.resolves_after or 0
    )
    if since.exists():
        return False
    lifecycle.ticket_resolve(ticket_id=offer.ticket_id, actor_id=offer.agent.user_id)
    complete(
        Offer.objects.filter(pk=offer.pk, state=OfferState.ACCEPTED),
        "resolved",
        offer.ticket.topic_id,
        locked=locked,
    )
    return True
