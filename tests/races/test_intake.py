"""The same form twice at once: one ticket, and both get it."""

from unittest.mock import patch

import pytest
from django.db import IntegrityError

from tests.cast import World
from tests.races.conftest import together
from tickets import intake
from tickets.errors import KeyReused
from tickets.intake import Opened, ticket_open
from tickets.models import Channel, Customer, Message, Ticket, TicketEvent

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]


def send(key: str, text: str = "Where is my refund?") -> Opened:
    return ticket_open(text=text, channel=Channel.FORM, key=key, chosen_language="en")


def counts() -> list[int]:
    return [model.objects.count() for model in (Customer, Ticket, TicketEvent, Message)]


def test_the_same_form_sent_at_once_is_one_ticket(world: World) -> None:
    for turn in range(5):
        outcomes = together(*[lambda: send(f"k{turn}")] * 4)  # noqa: B023  run within the turn
        assert sorted(one.created for one in outcomes) == [False, False, False, True]
        assert len({one.ticket.pk for one in outcomes}) == 1
    assert counts() == [5, 5, 10, 5]


def test_another_text_under_the_key_is_refused_and_leaves_nothing(world: World) -> None:
    one, other = together(lambda: send("k"), lambda: send("k", "And my card?"))
    assert sorted([isinstance(one, KeyReused), isinstance(other, KeyReused)]) == [False, True]
    assert counts() == [1, 1, 2, 1]


def test_control_without_the_second_look_somebody_fails(world: World) -> None:
    with patch.object(intake, "_opened_before", lambda _key, _digest: None):
        outcomes = together(*[lambda: send("k")] * 4)
    assert len([one for one in outcomes if isinstance(one, IntegrityError)]) == 3
