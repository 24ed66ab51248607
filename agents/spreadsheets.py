"""Texts in CSV files that people open with a spreadsheet, which runs what begins like a formula (OWASP, CSV injection)."""

import re

# Where a cell begins for some reader: ours, and, where lists are separated by ";" (as in German), each ";" whatever stands in
# quotes; a line's end begins one then too. Spaces and quotes before a formula are no part of it. Wide signs may be signs too.
_BEGINS_FORMULA = re.compile(
    r"""(?:\A|(?<=[;\t\r\n]))(?=(?:[^\S\t\r\n]|")*[=+\-@＝＋－＠])|\A(?=[\t\r\n])"""  # noqa: RUF001
)


def disarmed(cell: str) -> str:
    """The text with an apostrophe before all that a spreadsheet would take for a formula, which makes it text there."""
    return _BEGINS_FORMULA.sub("'", cell)
