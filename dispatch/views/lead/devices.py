"""Alerts on a team lead's devices: the switch of this browser, the list of all, and how to end it."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from agents.errors import Refusal
from agents.models import PushDevice, User
from agents.push import alerts_keep, alerts_remove, alerts_wish, public_key
from dispatch.views.lead.access import lead_page

BE_ALERTED = "dispatch.be_alerted"


def _user_id(request: HttpRequest) -> int:
    assert isinstance(request.user, User)
    return request.user.pk


@lead_page(BE_ALERTED)
def devices(request: HttpRequest) -> HttpResponse:
    """Where they are told about alerts."""
    found = PushDevice.objects.filter(user_id=_user_id(request))
    return render(request, "dispatch/lead/devices.html", {"devices": found, "push_key": public_key()})


@lead_page(BE_ALERTED, methods=("POST",))
def here(request: HttpRequest) -> HttpResponse:
    """Whether this browser is told, by its script. Answers with what is so now; `kept`: whether we still know it."""
    said = request.POST
    wanted = said.get("alerts") == "1"
    try:
        kept = alerts_keep(
            user_id=_user_id(request),
            endpoint=said.get("endpoint", ""),
            p256dh=said.get("p256dh", ""),
            auth=said.get("auth", ""),
            wanted=wanted,
            user_agent=request.headers.get("User-Agent", ""),
        )
    except Refusal as refusal:
        return JsonResponse({"code": refusal.code, "detail": str(refusal.detail)}, status=refusal.status)
    return JsonResponse({"alerts": wanted, "kept": kept is not None})


@lead_page(BE_ALERTED, methods=("POST",))
def state(request: HttpRequest) -> HttpResponse:
    """Whether this browser is told. A POST, because the endpoint is a secret and belongs into no log."""
    endpoint = request.POST.get("endpoint", "").replace("\x00", "")
    return JsonResponse({"alerts": alerts_wish(user_id=_user_id(request), endpoint=endpoint)})


@lead_page(BE_ALERTED, methods=("POST",))
def remove(request: HttpRequest, device_id: int) -> HttpResponse:
    if alerts_remove(user_id=_user_id(request), device_id=device_id):
        messages.success(request, _("No alerts come to that device any more."))
    return redirect("lead_devices")
