"""What the holder does with a ticket: reply, note, resolve, hand back.

Every command carries the epoch of the agent's shift: a laptop that wakes after its tickets were passed on is refused.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

from django.db.models import Q

from agents.models import Agent
from agents.shifts import shift_current, shift_locked
from dispatch import resolving
from dispatch.errors import NotHolder
from dispatch.models import Offer, OfferState
from dispatch.offers import complete, end
from tickets import canned, lifecycle, timeline
from tickets.attachments import Inspected
from tickets.conversation import body_clean, message_of, message_post
from tickets.errors import VariableLeft
from tickets.models import Author, Message
from tickets.variables import left

T = TypeVar("T")

HANDED_BACK = "handed_back"


def reply(
    *,
    agent: Agent,
    epoch: int,
    ticket_id: int,
    body: str,
    files: Sequence[Inspected] = (),
    then_resolve: bool = False,
    key: str | None = None,
) -> Message:
    """The holder writes to the customer; with `then_resolve` the ticket is resolved after some seconds in which that can be
    undone (dispatch/resolving.py). Outermost.

    Raises EmptyMessage, MessageTooLong, BadText, VariableLeft, NotHolder, TicketClosed, ShiftEnded, NotOnline, KeyReused.
    """
    body = canned.sent(body_clean(body, required=not files), ticket_id)
    if left(body):
        raise VariableLeft
    return _write(
        agent,
        epoch,
        ticket_id,
        body,
        files,
        internal=False,
        then_resolve=then_resolve,
        key=key,
    )


def note(
    *,
    agent: Agent,
    epoch: int,
    ticket_id: int,
    body: str,
    files: Sequence[Inspected] = (),
    key: str | None = None,
) -> Message:
    """The holder, or who wraps up, writes an internal note; no customer ever sees it or its files. Outermost.

    Raises as reply; a wrap-up's note may come when the ticket is resolved or closed.
    """
    return _write(
        agent, epoch, ticket_id, body_clean(body, required=not files), files, internal=True, key=key
    )


def _write(
    agent: Agent,
    epoch: int,
    ticket_id: int,
    body: str,
    files: Sequence[Inspected],
    *,
    internal: bool,
    then_resolve: bool = False,
    key: str | None,
) -> Message:
    name = "note" if internal else "reply_and_resolve" if then_resolve else "reply"
    digest = timeline.digest_of(name, agent.pk, body, [file.sha256 for file in files])

    def act() -> Message:
        with timeline.command():
            shift = shift_current(agent_id=agent.pk, epoch=epoch)
            with_them = Offer.ON_DESK if internal else Q(state=OfferState.ACCEPTED)
            offers = Offer.objects.filter(with_them, ticket_id=ticket_id, shift=shift)
            wraps = list(offers.values_list("wrap_until", flat=True))
            if not wraps:
                raise NotHolder
            message = message_post(
                ticket_id=ticket_id,
                author=Author.AGENT,
                author_name=agent.name,
                author_user_id=agent.user_id,
                body=body,
                files=files,
                internal=internal,
                late=wraps[0] is not None,
                key=key,
                digest=digest,
            )
            if then_resolve:
                resolving.plan(offers, message)
            return message

    return timeline.once(ticket_id, key, digest, act, message_of)


def resolve(*, agent: Agent, epoch: int, ticket_id: int, key: str | None = None) -> None:
    """The matter is settled: the ticket is resolved, the offer completed and paid, the units free, or taken until the wrap-up
    of its route ends (dispatch/wrap_up.py). Outermost.

    Raises NotHolder, ShiftEnded, NotOnline, TicketClosed, KeyReused.
    """

    def work(digest: str) -> None:
        shift = shift_locked(agent_id=agent.pk, epoch=epoch)
        mine = Offer.objects.filter(ticket_id=ticket_id, shift=shift, state=OfferState.ACCEPTED)
        topics = list(mine.values_list("ticket__topic_id", flat=True))
        if not topics:
            raise NotHolder
        lifecycle.ticket_resolve(ticket_id=ticket_id, actor_id=agent.user_id, key=key, digest=digest)
        complete(mine, "resolved", topics[0], locked={shift.pk: shift})

    _command(ticket_id, key, timeline.digest_of("resolve", agent.pk), work)


def hand_back(*, agent: Agent, epoch: int, ticket_id: int, reason: str = "", key: str | None = None) -> None:
    """The holder gives the ticket back: it waits again with its age, and is offered to others. Outermost.

    No wrap-up follows: the next agent may have it in a second, so notes are written before. Raises as resolve.
    """
    reason = body_clean(reason, required=False)[:40]

    def work(digest: str) -> None:
        shift = shift_locked(agent_id=agent.pk, epoch=epoch)
        mine = Offer.objects.filter(ticket_id=ticket_id, shift=shift, state=OfferState.ACCEPTED)
        if not mine.exists():
            raise NotHolder
        # The customer reads this event; the agent's own words stay with the offer.
        lifecycle.ticket_release(
            ticket_id=ticket_id, reason=HANDED_BACK, actor_id=agent.user_id, key=key, digest=digest
        )
        end(mine, OfferState.RELEASED, reason or HANDED_BACK, locked={shift.pk: shift})

    _command(ticket_id, key, timeline.digest_of("hand_back", agent.pk, reason), work)


def _command(ticket_id: int, key: str | None, digest: str, work: Callable[[str], None]) -> None:
    def act() -> None:
        with timeline.command():
            work(digest)

    timeline.once(ticket_id, key, digest, act, lambda _event: None)
