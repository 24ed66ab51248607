"""A server that has too much to do: what people typed stays, and what scripts send goes again by itself."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.backstage import Backstage
from tests.browser.test_console import held, online
from tests.browser.test_customer import connected
from tests.conftest import NewPage
from tests.stack import LiveStack

pytestmark = [pytest.mark.browser, pytest.mark.servers]

SHED = [r"status of 503"]


def overloaded(page: Page, where: str | re.Pattern[str], times: int) -> Callable[[], int]:
    """Answer the first POSTs there as config/shedding.py does, before the server sees them; tells how many came in all."""
    came: list[str] = []

    def answer(route: Route) -> None:
        if route.request.method != "POST":
            route.continue_()
            return
        came.append(route.request.url)
        if len(came) > times:
            route.continue_()
            return
        scripted = route.request.headers.get("accept", "").startswith("application/json")
        route.fulfill(
            status=503,
            headers={"Retry-After": "1", "Cache-Control": "no-store"},
            content_type="application/problem+json" if scripted else "text/html",
            body='{"code": "overloaded", "detail": "A lot is going on."}'
            if scripted
            else "<h1>Overloaded</h1>",
        )

    page.route(where, answer)
    return lambda: len(came)


def test_the_form_keeps_what_was_typed(new_page: NewPage, backstage: Backstage, stack: LiveStack) -> None:
    page = new_page(allowed=SHED)
    page.goto("/")
    page.get_by_label("How can we help?").fill("My refund, three weeks late")
    page.get_by_label("Your name").fill("Carla")
    overloaded(page, re.compile(r"/$"), 1)
    page.get_by_role("button", name="Send to a person").click()
    expect(page.get_by_role("heading", name="Overloaded")).to_be_visible()
    page.go_back()
    expect(page.get_by_label("How can we help?")).to_have_value("My refund, three weeks late")
    expect(page.get_by_label("Your name")).to_have_value("Carla")
    page.get_by_role("button", name="Send to a person").click()
    expect(page.locator("#chat")).to_be_visible()
    assert stack.sql("SELECT summary FROM tickets_ticket") == [("My refund, three weeks late",)]


def test_the_customers_message_goes_again(new_page: NewPage, backstage: Backstage, stack: LiveStack) -> None:
    backstage.ticket()
    page = new_page(allowed=SHED)
    page.goto(backstage.run("result = access.link_path(Ticket.objects.get())"))
    connected(page)  # before its script has come, the browser itself sends the form
    came = overloaded(page, "**/messages", 2)
    page.get_by_label("Your message").fill("Are you there?")
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".message-customer[data-at] .bubble").last).to_have_text("Are you there?")
    expect(page.locator("[data-status]")).to_have_count(0)
    assert came() == 3
    assert stack.sql("SELECT count(*) FROM tickets_message WHERE body = 'Are you there?'") == [(1,)]


def test_the_agents_reply_goes_again_and_stays_when_it_is_too_much(
    console: Any, backstage: Backstage, stack: LiveStack
) -> None:
    page = console(allowed=SHED)
    online(page)
    thread = page.locator(f"#thread-{held(page, backstage)}")
    came = overloaded(page, "**/reply", 5)
    box = thread.get_by_label("Your text")
    box.fill("I am here.")
    box.press("Control+Enter")
    again = thread.get_by_role("button", name="Try again")
    expect(again).to_be_visible()
    assert came() == 4
    again.click()
    expect(thread.locator("[data-outbox] li")).to_have_count(0)
    expect(thread.locator(".message-agent .bubble")).to_have_text("I am here.")
    assert came() == 6
    assert stack.sql("SELECT count(*) FROM tickets_message WHERE body = 'I am here.'") == [(1,)]
