"""The limits, pure: words with endings and gaps, shouting, repeating, languages; the curve and its intervals."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tickets.assistant.calibrate import Trial, cross_fitted, curve_of, figures, score, threshold, wilson
from tickets.assistant.limits import (
    KINDS,
    Limits,
    Talk,
    limit,
    plain,
    repeats,
    rules_of,
    shouts,
    unknown_language,
    verdict,
)
from tickets.assistant.rules import built_in
from tickets.assistant.words import SAYS, Quoted, compose, passage

BUILT_IN = rules_of((kind, phrases) for (kind, _language), phrases in built_in().items())


def test_a_star_is_any_ending_and_dots_are_up_to_three_words() -> None:
    rules = rules_of([("fraud", "hack*\nclaim … nothing\n…\n\n *")])
    assert [bool(rules["fraud"].search(plain(text))) for text in (
        "HACKED!", "the hack", "shack", "they claim that i said nothing", "claim nothing", "claim a b c d nothing",
    )] == [True, True, False, True, True, False]  # fmt: skip


def test_every_kind_has_words_in_both_languages() -> None:
    assert {kind for kind, _language in built_in()} == set(KINDS)
    assert len(built_in()) == 2 * len(KINDS)
    for language in ("en", "de"):
        assert len(built_in()["person", language].splitlines()) >= 20


@pytest.mark.parametrize(
    "text", ["Würde gern wissen, wann das Geld kommt", "Is my parcel here yet? It's late"]
)
def test_a_plain_question_reaches_no_limit(text: str) -> None:
    assert limit(Talk(text), Limits(), BUILT_IN) is None


@pytest.mark.parametrize(
    ("talk", "why"),
    [
        (Talk("Where is it?", files=True), "file"),
        (Talk("Where is it?", not_helped=2), "not_helped"),
        (Talk("Where is it? " * 100), "long"),
        (Talk("Where is it?", minutes=20.1), "lasting"),
        (Talk("where is my blue parcel", before=("Where is my blue parcel?",)), "repeats"),
        (Talk("Gdzie jest moja paczka prosze pana"), "language"),
        (Talk("?!"), "language"),
    ],
)
def test_how_it_goes_is_a_limit_too(talk: Talk, why: str) -> None:
    assert limit(talk, Limits(), BUILT_IN) == why


def test_shouting_and_repeating() -> None:
    assert [shouts(text) for text in ("Hello!!!", "WHERE IS MY MONEY NOW", "My IBAN, please!", "HELLO")] == [
        True, True, False, False,
    ]  # fmt: skip
    assert not repeats("ok", ["ok"])
    assert not unknown_language("Refund order 1234?")


@pytest.mark.parametrize(
    ("said", "means"),
    [("Ja, danke!", True), ("thanks that helped a lot", True), ("No.", False), ("Nein, leider nicht", False),
     ("ok", None), ("no parcel", None), ("Danke, und wo ist es?", None), ("", None), ("that did not help", False)],
)  # fmt: skip
def test_a_word_about_an_answer(said: str, means: bool | None) -> None:
    assert verdict(said) is means


@settings(max_examples=20)
@given(st.text(max_size=120))
def test_any_text_is_read(text: str) -> None:
    limit(Talk(text), Limits(), BUILT_IN)
    verdict(text)


@given(st.lists(st.builds(Trial, st.floats(0, 1), st.booleans()), max_size=60), st.floats(0.5, 1))
def test_a_curve_rises_and_keeps_its_target(trials: list[Trial], target: float) -> None:
    curve = curve_of(trials)
    assert curve == sorted(curve)
    assert all(one[1] < other[1] for one, other in pairwise(curve))
    least = threshold(curve, target)
    if least is not None:
        here = figures(trials, least)
        assert here.precision is not None
        assert here.precision >= target
        assert score(curve, least) >= target
    assert cross_fitted(trials, target).asked == len(trials)


def test_intervals_are_wilsons() -> None:
    low, high = wilson(9, 10)
    assert (round(low, 3), round(high, 3)) == (0.596, 0.982)
    assert wilson(0, 0) == (0.0, 1.0)


def test_a_long_article_is_quoted_by_its_fitting_paragraphs() -> None:
    body = "\n\n".join(
        ["Parcels go by van. " * 20, "Refunds take five days. " * 20, "Labels are printed. " * 20]
    )
    quoted = passage(body, "how long do refunds take")
    assert "Refunds" in quoted
    assert "Labels" not in quoted or "Parcels" not in quoted
    text = compose(Quoted("T", "B.", "http://x/help/t"), "q", language="de", brand="Later", first=False)
    assert "Maschine" not in text
    assert set(SAYS["de"]) == set(SAYS["en"])
