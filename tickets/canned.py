"""Canned replies for one ticket: those of its language, of its topic or of all, with the variables put in."""

from django.db.models import Q

from tickets.models import CannedReply, Ticket
from tickets.variables import filled, unknown


def replies(ticket: Ticket, agent_name: str) -> list[dict[str, str]]:
    """[{"title", "text"}], those of the topic first. Whatever has an unknown variable is left out. One query, with the ticket's
    customer and topic read.
    """
    topic = ticket.topic.name_in(ticket.language) if ticket.topic else ""
    values = {"customer": ticket.customer.name, "number": ticket.number, "agent": agent_name, "topic": topic}
    found = CannedReply.objects.filter(
        Q(topic=ticket.topic_id) | Q(topic__isnull=True), active=True, language=ticket.language
    )
    return [
        {"title": one.title, "text": filled(one.body, values)}
        for one in sorted(found, key=lambda one: (one.topic_id is None, one.title.casefold()))
        if not unknown(one.body)
    ]
