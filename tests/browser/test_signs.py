"""Typing and reading, between two real browsers."""

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.backstage import Backstage
from tests.browser.looks import no_findings
from tests.browser.test_console import online
from tests.conftest import NewPage

pytestmark = [pytest.mark.browser, pytest.mark.servers]


def test_typing_and_read_both_ways(console: Any, new_page: NewPage, backstage: Backstage) -> None:
    page = console()
    online(page)
    public_id = backstage.ticket()
    link = backstage.run(
        f"from tickets.access import link_path; result = link_path(Ticket.objects.get(public_id={public_id!r}))"
    )
    customer = new_page(size="phone")
    customer.goto(link)
    expect(customer.locator("#chat")).to_have_attribute("data-live", "connected")
    page.get_by_role("button", name="Accept").first.click()
    thread = page.locator(f"#thread-{public_id}")
    expect(thread).to_be_visible()
    expect(customer.locator("#read")).to_be_visible()  # the agent has seen the question
    box = thread.get_by_label("Your text")
    box.press_sequentially("Let me look")
    expect(customer.locator("#typing")).to_have_text("Anna is typing …")
    box.press("Control+Enter")
    expect(customer.locator("#typing")).to_have_text("")
    expect(thread.locator("[data-read]")).to_be_visible()
    expect(customer.locator("#read")).to_be_hidden()
    customer.locator("#body").press_sequentially("Thank you")
    expect(thread.locator("[data-typing]")).to_have_text("The customer is typing …")
    no_findings(page)
    no_findings(customer)
    thread.get_by_label("Internal note").check(force=True)
    box.press_sequentially("A note is nobody's business")
    page.wait_for_timeout(500)
    expect(customer.locator("#typing")).to_have_text("")
