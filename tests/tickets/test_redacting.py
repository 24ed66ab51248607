"""What an installation's own numbers look like is taken out of all that customers and agents write, before it is stored."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cast import World
from tests.stack import run_manage
from tickets.attachments import inspect
from tickets.models import Message, Ticket
from tickets.redaction import BadShape, redact, shapes

OWN = {"LC-########": "customer number", "ORD@@#####": "order", "#### / ##": "Vertragsnummer"}


@pytest.mark.parametrize(
    ("text", "becomes", "found"),
    [
        ("My number is LC-12345678.", "My number is [customer number].", ("shape",)),
        ("lc-12345678, ordAB12345", "[customer number], [order]", ("shape",)),
        ("Vertrag 2023 / 17!", "Vertrag [Vertragsnummer]!", ("shape",)),
        ("LC-123456789", "LC-123456789", ()),  # one more digit: something else
        ("xLC-12345678", "xLC-12345678", ()),
        ("LC-1234567", "LC-1234567", ()),
        (
            "LC-12345678 and 4111 1111 1111 1111",
            "[customer number] and [card …1111]",
            ("card", "shape"),
        ),
        ("nothing", "nothing", ()),
    ],
)
def test_own_shapes_go_too(text: str, becomes: str, found: tuple[str, ...]) -> None:
    own = shapes(OWN)
    assert (redact(text, own).text, redact(text, own).found) == (becomes, found)


@given(st.text(alphabet="LC-ORDord 0123456789/[]ab", max_size=60))
def test_once_is_enough_and_without_shapes_nothing_changes(text: str) -> None:
    own = shapes(OWN)
    once = redact(text, own).text
    assert redact(once, own).text == once
    assert redact(text, shapes({})) == redact(text)


@pytest.mark.parametrize(
    "wanted",
    [
        {"##": "x"}, {"@@@@": "word"}, {"LC-12": "x"}, {"LC-####\\d+": "x"}, {"#" * 41: "x"}, {"LC-####": ""},
        {"LC-####": "no 4111"}, {"LC-####": "[x]"},
    ],
)  # fmt: skip
def test_a_shape_that_hides_too_much_is_refused(wanted: dict[str, str]) -> None:
    with pytest.raises(BadShape):
        shapes(wanted)


@pytest.mark.django_db
def test_before_anything_is_stored(world: World, settings: Any) -> None:
    settings.REDACT_SHAPES = OWN
    ticket = world.ticket("Where is the refund of LC-12345678?")
    assert Message.objects.get(ticket=ticket).body == "Where is the refund of [customer number]?"
    assert "12345678" not in Ticket.objects.get(pk=ticket.pk).summary
    file = inspect("ORDAB12345.txt", b"I am LC-12345678")
    assert (file.name, file.content) == ("[order].txt", b"I am [customer number]")


def test_a_wrong_setting_is_said_at_the_start() -> None:
    environment = {"DATABASE_URL": "postgres:///none", "REDIS_URL": "unix:///none", "SECRET_KEY": "x"}
    with pytest.raises(AssertionError, match="REDACT_SHAPES: '##' wants 3 to 40 signs"):
        run_manage(environment | {"REDACT_SHAPES": "##=x"}, "check")
