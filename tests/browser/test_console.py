"""The console in a real browser: an agent's day, from logging in to being paid."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.backstage import Backstage
from tests.browser.looks import looks_right, no_findings
from tests.cast import PASSWORD
from tests.conftest import NewPage
from tests.stack import LiveStack
from tests.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.servers]

BROKEN = [
    r"WebSocket",
    r"ERR_INTERNET_DISCONNECTED",
    r"ERR_FAILED",
    r"Failed to fetch",
]  # while a test cuts the line


def state(page: Page) -> Any:
    return page.locator("#presence")


def online(page: Page) -> None:
    page.get_by_role("button", name="Online").click()
    expect(state(page)).to_have_attribute("data-state", "online")
    expect(page.locator("#console")).to_have_attribute("data-connection", "connected")


def held(page: Page, backstage: Backstage, text: str = "Where is my refund?") -> str:
    """A ticket that was offered to this page and accepted on it."""
    public_id = backstage.ticket(text)
    page.get_by_role("button", name=re.compile("Accept")).click()
    expect(page.locator(f"#thread-{public_id}")).to_be_visible()
    return public_id


def test_log_in_go_online_and_off(new_page: NewPage, anna: dict[str, Any]) -> None:
    page = new_page()
    page.goto("/console/")
    page.get_by_label("Email").fill("anna@agents.example")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_text("You are offline. Go online to get offers.")).to_be_visible()
    online(page)
    expect(page.get_by_text("Nothing waiting right now. We will ring.")).to_be_visible()
    page.get_by_role("button", name="Pause").click()
    expect(state(page)).to_have_attribute("data-state", "paused")
    expect(page.get_by_role("button", name="Pause")).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="Finishing").click()
    expect(state(page)).to_have_attribute("data-state", "offline")  # by itself: nothing is left to finish
    online(page)
    page.get_by_role("button", name="Offline").click()
    expect(state(page)).to_have_attribute("data-state", "offline")
    expect(page.get_by_role("button", name="Offline")).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="Log out").click()
    expect(page).to_have_url(re.compile("/accounts/login/"))


def test_an_offer_appears_counts_down_and_is_declined(
    console: Any, backstage: Backstage, stack: LiveStack, route: Callable[[str], None]
) -> None:
    route("offer_seconds = 20")
    page = console()
    online(page)
    backstage.ticket("Where is my refund?")
    card = page.locator(".offer")
    expect(card).to_be_visible()
    expect(card.locator(".offer-pay")).to_have_text("€4.00")
    expect(page.locator("#announce")).to_have_text(
        re.compile(r"New offer: €4\.00, Refund\. \d+ seconds to answer\.")
    )
    expect(page).to_have_title(re.compile(r"^\(1\) "))
    first = int(card.locator("[data-countdown]").inner_text())
    until(lambda: int(card.locator("[data-countdown]").inner_text()) <= first - 2, "it counts down")
    expect(page.locator("#announce")).to_have_text("10 seconds left")
    stack.sql("UPDATE dispatch_offer SET expires_at = expires_at + interval '1 minute'")  # enough to look on
    card.get_by_text("Why me?").click()
    expect(card.get_by_text("You have the skill Payments at level 3, 2 was needed.")).to_be_visible()
    accept, decline = card.get_by_role("button", name="Accept"), card.get_by_role("button", name="Decline")
    one, other = accept.bounding_box(), decline.bounding_box()
    assert one is not None
    assert other is not None
    assert (one["width"], one["height"]) == (other["width"], other["height"])
    decline.click()
    expect(card).to_have_count(0)
    expect(state(page)).to_have_attribute("data-state", "online")
    expect(page).not_to_have_title(re.compile(r"^\("))


def test_a_missed_offer_pauses_and_one_click_returns(
    console: Any, backstage: Backstage, stack: LiveStack
) -> None:
    page = console()
    online(page)
    backstage.ticket()
    expect(page.locator(".offer")).to_be_visible()
    stack.sql("UPDATE dispatch_offer SET expires_at = now() + interval '1 second'")
    expect(page.get_by_text("You missed an offer, so we paused you. One click returns.")).to_be_visible()
    expect(page.locator(".offer")).to_have_count(0)
    page.get_by_role("button", name="I am back").click()
    expect(state(page)).to_have_attribute("data-state", "online")
    expect(page.locator(".offer")).to_be_visible()  # nothing is held against them: they are asked again


def test_a_late_accept_is_a_notice(console: Any, backstage: Backstage) -> None:
    page = console(allowed=[r"status of 4(09|10)"])
    online(page)
    backstage.ticket()
    expect(page.locator(".offer")).to_be_visible()

    def leave(route: Any) -> None:
        """The customer goes while the answer is on its way. No bell tells, but by the next beat the card would be gone."""
        backstage.run(
            "bell._ring_now = lambda bells: None; lifecycle.ticket_close(ticket=Ticket.objects.get())"
        )
        route.continue_()

    page.route("**/accept", leave)
    page.get_by_role("button", name="Accept").click()
    expect(page.locator("#notices")).to_contain_text(re.compile("Nothing counts against you"))
    expect(page.locator(".offer")).to_have_count(0)


def test_chat_both_ways_note_and_resolve(console: Any, backstage: Backstage, stack: LiveStack) -> None:
    page = console()
    online(page)
    public_id = held(page, backstage)
    thread = page.locator(f"#thread-{public_id}")
    box = thread.get_by_label("Your text")
    box.fill("Hello Carla, let me look.")
    box.press("Control+Enter")
    expect(thread.locator(".message-agent .bubble")).to_have_text("Hello Carla, let me look.")
    expect(thread.locator("[data-outbox] li")).to_have_count(0)
    backstage.customer_says(public_id, "Thank you!")
    expect(thread.locator(".message-customer .bubble").last).to_have_text("Thank you!")
    thread.get_by_label("Internal note").check(force=True)
    box.fill("The shop confirmed it.")
    thread.get_by_role("button", name="Save note").click()
    expect(thread.locator(".notes")).to_contain_text("The shop confirmed it.")
    thread.get_by_label("To the customer").check(force=True)
    box.fill("Your refund is on its way.")
    thread.get_by_role("button", name="Send and resolve").click()
    expect(thread).to_have_count(0)  # after the seconds in which it can be undone
    expect(page.locator("#notices")).to_contain_text("is resolved")
    expect(page.locator("#earned")).to_contain_text("€4.00")
    page.locator("#earned a").first.click()
    expect(page.get_by_role("table")).to_contain_text("Refund")
    assert stack.sql("SELECT state FROM tickets_ticket") == [("resolved",)]
    assert stack.sql("SELECT count(*) FROM tickets_message WHERE internal") == [(1,)]


def test_two_tickets_drafts_and_unread(console: Any, backstage: Backstage) -> None:
    page = console()
    online(page)
    first = held(page, backstage, "First matter")
    page.locator(f"#thread-{first}").get_by_label("Your text").fill("Half a sente")
    page.locator("#console").click(
        position={"x": 2, "y": 2}
    )  # leave the text, so that accepting opens the second
    second = held(page, backstage, "Second matter")
    expect(page.locator(f"#thread-{first}")).to_be_hidden()
    backstage.customer_says(first, "Are you there?")
    expect(page.locator(f"#item-{first} [data-unread]")).to_have_text("1 unread")
    page.reload()
    expect(page.locator(f"#item-{first} [data-unread]")).to_have_text("1 unread")
    page.locator(f"#open-{first}").click()
    expect(page.locator(f"#thread-{first}").get_by_label("Your text")).to_have_value("Half a sente")
    expect(page.locator(f"#item-{first} [data-unread]")).to_be_hidden()
    expect(page.locator(f"#thread-{second}")).to_be_hidden()


def test_two_tabs_show_the_same(console: Any, backstage: Backstage) -> None:
    page = console()
    other = page.context.new_page()
    other.goto("/console/")
    expect(other.locator("#console")).to_have_attribute("data-connection", "connected")
    online(page)
    expect(state(other)).to_have_attribute("data-state", "online")
    public_id = backstage.ticket()
    expect(other.locator(".offer")).to_be_visible()
    page.get_by_role("button", name="Accept").click()
    expect(other.locator(".offer")).to_have_count(0)
    expect(other.locator(f"#item-{public_id}")).to_be_visible()
    backstage.run("from django.contrib.sessions.models import Session; Session.objects.all().delete()")
    expect(other.get_by_text("You have been signed out.")).to_be_visible()
    expect(page.get_by_role("link", name="Log in again")).to_be_visible()


def test_after_a_lost_connection_nothing_is_missing_and_nothing_doubled(
    console: Any, backstage: Backstage, stack: LiveStack
) -> None:
    page = console(allowed=BROKEN)
    online(page)
    public_id = held(page, backstage)
    thread = page.locator(f"#thread-{public_id}")
    page.context.set_offline(True)
    expect(page.locator("#connection")).to_have_attribute("data-state", "offline")
    box = thread.get_by_label("Your text")
    box.fill("Written in a tunnel")
    box.press("Control+Enter")
    expect(thread.get_by_text("Not sent.")).to_be_visible()
    backstage.customer_says(public_id, "Said meanwhile")
    page.context.set_offline(False)
    expect(page.locator("#console")).to_have_attribute("data-connection", "connected")
    expect(thread.locator(".message-customer .bubble").last).to_have_text("Said meanwhile")
    expect(thread.locator(".message-agent .bubble")).to_have_text(["Written in a tunnel"])
    expect(thread.locator("[data-outbox] li")).to_have_count(0)
    assert stack.sql("SELECT count(*) FROM tickets_message WHERE body = 'Written in a tunnel'") == [(1,)]
    expect(thread.locator(".message-customer .bubble")).to_have_count(2)


def test_a_lost_answer_is_retried_under_the_same_key(
    console: Any, backstage: Backstage, stack: LiveStack
) -> None:
    page = console(allowed=BROKEN)
    online(page)
    public_id = held(page, backstage)
    thread = page.locator(f"#thread-{public_id}")

    def lose_the_answer(route: Any) -> None:
        route.fetch()
        route.abort()

    page.route("**/reply", lose_the_answer)
    box = thread.get_by_label("Your text")
    box.fill("Once")
    box.press("Control+Enter")
    expect(thread.get_by_role("button", name="Try again")).to_be_visible()
    page.unroute("**/reply")
    thread.get_by_role("button", name="Try again").click()
    expect(thread.locator("[data-outbox] li")).to_have_count(0)
    assert stack.sql("SELECT count(*) FROM tickets_message WHERE body = 'Once'") == [(1,)]
    expect(thread.locator(".message-agent")).to_have_count(1)


def test_without_a_socket_the_page_polls(console: Any, backstage: Backstage) -> None:
    page = console(path="/accounts/2fa/", allowed=BROKEN)
    page.route_web_socket(re.compile("/ws/agent/"), lambda socket: socket.close())
    page.goto("/console/")
    page.get_by_role("button", name="Online").click()
    expect(state(page)).to_have_attribute("data-state", "online")
    expect(page.get_by_text("Connection lost. Reconnecting…")).to_be_visible()
    backstage.ticket()
    expect(page.locator(".offer")).to_be_visible()


def test_the_end_of_a_shift_says_how_to_return(console: Any, backstage: Backstage) -> None:
    page = console()
    online(page)
    public_id = held(page, backstage)
    page.locator(f"#thread-{public_id}").get_by_label("Your text").fill("I was about to say")
    # As the tick does when the lease and the grace time are over.
    backstage.run(
        """
