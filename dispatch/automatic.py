"""Auto-accept: the agent's own switch, and what is accepted for them.

A run that offers a ticket to somebody who accepts automatically says so on the offer, and accepts it at once. Should it die
in between, the tick does. Only offers that were made so are taken: a card that lay open when the switch went on waits for its
answer; and one whose agent has switched off meanwhile becomes a card like any other.

A card that is answered proves that somebody is there, and here there is none. So the first word to the customer is the proof:
where it does not come in time, the ticket goes on to somebody else, and the switch off.
"""

from datetime import timedelta

from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Now

import agents.errors
import tickets.errors
from agents.models import Agent, ShiftState
from agents.shifts import shift_choose, shifts_lock
from agents.signals import tell_availability_changed
from dispatch import events, feed
from dispatch.models import Offer, OfferState
from dispatch.offers import end, offer_accept, pending_revoke, tell_shift
from tickets import timeline
from tickets.lifecycle import ticket_release
from tickets.models import Author, Message, TicketState

FIRST_WORD = timedelta(seconds=90)  # to the customer, after it was accepted for the agent
UNANSWERED = "unanswered"  # reason of the release and of the pause


def auto_accept_choose(*, agent_id: int, on: bool, key: str | None = None) -> bool:
    """Whether offers are accepted for the agent from now on, over all shifts, until they say otherwise. Outermost.

    Once this has answered “off”, nothing is accepted for them any more. Choosing what is chosen already changes nothing.
    Returns `on`. Raises KeyReused.
    """
    digest = timeline.digest_of("auto_accept_choose", on)

    def act() -> bool:
        with timeline.command():
            if Agent.objects.filter(pk=agent_id, auto_accept=not on).update(auto_accept=on):
                feed.record(agent_id, events.AUTO_ACCEPT_CHANGED, {"auto_accept": on}, key=key, digest=digest)
        return on

    return feed.once(agent_id, key, digest, act, lambda: on)


def accept_due(limit: int = 500) -> int:
    """Accept what waits to be accepted for its agent. Safe twice and late. Returns how many are with their agents now.

    Who may still have capacity is told of, so that the next ticket need not wait for the tick.
    """
    due = list(
        Offer.objects.filter(
            state=OfferState.PENDING, automatic=True, agent__auto_accept=True, expires_at__gt=Now()
        )
        .order_by("pk")
        .values_list("pk", "agent_id", "shift__epoch")[:limit]
    )
    accepted = [agent_id for offer_id, agent_id, epoch in due if _accept(offer_id, agent_id, epoch)]
    tell_availability_changed(accepted)
    return len(accepted)


def _unanswered() -> QuerySet[Offer]:
    """Held tickets that were accepted for their agents, who have not said a word to the customer in time."""
    words = Message.objects.filter(
        ticket_id=OuterRef("ticket_id"),
        author=Author.AGENT,
        internal=False,
        created_at__gte=OuterRef("answered_at"),
    )
    return Offer.objects.filter(
        ~Exists(words),
        state=OfferState.ACCEPTED,
        automatic=True,
        answered_at__lte=Now() - FIRST_WORD,
        ticket__state=TicketState.HELD,
        ticket__wakes_at__isnull=True,  # who put it aside was there
    )


def unanswered_release(limit: int = 200) -> int:
    """Pass on what nobody has answered: nobody seems to be there. The agent is paused, as after a missed offer, and the switch
    is off until they say otherwise. Safe twice and late. Returns how many.
    """
    due = _unanswered().order_by("shift_id", "pk").values_list("pk", "ticket_id", "agent_id", "shift_id")
    return sum(_release(*one) for one in list(due[:limit]))


def _release(offer_id: int, ticket_id: int, agent_id: int, shift_id: int) -> bool:
    with timeline.command():
        # The agent before the shift, as in offer_accept. Replies hold the shift against its change, so none comes in between.
        Agent.objects.select_for_update(no_key=True).get(pk=agent_id)
        shift = shifts_lock([shift_id])[shift_id]
        if not _unanswered().filter(pk=offer_id).exists():
            return False
        ticket_release(ticket_id=ticket_id, reason=UNANSWERED, actor_id=None)
        end(Offer.objects.filter(pk=offer_id), OfferState.RELEASED, UNANSWERED, locked={shift_id: shift})
        if Agent.objects.filter(pk=agent_id, auto_accept=True).update(auto_accept=False):
            feed.record(agent_id, events.AUTO_ACCEPT_CHANGED, {"auto_accept": False})
        if shift.state == ShiftState.ONLINE and shift_choose(shift, ShiftState.PAUSED, UNANSWERED):
            pending_revoke(shift, UNANSWERED)
            tell_shift(shift)
    return True


def _accept(offer_id: int, agent_id: int, epoch: int) -> bool:
    try:
        offer_accept(offer_id=offer_id, agent_id=agent_id, epoch=epoch, automatic=True)
    except (agents.errors.Refusal, tickets.errors.Refusal):
        return False  # closed, ended or late in this moment, or their agent has switched off: somebody else's matter now
    return True
