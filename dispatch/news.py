"""What is new for a page, by numbers: the answer to its commands, and its poll while the socket is down."""

from collections.abc import Callable, Mapping
from functools import partial

from agents.models import Agent
from dispatch import cards, feed, fragments, looks
from tickets import stream
from tickets.models import Ticket


def frames(agent: Agent, after: Mapping[str, int], language: str) -> list[stream.Frame]:
    """Frames with fragments above these numbers, the agent's own first; snapshots of what the page does not know.

    The same frames come over the socket: whoever sees a number first draws it, and drops the other (static/js/live.js).
    """
    known = after.get(feed.stream_of(agent.pk))
    look = looks.look(agent.pk, known)
    found = _above(known, look.seq, lambda _known: feed.frames_of(agent.pk, look, language))
    desk = cards.on_desk(agent.pk)
    news = [cards.agent_snapshot(agent, language, look, desk)] if found is None else found
    for ticket in (one.ticket for one in desk):
        found = _above(
            after.get(ticket.stream),
            ticket.last_seq,
            partial(_of_ticket, agent, ticket),
        )
        news += [stream.snapshot(ticket, staff=True, reader_id=agent.user_id)] if found is None else found
    return [frame | {"html": fragments.of(agent, frame, look, desk)} for frame in news]


def _of_ticket(agent: Agent, ticket: Ticket, known: int) -> list[stream.Frame] | None:
    return stream.frames_after(ticket.pk, ticket.stream, known, staff=True, reader_id=agent.user_id)


def _above(
    known: int | None, last: int, read: Callable[[int], list[stream.Frame] | None]
) -> list[stream.Frame] | None:
    """Frames above a number; None when it is unknown, too old, or one that was never given."""
    if known is None or known > last:
        return None
    found = read(known) if known < last else []
    return None if found is None or len(found) > fragments.REDRAW_LIMIT else found