Shift.objects.filter(ended_at=None).update(lost_at="2026-01-01T00:00Z")
presence.graces_end()
"""
    )
    expect(page.get_by_text("Your connection was lost for too long, so your shift ended.")).to_be_visible()
    expect(page.locator(f"#thread-{public_id}")).to_have_count(0)
    online(page)


def test_leaving_with_tickets_asks(console: Any, backstage: Backstage) -> None:
    page = console()
    online(page)
    held(page, backstage)
    page.get_by_role("button", name="Offline").click()
    page.get_by_role("button", name="Finish my tickets first").click()
    expect(state(page)).to_have_attribute("data-state", "finishing")
    page.get_by_role("button", name="Offline").click()
    page.get_by_role("button", name="Go offline now").click()
    expect(state(page)).to_have_attribute("data-state", "offline")
    expect(page.locator(".item")).to_have_count(0)


def test_by_keyboard_alone(console: Any, backstage: Backstage, stack: LiveStack) -> None:
    page = console()
    page.keyboard.press("Tab")
    for _ in range(20):
        if page.evaluate_handle("document.activeElement").get_property("id").json_value() == "switch-online":
            break
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(state(page)).to_have_attribute("data-state", "online")
    public_id = backstage.ticket()
    expect(page.locator(".offer")).to_be_visible()
    page.keyboard.press("a")
    expect(page.locator(f"#thread-title-{public_id}")).to_be_focused()
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate_handle("document.activeElement").get_property("name").json_value() == "body":
            break
    page.keyboard.type("A reply without a mouse")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".message-agent .bubble")).to_have_text("A reply without a mouse")
    page.keyboard.type("ad")  # while typing they are letters
    expect(page.locator(f"#body-{public_id}")).to_have_value("ad")


def test_shortcuts_can_be_switched_off(console: Any, backstage: Backstage) -> None:
    page = console()
    online(page)
    page.get_by_text("Signals and shortcuts").click()
    page.get_by_label(re.compile("Keys")).uncheck()
    page.reload()
    backstage.ticket()
    expect(page.locator(".offer")).to_be_visible()
    page.keyboard.press("d")
    expect(page.locator(".offer kbd").first).to_be_hidden()
    expect(page.locator(".offer")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1440])
def test_axe_finds_nothing(console: Any, backstage: Backstage, scheme: str, width: int) -> None:
    page = console(
        color_scheme=scheme, viewport={"width": width, "height": 900}, locale="en", bypass_csp=True
    )
    no_findings(page)
    online(page)
    no_findings(page)
    backstage.ticket()
    expect(page.locator(".offer")).to_be_visible()
    no_findings(page)
    page.keyboard.press("a")
    expect(page.locator(".desk-thread:visible")).to_be_visible()
    looks_right(page)
    page.goto("/console/earnings/")
    no_findings(page)
    page.context.clear_cookies()
    page.goto("/accounts/login/")
    no_findings(page)
