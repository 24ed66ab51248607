"""“You know us already”: applying from a ticket's page, with what is known of its customer filled in."""

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.views.decorators.http import require_http_methods

from agents.views.work import apply_page
from tickets.models import Ticket
from tickets.views.door import customers


@require_http_methods(["GET", "HEAD", "POST"])
@customers
def work(request: HttpRequest, ticket: Ticket) -> HttpResponseBase:
    """The form for who has the ticket's private link. The address is confirmed all the same: a link proves no mailbox."""
    customer = ticket.customer
    filled: dict[str, Any] = {
        "name": customer.name.split()[0][:60] if customer.name else "",
        "real_name": customer.name,
        "email": customer.email,
        "languages": [ticket.language],
    }
    answer: HttpResponse = apply_page(request, prefilled=filled, known_by=ticket.number)
    return answer
