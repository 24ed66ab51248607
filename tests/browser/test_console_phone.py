"""The console on a phone: one thread at a time, and an offer that is answered without scrolling."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.backstage import Backstage
from tests.browser.looks import fits
from tests.browser.test_console import held, online
from tests.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.servers]


def test_on_a_phone_the_list_leads_to_the_thread_and_back(console: Any, backstage: Backstage) -> None:
    page = console(size="phone", locale="de")
    page.get_by_role("button", name="Online").click()
    expect(page.get_by_text("Sie sind online.")).to_be_visible()
    public_id = backstage.ticket(language="de")
    why = "Sie haben die Fähigkeit Zahlungen auf Stufe 3, nötig war 2."
    card = page.locator(".offer")
    card.get_by_text("Warum ich?").click()
    expect(card.get_by_text(why)).to_be_visible()
    page.get_by_role("button", name="Annehmen").click()
    thread = page.locator(f"#thread-{public_id}")
    expect(thread).to_be_visible()
    thread.get_by_text("Warum ich?").click()
    expect(thread.get_by_text(why)).to_be_visible()
    page.get_by_role("link", name="Alle Tickets").click()
    expect(thread).to_be_hidden()
    backstage.customer_says(public_id, "Hallo?")
    expect(page.locator(f"#item-{public_id}")).to_contain_text("1 ungelesen")
    page.locator(f"#open-{public_id}").click()
    expect(thread).to_be_visible()


LONG = (
    "Der Händler will mir für die Rückgabe nur einen Gutschein geben, obwohl ich alles in der Frist geschickt habe. "
    "Darf er das, und was mache ich jetzt mit der Rechnung, die am Freitag fällig ist?"
)
PHONES = [(320, 640), (360, 740), (390, 844), (844, 390)]


def in_view(page: Page, selector: str) -> list[bool]:
    """Of each that is found: whether all of it is within the screen."""
    found: list[bool] = page.evaluate(
        """selector => [...document.querySelectorAll(selector)].map(one => {
          const {top, bottom, left, right} = one.getBoundingClientRect();
          return top >= 0 && left >= 0 && bottom <= innerHeight && right <= innerWidth && bottom > top;
        })""",
        selector,
    )
    return found


ANSWER = ".offer-answer button, .offer .countdown"


@pytest.mark.parametrize(("width", "height"), PHONES)
def test_on_a_phone_an_offer_is_answered_without_scrolling(
    console: Any, backstage: Backstage, width: int, height: int
) -> None:
    page = console(locale="de", viewport={"width": width, "height": height})
    page.get_by_role("button", name="Online").click()
    expect(page.locator("#console")).to_have_attribute("data-connection", "connected")
    public_id = backstage.ticket(LONG, language="de")
    expect(page.locator(".offer")).to_be_visible()
    if width < height:
        assert page.evaluate("scrollY") == 0
    until(lambda: in_view(page, ANSWER) == [True, True, True], "the answer is in view")
    fits(page)
    expect(page.locator(".offer [data-ago]")).to_have_text(re.compile(r"^\(vor \d+ Sek\.\)$"))
    # It covers neither the end of the card nor that of the page.
    page.locator(".offer-more").evaluate("one => one.scrollIntoView({block: 'end'})")
    assert page.evaluate(
        """() => document.querySelector('.offer-bar').getBoundingClientRect().bottom
          <= document.querySelector('.offer-free').getBoundingClientRect().top"""
    )
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    assert in_view(page, ".signals summary") == [True]
    assert page.evaluate(
        """() => {
          const {left, top, width, height} = document.querySelector('.signals summary').getBoundingClientRect();
          return document.elementFromPoint(left + width / 2, top + height / 2).closest('summary') !== null;
        }"""
    )
    # Accepted from down there: what the customer wrote is seen, and not the box below it.
    page.locator("[data-shortcut=accept]").evaluate("button => button.click()")
    title = page.locator(f"#thread-title-{public_id}")
    expect(title).to_be_focused()
    until(lambda: in_view(page, f"#thread-title-{public_id}") == [True], "the title is in view")
    if width < height:  # lying, the head alone fills the screen
        first = f"#messages-{public_id} .message-customer .message-head"
        until(lambda: in_view(page, first) == [True], "the customer's message is in view")
    assert page.locator(f"#thread-{public_id} .thread-scroll").evaluate("one => one.scrollTop") == 0


def test_on_a_phone_a_card_comes_into_view_but_not_while_somebody_writes(
    console: Any, backstage: Backstage
) -> None:
    page = console(viewport={"width": 320, "height": 640})
    online(page)
    public_id = held(page, backstage, LONG)
    page.locator(f"#body-{public_id}").fill("Dear Carla,")
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    backstage.ticket(LONG)
    expect(page.locator(".offer")).to_be_visible()
    assert in_view(page, ANSWER) == [False, False, False]
    page.get_by_role("button", name="Decline").evaluate("button => button.click()")
    expect(page.locator(".offer")).to_have_count(0)
    page.locator(f"#body-{public_id}").blur()
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    backstage.ticket(LONG)
    expect(page.locator(".offer")).to_be_visible()
    until(lambda: in_view(page, ANSWER) == [True, True, True], "the answer is in view")
