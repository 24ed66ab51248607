"""Passing on in a real browser: from one agent's desk to another's, by keyboard; what leads and the customer see of it."""

import re
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
lead.user_permissions.add(*Permission.objects.filter(codename__in=("view_run", "view_escalation", "change_escalation")))
client = Client()
client.force_login(lead, backend="django.contrib.auth.backends.ModelBackend")
result = client.cookies["sessionid"].value
"""


def test_from_desk_to_desk_by_keyboard(console: Any, backstage: Backstage, anna: dict[str, Any]) -> None:
    page = console()
    online(page)
    public_id = held(page, backstage)
    ben = backstage.run("result = agent('Ben')")
    other = console(session=ben["session"])
    online(other)
    page.locator(f"#pass-on-{public_id}").focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("To whom?")).to_be_focused()
    no_findings(page)
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    page.locator(f"#pass-on-{public_id}").press("Enter")
    dialog.get_by_label("To whom?").select_option(label="Ben")
    dialog.get_by_label("What has been done, and what is needed?").fill(
        "Charged twice; the shop must confirm."
    )
    dialog.get_by_role("button", name="Pass on").press("Enter")
    expect(page.locator(f"#thread-{public_id}")).to_have_count(0)
    expect(dialog).to_be_hidden()
    expect(page.locator("#notices")).to_contain_text("was passed on, with your note.")
    card = other.locator(".offer")
    card.get_by_text("Why me?").click()
    expect(card).to_contain_text("A colleague passed this ticket on to you by name, with a note.")
    card.get_by_role("button", name=re.compile("Accept")).click()
    thread = other.locator(f"#thread-{public_id}")
    expect(thread.locator(".notes")).to_contain_text("Charged twice; the shop must confirm.")
    expect(thread).to_contain_text("Anna passed it on to Ben")


def test_a_refusal_stands_in_the_dialog(console: Any, backstage: Backstage, stack: LiveStack) -> None:
    page = console(allowed=[r"status of 409"])
    online(page)
    public_id = held(page, backstage)
    backstage.run("presence.go_online(agent_id=agent('Ben')['id'])")
    page.locator(f"#pass-on-{public_id}").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("To whom?").select_option(label="Ben")
    dialog.get_by_label("What has been done, and what is needed?").fill("See above")
    backstage.run("presence.go_offline(agent_id=Agent.objects.get(name='Ben').pk, epoch=1)")
    dialog.get_by_role("button", name="Pass on").click()
    expect(dialog.get_by_role("alert")).to_have_text(
        "This ticket cannot go there now. Please choose somebody else."
    )
    expect(dialog.get_by_label("What has been done, and what is needed?")).to_have_value("See above")


@pytest.mark.parametrize("width", [320, 1440])
def test_a_team_lead_is_asked_and_answers(
    console: Any, new_page: NewPage, backstage: Backstage, stack: LiveStack, width: int
) -> None:
    page = console(
        locale="de", color_scheme="dark", viewport={"width": width, "height": 900}, bypass_csp=True
    )
    page.get_by_role("button", name="Online").click()
    public_id = backstage.ticket()
    page.get_by_role("button", name="Annehmen").click()
    page.locator(f"#pass-on-{public_id}").click()
    dialog = page.get_by_role("dialog")
    looks_right(page)
    dialog.get_by_label("An wen?").select_option("lead")
    dialog.get_by_label("Was wurde getan, und was ist nötig?").fill("Darf ich 500 erstatten?")
    dialog.get_by_role("button", name="Weitergeben").click()
    thread = page.locator(f"#thread-{public_id}")
    expect(thread).to_contain_text("Anna hat die Teamleitung gefragt")
    lead = new_page(
        locale="de", color_scheme="dark", viewport={"width": width, "height": 900}, bypass_csp=True
    )
    lead.context.add_cookies([{"name": "sessionid", "value": backstage.run(LEAD), "url": stack.base_url}])
    lead.goto("/lead/escalations")
    looks_right(lead)
    expect(lead.get_by_text("Darf ich 500 erstatten?")).to_be_visible()
    lead.get_by_label(re.compile("Antwort")).fill("Ja, bis 600.")
    lead.get_by_role("button", name="Erledigen").click()
    expect(lead.get_by_text("Nichts offen.")).to_be_visible()
    no_findings(lead)
    expect(thread.locator(".notes")).to_contain_text("Ja, bis 600.")
    expect(page.locator(f"#item-{public_id} .item-escalated")).to_have_count(0)
