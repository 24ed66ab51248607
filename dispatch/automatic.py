"""Auto-accept: the agent's own switch, and what is accepted for them.

A run that offers a ticket to somebody who accepts automatically says so on the offer, and accepts it at once. Should it die
in between, the tick does. Only offers that were made so are taken: a card that lay open when the switch went on waits for its
answer; and one whose agent has switched off meanwhile becomes a card like any other.
"""

from django.db.models.functions import Now

import agents.errors
import tickets.errors
from agents.models import Agent
from agents.signals import tell_availability_changed
from dispatch import events, feed
from dispatch.models import Offer, OfferState
from dispatch.offers import offer_accept
from tickets import timeline


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


def _accept(offer_id: int, agent_id: int, epoch: int) -> bool:
    try:
        offer_accept(offer_id=offer_id, agent_id=agent_id, epoch=epoch, automatic=True)
    except (agents.errors.Refusal, tickets.errors.Refusal):
        return False  # closed, ended or late in this moment, or their agent has switched off: somebody else's matter now
    return True
