"""The form at /: a customer asks, and is sent to the ticket's page."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from tickets import blocking, calendars, limits, topics
from tickets.attachments import MAX_BYTES, MAX_FILES, TYPES
from tickets.errors import EmptyMessage, KeyReused, Refusal, TooOften
from tickets.forms import OpenForm, new_key
from tickets.intake import key_of, ticket_open
from tickets.models import Channel
from tickets.reading import usual_wait
from tickets.signals import anybody_online
from tickets.views.door import private, remember, see_ticket, tickets_here
from tickets.views.links import goes_on

INVALID = 422


@require_http_methods(["GET", "HEAD", "POST"])
def opening(request: HttpRequest) -> HttpResponse:
    """GET: the empty form, with `?topic=key` chosen beforehand. POST: open the ticket, or show what is not right."""
    if request.method != "POST":
        return _page(request, OpenForm(initial={"key": new_key(), "topic": request.GET.get("topic", "")}))
    form = OpenForm(request.POST, request.FILES)
    if not form.is_valid():
        return _page(request, form, INVALID)
    if form.cleaned_data["website"]:
        # Programs fill in every field. A person whose browser did so must not lose the text, so it is not swallowed.
        form = form.renewed()
        form.add_error(
            None, _("This looked as if a program had filled in the form. Please send it once more.")
        )
        return _page(request, form, INVALID)
    data = form.cleaned_data
    try:
        with limits.counting(request, "ticket_open") as seconds_left:
            opened = ticket_open(
                text=data["text"],
                name=data["name"],
                email=data["email"],
                topic_key=data["topic"],
                chosen_language=data["language"],
                files=data["files"],
                channel=Channel.WIDGET if getattr(request, "embedded", False) else Channel.FORM,
                key=key_of("form", data["key"]),
                unless=lambda: _may(request, data["email"], seconds_left),
            )
    except TooOften as refusal:
        form.add_error(None, str(refusal.detail))
        response = _page(request, form, refusal.status)
        response["Retry-After"] = str(refusal.retry_after)
        return response
    except Refusal as refusal:
        form = form.renewed()
        if isinstance(refusal, KeyReused):
            form.add_error(
                None,
                _(
                    "You have already sent this form with another text. Send it again if you want a second ticket."
                ),
            )
        else:
            form.add_error("text" if isinstance(refusal, EmptyMessage) else None, str(refusal.detail))
        return _page(request, form, refusal.status)
    response = see_ticket(opened.ticket)
    remember(response, request, opened.ticket)
    return private(response)


def _may(request: HttpRequest, email: str, seconds_left: Callable[[], float]) -> None:
    """Raises TooOften or Blocked."""
    seconds = seconds_left()
    if email and not seconds:
        seconds = limits.seconds_left(request, "ticket_open_address", email)
    if seconds:
        raise TooOften(goes_on(seconds), seconds)
    blocking.check(email=email, address=limits.client_address(request))


def _page(request: HttpRequest, form: OpenForm, status: int = 200) -> HttpResponse:
    here, online = tickets_here(request), anybody_online()
    context = {
        "form": form.described(),
        "mine": [one for one in here if one.ticket.is_open],
        "ended": [one for one in here if not one.ticket.is_open],
        "usual_wait": usual_wait() if online else None,
        "online": online,
        "assistant_first": any(topic.assisted for topic in topics.active()),
        "hours": calendars.told(),
        "files_lost": bool(request.FILES),
        "max_files": MAX_FILES,
        "max_bytes": MAX_BYTES,
        "accept": ",".join(f".{extension}" for extension in TYPES),
    }
    response = render(request, "tickets/opening.html", context, status=status)
    return private(response) if here else response
