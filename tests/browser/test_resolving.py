"""Send and resolve in a real browser: the countdown in two tabs, over a reload, and undone by keyboard."""

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.backstage import Backstage
from tests.browser.looks import looks_right, no_findings
from tests.browser.test_console import held, online
from tests.stack import LiveStack

pytestmark = [pytest.mark.browser, pytest.mark.servers]


def test_undone_by_escape_in_two_tabs_and_over_a_reload(
    console: Any, backstage: Backstage, stack: LiveStack
) -> None:
    page = console()
    online(page)
    other = page.context.new_page()
    other.goto("/console/")
    public_id = held(page, backstage)
    thread = page.locator(f"#thread-{public_id}")
    box = thread.get_by_label("Your text")
    box.fill("It is on its way.")
    undo = thread.get_by_role("button", name="Undo")
    with stack.still():
        thread.get_by_role("button", name="Send and resolve").click()
        expect(undo).to_be_visible()
        expect(page.locator("#announce")).to_have_text(
            "Sent. The ticket is resolved in 5 seconds. Escape or U undoes that."
        )
        stack.sql("UPDATE dispatch_offer SET resolves_at = now() + interval '10 minutes'")
    no_findings(page)
    expect(other.locator(f"#item-{public_id}")).to_contain_text("Resolves in")
    page.reload()
    expect(undo).to_be_visible()
    box.press("Escape")
    expect(undo).to_have_count(0)
    expect(page.locator("#announce")).to_have_text("Not resolved. The ticket stays with you.")
    expect(other.locator(f"#item-{public_id}")).not_to_contain_text("Resolves in")
    expect(thread.get_by_role("button", name="Resolve", exact=True)).to_be_visible()
    assert stack.sql("SELECT state, last_seq > 0 FROM tickets_ticket") == [("held", True)]


def test_the_customer_has_the_last_word(console: Any, backstage: Backstage, stack: LiveStack) -> None:
    page = console(locale="de", viewport={"width": 320, "height": 800}, color_scheme="dark", bypass_csp=True)
    page.get_by_role("button", name="Online").click()
    public_id = backstage.ticket()
    page.get_by_role("button", name="Annehmen").click()
    thread = page.locator(f"#thread-{public_id}")
    thread.get_by_label("Ihr Text").fill("Ist unterwegs.")
    with stack.still():
        thread.get_by_role("button", name="Senden und lösen").click()
        expect(thread.get_by_role("button", name="Rückgängig")).to_be_visible()
        stack.sql("UPDATE dispatch_offer SET resolves_at = now() + interval '10 minutes'")
    looks_right(page)
    backstage.customer_says(public_id, "And the fee?")
    expect(thread.get_by_role("button", name="Rückgängig")).to_have_count(0)
    expect(page.locator("#notices")).to_contain_text("hat noch geschrieben")
    assert stack.sql("SELECT state FROM tickets_ticket") == [("held",)]
