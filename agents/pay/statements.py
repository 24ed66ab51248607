"""Statements: of a payout, of a month, of a run; as PDF and as CSV, in the reader's language."""

import csv
import io
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path

from babel.numbers import format_currency
from django.conf import settings
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from fpdf import FPDF
from fpdf.enums import TableBordersLayout
from fpdf.fonts import FontFace

from agents.models import Agent, LedgerEntry, Payout, PayoutRun


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


def tame(text: str) -> str:
    """Spreadsheets run what begins like a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def csv_head() -> list[str]:
    """Names of the columns."""
    return [_("Date"), _("Kind"), _("What"), _("Reference"), _("Amount"), _("Currency")]


def csv_row(row: Row) -> list[str]:
    """One line, its amount with a point and two decimals."""
    at = timezone.localtime(row.at).strftime("%Y-%m-%d %H:%M")
    return [at, row.kind, tame(row.memo), row.reference, decimal(row.cents), row.currency]


def as_csv(statement: Statement) -> bytes:
    """With the mark without which Excel takes UTF-8 for something else."""
    sink = io.StringIO()
    writer = csv.writer(sink)
    writer.writerow(csv_head())
    writer.writerows(csv_row(row) for row in statement.rows)
    return ("\ufeff" + sink.getvalue()).encode()


def as_pdf(statement: Statement) -> bytes:
    """A4, as many pages as it takes."""
    pdf = _Page(statement)
    pdf.add_page()
    pdf.set_font("DejaVu", "B", 18)
    pdf.multi_cell(0, 10, statement.title, new_x="LMARGIN", new_y="NEXT")
    pdf.ln(2)
    pdf.set_font("DejaVu", "", 10)
    for name, value in statement.about:
        pdf.cell(35, 6, name)
        pdf.multi_cell(0, 6, value, new_x="LMARGIN", new_y="NEXT")
    pdf.ln(4)
    pdf.set_font("DejaVu", "", 9)
    with pdf.table(
        col_widths=(28, 34, 84, 34),
        text_align=("LEFT", "LEFT", "LEFT", "RIGHT"),
        borders_layout=TableBordersLayout.HORIZONTAL_LINES,
        headings_style=FontFace(emphasis="BOLD"),
        line_height=6,
    ) as table:
        table.row([_("Date"), _("Kind"), _("What"), _("Amount")])
        for row in statement.rows:
            at = date_format(timezone.localtime(row.at), "SHORT_DATE_FORMAT")
            table.row([at, row.kind, row.memo, money(row.cents, row.currency)])
        for currency, cents in statement.sums.items():
            table.row([_("Sum"), "", "", money(cents, currency)], style=FontFace(emphasis="BOLD"))
    return bytes(pdf.output())


class _Page(FPDF):
    """Brand above, number of the page below."""

    def __init__(self, statement: Statement) -> None:
        super().__init__(format="A4")
        # The letters of most of Europe and beyond; matplotlib carries the font, so that we need not.
        for style, file in (("", "DejaVuSans.ttf"), ("B", "DejaVuSans-Bold.ttf")):
            self.add_font("DejaVu", style, _fonts() / file)
        self.set_title(statement.title)
        self.set_author(settings.BRAND)
        self.set_lang(get_language() or "en")
        self.set_margins(15, 15)
        self.set_auto_page_break(True, 20)

    def header(self) -> None:
        self.set_font("DejaVu", "", 9)
        self.cell(0, 6, settings.BRAND, new_x="LMARGIN", new_y="NEXT")
        self.ln(4)

    def footer(self) -> None:
        self.set_y(-15)
        self.set_font("DejaVu", "", 8)
        text = _("Page %(number)s of %(count)s") % {"number": self.page_no(), "count": "{nb}"}
        self.cell(0, 6, text, align="C")


def _fonts() -> Path:
    spec = find_spec("matplotlib")  # found, not imported: that takes a second
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "mpl-data" / "fonts" / "ttf"
