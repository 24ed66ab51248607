"""From the assistant to a person: the change of the ticket, and the note that tells the person what was asked and tried."""

from typing import Any

from django.db.models.functions import Now
from django.utils import translation

from tickets.assistant.words import handover_note, say
from tickets.conversation import message_post
from tickets.models import AssistantAnswer, Author, HandoverReason, Message, Ticket, TicketState

ASKED = 5  # messages of the customer that the note repeats, the first and the last ones


def to_person(reason: HandoverReason) -> dict[str, Any]:
    """What changes of an assisted ticket that goes to a person: it waits from now on."""
    return {
        "state": TicketState.WAITING,
        "waiting_since": Now(),
        "assist_due_at": None,
        "handed_over_at": Now(),
        "handover": reason,
    }


def note(ticket_id: int, reason: HandoverReason) -> None:
    """Write down for the person who takes over what was asked, what was tried, and why it was handed over. Inner."""
    language = Ticket.objects.values_list("language", flat=True).get(pk=ticket_id)
    asked = list(
        Message.objects.filter(ticket_id=ticket_id, author=Author.CUSTOMER, internal=False)
        .order_by("seq")
        .values_list("body", flat=True)
    )
    tried = AssistantAnswer.objects.filter(ticket_id=ticket_id).order_by("seq")
    with translation.override(language):
        why = str(reason.label)
    message_post(
        ticket_id=ticket_id,
        author=Author.SYSTEM,
        author_name=say(language, "name"),
        body=handover_note(
            language,
            asked if len(asked) <= ASKED else [asked[0], *asked[1 - ASKED :]],
            tried.values_list("article__title", "helped"),
            why,
        ),
        internal=True,
    )
