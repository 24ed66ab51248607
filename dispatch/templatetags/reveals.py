"""What the templates of masked data need."""

from django import template

from dispatch import reveals
from tickets import masking
from tickets.models import Ticket

register = template.Library()


@register.filter
def masked(text: str, ticket: Ticket) -> str:
    """{{ rating.comment|masked:ticket }}: what is personal hidden, the surname too. A query if the customer is not read."""
    return masking.mask(text, masking.surnames(ticket.customer.name)).text


@register.filter
def message_place(seq: int) -> str:
    """3 → message-3."""
    return f"message-{seq}"


@register.filter
def kinds_in_words(kinds: list[str]) -> str:
    """["phone"] → telephone number."""
    return reveals.kinds_in_words(kinds)


@register.filter
def place_in_words(place: str) -> str:
    """message-3 → message 3."""
    return reveals.place_in_words(place)
