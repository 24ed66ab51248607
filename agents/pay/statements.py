"""Statements: of a payout, of a month, of a run; as PDF and as CSV, in the reader's language."""

import csv
import io
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from babel.numbers import format_currency
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from agents.models import Agent, LedgerEntry, Payout, PayoutRun
from agents.spreadsheets import disarmed


@dataclass(frozen=True)
class Row:
    at: datetime
    kind: str
    memo: str
    reference: str
    cents: int
    currency: str


@dataclass(frozen=True)
class Statement:
    """Lines with their sums a currency. `about`: what stands above them, (name, value)."""

    name: str  # of the file, without its ending
    title: str
    about: Sequence[tuple[str, str]]
    rows: Sequence[Row]

    @property
    def sums(self) -> dict[str, int]:
        found: dict[str, int] = defaultdict(int)
        for row in self.rows:
            found[row.currency] += row.cents
        return dict(sorted(found.items()))


def of_payout(payout: Payout) -> Statement:
    """The lines that a payout pays, oldest first."""
    entries = LedgerEntry.objects.filter(paid_in__payout=payout).order_by("pk")
    about = [
        (_("For"), payout.holder),
        (_("To"), payout.hint),
        (
            _("Date"),
            date_format(timezone.localtime(payout.run.approved_at or payout.run.made_at), "DATE_FORMAT"),
        ),
        (_("State"), str(payout.stage.label)),
    ]
    return Statement(
        payout.number,
        _("Statement of payout %(number)s") % {"number": payout.number},
        about,
        [row_of(entry) for entry in entries],
    )


def of_month(agent: Agent, month: datetime) -> Statement:
    """All lines of the month that begins then, payouts included."""
    entries = LedgerEntry.objects.filter(agent=agent, created_at__gte=month, created_at__lt=next_month(month))
    name = date_format(month, "YEAR_MONTH_FORMAT")
    return Statement(
        f"{month:%Y-%m}",
        _("Earnings of %(month)s") % {"month": name},
        [(_("For"), agent.user.name or agent.name)],
        [row_of(entry) for entry in entries.order_by("pk")],
    )


def of_run(run: PayoutRun) -> Statement:
    """The payouts of a run, by number."""
    rows = [
        Row(
            run.made_at,
            payout.get_state_display(),
            f"{payout.holder}, {payout.hint}",
            payout.number,
            payout.amount_cents,
            run.currency,
        )
        for payout in run.payouts.order_by("pk")
    ]
    about = [
        (_("Up to"), date_format(run.up_to, "DATE_FORMAT")),
        (_("State"), run.get_state_display()),
        (_("Made by"), str(run.made_by)),
        (_("Approved by"), str(run.approved_by or "–")),
    ]
    return Statement(f"run-{run.pk}", _("Payout run %(run)s") % {"run": run.pk}, about, rows)


def month_begin(text: str) -> datetime | None:
    """ "2026-11" → the first moment of that month in TIME_ZONE; None for anything else."""
    if not re.fullmatch(r"[12]\d{3}-(0[1-9]|1[0-2])", text):
        return None
    return timezone.make_aware(datetime.strptime(text, "%Y-%m"))  # noqa: DTZ007


def next_month(month: datetime) -> datetime:
    """The first moment of the month after."""
    year, number = divmod(month.year * 12 + month.month, 12)
    return timezone.make_aware(datetime(year, number + 1, 1))  # noqa: DTZ001


def row_of(entry: LedgerEntry) -> Row:
    """A line of the ledger as one of a statement."""
    return Row(
        entry.created_at,
        entry.get_kind_display(),
        entry.memo,
        entry.reference,
        entry.amount_cents,
        entry.currency,
    )


def money(cents: int, currency: str) -> str:
    """In the reader's way, with a plain space: a statement's font need not know every other."""
    text = str(format_currency(Decimal(cents) / 100, currency, locale=get_language() or "en"))
    return text.replace("\u202f", " ").replace("\u2212", "-")


def decimal(cents: int) -> str:
    """-150 → -1.50, whatever the locale: for programs."""
    whole, rest = divmod(abs(cents), 100)
    return f"{'-' if cents < 0 else ''}{whole}.{rest:02}"


def csv_head() -> list[str]:
    """Names of the columns."""
    return [_("Date"), _("Kind"), _("What"), _("Reference"), _("Amount"), _("Currency")]


def csv_row(row: Row) -> list[str]:
    """One line, its amount with a point and two decimals."""
    at = timezone.localtime(row.at).strftime("%Y-%m-%d %H:%M")
    return [at, row.kind, disarmed(row.memo), row.reference, decimal(row.cents), row.currency]


def as_csv(statement: Statement) -> bytes:
    """With the mark without which Excel takes UTF-8 for something else."""
    sink = io.StringIO()
    writer = csv.writer(sink)
    writer.writerow(csv_head())
    writer.writerows(csv_row(row) for row in statement.rows)
    return ("\ufeff" + sink.getvalue()).encode()


def as_pdf(statement: Statement) -> bytes:
    """A4, as many pages as it takes."""
    from agents.pay.pdf import drawn  # noqa: PLC0415  fpdf takes half a second to import, in every process

    return drawn(statement)
