"""The console and its commands over HTTP: what each may see, and what a click does, with and without JavaScript."""

from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db.models.functions import Now
from django.test import Client

from agents.models import LedgerEntry, Shift, User
from dispatch import desk, presence, resolving
from dispatch.models import Offer, OfferState
from tests.cast import PASSWORD, World
from tests.console import Person, text_of
from tickets.conversation import customer_reply
from tickets.models import Attachment, Message

pytestmark = pytest.mark.django_db(transaction=True)


# --- Who sees it ------------------------------------------------------------------------------------------------------


def test_the_console_is_for_agents(world: World) -> None:
    assert Client().get("/console/").headers["Location"] == "/accounts/login/?next=/console/"
    client = Client()
    client.force_login(User.objects.create_user("nobody@team.example", PASSWORD))
    refused = client.get("/console/")
    assert refused.status_code == 403
    assert "This account is not an agent" in text_of(refused)
    client.force_login(User.objects.create_user("lead@team.example", PASSWORD, is_staff=True))
    assert client.get("/console/").headers["Location"] == "/admin/"


def test_logging_in_leads_to_the_console(world: World) -> None:
    world.agent("Anna")
    client = Client()
    sent = {"login": "anna@agents.example", "password": PASSWORD}
    assert client.post("/accounts/login/", sent).headers["Location"] == "/console/"
    assert client.get("/console/").status_code == 200


@pytest.mark.parametrize(
    ("path", "status"),
    [("shift/online", 401), ("offers/1/accept", 401), ("tickets/abc/reply", 401), ("news", 401)],
)
def test_commands_of_strangers_change_nothing(world: World, path: str, status: int) -> None:
    answer = Client().post(f"/console/{path}", headers={"accept": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (status, "signed_out")
    assert Client().post(f"/console/{path}").headers["Location"] == "/accounts/login/"
    assert Client().get(f"/console/{path}").status_code == 405


def test_commands_want_the_form_token(world: World) -> None:
    anna = Person(world, "Anna")
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(anna.agent.user)
    assert strict.post("/console/shift/online").status_code == 403
    assert not Shift.objects.exists()


# --- Presence ---------------------------------------------------------------------------------------------------------


def test_the_switch(world: World) -> None:
    anna = Person(world, "Anna")
    assert "You are offline. Go online to get offers." in text_of(anna.get())
    for action, state in (
        ("online", "online"),
        ("pause", "paused"),
        ("finish", "finishing"),
        ("online", "online"),
    ):
        assert anna.fetch(f"shift/{action}", epoch=1).status_code == 200
        assert Shift.objects.get().state == state
    assert "Nothing waiting right now. We will ring." in text_of(anna.get())
    answer = anna.fetch("shift/offline", {f"agent:{anna.agent.pk}": 4}, epoch=1).json()
    assert [frame["type"] for frame in answer["frames"]] == ["shift.changed"]
    assert 'data-state="offline"' in answer["frames"][0]["html"]
    assert Shift.objects.get().state == "ended"
    assert anna.fetch("shift/dance").status_code == 404


def test_without_javascript_the_switch_leads_back_to_the_page(world: World) -> None:
    anna = Person(world, "Anna")
    page = anna.post("shift/online")
    assert page.redirect_chain == [("/console/", 302)]  # type: ignore[attr-defined]
    assert 'data-state="online"' in text_of(page)


def test_an_old_epoch_is_refused_in_words(world: World) -> None:
    anna = Person(world, "Anna").online()
    presence.go_offline(agent_id=anna.agent.pk, epoch=1)
    anna.online()
    answer = anna.fetch("shift/pause", epoch=1)
    assert (answer.status_code, answer.json()["code"]) == (409, "shift_ended")
    assert Shift.objects.get(epoch=2).state == "online"
    page = anna.post("shift/pause", epoch=1)
    assert page.status_code == 200
    assert "This shift has ended; its tickets were passed on." in text_of(page)


def test_who_is_not_admitted_is_told(world: World) -> None:
    anna = Person(world, "Anna")
    anna.agent.status = "applied"
    anna.agent.save()
    assert anna.fetch("shift/online").json()["code"] == "not_admitted"
    assert anna.get()["Location"] == "/learn/"  # where they see what is missing


def test_after_a_missed_offer_one_click_returns(world: World) -> None:
    anna = Person(world, "Anna").online()
    Shift.objects.update(state="paused", reason="missed_offer")
    assert "You missed an offer, so we paused you. One click returns." in text_of(anna.get())
    anna.post("shift/online")
    assert Shift.objects.get().state == "online"


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("lease", "Your connection was lost for too long"),
        ("forced", "Your shift was ended by your team."),
        ("finished", "You had finished, so your shift ended."),
    ],
)
def test_how_a_shift_ended_is_said(world: World, reason: str, words: str) -> None:
    anna = Person(world, "Anna").online()
    presence.go_offline(agent_id=anna.agent.pk, epoch=anna.epoch)
    Shift.objects.update(end_reason=reason)
    assert words in text_of(anna.get())


