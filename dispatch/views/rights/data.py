"""All my data as a file: asked for with one click, made by a task, downloaded by nobody else."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from agents import rights
from agents.errors import Refusal
from agents.models import Agent
from agents.views.people import agent_page
from agents.views.work import SeeOther
from dispatch import tasks


@require_POST
@agent_page
def export(request: HttpRequest, agent: Agent) -> HttpResponse:
    """Ask for it."""
    try:
        asked, new = rights.export_ask(agent_id=agent.pk, language=(get_language() or "en")[:2])
    except Refusal as refusal:
        messages.warning(request, str(refusal.detail))
    else:
        if new:
            tasks.export_make_ask(asked.pk)
        messages.success(
            request, _("Your data are being collected. We tell you here and by mail when they are ready.")
        )
    return SeeOther(reverse("rights") + "#data")


@require_GET
@never_cache
@agent_page
def download(request: HttpRequest, agent: Agent, token: str) -> HttpResponse:  # noqa: ARG001
    """The file; the same “not found” for an expired one, an unknown one and somebody else's."""
    found = rights.export_open(agent_id=agent.pk, token=token)
    if found is None:
        raise Http404
    response = HttpResponse(bytes(found.content), content_type="application/zip")
    response["Content-Disposition"] = f'attachment; filename="standby-{found.asked_at:%Y-%m-%d}.zip"'
    response["X-Content-Type-Options"] = "nosniff"
    return response
