"""The target on the desk as time goes by, and where the unread begins for who comes back, in real browsers."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.backstage import Backstage
from tests.browser.looks import no_findings
from tests.browser.test_console import held, online
from tests.conftest import NewPage
from tests.stack import LiveStack

pytestmark = [pytest.mark.browser, pytest.mark.servers]


@pytest.fixture
def short(stack: LiveStack, backstage: Backstage) -> Iterator[None]:
    """A target that is over within a test."""
    stack.sql("UPDATE dispatch_route SET target_seconds = 9")
    backstage.run("let_all_hear()")
    yield
    stack.sql("UPDATE dispatch_route SET target_seconds = 60")


def test_the_target_gets_close_and_over_by_itself(
    console: Any, new_page: NewPage, backstage: Backstage, short: None
) -> None:
    page = console(viewport={"width": 320, "height": 800}, color_scheme="dark")
    online(page)
    public_id = held(page, backstage)
    head, item = page.locator(f"#waiting-{public_id}"), page.locator(f"#item-{public_id} .item-wait")
    expect(
        head.locator("[data-target='within'], [data-target='close']").locator("visible=true")
    ).to_have_count(1)
    over = head.locator("[data-target='over']")
    expect(over).to_be_visible()
    expect(over).to_have_text("over the target of 9 s")
    expect(head.locator("[data-target='close']")).to_be_hidden()
    no_findings(page)
    page.get_by_role("link", name="All tickets").click()
    expect(item.locator("[data-target='over']")).to_be_visible()
    expect(item.locator("[data-target='within']")).to_be_hidden()
    no_findings(page)
    page.locator(f"#open-{public_id}").click()
    box = page.locator(f"#thread-{public_id}").get_by_label("Your text")
    box.fill("Which order is it?")
    box.press("Control+Enter")
    expect(head).to_be_hidden()
    # The customer was not there meanwhile, and comes back.
    link = backstage.run(
        f"from tickets.access import link_path; result = link_path(Ticket.objects.get(public_id={public_id!r}))"
    )
    customer = new_page(size="phone")
    customer.goto(link)
    line = customer.locator("#new-since")
    expect(line).to_have_text("New since your last visit")
    expect(line).to_be_in_viewport()
    no_findings(customer)
    expect(page.locator(f"#thread-{public_id} [data-read]")).to_be_visible()
    customer.reload()
    expect(customer.locator("#chat")).to_have_attribute("data-live", "connected")
    expect(line).to_have_count(0)
    customer.locator("#body").fill("The blue one")
    customer.locator("#body").press("Control+Enter")
    expect(head).to_contain_text("Unanswered")
