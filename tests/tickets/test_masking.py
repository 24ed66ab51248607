"""What is personal is hidden, what is not stays, and of the hidden nothing is left but what is said to remain."""

import re
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.tickets import masking_corpus as corpus
from tickets import masking
from tickets.masking import HIDDEN, mask, mask_email, mask_file, mask_name, spans, surnames

EXACT = [
    ("Call +49 171 2345617 or write to carla@example.org", "Call +49 … 17 or write to c…@…", ("email", "phone")),
    ("Tel. 030 123456, Hauptstraße 12, 10115 Berlin.", "Tel. … 56, […].", ("phone", "address")),
    ("I live at 12 Main Street, London SW1A 1AA. DOB: 12/03/1985", "I live at […]. DOB: […]", ("address", "birth")),
    ("0171 2345678 030 1234567", "… 78 … 67", ("phone",)),
    ("Ruf an 0171 2345678 14:30", "Ruf an … 78 14:30", ("phone",)),
    ("0049 (0)171 2345617", "+49 … 17", ("phone",)),
    ("max (at) beispiel (dot) de", "m…@…", ("email",)),
    ("geb. 12.03.1985, gekauft am 12.03.2026", "geb. […], gekauft am 12.03.2026", ("birth",)),
]  # fmt: skip


@pytest.mark.parametrize(("text", "shown", "kinds"), EXACT)
def test_exactly(text: str, shown: str, kinds: tuple[str, ...]) -> None:
    assert mask(text) == (shown, kinds)


def test_the_corpus_of_hits_is_hidden() -> None:
    hits = corpus.hits()
    assert len({text for _kind, text, _value in hits}) >= 300
    slipped = [
        (text, mask(text).text)
        for kind, text, value in hits
        if kind not in mask(text).kinds or value in mask(text).text
    ]
    assert slipped == []


def test_of_the_hidden_remains_what_is_said_and_no_more() -> None:
    for kind, text, value in corpus.hits():
        masked = mask(text).text
        digits, words = re.findall(r"\d{3,}", value), re.findall(r"[^\W\d]{4,}", value)
        assert [one for one in (*digits, *words) if one in masked] == [], (text, masked)
        left = re.search(r"(?:\+\d{1,3} )?… \d{2}(?!\d)|\w…@…|\[…\]", masked)
        assert left, (text, masked)
        assert (left[0] == HIDDEN) == (kind in ("address", "birth"))


def test_near_misses_stay() -> None:
    misses = corpus.misses()
    assert len(set(misses)) >= 200
    assert [(text, mask(text).text) for text in misses if mask(text).text != text] == []


@pytest.mark.parametrize(("text", "shown"), corpus.NAMED)
def test_surnames_in_texts(text: str, shown: str) -> None:
    assert mask(text, surnames("Birte Harms")) == (shown, ("name",))


@pytest.mark.parametrize(
    ("name", "shown", "hidden"),
    [
        ("Carla", "Carla", ()),
        ("Birte Harms", "Birte H…", ("harms",)),
        ("Frau Müller", "Frau M…", ("müller",)),
        ("Dr. Anna Maria Müller", "Dr. Anna M… M…", ("müller", "maria")),
        ("Müller, Anna", "M…, Anna", ("müller",)),
        ("Kim Ng", "Kim N…", ()),
        ("kim@example.org", "k…@…", ()),
        ("", "", ()),
    ],
)
def test_names(name: str, shown: str, hidden: tuple[str, ...]) -> None:
    assert (mask_name(name).text, surnames(name)) == (shown, hidden)
    assert mask_name(shown).text == shown


def test_fields() -> None:
    assert mask_email("carla@example.org") == ("c…@…", ("email",))
    assert mask_email("") == ("", ())
    assert [mask_file(name).text for name in ("Harms.pdf", "harms", "a.b.c.jpeg", "x.verylong")] == [
        "….pdf",
        "…",
        "….jpeg",
        "…",
    ]
    assert masking.kinds_of(("phone", "name"), ["file"]) == ["name", "phone", "file"]


WORDS = ["geboren", "Tel.", "Harms", "…", "@"]
PIECES = st.sampled_from(
    [
        *corpus.PHONES,
        *corpus.EMAILS,
        *corpus.ADDRESSES,
        *corpus.BIRTHS,
        *corpus.PLAIN,
        *corpus.NUMBERS,
        *WORDS,
    ]
)
GAPS = [" ", ", ", "\n"]
PARTS = st.lists(st.one_of(PIECES, st.text(alphabet="aB1290 .,-/+()@:\n…ßstr", max_size=12)), max_size=8)
TEXTS = PARTS.flatmap(lambda parts: st.sampled_from(["", *GAPS]).map(lambda gap: gap.join(parts)))
# Each in a line of its own: what is hidden beside other words can leave a number that then looks like another one's.
WRITTEN = st.lists(PIECES, max_size=8).map(".\n".join)


@settings(max_examples=300)
@given(WRITTEN)
@example("Hauptstraße 12, 10115 Berlin+49 171 2345617")
def test_it_is_idempotent_and_touches_nothing_else(text: str) -> None:
    names = surnames("Birte Harms")
    found = spans(text, names)
    masked = mask(text, names).text
    begins, ends = [0, *(one.end for one in found)], [*(one.start for one in found), len(text)]
    outside = [re.escape(text[begin:end]) for begin, end in zip(begins, ends, strict=True)]
    assert re.fullmatch("(?s:.*?)".join(outside), masked)
    assert all(one.end <= other.start for one, other in pairwise(found))
    assert mask(masked, names).text == masked
