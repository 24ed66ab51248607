"""Scripted customers: what they hear, what they say, what is met. Pure."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from dispatch.rules.practice import Point, Script, answer, heard, met, words_of

ORDER = Point(words_of("order number\norder id"), "K-7731.")
PAUSE = Point(words_of("paus bill"))
CARD = Point(words_of("card number"), "Rather not.", avoid=True)
SCRIPT = Script([ORDER, PAUSE, CARD], unclear="What?", thanks="Thanks!")


def test_words_are_alternatives_by_line_and_beginnings() -> None:
    assert words_of(" Order  number \n\n – \nORDER id") == (("order", "number"), ("order", "id"))
    assert heard(SCRIPT.points, ["Your NUMBER of the order?"]) == {0}
    assert heard(SCRIPT.points, ["Your order IDs?"]) == {0}
    assert heard(SCRIPT.points, ["Your order?", "Which number?"]) == set()  # one message must have all
    assert heard(SCRIPT.points, ["The reorder number"]) == set()  # a beginning, not any part
    assert heard([Point(words_of("straße"))], ["In der Hauptstr., STRASSE?"]) == {0}
    assert heard([Point(words_of("rückgabe"))], ["Ru\u0308ckgaben"]) == {0}  # composed or not


def test_the_talk_goes_its_way() -> None:
    said: list[str] = []

    def to(*now: str) -> str:
        words = answer(SCRIPT, said, now)
        said.extend(now)
        return words

    assert to("Hello, how are you?") == "What?"
    assert to("Your order number?", "And your card number?") == "K-7731.\nRather not."
    assert to("Your order number again?") == "What?"
    assert to("I pause the bill.") == "Thanks!"
    assert to("You are welcome.") == ""
    assert met(SCRIPT.points, said) == [True, True, False]


def test_all_at_once_and_nothing_at_all() -> None:
    assert answer(SCRIPT, [], ["Order number? I pause the bill."]) == "K-7731.\nThanks!"
    assert answer(Script([], "What?", "Thanks!"), [], ["Hello"]) == "Thanks!"
    assert met(SCRIPT.points, []) == [False, False, False]
    assert met(SCRIPT.points, ["Hello"]) == [False, False, True]


WORDS = st.sampled_from(["order", "number", "id", "pause", "bill", "card", "Hello", "ü", "7"])
TEXTS = st.lists(st.lists(WORDS, max_size=5).map(" ".join), max_size=6)
POINTS = st.lists(
    st.builds(Point, st.sampled_from([words_of("order number"), words_of("bill\nid"), words_of("card")]),
              st.sampled_from(["", "Yes."]), st.booleans()),
    max_size=4,
)  # fmt: skip


@given(POINTS, TEXTS, TEXTS)
def test_what_is_heard_only_grows(points: Sequence[Point], before: list[str], now: list[str]) -> None:
    assert heard(points, before) <= heard(points, [*before, *now])
    assert heard(points, [text.upper() for text in before]) == heard(points, before)


@given(POINTS, TEXTS)
def test_thanks_are_said_once_and_every_message_before_is_answered(
    points: Sequence[Point], said: list[str]
) -> None:
    script = Script(points, unclear="What?", thanks="Thanks!")
    answers = [answer(script, said[:place], [text]) for place, text in enumerate(said)]
    thanks = [place for place, text in enumerate(answers) if "Thanks!" in text]
    assert len(thanks) <= 1
    assert all(answers[: thanks[0] + 1 if thanks else None])
    wanted = {place for place, point in enumerate(points) if not point.avoid}
    assert bool(thanks) == (bool(said) and wanted <= heard(points, said))
