"""What agents ended as spam or abuse: what nobody has looked at yet, and what was settled of late."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from agents.models import User
from agents.permissions import everywhere
from dispatch import misuse
from dispatch.models import Misuse
from dispatch.views.lead.access import lead_page
from tickets import blocking
from tickets.errors import Refusal
from tickets.models import Message

SEES_FLAGGED = "dispatch.view_misuse"
SETTLES = "dispatch.change_misuse"
SETTLED_SHOWN = 20
SAID_SHOWN = 3  # of the customer's last messages


@lead_page(SEES_FLAGGED)
def flagged(request: HttpRequest) -> HttpResponse:
    """Four queries, beside who asks."""
    found = Misuse.objects.select_related("ticket__topic", "ticket__customer", "offer__agent", "settled_by")
    waiting = list(found.filter(settled_at__isnull=True).order_by("made_at"))
    counts = misuse.of_late({one.offer.agent_id for one in waiting})
    said = _said([one.ticket_id for one in waiting])
    context = {
        "open": [
            {
                "one": one,
                "said": said.get(one.ticket_id, [])[-SAID_SHOWN:],
                # The summary is the first message's beginning: not twice.
                "summary": not 0 < len(said.get(one.ticket_id, [])) <= SAID_SHOWN,
                "ended": counts.get(one.offer.agent_id, (0, 0))[0],
                "taken_back": counts.get(one.offer.agent_id, (0, 0))[1],
            }
            for one in waiting
        ],
        "days": misuse.OF_LATE_DAYS,
        "settled": found.filter(settled_by__isnull=False).order_by("-settled_at")[:SETTLED_SHOWN],
        "may_settle": request.user.has_perm(SETTLES),
    }
    return render(request, "dispatch/lead/flagged.html", context)


def _said(ticket_ids: list[int]) -> dict[int, list[str]]:
    """Ticket id → what its customer wrote, in order."""
    found: dict[int, list[str]] = {}
    told = Message.objects.filter(ticket_id__in=ticket_ids, author="customer").order_by("seq")
    for ticket_id, body in told.values_list("ticket_id", "body"):
        found.setdefault(ticket_id, []).append(body)
    return found


@require_POST
@login_required
def settle(request: HttpRequest, misuse_id: int) -> HttpResponse:
    """`decision`: confirm, or take-back; `answer` becomes a note in the ticket."""
    if not everywhere(request.user, SETTLES):
        return render(request, "dispatch/lead/not_yours.html", status=403)
    assert isinstance(request.user, User)
    found = get_object_or_404(Misuse, pk=misuse_id)
    back = request.POST.get("decision") == "take-back"
    act = misuse.take_back if back else misuse.confirm
    try:
        act(misuse_id=found.pk, lead=request.user, answer=request.POST.get("answer", ""))
    except Refusal as refusal:
        messages.warning(request, str(refusal.detail))
    else:
        messages.success(
            request, _("Taken back. The ticket waits before others.") if back else _("Confirmed.")
        )
    return redirect("lead_flagged")


@require_POST
@login_required
def block(request: HttpRequest, misuse_id: int) -> HttpResponse:
    """Take no new tickets from the address of a confirmed case."""
    if not everywhere(request.user, SETTLES):
        return render(request, "dispatch/lead/not_yours.html", status=403)
    found = get_object_or_404(Misuse.objects.exclude(address=""), pk=misuse_id, confirmed=True)
    reason = f"{found.get_kind_display()}, S-{found.ticket_id}"
    if blocking.address_block(email=found.address, reason=reason, made_by=request.user):
        messages.success(request, _("Blocked for half a year. It stands in the block list of the admin."))
    else:
        messages.warning(request, _("This is blocked already."))
    return redirect("lead_flagged")
