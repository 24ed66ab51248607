"""Files of a ticket, for its holder, or that of the one it was merged into."""

from django.http import FileResponse, Http404, HttpRequest
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from agents.models import Agent
from agents.views.people import agent_page
from dispatch.models import Offer
from tickets.masking import mask_file
from tickets.models import Attachment, Author


@require_GET
@never_cache
@agent_page
def attachment(request: HttpRequest, agent: Agent, public_id: str, attachment_id: int) -> FileResponse:  # noqa: ARG001
    """Always a download and never shown by the browser: whatever is in the file, it runs nowhere."""
    file = (
        Attachment.objects.select_related("message__ticket")
        .filter(pk=attachment_id, message__ticket__public_id=public_id)
        .first()
    )
    if (
        file is None
        or not Offer.objects.filter(Offer.ON_DESK, ticket_id__in=_read_with(file), agent=agent).exists()
    ):
        raise Http404
    try:
        stored = file.file.open("rb")
    except FileNotFoundError:
        raise Http404 from None
    response = FileResponse(
        stored,
        as_attachment=True,
        filename=mask_file(file.name).text.replace("…", "file")
        if file.message.author == Author.CUSTOMER
        else file.name,
        content_type=file.content_type,
    )
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    return response


def _read_with(file: Attachment) -> list[int]:
    """The tickets whose holder may have it."""
    ticket = file.message.ticket
    return [ticket.pk] + ([ticket.merged_into_id] if ticket.merged_into_id else [])
