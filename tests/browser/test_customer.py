"""The customer in a real Chromium: from the form to the rating, on a phone, live; the private link; drafts; WCAG."""

import json

import pytest
from playwright.sync_api import Page, Route, expect

from tests.backstage import Backstage
from tests.browser.looks import fits, violations
from tests.conftest import NewPage
from tests.stack import LiveStack

pytestmark = [pytest.mark.browser, pytest.mark.servers]

# Anna is online just for the time of a command.
ANNA = """
from agents.models import Agent, Shift
from dispatch import desk, presence
from dispatch.models import Offer
from dispatch.offers import offer_accept
from tickets.models import Ticket
anna = Agent.objects.get(name="Anna")
ticket = Ticket.objects.get(public_id={ticket!r})
"""
ACCEPT = """
shift = presence.go_online(agent_id=anna.pk)
offer_accept(offer_id=pending(ticket=ticket).pk, agent_id=anna.pk, epoch=shift.epoch)
desk.reply(agent=anna, epoch=shift.epoch, ticket_id=ticket.pk, body="Guten Tag Carla, ich sehe nach.")
"""
RESOLVE = """
shift = Shift.objects.get(agent=anna, ended_at=None)
desk.resolve(agent=anna, epoch=shift.epoch, ticket_id=ticket.pk)
presence.go_offline(agent_id=anna.pk, epoch=shift.epoch)
"""


@pytest.fixture(autouse=True)
def people(backstage: Backstage) -> None:
    backstage.run("world.agent('Anna')")


def anna(backstage: Backstage, ticket: str, does: str) -> None:
    backstage.run(ANNA.format(ticket=ticket) + does)


def opened(page: Page, text: str = "Meine Rückzahlung ist noch nicht angekommen.") -> str:
    """Fill in the German form and send it; returns the ticket's public id."""
    page.goto("/")
    page.get_by_label("Wie können wir Ihnen helfen?").fill(text)
    page.get_by_role("button", name="An einen Menschen senden").click()
    page.wait_for_url("**/t/*/")
    return page.url.rstrip("/").rpartition("/")[2]


def connected(page: Page) -> None:
    """Wait until the socket brings frames."""
    expect(page.locator("#chat")).to_have_attribute("data-live", "connected")


def test_from_the_form_to_the_rating_on_a_phone(new_page: NewPage, backstage: Backstage) -> None:
    page = new_page(size="phone", locale="de")
    ticket = opened(page)
    expect(page.get_by_role("heading", level=1)).to_contain_text("Ticket S-")
    connected(page)
    thread, status = page.locator("#thread"), page.locator("#status")

    page.get_by_role("button", name="Mit einem Menschen sprechen").click()
    expect(page.locator("#human")).to_contain_text("Mensch angefragt")

    anna(backstage, ticket, ACCEPT)
    expect(status).to_contain_text("Anna ist bei Ihnen")
    expect(thread.locator(".message-agent")).to_have_count(1)

    page.get_by_label("Ihre Nachricht").fill("Die Nummer ist 48213.")
    page.get_by_label("Ihre Nachricht").press("Control+Enter")
    expect(thread.get_by_text("Die Nummer ist 48213.")).to_have_count(1)
    expect(thread.locator("[data-status]")).to_have_count(0)
    expect(page.get_by_label("Ihre Nachricht")).to_have_value("")
    page.wait_for_timeout(500)  # what the socket brings is the same message, and not a second one
    expect(thread.get_by_text("Die Nummer ist 48213.")).to_have_count(1)

    anna(backstage, ticket, RESOLVE)
    expect(page.get_by_role("heading", name="Wie war es?")).to_be_in_viewport()
    page.get_by_role("radio", name="Nein").check()
    page.get_by_role("radio", name="2 von 5").check()
    page.get_by_role("button", name="Bewertung senden").click()
    expect(page.get_by_text("Es tut uns leid, dass es nicht gut gelaufen ist.")).to_be_visible()
    page.get_by_label("Ist noch etwas offen?").fill("Das Geld ist nicht da.")
    page.get_by_role("button", name="Ticket wieder öffnen").click()
    expect(thread.get_by_text("Das Geld ist nicht da.")).to_have_count(1)
    expect(page.get_by_label("Ihre Nachricht")).to_have_value("")
    fits(page)


def test_the_private_link_opens_in_another_browser(new_page: NewPage) -> None:
    first = new_page(size="phone", locale="de")
    ticket = opened(first, "Das ist nur für mich.")
    link = first.locator("#link").input_value()
    second = new_page(locale="en")
    second.goto(link)
    expect(second.locator("#thread")).to_contain_text("Das ist nur für mich.")
    assert second.url.endswith(f"/t/{ticket}/")
    second.reload()
    expect(second.locator("#thread")).to_contain_text("Das ist nur für mich.")


def test_a_wrong_link_says_so(new_page: NewPage) -> None:
    ticket = opened(new_page(locale="de"))
    page = new_page(allowed=["status of 404"])
    page.goto(f"/t/{ticket}/#" + "A" * 43)
    expect(page.get_by_role("heading", level=1)).to_contain_text("We found no ticket under this link.")
    assert "AAAA" not in page.url


def test_what_is_typed_survives(new_page: NewPage) -> None:
    page = new_page(locale="de")
    opened(page)
    page.get_by_label("Ihre Nachricht").fill("Halb geschrieben")
    page.reload()
    expect(page.get_by_label("Ihre Nachricht")).to_have_value("Halb geschrieben")


