"""Wrap-up in a real browser: the timer, the note, "Done", the next ticket meanwhile; the same in every tab."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.backstage import Backstage
from tests.browser.looks import no_findings
from tests.browser.test_console import held, online
from tests.stack import LiveStack
from tests.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.servers]


def resolve(page: Page, public_id: str) -> Any:
    thread = page.locator(f"#thread-{public_id}")
    thread.get_by_role("button", name="Resolve", exact=True).click()
    expect(thread.locator(".wrap-up")).to_be_visible()
    return thread


def test_a_note_in_the_wrap_up_and_done_in_two_tabs(
    console: Any, backstage: Backstage, stack: LiveStack, route: Callable[[str], None]
) -> None:
    route("wrap_up_seconds = 90")
    page = console()
    online(page)
    other = page.context.new_page()
    other.goto("/console/")
    public_id = held(page, backstage)
    expect(other.locator(f"#item-{public_id}")).to_be_visible()
    thread = resolve(page, public_id)
    expect(other.locator(f"#item-{public_id}")).to_contain_text(re.compile(r"Wrap-up: \d\d"))
    first = int(thread.locator("[data-wrap-left]").inner_text())
    assert 60 <= first <= 90
    until(lambda: int(thread.locator("[data-wrap-left]").inner_text()) <= first - 2, "it runs")
    expect(thread.get_by_role("button", name="Send")).to_have_count(0)
    no_findings(page)
    thread.get_by_label("Your text").fill("Had the same last week.")
    thread.get_by_role("button", name="Save note").click()
    expect(thread.locator(".notes")).to_contain_text("Had the same last week.")
    page.reload()  # a page that is drawn anew knows it too
    expect(thread.locator(".wrap-up")).to_be_visible()
    page.locator("body").press("w")
    expect(thread).to_have_count(0)
    expect(other.locator(f"#thread-{public_id}")).to_have_count(0)
    assert stack.sql("SELECT units_taken, units_wrapping FROM agents_shift") == [(0, 0)]


def test_the_clock_ends_it(
    console: Any, backstage: Backstage, stack: LiveStack, route: Callable[[str], None]
) -> None:
    route("wrap_up_seconds = 90")
    page = console()
    online(page)
    public_id = held(page, backstage)
    thread = resolve(page, public_id)
    stack.sql("UPDATE dispatch_offer SET wrap_until = now()")
    expect(thread).to_have_count(0)
    expect(page.locator("#notices")).to_contain_text("the wrap-up is over")


def test_the_next_ticket_comes_meanwhile(
    console: Any, backstage: Backstage, stack: LiveStack, route: Callable[[str], None]
) -> None:
    route("wrap_up_seconds = 90, units = 100")
    page = console()
    online(page)
    first = held(page, backstage)
    thread = resolve(page, first)
    second = backstage.ticket("And another")
    card = page.locator(".offer")
    expect(card).to_contain_text("Your next ticket")
    card.get_by_text("Why me?").click()
    expect(card).to_contain_text("You were wrapping up your last ticket; this would be your next.")
    no_findings(page)
    card.get_by_role("button", name=re.compile("Accept")).click()
    expect(page.locator(f"#thread-{second}")).to_be_visible()
    expect(thread).to_have_count(0)
    assert stack.sql("SELECT units_taken, units_wrapping FROM agents_shift") == [(100, 0)]


def test_the_desk_says_whose_customer_is_silent(
    console: Any, backstage: Backstage, route: Callable[[str], None]
) -> None:
    route("silent_seconds = 1")
    page = console(size="phone", color_scheme="dark")
    online(page)
    public_id = held(page, backstage)
    box = page.locator(f"#thread-{public_id}").get_by_label("Your text")
    box.fill("Which order is it?")
    box.press("Control+Enter")
    item = page.locator(f"#item-{public_id}")
    expect(item.locator(".item-silent")).to_have_text("Silent: takes less of your capacity")
    expect(item).to_contain_text("Waits for the customer")
    backstage.customer_says(public_id, "The blue one")
    expect(item.locator(".item-silent")).to_have_count(0)
    expect(item).to_contain_text("Unanswered")
