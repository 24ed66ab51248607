"""The holder puts a ticket's topic right. What was agreed with them stays; the next model learns from it."""

from agents.models import Agent
from agents.shifts import shift_current
from dispatch.errors import NotHolder
from dispatch.models import Offer, OfferState
from tickets import lifecycle, timeline, topics
from tickets.errors import UnknownTopic
from tickets.triage import labels


def topic_correct(
    *, agent: Agent, epoch: int, ticket_id: int, topic_key: str, key: str | None = None
) -> None:
    """The ticket is about this active topic; that it is already is no mistake, and changes nothing. Outermost.

    Pay, units and deadline are those of the accepted offer; priority and, should it wait again, the route are the new topic's.
    Raises UnknownTopic, NotHolder, TicketClosed, ShiftEnded, NotOnline, KeyReused.
    """
    topic = topics.find(topic_key)
    if topic is None:
        raise UnknownTopic
    digest = timeline.digest_of("topic_correct", agent.pk, topic.key)

    def act() -> None:
        with timeline.command():
            shift = shift_current(agent_id=agent.pk, epoch=epoch)
            if not Offer.objects.filter(ticket_id=ticket_id, shift=shift, state=OfferState.ACCEPTED).exists():
                raise NotHolder
            changed = lifecycle.ticket_retopic(
                ticket_id=ticket_id, topic=topic, actor_id=agent.user_id, key=key, digest=digest
            )
            if changed:
                labels.corrected(ticket_id=ticket_id, topic=topic)

    timeline.once(ticket_id, key, digest, act, lambda _event: None)