# --- Offers -----------------------------------------------------------------------------------------------------------


def test_the_card_shows_the_pay_and_no_identity(world: World) -> None:
    anna = Person(world, "Anna").online()
    anna.offered(text="Where is my refund? I am carla@private.example")
    page = text_of(anna.get())
    assert "€4.00" in page
    assert "Refund" in page
    assert "A no changes neither pay, hours, quality nor access." in page
    assert "How often you say yes counts only for who is asked first." in page
    assert "Carla" not in page
    assert "carla@customers.example" not in page


def test_in_german(world: World) -> None:
    anna = Person(world, "Anna", language="de").online()
    anna.offered()
    page = text_of(anna.get())
    assert "4,00\xa0€" in page
    assert "Erstattung" in page
    assert "Ein Nein ändert nichts an Bezahlung, Zeiten, Qualität und Zugang." in page


def test_accepting_brings_the_ticket(world: World) -> None:
    anna = Person(world, "Anna").online()
    offer = anna.offered()
    answer = anna.fetch(f"offers/{offer.pk}/accept", {f"agent:{anna.agent.pk}": 2})
    assert answer.status_code == 200
    frames = answer.json()["frames"]
    assert [(frame["stream"], frame["type"]) for frame in frames] == [
        (f"agent:{anna.agent.pk}", "offer.accepted"),
        (offer.ticket.stream, "snapshot"),
    ]
    assert f'id="thread-{offer.ticket.public_id}"' in frames[0]["html"]
    again = anna.fetch(f"offers/{offer.pk}/accept")
    assert again.status_code == 200  # a double click is one acceptance
    offer.refresh_from_db()
    assert offer.state == OfferState.ACCEPTED


def test_accepting_too_late_is_a_notice_and_closes_the_card(world: World) -> None:
    anna = Person(world, "Anna").online()
    offer = anna.offered()
    Offer.objects.update(expires_at=offer.made_at)
    answer = anna.fetch(f"offers/{offer.pk}/accept", {f"agent:{anna.agent.pk}": 1})
    assert (answer.status_code, answer.json()["code"]) == (410, "offer_expired")
    assert f"offer-{offer.pk}" not in answer.json()["frames"][-1]["html"]
    page = anna.post(f"offers/{offer.pk}/accept")
    assert page.status_code == 200
    assert "The time to answer this offer has passed." in text_of(page)


def test_declining_frees_and_nothing_follows(world: World) -> None:
    anna = Person(world, "Anna").online()
    offer = anna.offered()
    assert anna.fetch(f"offers/{offer.pk}/decline", reason="time").status_code == 200
    offer.refresh_from_db()
    assert (offer.state, offer.reason) == (OfferState.DECLINED, "time")
    shift = Shift.objects.get()
    assert (shift.state, shift.units_taken) == ("online", 0)


def test_somebody_elses_offer_is_not_found(world: World) -> None:
    anna = Person(world, "Anna").online()
    offer = anna.offered()
    bernd = Person(world, "Bernd").online()
    for answer in ("accept", "decline"):
        assert bernd.fetch(f"offers/{offer.pk}/{answer}").json()["code"] == "offer_not_found"
    offer.refresh_from_db()
    assert offer.state == OfferState.PENDING


# --- Desk -------------------------------------------------------------------------------------------------------------


def test_reply_note_and_resolve(world: World) -> None:
    anna = Person(world, "Anna").online()
    ticket = anna.holding()
    path = f"tickets/{ticket.public_id}"
    after = {f"agent:{anna.agent.pk}": 3, ticket.stream: 4}
    answer = anna.fetch(f"{path}/reply", after, body="Hello <b>Carla</b>", key="k1").json()
    assert [frame["type"] for frame in answer["frames"]] == ["message.posted"]
    assert "Hello &lt;b&gt;Carla&lt;/b&gt;" in answer["frames"][0]["html"]
    assert anna.fetch(f"{path}/reply", body="Hello <b>Carla</b>", key="k1").status_code == 200
    assert anna.fetch(f"{path}/note", body="Only for us", key="k2").status_code == 200
    assert [(message.body, message.internal) for message in Message.objects.order_by("seq")][1:] == [
        ("Hello <b>Carla</b>", False),
        ("Only for us", True),
    ]
    page = text_of(anna.get(f"/console/?ticket={ticket.public_id}"))
    assert "Only for us" in page
    assert "carla@customers.example" not in page
    done = anna.fetch(f"{path}/resolve", {f"agent:{anna.agent.pk}": 3}).json()
    assert [frame["type"] for frame in done["frames"]] == ["offer.completed", "ledger.credited"]
    assert LedgerEntry.objects.get().amount_cents == 400


