"""A customer who has asked twice, in a real Chromium: sees both above the form, the agent merges them by keyboard, and the
page of the other one leads on."""

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.backstage import Backstage
from tests.browser.looks import looks_right, no_findings
from tests.browser.test_customer import opened
from tests.conftest import NewPage

pytestmark = [pytest.mark.browser, pytest.mark.servers]

HOLD = """
first, second = Ticket.objects.order_by("created_at")  # keys may have lain in stock (tickets/writing.py)
Ticket.objects.filter(pk=second.pk).update(customer_id=first.customer_id)
anna = Agent.objects.get(name="Anna")
shift = presence.go_online(agent_id=anna.pk)
offer_accept(offer_id=pending(ticket=first, agent=anna).pk, agent_id=anna.pk, epoch=shift.epoch)
presence.pause(agent_id=anna.pk, epoch=shift.epoch)
result = [first.number, second.number]
"""


def test_two_tickets_become_one(new_page: NewPage, console: Any, backstage: Backstage) -> None:
    page = new_page(locale="de")
    page.set_viewport_size({"width": 320, "height": 700})
    opened(page)
    other = opened(page, "Wo bleibt meine Rückzahlung?")
    first, second = backstage.run(HOLD)
    page.goto("/")
    expect(page.get_by_role("heading", name="Ihre offenen Tickets")).to_be_visible()
    expect(page.get_by_role("link", name="Weiter")).to_have_count(2)
    looks_right(page)

    desk = console()
    expect(desk.get_by_role("heading", name="Also open")).to_be_visible()
    desk.locator(".desk-thread h2").first.focus()
    desk.keyboard.press("m")
    dialog = desk.get_by_role("dialog")
    expect(dialog.get_by_role("heading", name=f"Merge into {first}")).to_be_visible()
    no_findings(desk)
    dialog.get_by_role("button", name="Merge").press("Enter")
    expect(dialog).to_be_hidden()
    expect(desk.get_by_role("link", name=f"Read {second}")).to_be_visible()
    expect(desk.get_by_role("heading", name="Also open")).to_have_count(0)

    page.goto(f"/t/{other}/")
    expect(page.get_by_text(f"Das geht als {first} weiter")).to_be_visible()
    page.get_by_role("link", name=f"Weiter in {first}").first.click()
    page.wait_for_url("**/t/*/")  # this browser has the other one's key as well
    assert other not in page.url
