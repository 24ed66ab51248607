"""Canned replies: which fit a ticket, what is put in for variables, and that none is ever sent as a variable."""

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from tests.cast import World
from tickets import canned
from tickets.models import CannedReply, Customer, Ticket
from tickets.variables import KNOWN, filled, left, unknown

VALUES = {"customer": "Carla", "number": "S-1", "agent": "Anna", "topic": "Refund"}


def reply(title: str, body: str = "Hello", language: str = "en", **more: object) -> CannedReply:
    return CannedReply.objects.create(title=title, body=body, language=language, **more)


@pytest.mark.django_db
def test_those_of_the_language_and_topic_fit_the_topics_first(world: World) -> None:
    reply("Bye")
    reply("About refunds", topic=world.refund)
    reply("About cards", topic=world.card)
    reply("Auf Wiedersehen", language="de")
    reply("Old", active=False)
    assert [one["title"] for one in canned.replies(world.ticket(), "Anna")] == ["About refunds", "Bye"]


@pytest.mark.django_db
def test_variables_are_put_in_and_what_is_not_known_stays_to_be_seen(world: World) -> None:
    reply("Hello", "Hello {customer}, {agent} here, about {number} ({topic}).")
    ticket = world.ticket()
    [one] = canned.replies(ticket, "Anna")
    assert one["text"] == f"Hello Carla, Anna here, about {ticket.number} (Refund)."
    Customer.objects.update(name="")
    [one] = canned.replies(Ticket.objects.get(), "Anna")
    assert one["text"].startswith("Hello {customer}, Anna")


@pytest.mark.django_db
def test_an_unknown_variable_cannot_be_saved_and_is_never_offered(world: World) -> None:
    with pytest.raises(ValidationError, match=r"\{phone\}"):
        CannedReply(title="Call", body="Call {phone} or {agent}", language="en").full_clean()
    reply("Imported", "Call {phone}")
    assert canned.replies(world.ticket(), "Anna") == []


def test_a_value_is_never_read_for_variables() -> None:
    assert filled("Hello {customer}", VALUES | {"customer": "{agent}"}) == "Hello {agent}"


def test_braces_that_are_no_variable_are_left_alone() -> None:
    assert left("{customer} {x} {} {customer}") == ["customer"]
    assert unknown("{customer} {x} {}") == ["x", ""]


@given(st.text(), st.sampled_from(KNOWN))
def test_nothing_is_left_when_all_is_known(text: str, name: str) -> None:
    assert left(filled(f"{text}{{{name}}}{text}", dict.fromkeys(KNOWN, "x"))) == []
