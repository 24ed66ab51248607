"""Files of a ticket, for its holder."""

from django.http import FileResponse, Http404, HttpRequest
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from agents.models import Agent
from agents.views.people import agent_page
from dispatch.models import Offer
from tickets.models import Attachment


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
        or not Offer.objects.filter(Offer.ON_DESK, ticket_id=file.message.ticket_id, agent=agent).exists()
    ):
        raise Http404
    try:
        stored = file.file.open("rb")
    except FileNotFoundError:
        raise Http404 from None
    response = FileResponse(stored, as_attachment=True, filename=file.name, content_type=file.content_type)
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    return response
