"""The title of the first issue: form → Celery match → websocket offer → accept → chat → resolve → rating → ledger → admin.

Two people in two browsers, the customer on a phone in German, the agent at a desk; web, worker and beat are real.
"""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.backstage import Backstage
from tests.cast import PASSWORD
from tests.conftest import NewPage
from tests.invariants import broken
from tests.stack import LiveStack

pytestmark = [pytest.mark.browser, pytest.mark.servers]

LATE = r"status of 4(09|10)"  # a friendly refusal is an answer with this status


def log_in(page: Page, name: str) -> None:
    page.goto("/console/")
    page.get_by_label(re.compile("e-?mail", re.IGNORECASE)).fill(f"{name.lower()}@agents.example")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_text("You are offline.").first).to_be_visible()


def go_online(page: Page) -> None:
    page.get_by_role("button", name="Online", exact=True).click()
    expect(page.get_by_text("You are online.")).to_be_visible()


def open_ticket(page: Page, text: str) -> None:
    page.goto("/")
    page.get_by_role("textbox", name=re.compile("How can we help|Wie können wir")).fill(text)
    page.get_by_role("combobox", name=re.compile("Topic|Thema")).select_option("refund")
    page.get_by_label("Name").fill("Jürgen Groß")
    page.locator("main form button.button-primary").click()
    page.wait_for_url(re.compile(r"/t/[a-z0-9]{12}/"))


def say(page: Page, text: str) -> None:
    page.locator("textarea:visible").last.fill(text)
    page.keyboard.press("Control+Enter")


def test_the_main_job(stack: LiveStack, backstage: Backstage, new_page: NewPage) -> None:
    backstage.run("world.agent('Anna')")
    agent = new_page(size="desk")
    log_in(agent, "Anna")
    go_online(agent)

    customer = new_page(size="phone", locale="de")
    open_ticket(customer, "Guten Tag, meine Rückzahlung über 49,90 € fehlt. Karte 4111 1111 1111 1111.")
    expect(customer.locator("html")).to_have_attribute("lang", "de")
    expect(customer.get_by_text(re.compile(r"S-\d+")).first).to_be_visible()

    # The offer comes by itself, says what it pays first, and nothing of who the customer is.
    card = agent.locator("#offers article")
    expect(card).to_be_visible()
    expect(card).to_contain_text("€4.00")
    expect(card).to_contain_text("Refund")
    expect(card).to_contain_text("German")
    expect(card).to_contain_text("A no changes neither pay")
    expect(card).not_to_contain_text("Groß")
    expect(card).not_to_contain_text("4111")
    card.get_by_text("Why me?").click()
    expect(card).to_contain_text("Payments")
    card.get_by_role("button", name="Accept").click()
    expect(card).to_have_count(0)

    # Both know of each other, and talk.
    expect(customer.get_by_text("Anna", exact=False).first).to_be_visible()
    thread = agent.locator(".desk-thread:visible")
    expect(thread).to_contain_text("[card …1111]")
    say(agent, "Guten Tag Herr Groß, ich sehe gleich nach.")
    expect(customer.locator(".bubble", has_text="ich sehe gleich nach")).to_be_visible()
    say(customer, "Vielen Dank! Überweisung vom 3. Mai.")
    expect(thread.locator(".bubble", has_text="Überweisung vom 3. Mai.")).to_be_visible()
    expect(customer.locator(".bubble", has_text="Überweisung vom 3. Mai.")).to_have_count(1)

    # An internal note stays inside.
    thread.get_by_label("Internal note").check()
    thread.locator("textarea").fill("Refund was booked twice and reversed.")
    thread.get_by_role("button", name="Save note").click()
    expect(thread.locator(".note").first).to_contain_text("Refund was booked twice")

    thread.get_by_label("To the customer").check()
    thread.locator("textarea").fill("Das Geld ist unterwegs.")
    thread.get_by_role("button", name="Send and resolve").click()
    expect(customer.locator(".bubble", has_text="Das Geld ist unterwegs.")).to_be_visible()
    expect(agent.locator(".desk-thread:visible")).to_have_count(0)  # it can be undone until then
    expect(agent.locator("#earned")).to_contain_text("€4.00")

    # The customer rates, by the keyboard.
    solved = customer.get_by_role("radio", name=re.compile("Ja"))
    solved.focus()
    customer.keyboard.press("Space")
    customer.get_by_role("radio", name=re.compile("^5")).focus()
    customer.keyboard.press("Space")
    customer.get_by_role("button", name=re.compile("Bewertung")).click()
    expect(customer.get_by_text(re.compile("Vielen Dank|Danke")).last).to_be_visible()
    assert "booked twice" not in customer.content()

    # The ledger has its line, and the admin sees it all.
    agent.goto("/console/earnings/")
    expect(agent.get_by_text("€4.00").first).to_be_visible()
    assert stack.sql("SELECT amount_cents, currency FROM agents_ledgerentry") == [(400, "EUR")]
    assert stack.sql("SELECT score, solved FROM tickets_rating") == [(5, True)]
    backstage.run("User.objects.create_superuser('boss@standby.example', 'a boss has a password')")
    boss = new_page(size="desk")
    boss.goto("/admin/")
    boss.locator("#id_login").fill("boss@standby.example")
    boss.locator("#id_password").fill("a boss has a password")
    boss.keyboard.press("Enter")
    expect(boss.locator("#user-tools")).to_be_visible()
    ((ticket_id,),) = stack.sql("SELECT id FROM tickets_ticket")
    boss.goto(f"/admin/tickets/ticket/{ticket_id}/change/")
    for word in (
        "ticket.opened",
        "ticket.held",
        "ticket.resolved",
        "ticket.rated",
        "Refund was booked twice",
    ):
        expect(boss.get_by_text(word).first).to_be_visible()
    assert broken(stack.sql) == {}


