"""What agents asked the team leads to look at: open ones first to come, and what was settled of late."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from agents.models import User
from agents.permissions import everywhere
from dispatch import passing
from dispatch.models import Escalation, Offer, OfferState
from dispatch.views.lead.access import lead_page
from tickets.errors import Refusal

SEES_ESCALATIONS = "dispatch.view_escalation"
SETTLES = "dispatch.change_escalation"
SETTLED_SHOWN = 20


@lead_page(SEES_ESCALATIONS)
def escalations(request: HttpRequest) -> HttpResponse:
    """Three queries, beside who asks."""
    found = Escalation.objects.select_related("ticket__topic", "ticket__customer", "agent", "settled_by")
    waiting = list(found.filter(settled_at__isnull=True).order_by("opened_at"))
    holders = dict(
        Offer.objects.filter(
            ticket__in=[one.ticket_id for one in waiting], state=OfferState.ACCEPTED
        ).values_list("ticket_id", "agent__name")
    )
    context = {
        "open": [{"one": one, "holder": holders.get(one.ticket_id, "")} for one in waiting],
        "settled": found.filter(settled_by__isnull=False).order_by("-settled_at")[:SETTLED_SHOWN],
        "may_settle": request.user.has_perm(SETTLES),
    }
    return render(request, "dispatch/lead/escalations.html", context)


@require_POST
@login_required
def settle(request: HttpRequest, escalation_id: int) -> HttpResponse:
    """It was looked at; `answer` becomes a note for whoever holds the ticket."""
    if not everywhere(request.user, SETTLES):
        return render(request, "dispatch/lead/not_yours.html", status=403)
    assert isinstance(request.user, User)
    found = get_object_or_404(Escalation, pk=escalation_id)
    try:
        passing.escalation_settle(
            escalation_id=found.pk, lead=request.user, answer=request.POST.get("answer", "")
        )
    except Refusal as refusal:
        messages.warning(request, str(refusal.detail))
    else:
        messages.success(request, _("Settled."))
    return redirect("lead_escalations")
