"""The desk in a real browser: five chats by keyboard alone, drafts on two devices, canned replies, commands, keys, topics."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.backstage import Backstage
from tests.browser.looks import fits, looks_right, no_findings
from tests.browser.test_console import held, online
from tests.conftest import NewPage
from tests.stack import LiveStack

pytestmark = [pytest.mark.browser, pytest.mark.servers]

CANNED = """
CannedReply.objects.all().delete()
CannedReply.objects.create(title="Greeting", body="Hello {customer}, {agent} here.", language="en")
CannedReply.objects.create(title="Parting", body="Good bye!", language="en")
"""


def five(page: Page, backstage: Backstage, stack: LiveStack) -> list[str]:
    """Five tickets, accepted by the key."""
    found = []
    for number in range(1, 6):
        found.append(backstage.ticket(f"Matter {number}"))
        expect(page.locator(".offer")).to_be_visible()
        page.locator("body").press("a")
        expect(page.locator(f"#thread-title-{found[-1]}")).to_be_focused()
    return found


@pytest.fixture
def light(backstage: Backstage, route: Callable[[str], None]) -> None:
    """Tickets of which one person can hold five."""
    backstage.run(CANNED)
    route("units = 20")


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (320, "dark")])
def test_five_chats_by_keyboard_alone(
    console: Any, backstage: Backstage, stack: LiveStack, light: None, width: int, scheme: str
) -> None:
    page = console(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page.locator("#switch-online").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#console")).to_have_attribute("data-connection", "connected")
    tickets = five(page, backstage, stack)
    for place, public_id in enumerate(tickets, start=1):
        page.keyboard.press("j")  # from the last to the first, and on
        expect(page.locator(f"#thread-title-{public_id}")).to_be_focused()
        page.keyboard.press("r")
        expect(page.locator(f"#body-{public_id}")).to_be_focused()
        page.keyboard.type(f"Answer to matter {place}")
        page.keyboard.press("Control+Enter")
        expect(page.locator(f"#messages-{public_id} .message-agent .bubble")).to_have_text(
            f"Answer to matter {place}"
        )
        page.locator(f"#thread-title-{public_id}").focus()
    # Unread ones are told apart, and found by typing.
    backstage.customer_says(tickets[2], "And the fee?")
    expect(page.locator(f"#item-{tickets[2]} [data-unread]")).to_have_text("1 unread")
    page.keyboard.press("Control+k")
    number = page.locator(f"#item-{tickets[2]} .item-topic").inner_text().split(" ")[0]
    page.keyboard.type(number)
    expect(page.locator("#palette").get_by_role("option")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.locator(f"#thread-title-{tickets[2]}")).to_be_focused()
    # A note, a canned reply, resolved and not.
    page.keyboard.press("n")
    page.keyboard.type("The fee was waived")
    page.keyboard.press("Control+Enter")
    expect(page.locator(f"#notes-{tickets[2]}")).to_contain_text("The fee was waived")
    page.locator(f"#thread-title-{tickets[2]}").focus()
    page.keyboard.press("r")
    page.keyboard.type("/")
    expect(page.locator("#palette-input")).to_be_focused()
    page.keyboard.type("greet")
    page.keyboard.press("Enter")
    expect(page.locator(f"#body-{tickets[2]}")).to_have_value("Hello Carla, Anna here.")
    page.keyboard.press("Control+Enter")
    expect(page.locator(f"#messages-{tickets[2]} .bubble").last).to_have_text("Hello Carla, Anna here.")
    fits(page)
    assert stack.sql("SELECT count(*) FROM tickets_message WHERE author = 'agent'") == [(7,)]


@pytest.mark.parametrize(("width", "locale"), [(1440, "en"), (320, "de")])
def test_axe_finds_nothing_in_dialogs(
    console: Any, backstage: Backstage, light: None, width: int, locale: str
) -> None:
    page = console(viewport={"width": width, "height": 800}, locale=locale, bypass_csp=True)
    page.locator("#switch-online").click()
    public_id = backstage.ticket()
    expect(page.locator(".offer")).to_be_visible()
    page.locator("body").press("a")
    expect(page.locator(f"#thread-{public_id}")).to_be_visible()
    page.keyboard.press("Control+k")
    expect(page.locator("#palette")).to_be_visible()
    no_findings(page)
    page.keyboard.type("no such thing")
    expect(page.locator("#palette-empty")).to_be_visible()
    no_findings(page)
    page.keyboard.press("Escape")
    expect(page.locator("#palette")).to_be_hidden()  # the next key is the dialog's until then
    page.locator("body").press("?")
    expect(page.locator("#passing [name=key_accept]")).to_be_focused()
    looks_right(page)


def test_a_draft_is_there_on_another_device_and_gone_when_it_is_sent(
    console: Any, backstage: Backstage, stack: LiveStack, light: None
) -> None:
    page = console()
    online(page)
    public_id = backstage.ticket()
    expect(page.locator(".offer")).to_be_visible()
    page.locator("body").press("a")
    box = page.locator(f"#body-{public_id}")
    with page.expect_response("**/draft"):
        box.fill("Half a sente")
    phone = console(size="phone", path=f"/console/?ticket={public_id}")
    other = phone.locator(f"#body-{public_id}")
    expect(other).to_have_value("Half a sente")
    with phone.expect_response("**/draft"):
        other.fill("Half a sentence, now whole.")
    page.reload()
    expect(box).to_have_value("Half a sentence, now whole.")
    with page.expect_response("**/draft"):
        box.press("Control+Enter")
    expect(page.locator(f"#messages-{public_id} .message-agent .bubble")).to_have_text(
        "Half a sentence, now whole."
    )
    phone.reload()
    expect(other).to_have_value("")
    assert stack.sql("SELECT body FROM dispatch_draft") == [("",)]


def test_a_slash_that_is_meant_stays_one(console: Any, backstage: Backstage, light: None) -> None:
    page = console()
    online(page)
    public_id = backstage.ticket()
    expect(page.locator(".offer")).to_be_visible()
    page.locator("body").press("a")
    box = page.locator(f"#body-{public_id}")
    box.focus()
    page.keyboard.type("and/or ")
    page.keyboard.type("/")
    expect(page.locator("#palette-input")).to_be_focused()
    page.keyboard.press("Escape")
    expect(box).to_have_value("and/or /")
    expect(box).to_be_focused()


def test_own_keys_are_the_accounts(console: Any, backstage: Backstage, light: None) -> None:
    page = console()
    online(page)
    page.locator("body").press("?")
    form = page.locator("#passing form[data-keys]")
    form.get_by_label("Accept the offer").fill("y")
    form.get_by_role("button", name="Save").click()
    expect(form).to_be_hidden()
    elsewhere = console(size="phone")
    for held_now, one in enumerate((page, elsewhere), start=1):
        backstage.ticket()
        expect(one.locator(".offer")).to_be_visible()
        expect(one.locator(".offer .kbd").first).to_have_text("Y")
        one.locator("body").press("a")
        one.locator("body").press("y")
        for either in (
            page,
            elsewhere,
        ):  # what the one accepted must have left the other, or its key would mean that one
            expect(either.locator(".item")).to_have_count(held_now)
            expect(either.locator(".offer")).to_have_count(0)


def test_a_topic_put_right_is_there_for_all(
    console: Any, new_page: NewPage, backstage: Backstage, stack: LiveStack, light: None
) -> None:
    backstage.run(
        "Topic.objects.get_or_create(key='limits', defaults={'name_en': 'Limits', 'name_de': 'Grenzen'})\n"
        "let_all_hear()"
    )
    page = console()
    online(page)
    public_id = held(page, backstage)
    other = console(path=f"/console/?ticket={public_id}", viewport={"width": 320, "height": 800})
    customer = new_page()
    link = backstage.run(
        f"from tickets.access import link_path\nresult = link_path(Ticket.objects.get(public_id={public_id!r}))"
    )
    customer.goto(link)
    expect(customer.locator(".eyebrow")).to_have_text("Refund")
    topic = page.locator(f"#topic-{public_id}")
    topic.locator("summary").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_label("What is it about?")).to_be_focused()
    page.keyboard.type("Limits")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    for one in (page, other):  # the answer draws the one, the socket the other
        expect(one.locator(f"#topic-{public_id}")).to_contain_text(re.compile(r"^\s*Limits\s"))
        expect(one.locator(f"#head-{public_id}")).to_contain_text("· Limits ·")
        expect(one.locator(f"#item-{public_id}")).to_contain_text("· Limits")
        expect(one.locator(f"#messages-{public_id}")).to_contain_text("Limits")
    page.reload()
    expect(page.get_by_label("What is it about?")).to_have_value("limits")
    expect(customer.locator(".eyebrow")).to_have_text("Limits")
    assert stack.sql("SELECT label, source FROM tickets_triagelabel") == [("limits", "agent")]
