"""Masked, shown by keyboard for a reason, masked again; and what the team lead sees of it, in a real browser."""

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.backstage import Backstage
from tests.browser.looks import looks_right, no_findings
from tests.browser.test_console import held, online
from tests.conftest import NewPage
from tests.stack import LiveStack

pytestmark = [pytest.mark.browser, pytest.mark.servers]

LEAD = """
from django.contrib.auth.models import Permission
lead = User.objects.create_user("lead@team.example", name="Lea")
lead.user_permissions.add(*Permission.objects.filter(codename__in=("view_run", "view_reveal", "reveal_personal")))
client = Client()
client.force_login(lead, backend="django.contrib.auth.backends.ModelBackend")
result = client.cookies["sessionid"].value
"""

DRAWN_ANEW = """async () => {
  const { place } = await import("/static/js/console/fragments.js");
  const anew = document.querySelector("ol.thread").cloneNode(true);
  anew.setAttribute("hx-swap-oob", "true");
  place(anew.outerHTML);
}"""


def test_shown_by_keyboard_and_seen_by_the_lead(
    console: Any, new_page: NewPage, backstage: Backstage, stack: LiveStack
) -> None:
    page = console(allowed=[r"status of 422"], bypass_csp=True)
    online(page)
    public_id = held(page, backstage, "Please call me on +49 171 2345617, 17 Elm Grove, Bristol BS6 6AB.")
    message = page.locator(f"#messages-{public_id} .message").first
    expect(message.locator(".bubble")).to_have_text("Please call me on +49 … 17, […].")
    expect(page.locator(f"#email-{public_id}")).to_contain_text("c…@…")
    link = message.locator("a.reveal")
    expect(link).to_contain_text("telephone number, postal address")
    link.focus()
    page.evaluate(DRAWN_ANEW)  # as a snapshot does
    expect(link).to_be_focused()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    reason = dialog.get_by_label("What do you need it for?")
    expect(reason).to_be_focused()
    no_findings(page)
    reason.select_option("other")
    dialog.get_by_role("button", name="Show").press("Enter")
    expect(dialog.get_by_role("alert")).to_contain_text("in words")
    reason.select_option(label="to call or write to them")
    dialog.get_by_role("button", name="Show").press("Enter")
    expect(dialog).to_be_hidden()
    expect(message.locator(".bubble")).to_contain_text("+49 171 2345617, 17 Elm Grove")
    expect(message).to_be_focused()
    expect(link).to_have_count(0)
    expect(page.locator(f"#thread-{public_id}")).to_contain_text(
        "Anna had shown: telephone number, postal address"
    )
    no_findings(page)
    kept = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
    assert "2345617" not in kept
    page.reload()
    expect(message.locator(".bubble")).to_have_text("Please call me on +49 … 17, […].")
    assert "2345617" not in page.content()

    session = backstage.run(LEAD)
    for width, locale in ((320, "de"), (1440, "en")):
        lead = new_page(
            locale=locale, color_scheme="dark", viewport={"width": width, "height": 900}, bypass_csp=True
        )
        lead.context.add_cookies([{"name": "sessionid", "value": session, "url": stack.base_url}])
        lead.goto("/lead/reveals")
        expect(lead.get_by_role("link", name="Anna")).to_be_visible()
        looks_right(lead)
        lead.goto(f"/lead/personal/{public_id}")
        expect(lead.get_by_text("+49 … 17")).to_be_visible()
        looks_right(lead)
