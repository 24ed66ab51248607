"""Files of labelled tickets as people write them."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickets.triage.labelled import InvalidLabels, read

ROWS = (("Where is it?", "delivery"), ('He said "now", twice', "complaint"))


@pytest.mark.parametrize(
    "content",
    [
        b'text,category\nWhere is it?,delivery\n"He said ""now"", twice",complaint\n',
        b'\xef\xbb\xbftext,category\r\nWhere is it?,delivery\r\n"He said ""now"", twice",complaint\r\n',
        b'topic;language;text\ndelivery;en;Where is it?\ncomplaint;en;"He said ""now"", twice"\n',
        b'id\tLabel\tText\n1\tdelivery\tWhere is it?\n2\tcomplaint\t"He said ""now"", twice"\n',
        'text,category\nWhere is it?,delivery\n"He said ""now"", twice",complaint\n'.encode("utf-16"),
        b'\n\ntext,category\nWhere is it?,delivery\n\n"He said ""now"", twice",complaint\n,\n',
    ],
    ids=["plain", "mark and CRLF", "semicolons, other order", "tabs", "UTF-16", "empty lines"],
)
def test_the_same_rows_however_they_are_written(content: bytes) -> None:
    found = read(content)
    assert tuple(zip(found.texts, found.labels, strict=True)) == ROWS


def test_line_breaks_in_a_text_stay_and_rows_without_a_half_are_counted() -> None:
    found = read(b'text,label\n"one\ntwo",a\n,b\nthree,\n')
    assert (found.texts, found.labels, found.empty) == (("one\ntwo",), ("a",), 2)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b"text,category\n", "no labelled text"),
        (b"words,category\nx,y\n", "no column is called text"),
        (b"text,kind\nx,y\n", "no column is called category"),
        (b"text,text,label\nx,y,z\n", "twice"),
        (b"text,label\nx,y,z\n", "row 2 has 3 columns"),
        (b"text,label\nx,\xff\n", "line 2: not UTF-8"),
        (b'text,label\n"x,y\n', "line"),
        (b"PK\x03\x04\x00\x00", "NUL"),
        (b"text,label\nx," + b"y" * 81, "more than 80"),
    ],
)
def test_what_cannot_be_read_is_said(content: bytes, says: str) -> None:
    with pytest.raises(InvalidLabels, match=says):
        read(content)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    with contextlib.suppress(InvalidLabels):
        assert read(content).texts
