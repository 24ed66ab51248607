"""Who may see a ticket's page: whoever has its private link, which the page exchanges for a cookie."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from tickets.access import opens, ticket_by_token, token_of
from tickets.intake import LINK_LIFETIME
from tickets.models import Ticket
from tickets.returning import MARK, Mine, confirm, proof_of, proves, ticket_by_link, tickets_of

P = ParamSpec("P")
R = TypeVar("R", bound=HttpResponseBase)


class SeeOther(HttpResponseRedirect):
    """After a POST: GET that page, so that reloading sends nothing again."""

    status_code = 303


def cookie_name(public_id: str) -> str:
    """One cookie a ticket, so that several are open in one browser. The sockets and the API read it too."""
    return f"t-{public_id}"


def proof_name(public_id: str) -> str:
    """The cookie of who came by a link that was mailed to the customer's address."""
    return f"m-{public_id}"


def remember(response: HttpResponse, request: HttpRequest, ticket: Ticket) -> None:
    """Give this browser the key to the ticket."""
    _set(response, request, cookie_name(ticket.public_id), token_of(ticket))


def _set(response: HttpResponse, request: HttpRequest, name: str, value: str) -> None:
    response.set_cookie(
        name,
        value,
        max_age=LINK_LIFETIME,
        httponly=True,
        secure=settings.HTTPS or request.is_secure(),
        samesite="Lax",
    )


def private(response: R) -> R:
    """Keep an answer out of every cache, and its address out of other sites' logs.

    same-origin and not no-referrer: with the latter, browsers send `Origin: null` with a plain form, which the CSRF check
    must refuse. The token is in the fragment anyway, which is never part of a referrer.
    """
    response["Cache-Control"] = "no-store"
    response["Referrer-Policy"] = "same-origin"
    return response


def ticket_of(request: HttpRequest, public_id: str) -> Ticket:
    """The ticket that this browser's cookie opens. Raises TicketNotFound."""
    return ticket_by_token(public_id, request.COOKIES.get(cookie_name(public_id), ""))


def tickets_here(request: HttpRequest) -> list[Mine]:
    """The tickets that this browser has keys to: open ones, and those that ended of late. One query, none without keys."""
    prefix = cookie_name("")
    return tickets_of(
        {
            name.removeprefix(prefix): token
            for name, token in request.COOKIES.items()
            if name.startswith(prefix)
        }
    )


def wants_json(request: HttpRequest) -> bool:
    """Whether a script of ours asks, which wants frames and not a page."""
    return str(request.META.get("HTTP_ACCEPT", "")).startswith("application/json")


def see_ticket(ticket: Ticket) -> HttpResponse:
    return SeeOther(reverse("ticket", args=[ticket.public_id]))


def customers(
    view: Callable[Concatenate[HttpRequest, Ticket, P], HttpResponseBase],
) -> Callable[..., HttpResponseBase]:
    """Decorator: the view gets the ticket that the cookie opens; without one the answer is TicketNotFound's page."""

    @wraps(view)
    def opened(request: HttpRequest, public_id: str, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        return private(view(request, ticket_of(request, public_id), *args, **kwargs))

    return opened


def door(request: HttpRequest, public_id: str) -> HttpResponse:
    """The page before the ticket: takes the link's token from the fragment, or from a field. The same for every id."""
    response = private(render(request, "tickets/door.html", {"public_id": public_id}))
    if cookie_name(public_id) in request.COOKIES:
        response.delete_cookie(cookie_name(public_id), samesite="Lax")
    return response


@require_POST
def enter(request: HttpRequest, public_id: str) -> HttpResponse:
    """Exchange the token for the cookie. What people paste may be the whole link, or have blanks around it."""
    pasted = request.POST.get("token", "").strip()
    token, _mark, proof = pasted.rpartition("#")[2].partition(MARK)
    ticket = ticket_by_link(public_id, token, proof)
    keyed = opens(ticket, request.COOKIES.get(cookie_name(public_id), ""))
    confirmed = bool(proof) and confirm(ticket=ticket, proof=proof, keyed=keyed)
    if confirmed:
        ticket.refresh_from_db(fields=["access_version", "version_before"])  # the key may be a new one now
    answer = HttpResponse(status=204) if wants_json(request) else see_ticket(ticket)
    remember(answer, request, ticket)
    if confirmed:
        _set(answer, request, proof_name(public_id), proof)
    return private(answer)


@require_safe
@customers
def goes_on(request: HttpRequest, ticket: Ticket) -> HttpResponse:
    """From a ticket that was merged to the one in which it goes on.

    Whoever came by a mailed link is its customer, and gets the key to the other one. Anybody can open a ticket under somebody
    else's address: who has only opened this one is sent to the mails of that address for the link.
    """
    into = ticket.merged_into
    if into is None:
        return see_ticket(ticket)
    proof = request.COOKIES.get(proof_name(ticket.public_id), "")
    known = cookie_name(into.public_id) in request.COOKIES
    if not known and not (into.customer_id == ticket.customer_id and proves(ticket, proof)):
        return render(request, "tickets/goes_on.html", {"ticket": ticket, "into": into})
    response = see_ticket(into)
    if not known:
        remember(response, request, into)
        _set(response, request, proof_name(into.public_id), proof_of(into))
    return response
