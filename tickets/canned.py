"""Canned replies for one ticket: those of its language, of its topic or of all, with the variables put in."""

from django.db.models import Q

from tickets.masking import mask_name
from tickets.models import CannedReply, Customer, Ticket
from tickets.variables import filled, left, unknown


def replies(ticket: Ticket, agent_name: str) -> list[dict[str, str]]:
    """[{"title", "text"}], those of the topic first. Whatever has an unknown variable is left out. One query, with the ticket's
    customer and topic read.

    A customer's name of which something is hidden from agents stays a variable, which is put in when it is sent (`sent`).
    """
    topic = ticket.topic.name_in(ticket.language) if ticket.topic else ""
    name = "" if mask_name(ticket.customer.name).kinds else ticket.customer.name
    values = {"customer": name, "number": ticket.number, "agent": agent_name, "topic": topic}
    found = CannedReply.objects.filter(
        Q(topic=ticket.topic_id) | Q(topic__isnull=True), active=True, language=ticket.language
    )
    return [
        {"title": one.title, "text": filled(one.body, values)}
        for one in sorted(found, key=lambda one: (one.topic_id is None, one.title.casefold()))
        if not unknown(one.body)
    ]


def sent(body: str, ticket_id: int) -> str:
    """What an agent writes, with the customer's name in place of {customer}. One query if it stands there, else none."""
    if "customer" not in left(body):
        return body
    name = Customer.objects.filter(tickets=ticket_id).values_list("name", flat=True).first()
    return filled(body, {"customer": name or ""})
