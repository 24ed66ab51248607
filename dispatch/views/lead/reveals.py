"""Personal data of customers for team leads: what was shown to whom and why, and one place of a ticket for a reason."""

import uuid
from datetime import timedelta
from typing import Any

from django.db.models import Count
from django.db.models.functions import Now
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from agents.models import User
from dispatch import reveals
from dispatch.models import Offer, Reveal, RevealReason
from dispatch.rules.reveals import unusual
from dispatch.views.commands import key_of
from dispatch.views.lead.access import lead_page, read_number
from tickets.errors import Refusal
from tickets.models import Ticket

SEES = "dispatch.view_reveal"
DAYS = (1, 7, 30)
PAGE = 50


@lead_page(SEES)
def reveal_list(request: HttpRequest) -> HttpResponse:
    """Newest first, and by person. `days`, `who` (an account's number), `reason`; `before` as in the decision log.

    Five queries, beside who asks.
    """
    days = read_number(request.GET.get("days", ""))
    days = days if days in DAYS else 7
    who, before = (read_number(request.GET.get(name, "")) for name in ("who", "before"))
    reason = request.GET.get("reason", "")
    recent = _of_days(days)
    found = recent.select_related("ticket__customer", "by").order_by("-pk")
    if who:
        found = found.filter(by_id=who)
    if reason in RevealReason.values:
        found = found.filter(reason=reason)
    if before:
        found = found.filter(pk__lt=before)
    rows = list(found[: PAGE + 1])
    context = {
        "people": _people(days),
        "rows": rows[:PAGE],
        "older": rows[PAGE - 1].pk if len(rows) > PAGE else 0,
        "days": days,
        "all_days": DAYS,
        "who": who,
        "reason": reason,
        "reasons": RevealReason.choices,
        "filtered": bool(who or reason or before),
    }
    return render(request, "dispatch/lead/reveals.html", context)


def _of_days(days: int) -> Any:
    return Reveal.objects.filter(
        shown_at__gt=Now() - timedelta(days=days), ticket__in=Ticket.objects.filter(Ticket.REAL)
    )


def _people(days: int) -> list[dict[str, Any]]:
    """Who had something shown, the most first: {"user", "reveals", "tickets", "reasons", "unusual"}. Three queries."""
    counted: dict[int, dict[str, int]] = {}
    for by, reason, number in (
        _of_days(days).values_list("by", "reason").annotate(number=Count("pk")).order_by()
    ):
        counted.setdefault(by, {})[reason] = number
    worked = Offer.objects.filter(
        agent__user__in=list(counted),
        answered_at__gt=Now() - timedelta(days=days),
        ticket__in=Ticket.objects.filter(Ticket.REAL),
    ).filter(state__in=("accepted", "completed", "released"))
    tickets = dict(
        worked.values_list("agent__user").annotate(number=Count("ticket", distinct=True)).order_by()
    )
    marked = unusual({by: (sum(each.values()), tickets.get(by, 0)) for by, each in counted.items()})
    users = User.objects.in_bulk(list(counted))
    rows = [
        {
            "user": users[by],
            "reveals": sum(each.values()),
            "tickets": tickets.get(by, 0),
            "reasons": [
                (reveals.reason_in_words(reason), each[reason])
                for reason in RevealReason.values
                if reason in each
            ],
            "unusual": by in marked,
        }
        for by, each in counted.items()
    ]
    return sorted(rows, key=lambda row: (-row["reveals"], row["user"].pk))


@lead_page(reveals.REVEALS, methods=("GET", "HEAD", "POST"))
def personal(request: HttpRequest, public_id: str) -> HttpResponse:
    """A ticket's name, address and messages, masked; with POST one place of it is shown on this page."""
    ticket = (
        Ticket.objects.filter(Ticket.REAL, public_id=public_id).select_related("customer", "topic").first()
    )
    if ticket is None:
        raise Http404
    assert isinstance(request.user, User)
    context: dict[str, Any] = {
        "ticket": ticket,
        "reasons": RevealReason.choices,
        "chosen": request.POST.get("reason", ""),
        "words": request.POST.get("words", ""),
        "form_key": uuid.uuid4().hex,
    }
    status = 200
    if request.method == "POST":
        try:
            context["found"] = reveals.reveal_to_lead(
                lead=request.user,
                ticket_id=ticket.pk,
                place=request.POST.get("place", ""),
                reason=request.POST.get("reason", ""),
                words=request.POST.get("words", ""),
                key=key_of(request),
            )
        except Refusal as refusal:
            context["problem"], status = str(refusal.detail), refusal.status
            context["place"] = request.POST.get("place", "")
    context["places"] = reveals.places(ticket)
    return render(request, "dispatch/lead/personal.html", context, status=status)
