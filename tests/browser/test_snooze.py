"""Putting aside and ending as spam, in a real browser: by keyboard, and on a phone; what customer and lead see."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.backstage import Backstage
from tests.browser.looks import looks_right, no_findings
from tests.browser.test_console import held, online
from tests.conftest import NewPage
from tests.stack import LiveStack

pytestmark = [pytest.mark.browser, pytest.mark.servers]

LINK = "from tickets.access import link_path; result = link_path(Ticket.objects.get(public_id={!r}))"
LEAD = """
from django.contrib.auth.models import Permission
lead = User.objects.create_user("lead@team.example", name="Lea")
lead.user_permissions.add(*Permission.objects.filter(codename__in=("view_run", "view_misuse", "change_misuse")))
client = Client()
client.force_login(lead, backend="django.contrib.auth.backends.ModelBackend")
result = client.cookies["sessionid"].value
"""
DUE = (
    "from django.utils import timezone; Ticket.objects.filter(public_id={!r}).update(wakes_at=timezone.now())"
)


def customer_of(public_id: str, backstage: Backstage, new_page: NewPage, **more: Any) -> Page:
    page = new_page(**more)
    page.goto(backstage.run(LINK.format(public_id)))
    return page


def test_aside_and_back_by_keyboard(console: Any, new_page: NewPage, backstage: Backstage) -> None:
    page = console(bypass_csp=True)
    online(page)
    public_id = held(page, backstage)
    asleep = page.locator(f"#asleep #item-{public_id}")
    page.locator(f"#thread-title-{public_id}").focus()
    page.keyboard.press("s")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("In an hour")).to_be_focused()
    no_findings(page)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    expect(asleep).to_contain_text("Comes back:")
    expect(page.locator(".capacity")).to_contain_text("0")
    customer = customer_of(public_id, backstage, new_page)
    expect(customer.locator("#status")).to_contain_text("Anna comes back to this by")
    expect(customer.locator("#thread")).to_contain_text("Write at any time.")
    page.locator(f"#thread-title-{public_id}").focus()
    page.keyboard.press("t")
    expect(page.locator(f"#items #item-{public_id}")).to_be_visible()
    expect(page.locator("#notices .notice")).to_have_count(0)
    page.keyboard.press("Control+k")
    page.keyboard.type("put the ticket")
    page.keyboard.press("Enter")
    expect(dialog.get_by_label("In an hour")).to_be_focused()
    page.keyboard.press("Enter")
    expect(asleep).to_be_visible()
    backstage.customer_says(public_id, "I have found it")
    expect(page.locator("#notices")).to_contain_text("is back: the customer has written.")
    expect(asleep).to_have_count(0)
    expect(customer.locator("#status")).to_contain_text("Anna is with you")


def test_spam_by_keyboard(console: Any, new_page: NewPage, backstage: Backstage) -> None:
    page = console()
    online(page)
    public_id = held(page, backstage, "Cheap pills")
    customer = customer_of(public_id, backstage, new_page)
    page.locator(f"#thread-title-{public_id}").focus()
    page.keyboard.press("x")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("Spam: no customer’s matter")).to_be_focused()
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.type("The third today")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#notices")).to_contain_text(
        "is closed. It is paid as usual; a team lead looks at it."
    )
    expect(page.locator(f"#thread-{public_id}")).to_have_count(0)
    expect(customer.locator("#status")).to_contain_text("We have ended this conversation")
    expect(customer.get_by_text("How was it?")).to_have_count(0)
    expect(customer.get_by_role("link", name="Open a new ticket")).to_be_visible()


def test_on_a_phone_and_what_the_lead_takes_back(
    console: Any, new_page: NewPage, backstage: Backstage, stack: LiveStack
) -> None:
    phone = {
        "locale": "de",
        "color_scheme": "dark",
        "viewport": {"width": 320, "height": 800},
        "bypass_csp": True,
    }

    page = console(**phone)
    page.get_by_role("button", name="Online").click()
    public_id = backstage.ticket()
    page.get_by_role("button", name="Annehmen").click()
    page.locator(f"#aside-{public_id}").click()
    dialog = page.get_by_role("dialog")
    looks_right(page)
    dialog.get_by_label("Morgen früh").check()
    dialog.get_by_role("button", name="Zurückstellen").click()
    expect(page.locator(f"#head-{public_id}")).to_contain_text("Zurückgestellt bis")
    looks_right(page)
    customer = customer_of(public_id, backstage, new_page, **phone)
    expect(customer.locator("#status")).to_contain_text("Anna kommt darauf zurück bis")
    looks_right(customer)
    page.locator(f"#thread-{public_id} [data-back]").click()
    expect(page.locator(f"#asleep #item-{public_id}")).to_be_visible()
    backstage.run(DUE.format(public_id))
    expect(page.locator("#notices")).to_contain_text("ist wieder da: Es ist so weit.")
    expect(page.locator(f"#items #item-{public_id}")).to_contain_text("wieder da")
    page.locator(f"#open-{public_id}").click()
    page.locator(f"#end-{public_id}").click()
    dialog.get_by_label(re.compile("Missbrauch")).check()
    looks_right(page)
    dialog.get_by_role("button", name="Ticket beenden").click()
    expect(page.locator(f"#thread-{public_id}")).to_have_count(0)
    expect(customer.locator("#status")).to_contain_text("Wir haben dieses Gespräch beendet")
    looks_right(customer)
    lead = new_page(**phone)
    lead.context.add_cookies([{"name": "sessionid", "value": backstage.run(LEAD), "url": stack.base_url}])
    lead.goto("/lead/flagged")
    looks_right(lead)
    lead.get_by_role("button", name="Zurücknehmen").click()
    expect(lead.get_by_text("Nichts offen.")).to_be_visible()
    looks_right(lead)
    expect(customer.locator("#status")).not_to_contain_text("beendet")
    expect(customer.get_by_placeholder("Nachricht …")).to_be_visible()