def test_a_message_written_offline_is_sent_once_when_back(new_page: NewPage, stack: LiveStack) -> None:
    page = new_page(locale="de", allowed=["ERR_INTERNET_DISCONNECTED", "WebSocket"])
    ticket = opened(page)
    connected(page)
    page.context.set_offline(True)
    page.get_by_label("Ihre Nachricht").fill("Aus dem Tunnel")
    page.get_by_role("button", name="Senden", exact=True).click()
    expect(page.locator("[data-status=failed]")).to_contain_text("Nicht gesendet.")
    page.context.set_offline(False)
    expect(page.locator("#thread .message:not([data-status])", has_text="Aus dem Tunnel")).to_have_count(1)
    expect(page.locator("[data-status]")).to_have_count(0)
    sent = stack.sql(
        "SELECT count(*) FROM tickets_message JOIN tickets_ticket t ON t.id = ticket_id WHERE public_id = %s AND body = %s",
        [ticket, "Aus dem Tunnel"],
    )
    assert sent == [(1,)]


def test_a_first_request_that_fails_after_coming_back_is_not_the_last(new_page: NewPage) -> None:
    page = new_page(locale="de", allowed=["ERR_INTERNET_DISCONNECTED", "ERR_FAILED", "WebSocket"])
    opened(page)
    connected(page)
    page.context.set_offline(True)
    page.get_by_label("Ihre Nachricht").fill("Aus dem Tunnel")
    page.get_by_role("button", name="Senden", exact=True).click()
    expect(page.locator("[data-status=failed]")).to_have_count(1)
    failed: list[str] = []

    def fail(route: Route) -> None:
        failed.append(route.request.method)
        route.abort()

    page.route("**/messages", fail, times=1)
    page.context.set_offline(False)
    expect(page.locator("#thread .message:not([data-status])", has_text="Aus dem Tunnel")).to_have_count(1)
    assert failed == ["POST"]


def test_all_goes_without_the_socket(new_page: NewPage, stack: LiveStack) -> None:
    page = new_page(locale="de")
    page.route_web_socket("**/ws/**", lambda socket: socket.close())
    ticket = opened(page)
    expect(page.locator("#connection")).to_contain_text("Die Verbindung ist unterbrochen.")
    page.get_by_label("Ihre Nachricht").fill("Geht es trotzdem?")
    page.get_by_role("button", name="Senden", exact=True).click()
    expect(page.locator("#thread").get_by_text("Geht es trotzdem?")).to_have_count(1)
    stack.sql(
        "WITH t AS (UPDATE tickets_ticket SET last_seq = last_seq + 1 WHERE public_id = %s RETURNING id, last_seq) "
        "INSERT INTO tickets_ticketevent (ticket_id, seq, type, data, public, digest) "
        "SELECT id, last_seq, 'ticket.human_requested', '{}', true, '' FROM t",
        [ticket],
    )
    expect(page.locator("#thread .event")).to_contain_text("Sie haben um einen Menschen gebeten")


def test_a_double_click_opens_one_ticket(new_page: NewPage, stack: LiveStack) -> None:
    page = new_page(locale="de")
    page.goto("/")
    page.get_by_label("Wie können wir Ihnen helfen?").fill("Zweimal gedrückt")
    page.get_by_role("button", name="An einen Menschen senden").dblclick()
    page.wait_for_url("**/t/*/")
    assert stack.sql("SELECT count(*) FROM tickets_ticket WHERE summary = 'Zweimal gedrückt'") == [(1,)]


def test_it_works_without_scripts(new_page: NewPage) -> None:
    page = new_page(locale="de", java_script_enabled=False)
    opened(page)
    page.get_by_label("Ihre Nachricht").fill("Ohne Skript")
    page.get_by_role("button", name="Senden", exact=True).click()
    expect(page.locator("#thread")).to_contain_text("Ohne Skript")
    page.get_by_role("button", name="Mit einem Menschen sprechen").click()
    expect(page.locator("#human")).to_contain_text("Mensch angefragt")
    page.get_by_role("button", name="Ich brauche nichts mehr").click()
    expect(page.locator("#status")).to_contain_text("Geschlossen")
    page.get_by_role("button", name="Ticket wieder öffnen").click()
    expect(page.get_by_label("Ihre Nachricht")).to_be_visible()


@pytest.mark.parametrize("color_scheme", ["light", "dark"])
@pytest.mark.parametrize("size", ["phone", "desk"])
def test_axe_finds_nothing(new_page: NewPage, size: str, color_scheme: str) -> None:
    page = new_page(
        size=size, locale="de", color_scheme=color_scheme, bypass_csp=True, allowed=["status of 422"]
    )
    page.goto("/")
    found = violations(page)
    page.get_by_role("button", name="An einen Menschen senden").click()
    expect(page.locator("#errors")).to_be_focused()
    found += violations(page)
    opened(page)
    found += violations(page)
    page.get_by_role("button", name="Ich brauche nichts mehr").click()
    expect(page.locator("#status")).to_contain_text("Geschlossen")
    found += violations(page)
    page.context.clear_cookies()
    page.reload()
    found += violations(page)
    assert not found, json.dumps(found, indent=2, ensure_ascii=False)
