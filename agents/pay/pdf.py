"""A statement as PDF."""

from importlib.util import find_spec
from pathlib import Path

from django.conf import settings
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from fpdf import FPDF
from fpdf.enums import TableBordersLayout
from fpdf.fonts import FontFace

from agents.pay.statements import Statement, money


def drawn(statement: Statement) -> bytes:
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