def test_send_and_resolve_repeats_safely(world: World) -> None:
    anna = Person(world, "Anna").online()
    ticket = anna.holding()
    for _ in range(2):
        answer = anna.fetch(
            f"tickets/{ticket.public_id}/reply", body="It is on its way.", then="resolve", key="once"
        )
        assert answer.status_code == 200
    Offer.objects.update(resolves_at=Now())
    assert (resolving.look(), resolving.look()) == (1, 0)
    ticket.refresh_from_db()
    assert ticket.state == "resolved"
    assert Message.objects.filter(body="It is on its way.").count() == 1
    assert LedgerEntry.objects.count() == 1


def test_without_javascript_a_form_is_enough(world: World) -> None:
    anna = Person(world, "Anna").online()
    ticket = anna.holding()
    page = anna.post(f"tickets/{ticket.public_id}/reply", body="Hello", then="")
    assert page.redirect_chain == [(f"/console/?ticket={ticket.public_id}", 302)]  # type: ignore[attr-defined]
    assert "Hello" in text_of(page)
    page = anna.post(f"tickets/{ticket.public_id}/reply", body="  ")
    assert "Please write a message." in text_of(page)


def test_hand_back_says_no_free_words_to_the_customer(world: World) -> None:
    anna = Person(world, "Anna").online()
    ticket = anna.holding()
    anna.fetch(f"tickets/{ticket.public_id}/hand-back", reason="this customer is a pain")
    ticket.refresh_from_db()
    assert ticket.state == "waiting"
    assert ticket.events.get(type="ticket.released").data == {"reason": "handed_back"}
    assert ticket.public_id not in text_of(anna.get())


@pytest.mark.parametrize("command", ["reply", "note", "resolve", "hand-back"])
def test_somebody_elses_ticket_and_none_at_all_are_refused_alike(world: World, command: str) -> None:
    anna = Person(world, "Anna").online()
    ticket = anna.holding()
    bernd = Person(world, "Bernd").online()
    for public_id in (ticket.public_id, "nosuchticket"):
        answer = bernd.fetch(f"tickets/{public_id}/{command}", body="Mine?")
        assert (answer.status_code, answer.json()["code"]) == (403, "not_holder")
    ticket.refresh_from_db()
    assert ticket.state == "held"
    assert Message.objects.count() == 1


def test_the_customer_closing_is_told(world: World) -> None:
    anna = Person(world, "Anna").online()
    ticket = anna.holding()
    from tickets.lifecycle import ticket_close

    ticket_close(ticket=ticket)
    frames = anna.fetch("news", {f"agent:{anna.agent.pk}": 3}).json()["frames"]
    assert [frame["type"] for frame in frames] == ["offer.completed", "ledger.credited"]
    assert (
        f"{ticket.number}: the customer has closed the ticket. It counts as done and is paid."
        in frames[0]["html"]
    )


def test_files_are_for_the_holder_and_never_run(world: World, settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path
    anna = Person(world, "Anna").online()
    ticket = anna.holding()
    message = customer_reply(ticket=ticket, body="See here")
    file = Attachment.objects.create(
        message=message,
        file=ContentFile(b"<script>alert(1)</script>", name="stored"),
        name="bill.html",
        content_type="text/html",
        size=25,
        sha256="0" * 64,
    )
    path = f"/console/tickets/{ticket.public_id}/files/{file.pk}"
    assert path in text_of(anna.get())
    answer = anna.get(path)
    assert answer.headers["Content-Disposition"] == 'attachment; filename="file.html"'
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "no-store" in answer.headers["Cache-Control"]
    assert Person(world, "Bernd").get(path).status_code == 404
    assert anna.get(f"/console/tickets/otherticket1/files/{file.pk}").status_code == 404
    desk.resolve(agent=anna.agent, epoch=anna.epoch, ticket_id=ticket.pk)
    assert anna.get(path).status_code == 404


@pytest.mark.parametrize("after", ["{", "[]", '{"agent:1": "x"}', '{"agent:1": -5}', "[" * 5000, "9" * 9000])
def test_numbers_that_cannot_be_read_count_as_unknown(world: World, after: str) -> None:
    anna = Person(world, "Anna")
    answer = anna.client.post(
        "/console/news", {"after": after, "epoch": "x" * 50}, headers={"accept": "application/json"}
    )
    assert [frame["type"] for frame in answer.json()["frames"]] == ["snapshot"]


def test_news_renew_the_lease(world: World) -> None:
    anna = Person(world, "Anna").online()
    from agents.models import Lease

    before = Lease.objects.get().expires_at
    anna.fetch("news")
    assert Lease.objects.get().expires_at > before


@pytest.mark.parametrize(
    "path", ["login/", "logout/", "password/reset/", "password/change/", "2fa/", "reauthenticate/", "signup/"]
)
@pytest.mark.parametrize("language", ["en", "de"])
def test_account_pages_have_our_look(world: World, path: str, language: str) -> None:
    anna = Person(world, "Anna", language=language)
    client = Client(headers={"accept-language": language}) if path in ("login/", "signup/") else anna.client
    page = client.get(f"/accounts/{path}")
    assert page.status_code == 200
    assert "css/standby.css" in text_of(page)  # type: ignore[arg-type]
    assert "<script" not in text_of(page)  # type: ignore[arg-type]
