"""Texts in CSV files: no spreadsheet takes one for a formula, wherever it takes a cell to begin."""

import csv
import io

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agents.spreadsheets import disarmed

FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
SIGNS = st.text(st.sampled_from("a;,\t\r\n\"' =+-@\uff1d"), max_size=12)


def cells(content: str, separator: str) -> list[str]:
    """As a spreadsheet reads them whose lists are separated so: what is no cell's beginning is no quote for it."""
    return [cell for row in csv.reader(io.StringIO(content, newline=""), delimiter=separator) for cell in row]


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("", ""),
        ("Anna", "Anna"),
        ("a-b; c=d", "a-b; c=d"),
        ("=1+1", "'=1+1"),
        ("\tAnna", "'\tAnna"),
        ("x;=cmd|'/C calc'!A0", "x;'=cmd|'/C calc'!A0"),
        ("x; =1", "x;' =1"),
        ('x;"=1', "x;'\"=1"),
        ("x\n@SUM(A1)\r\n-2", "x\n'@SUM(A1)\r\n'-2"),
        ("x;\uff1d1", "x;'\uff1d1"),
    ],
)
def test_an_apostrophe_stands_before_each_formula(text: str, safe: str) -> None:
    assert disarmed(text) == safe


@given(SIGNS, SIGNS)
@example("x", "x;=1")
@example("x", 'x;"=1')
@example("x", "x\n=1")
def test_no_reader_finds_one(first: str, second: str) -> None:
    out = io.StringIO()
    csv.writer(out).writerow([disarmed(first), disarmed(second)])
    for separator in ",;\t":
        for cell in cells(out.getvalue(), separator):
            assert not cell.lstrip(" ").startswith(FORMULA), (separator, out.getvalue())
    own = cells(out.getvalue(), ",")
    assert [one.replace("'", "") for one in own] == [one.replace("'", "") for one in (first, second)]


def test_control_a_formula_behind_a_semicolon_is_a_cell_of_its_own_there_in_quotes_or_not() -> None:
    for quoting in (csv.QUOTE_MINIMAL, csv.QUOTE_ALL):
        out = io.StringIO()
        csv.writer(out, quoting=quoting).writerow(["anna@agents.example", "x;=1", "admitted"])
        assert cells(out.getvalue(), ";")[1].startswith("=1")
