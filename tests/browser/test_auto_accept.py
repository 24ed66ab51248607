"""Auto-accept at the console: from the switch to the chat, with no card in between."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.backstage import Backstage
from tests.browser.looks import looks_right, no_findings
from tests.browser.test_console import online
from tests.invariants import broken
from tests.stack import LiveStack
from tests.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.servers]

# What signals.js plays with, counted instead of heard; running without anybody's click.
EAR = """
window.tones = 0;
window.AudioContext = class extends AudioContext {
  get state() { return "running"; }
  createOscillator() { window.tones += 1; return super.createOscillator(); }
};
"""


def switch(page: Page, name: str = "Accept automatically") -> Any:
    return page.get_by_role("switch", name=name)


def test_from_the_switch_to_the_chat(console: Any, backstage: Backstage, stack: LiveStack) -> None:
    page = console(path="/accounts/2fa/")
    page.add_init_script(EAR)
    page.goto("/console/")
    other = page.context.new_page()
    other.goto("/console/")
    expect(other.locator("#console")).to_have_attribute("data-connection", "connected")
    online(page)
    expect(switch(page)).to_have_attribute("aria-checked", "false")
    expect(page.locator("#auto-accept-says")).to_have_text(
        "Off: you are asked about each ticket, and decide."
    )
    switch(page).focus()
    page.keyboard.press("Space")
    expect(switch(page)).to_have_attribute("aria-checked", "true")
    expect(switch(page)).to_be_focused()
    expect(switch(other)).to_have_attribute("aria-checked", "true")

    public_id = backstage.ticket()
    thread = page.locator(f"#thread-{public_id}")
    expect(thread).to_be_visible()
    expect(page.locator("#notices")).to_contain_text(re.compile(r"Accepted for you: S-\d+, Refund, €4\.00\."))
    until(lambda: page.evaluate("window.tones") >= 2, "a sound as for an offer")
    expect(page.locator(".offer")).to_have_count(0)
    expect(thread.locator(".facts")).to_contain_text("€4.00")
    expect(thread.locator(".facts")).to_contain_text("automatically, as you have chosen")
    thread.get_by_text("Why me?").click()
    expect(thread.get_by_text("You have the skill Payments at level 3, 2 was needed.")).to_be_visible()
    expect(other.locator(f"#thread-{public_id}")).to_be_visible()
    assert page.evaluate("window.tones") == 2  # once

    # The next one does not take the page away from what is open; it is counted.
    second = backstage.ticket("Another matter")
    expect(page.locator(f"#item-{second} [data-unread]")).to_have_text("1 unread")
    expect(thread).to_be_visible()
    expect(page).to_have_title(re.compile(r"^\(1\) "))

    page.reload()
    expect(switch(page)).to_have_attribute("aria-checked", "true")
    switch(page).click()
    expect(switch(other)).to_have_attribute("aria-checked", "false")
    backstage.ticket("And one by hand")
    expect(page.locator(".offer")).to_contain_text("And one by hand")
    assert stack.sql("SELECT state, automatic FROM dispatch_offer ORDER BY id") == [
        ("accepted", True),
        ("accepted", True),
        ("pending", False),
    ]
    assert broken(stack.sql) == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1440])
def test_the_switch_in_german_small_and_dark(
    console: Any, backstage: Backstage, scheme: str, width: int
) -> None:
    page = console(
        locale="de", color_scheme=scheme, viewport={"width": width, "height": 900}, bypass_csp=True
    )
    page.get_by_role("button", name="Online").click()
    switch(page, "Automatisch annehmen").click()
    expect(page.locator("#auto-accept-says")).to_contain_text("Ein: Ein passendes Ticket gehört sofort")
    no_findings(page)
    public_id = backstage.ticket(language="de")
    expect(page.locator(f"#item-{public_id}")).to_be_visible()
    expect(page.locator("#notices")).to_contain_text("Für Sie angenommen:")
    looks_right(page)
