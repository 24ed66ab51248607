"""The form at /: a customer asks, and is sent to the ticket's page."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from tickets import calendars
from tickets.attachments import MAX_BYTES, MAX_FILES, TYPES
from tickets.errors import EmptyMessage, KeyReused, Refusal
from tickets.forms import OpenForm, new_key
from tickets.intake import ticket_open
from tickets.models import Channel
from tickets.reading import usual_wait
from tickets.views.door import private, remember, see_ticket

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
        opened = ticket_open(
            text=data["text"],
            name=data["name"],
            email=data["email"],
            topic_key=data["topic"],
            chosen_language=data["language"],
            files=data["files"],
            channel=Channel.FORM,
            key=data["key"],
        )
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


def _page(request: HttpRequest, form: OpenForm, status: int = 200) -> HttpResponse:
    context = {
        "form": form.described(),
        "usual_wait": usual_wait(),
        "hours": calendars.told(),
        "files_lost": bool(request.FILES),
        "max_files": MAX_FILES,
        "max_bytes": MAX_BYTES,
        "accept": ",".join(f".{extension}" for extension in TYPES),
    }
    return render(request, "tickets/opening.html", context, status=status)
