"""What an agent earned, is owed and was paid: the lines, their sums, and all of it as CSV."""

import csv
import re
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from django.core.paginator import Paginator
from django.db.models import QuerySet, Sum
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from agents.models import Agent, LedgerEntry, PayoutAccount
from agents.pay import ledger
from agents.pay.statements import csv_head, csv_row, month_begin, next_month, row_of
from agents.views.people import agent_page
from dispatch import cards
from dispatch.models import Offer

PAGE_LINES = 50
PAYOUTS = 12  # the latest, on the page


@require_GET
@never_cache
@agent_page
def earnings(request: HttpRequest, agent: Agent) -> HttpResponse:
    """Newest first; `show` (today, week, pending, paid) and `month` (2026-11) choose lines, as the sums and the form do."""
    show, month = request.GET.get("show", ""), request.GET.get("month", "")
    lines = _chosen(agent, show, month).order_by("-id")
    page = Paginator(lines, PAGE_LINES).get_page(request.GET.get("page"))
    begin = month_begin(month)
    context: dict[str, Any] = {
        "agent": agent,
        "earnings": cards.earnings(agent.pk, agent.zone),
        "show": show if show in SHOWN else "",
        "month": f"{begin:%Y-%m}" if begin else "",
        "months": _months(agent),
        "chosen": list(lines.order_by("currency").values("currency").annotate(cents=Sum("amount_cents"))),
        "page": page,
        "lines": _in_words(list(page.object_list)),
        "payouts": list(ledger.payouts_of(agent.pk)[:PAYOUTS]),
        "account": PayoutAccount.objects.filter(agent=agent).first(),
    }
    return render(request, "dispatch/earnings.html", context)


SHOWN = ("today", "week", "pending", "paid")


def _chosen(agent: Agent, show: str, month: str) -> QuerySet[LedgerEntry]:
    lines = LedgerEntry.objects.filter(agent=agent)
    if show == "pending":
        lines = ledger.lines_pending(agent.pk)
    elif show == "paid":
        lines = lines.filter(kind__in=ledger.PAID_OUT)
    elif show == "today":
        lines = lines.exclude(kind__in=ledger.PAID_OUT).filter(created_at__gte=cards.day_begin(agent.zone))
    elif show == "week":
        lines = lines.exclude(kind__in=ledger.PAID_OUT).filter(created_at__gt=Now() - timedelta(days=7))
    if begin := month_begin(month):
        lines = lines.filter(created_at__gte=begin, created_at__lt=next_month(begin))
    return lines


def _months(agent: Agent) -> list[date]:
    """With lines, the latest first: months of TIME_ZONE, like the statements that can be had of them. One query."""
    found = LedgerEntry.objects.filter(agent=agent).datetimes("created_at", "month", order="DESC")
    return [begin.date() for begin in found]


def _in_words(lines: list[LedgerEntry]) -> list[dict[str, Any]]:
    """Lines with what they are for in the reader's language; the memo is in that of the day. One query."""
    found = {line.pk: re.fullmatch(r"offer:(\d{1,18})", line.reference) for line in lines}
    ids = {pk: int(match[1]) for pk, match in found.items() if match}
    offers = Offer.objects.select_related("ticket__topic").in_bulk(ids.values())
    return [{"line": line, "says": _what(offers.get(ids.get(line.pk, 0)), line)} for line in lines]


def _what(offer: Offer | None, line: LedgerEntry) -> str:
    if offer is None:
        return line.memo
    return f"{offer.ticket.number} · {offer.ticket.topic.name if offer.ticket.topic else _('General')}"


class _Echo:
    """What csv.writer wants of a file: it hands back each line."""

    def write(self, line: str) -> str:
        return line


@require_GET
@never_cache
@agent_page
def earnings_csv(request: HttpRequest, agent: Agent) -> StreamingHttpResponse:  # noqa: ARG001
    """All lines, oldest first. Amounts have a point and two decimals whatever the locale, so that programs can read them."""
    writer = csv.writer(_Echo())

    def lines() -> Iterator[str]:
        yield "\ufeff" + writer.writerow(
            csv_head()
        )  # the mark without which Excel takes UTF-8 for something else
        for line in LedgerEntry.objects.filter(agent=agent).order_by("id").iterator(chunk_size=500):
            yield writer.writerow(csv_row(row_of(line)))

    response = StreamingHttpResponse(lines(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="earnings.csv"'
    return response
