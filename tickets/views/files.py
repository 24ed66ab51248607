"""What a customer may take along: files of the conversation, and the conversation as text."""

from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.template.loader import render_to_string
from django.views.decorators.http import require_safe

from tickets.models import Attachment, Ticket
from tickets.reading import transcript_lines
from tickets.views.door import customers


@require_safe
@customers
def attachment(request: HttpRequest, ticket: Ticket, attachment_id: int) -> HttpResponseBase:  # noqa: ARG001
    """A file of this ticket's conversation, never shown within our page: always as attachment."""
    file = Attachment.objects.filter(
        pk=attachment_id, message__ticket=ticket, message__internal=False
    ).first()
    if file is None:
        raise Http404
    try:
        stored = file.file.open("rb")
    except FileNotFoundError:
        raise Http404 from None
    response = FileResponse(stored, as_attachment=True, filename=file.name, content_type=file.content_type)
    response["X-Content-Type-Options"] = "nosniff"
    return response


@require_safe
@customers
def transcript(request: HttpRequest, ticket: Ticket) -> HttpResponse:  # noqa: ARG001
    """The conversation as plain text."""
    text = render_to_string("tickets/transcript.txt", {"ticket": ticket, "lines": transcript_lines(ticket)})
    response = HttpResponse(text, content_type="text/plain; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{ticket.number}.txt"'
    return response
