"""The ticket's page, and its news for pages whose socket is down."""

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.views.decorators.http import require_GET, require_safe

from tickets import stream
from tickets.access import link_path
from tickets.errors import TicketNotFound
from tickets.forms import new_key
from tickets.models import Ticket
from tickets.reading import thread_of
from tickets.views.door import customers, door, private, ticket_of


@require_safe
def ticket_page(request: HttpRequest, public_id: str) -> HttpResponse:
    """The chat for who has the cookie, else the page that asks for the link's token."""
    try:
        ticket = ticket_of(request, public_id)
    except TicketNotFound:
        return door(request, public_id)
    return private(chat(request, ticket))


def chat(request: HttpRequest, ticket: Ticket, status: int = 200, **more: Any) -> HttpResponse:
    """The whole page. `more`: `problem` (what was refused), `body`, `rating` (input to keep), `files_lost`."""
    context = {
        "ticket": ticket,
        "thread": list(thread_of(ticket)),
        "link": request.build_absolute_uri(link_path(ticket)),
        "key": new_key(),
        **more,
    }
    return render(request, "tickets/chat.html", context, status=status)


@require_GET
@customers
def news(request: HttpRequest, ticket: Ticket) -> HttpResponseBase:
    """Frames after ?after=N: for pages whose socket is not connected."""
    return frames(request, ticket)


def frames(request: HttpRequest, ticket: Ticket, status: int = 200) -> JsonResponse:
    """{"frames": […]}: what is new after the page's number, just as the socket would send it, fragments included."""
    after = request.POST.get("after") or request.GET.get("after") or ""
    ticket.refresh_from_db()
    found = None
    if after.isascii() and after.isdigit() and len(after) < 10:
        found = stream.frames_after(ticket.pk, ticket.stream, int(after), staff=False)
    if found is None:
        found = [stream.snapshot(ticket, staff=False)]
    for frame in found:
        frame["html"] = render_to_string(
            "tickets/fragments/event.html", {"frame": frame, "ticket": ticket, "socket": True}
        )
    return JsonResponse({"frames": found}, status=status)
