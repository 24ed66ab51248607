"""The private link: what it opens, and what it does not."""

from datetime import timedelta

import pytest
from django.db.models.functions import Now

from tests.cast import World
from tests.stack import run_manage
from tickets import returning
from tickets.access import TOKEN_LENGTH, link_path, ticket_by_token, token_of
from tickets.errors import TicketNotFound
from tickets.models import Customer, Ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def ticket(world: World) -> Ticket:
    return world.ticket()


def test_the_link_opens_its_ticket(ticket: Ticket) -> None:
    assert link_path(ticket) == f"/t/{ticket.public_id}/#{token_of(ticket)}"
    assert len(token_of(ticket)) == TOKEN_LENGTH
    assert ticket_by_token(ticket.public_id, token_of(ticket)) == ticket


def test_nothing_else_does(world: World, ticket: Ticket) -> None:
    other = world.ticket()
    token = token_of(ticket)
    for wrong in (
        "",
        "x",
        token[:-1],
        token + "A",
        token.swapcase(),
        token_of(other),
        "é" * TOKEN_LENGTH,
        "\x00" * TOKEN_LENGTH,
    ):
        with pytest.raises(TicketNotFound):
            ticket_by_token(ticket.public_id, wrong)
    with pytest.raises(TicketNotFound):
        ticket_by_token(other.public_id, token)
    with pytest.raises(TicketNotFound):
        ticket_by_token("nosuchticket", token)


def test_a_raised_version_withdraws_all_links(ticket: Ticket) -> None:
    token = token_of(ticket)
    Ticket.objects.update(access_version=2)
    with pytest.raises(TicketNotFound):
        ticket_by_token(ticket.public_id, token)
    ticket.refresh_from_db()
    assert token_of(ticket) != token
    assert ticket_by_token(ticket.public_id, token_of(ticket)) == ticket


def test_a_link_ends(ticket: Ticket) -> None:
    Ticket.objects.update(access_expires_at=Now() - timedelta(seconds=1))
    with pytest.raises(TicketNotFound):
        ticket_by_token(ticket.public_id, token_of(ticket))


def test_a_changed_server_key_keeps_links_while_the_old_one_is_a_fallback(
    ticket: Ticket, settings: object
) -> None:
    token, old = token_of(ticket), settings.SECRET_KEY  # type: ignore[attr-defined]
    settings.SECRET_KEY = "a new one"  # type: ignore[attr-defined]
    with pytest.raises(TicketNotFound):
        ticket_by_token(ticket.public_id, token)
    settings.SECRET_KEY_FALLBACKS = [old]  # type: ignore[attr-defined]
    assert ticket_by_token(ticket.public_id, token) == ticket


def test_a_link_that_was_mailed_before_proves_its_address_as_long(ticket: Ticket, settings: object) -> None:
    Customer.objects.update(email="carla@customers.example")
    mailed = Ticket.objects.select_related("customer").get()
    proof, old = returning.proof_of(mailed), settings.SECRET_KEY  # type: ignore[attr-defined]
    assert returning.proves(mailed, proof)
    settings.SECRET_KEY = "a new one"  # type: ignore[attr-defined]
    assert not returning.proves(mailed, proof)
    settings.SECRET_KEY_FALLBACKS = [old]  # type: ignore[attr-defined]
    assert returning.proves(mailed, proof)
    assert not returning.proves(mailed, proof[:-1] + ("A" if proof[-1] != "A" else "B"))


def test_older_keys_come_from_the_environment(settings: object) -> None:
    assert settings.SECRET_KEY_FALLBACKS == []  # type: ignore[attr-defined]
    environment = {"DATABASE_URL": "postgres:///none", "REDIS_URL": "unix:///none", "SECRET_KEY": "x"}
    told = run_manage(environment | {"SECRET_KEY_FALLBACKS": "older, oldest"}, "diffsettings")
    assert "SECRET_KEY_FALLBACKS = ['older', 'oldest']" in told


def test_the_token_is_nowhere_in_the_database(ticket: Ticket) -> None:
    row = Ticket.objects.values().get(pk=ticket.pk)
    assert token_of(ticket) not in repr(row)
