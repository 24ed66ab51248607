"""What the customer's buttons do. Scripts get the new frames, plain forms the page again; refusals keep the input."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from tickets import blocking, limits, signs
from tickets.addresses import address_read, ticket_address
from tickets.assistant.turns import answer_judge
from tickets.conversation import customer_reply
from tickets.erasing import reach, ticket_erase
from tickets.errors import KeyReused, Refusal, TooOften
from tickets.forms import RatingForm, ReopenForm, ReplyForm
from tickets.lifecycle import ticket_close, ticket_rate, ticket_reopen, ticket_request_human
from tickets.models import Ticket
from tickets.views.chat import chat, frames
from tickets.views.door import cookie_name, customers, see_ticket, wants_json
from tickets.views.links import goes_on

INVALID = 422


@require_POST
@customers
def messages(request: HttpRequest, ticket: Ticket) -> HttpResponseBase:
    """Write a message; files may come with it."""
    kept = {"body": request.POST.get("body", ""), "files_lost": bool(request.FILES)}
    if refusal := _counted(request, ticket):  # before files are looked into, which is work
        return _refused(request, ticket, refusal, kept)
    form = ReplyForm(request.POST, request.FILES)
    if not form.is_valid():
        return _invalid(request, ticket, form, kept)
    data = form.cleaned_data
    return _do(
        request,
        ticket,
        lambda: customer_reply(ticket=ticket, body=data["body"], files=data["files"], key=data["key"]),
        kept,
        201,
    )


@require_POST
@customers
def request_human(request: HttpRequest, ticket: Ticket) -> HttpResponseBase:
    """One click, and the ticket is, or stays, in the queue for a person."""
    return _do(request, ticket, lambda: ticket_request_human(ticket=ticket))


@require_POST
@customers
def answer(request: HttpRequest, ticket: Ticket) -> HttpResponseBase:
    """Whether the assistant's answer helped (`helped`: yes or no)."""
    helped = request.POST.get("helped")
    if helped not in ("yes", "no"):
        return HttpResponseBadRequest()
    return _do(request, ticket, lambda: answer_judge(ticket=ticket, helped=helped == "yes"))


@require_POST
@customers
def close(request: HttpRequest, ticket: Ticket) -> HttpResponseBase:
    """The customer needs nothing any more."""
    if refusal := _counted(request, ticket):
        return _refused(request, ticket, refusal)
    return _do(request, ticket, lambda: ticket_close(ticket=ticket))


@require_POST
@customers
def address(request: HttpRequest, ticket: Ticket) -> HttpResponseBase:
    """Leave an e-mail address, which is blocked and counted as if the ticket were opened with it."""
    email = request.POST.get("email", "")

    def act() -> None:
        left = address_read(email)
        blocking.check(email=left, address="")
        if seconds := limits.seconds_left(request, "ticket_open_address", left):
            raise TooOften(goes_on(seconds), seconds)
        ticket_address(ticket=ticket, email=left)

    return _do(request, ticket, act, {"email": email})


@require_POST
@customers
def reopen(request: HttpRequest, ticket: Ticket) -> HttpResponseBase:
    """Open a resolved or closed ticket again, with a message if there is one."""
    kept = {"body": request.POST.get("body", "")}
    if refusal := _counted(request, ticket):
        return _refused(request, ticket, refusal, kept)
    form = ReopenForm(request.POST)
    if not form.is_valid():
        return _invalid(request, ticket, form, kept)
    data = form.cleaned_data
    return _do(
        request, ticket, lambda: ticket_reopen(ticket=ticket, body=data["body"], key=data["key"]), kept
    )


@require_POST
@customers
def rating(request: HttpRequest, ticket: Ticket) -> HttpResponseBase:
    """Rate the last resolution, once. Opening a link never rates."""
    form = RatingForm(request.POST)
    if not form.is_valid():
        return _invalid(request, ticket, form, {"rating": form})
    data = form.cleaned_data
    return _do(
        request,
        ticket,
        lambda: ticket_rate(
            ticket=ticket,
            score=data["score"],
            solved=data["solved"],
            comment=data["comment"],
            key=data["key"],
        ),
        {"rating": form},
    )


@require_http_methods(["GET", "HEAD", "POST"])
@customers
def erase(request: HttpRequest, ticket: Ticket) -> HttpResponseBase:
    """Delete what was said: asked once more by a page of its own, and not to be undone."""
    if request.method != "POST":
        return render(request, "tickets/erase.html", {"ticket": ticket, "reach": reach(ticket)})
    found = ticket_erase(ticket=ticket)
    answer = render(request, "tickets/erased.html", {"number": ticket.number, "reach": found})
    answer.delete_cookie(cookie_name(ticket.public_id), samesite="Lax")
    return answer


@require_POST
@customers
def sign(request: HttpRequest, ticket: Ticket) -> HttpResponseBase:
    """That the customer is typing (`typing=1`), or up to where they have read (`read`)."""
    if request.POST.get("typing") == "1":
        signs.typing(ticket, signs.Side.CUSTOMER)
    if seq := signs.number(request.POST.get("read", "")):
        signs.read_up_to(ticket, signs.Side.CUSTOMER, seq)
    return HttpResponse(status=204)


def _do(
    request: HttpRequest,
    ticket: Ticket,
    act: Callable[[], object],
    kept: dict[str, Any] | None = None,
    status: int = 200,
) -> HttpResponse:
    """Run the service. Scripts get refusals by config/problems.py, as JSON; people the page with what they wrote."""
    try:
        act()
    except Refusal as refusal:
        return _refused(request, ticket, refusal, kept)
    return frames(request, ticket, status) if wants_json(request) else see_ticket(ticket)


def _counted(request: HttpRequest, ticket: Ticket) -> TooOften | None:
    """Count what writes into the ticket, as REST does; the refusal when it was too often. Never of asking for a person."""
    seconds = limits.seconds_left(request, "ticket_write", ticket.public_id)
    return TooOften(goes_on(seconds), seconds) if seconds else None


def _refused(
    request: HttpRequest, ticket: Ticket, refusal: Refusal, kept: dict[str, Any] | None = None
) -> HttpResponse:
    if wants_json(request):
        raise refusal
    text = str(refusal.detail)
    if isinstance(refusal, KeyReused):
        text = _(
            "You have sent this already, with another text. Please look at it once more and send it again."
        )
    ticket.refresh_from_db()
    response = chat(request, ticket, refusal.status, problem=text, **(kept or {}))
    if refusal.retry_after is not None:
        response["Retry-After"] = str(refusal.retry_after)
    return response


def _invalid(request: HttpRequest, ticket: Ticket, form: Any, kept: dict[str, Any]) -> HttpResponse:
    text = " ".join(str(error) for errors in form.errors.values() for error in errors)
    if wants_json(request):
        return JsonResponse({"code": "invalid", "detail": text, "status": INVALID}, status=INVALID)
    return chat(request, ticket, INVALID, problem=text, **kept)
