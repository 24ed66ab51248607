"""The page behind the link at the end of a mail, which stops mails about a ticket."""

import pytest
from playwright.sync_api import expect

from tests.backstage import Backstage
from tests.browser.looks import looks_right
from tests.conftest import NewPage

pytestmark = [pytest.mark.browser, pytest.mark.servers]


def test_on_a_phone_in_german_by_the_keyboard(new_page: NewPage, backstage: Backstage) -> None:
    public_id = backstage.ticket(language="de")
    path, number = backstage.run(
        "from tickets import postmarks\n"
        f"t = Ticket.objects.get(public_id={public_id!r})\n"
        "result = [f'/t/{t.public_id}/mails/{postmarks.stop_mark_of(t)}', t.number]"
    )
    page = new_page(size="phone", locale="de", viewport={"width": 320, "height": 640})
    page.goto(path)
    expect(page.locator(".lead")).to_contain_text(f"Wenn Ihnen jemand zu {number} antwortet")
    page.get_by_role("button", name="Keine Mails mehr zu diesem Ticket").press("Enter")
    expect(page.locator(".lead")).to_contain_text(f"Wir schicken Ihnen keine Mails mehr zu {number}")
    looks_right(page)
    assert backstage.run("result = Ticket.objects.get().mails_stopped_at is not None")
    page.get_by_role("button", name="Antworten wieder per Mail schicken").press("Enter")
    expect(page.locator(".lead")).to_contain_text("Wenn Ihnen jemand")