def test_of_two_agents_one_wins_and_the_other_reads_a_friendly_word(
    stack: LiveStack, backstage: Backstage, new_page: NewPage
) -> None:
    backstage.run("world.agent('Anna'); world.agent('Bernd')")
    pages = []
    for name in ("Anna", "Bernd"):
        page = new_page(size="desk", allowed=[LATE])
        log_in(page, name)
        go_online(page)
        pages.append(page)
    backstage.ticket()
    for page in pages:
        expect(page.locator("#offers article")).to_be_visible()
    pages[0].get_by_role("button", name="Accept").click()
    expect(pages[1].locator("#offers article")).to_have_count(0)  # by itself
    expect(pages[1].locator("#notices")).to_have_text(
        re.compile("Another agent was faster. Nothing counts against you.")
    )
    expect(pages[1].get_by_text("Nothing waiting right now. We will ring.")).to_be_visible()
    expect(pages[0].locator(".desk-thread:visible")).to_be_visible()
    expect(pages[1].locator(".desk-thread:visible")).to_have_count(0)
    assert sorted(state for (state,) in stack.sql("SELECT state FROM dispatch_offer")) == [
        "accepted",
        "rescinded",
    ]
    assert broken(stack.sql) == {}


def test_a_lost_connection_is_resumed_without_loss_or_double(
    stack: LiveStack, backstage: Backstage, new_page: NewPage
) -> None:
    backstage.run("world.agent('Anna')")
    agent = new_page(size="desk", allowed=["ERR_INTERNET_DISCONNECTED", "Failed to load", "WebSocket"])
    log_in(agent, "Anna")
    go_online(agent)
    customer = new_page(size="phone")
    open_ticket(customer, "Where is my refund?")
    agent.get_by_role("button", name="Accept").click()
    thread = agent.locator(".desk-thread:visible")
    expect(thread).to_be_visible()
    agent.context.set_offline(True)
    expect(agent.locator("#connection")).to_have_attribute("data-state", "offline")
    ((public_id,),) = stack.sql("SELECT public_id FROM tickets_ticket")
    backstage.customer_says(public_id, "First word while you were away")
    backstage.customer_says(public_id, "Second word while you were away")
    expect(thread.locator(".bubble", has_text="First word while you were away")).to_have_count(0)
    agent.context.set_offline(False)
    expect(thread.locator(".bubble", has_text="First word while you were away")).to_have_count(1)
    expect(thread.locator(".bubble", has_text="Second word while you were away")).to_have_count(1)
    say(agent, "I am back.")
    expect(customer.locator(".bubble", has_text="I am back.")).to_have_count(1)
    assert broken(stack.sql) == {}
