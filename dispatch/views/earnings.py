"""What an agent earned: the lines, their sums, and all of it as CSV."""

import csv
import re
from collections.abc import Iterator
from typing import Any

from django.core.paginator import Paginator
from django.db.models import Sum
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from agents.models import Agent, LedgerEntry
from agents.views.people import agent_page
from dispatch import cards
from dispatch.models import Offer

PAGE_LINES = 50


@require_GET
@never_cache
@agent_page
def earnings(request: HttpRequest, agent: Agent) -> HttpResponse:
    """Newest first."""
    lines = LedgerEntry.objects.filter(agent=agent).order_by("-id")
    page = Paginator(lines, PAGE_LINES).get_page(request.GET.get("page"))
    context: dict[str, Any] = {
        "agent": agent,
        "earnings": cards.earnings(agent.pk),
        "totals": list(
            LedgerEntry.objects.filter(agent=agent)
            .order_by("currency")
            .values("currency")
            .annotate(cents=Sum("amount_cents"))
        ),
        "page": page,
        "lines": _in_words(list(page.object_list)),
    }
    return render(request, "dispatch/earnings.html", context)


def _in_words(lines: list[LedgerEntry]) -> list[dict[str, Any]]:
    """Lines with what they are for in the reader's language; the memo is the books', in English. One query."""
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
    head = [_("Date"), _("What"), _("Reference"), _("Amount"), _("Currency")]

    def lines() -> Iterator[str]:
        yield "\ufeff" + writer.writerow(head)  # the mark without which Excel takes UTF-8 for something else
        for line in LedgerEntry.objects.filter(agent=agent).order_by("id").iterator(chunk_size=500):
            at = timezone.localtime(line.created_at).strftime("%Y-%m-%d %H:%M")
            sign = "-" if line.amount_cents < 0 else ""
            whole, cents = divmod(abs(line.amount_cents), 100)
            yield writer.writerow(
                [at, _tame(line.memo), line.reference, f"{sign}{whole}.{cents:02}", line.currency]
            )

    response = StreamingHttpResponse(lines(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="earnings.csv"'
    return response


def _tame(text: str) -> str:
    """Spreadsheets run what begins like a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
