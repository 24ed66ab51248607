"""The decision log in a browser: from the list to the reason, on a phone and at a desk, in German."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.backstage import Backstage
from tests.browser.looks import looks_right
from tests.conftest import NewPage
from tests.stack import LiveStack
from tests.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.servers]

SCENE = """
from django.contrib.auth.models import Permission
lead = User.objects.create_user("lead@team.example", name="Lea")
lead.user_permissions.add(Permission.objects.get(codename="view_run"))
client = Client()
client.force_login(lead, backend="django.contrib.auth.backends.ModelBackend")
for name, payments in (("Anna", 3), ("Bernd", 2), ("Greta", 0)):
    presence.go_online(agent_id=world.agent(name, payments=payments).pk)
world.ticket()
offered(world.agents["Anna"].pk)
result = client.cookies["sessionid"].value
"""


@pytest.fixture
def lead(new_page: NewPage, stack: LiveStack, backstage: Backstage) -> Callable[..., Page]:
    session = backstage.run(SCENE)
    stored = (
        "SELECT bool_and(octet_length(snapshot) > 0) FROM dispatch_run"  # once a second, after the offers
    )
    until(lambda: stack.sql(stored) == [(True,)], "what the run saw")

    def open_page(**more: object) -> Page:
        page = new_page(**more)
        page.context.add_cookies([{"name": "sessionid", "value": session, "url": stack.base_url}])
        page.goto("/lead/runs")
        return page

    return open_page


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1440])
def test_from_the_list_to_why_not(lead: Callable[..., Page], scheme: str, width: int) -> None:
    page = lead(locale="de", color_scheme=scheme, viewport={"width": width, "height": 900}, bypass_csp=True)
    looks_right(page)
    page.get_by_label("Ticket", exact=True).fill("S-999999")
    page.get_by_role("button", name="Anzeigen").click()
    expect(page.get_by_text("Kein Lauf hat dieses Ticket jemandem angeboten.")).to_be_visible()
    page.get_by_role("link", name="Alle, Neuestes zuerst").click()
    page.locator(".table a").first.click()
    expect(page.get_by_text(re.compile("dieselben 2 Paare"))).to_be_visible()
    expect(page.get_by_text("Sie haben die Fähigkeit Zahlungen auf Stufe 3, nötig war 2.")).to_be_visible()
    page.get_by_text("Punkte, Runde").first.click()
    page.get_by_label("Person").select_option(label="Greta")
    page.get_by_role("button", name="Warum nicht?").click()
    expect(
        page.get_by_text("Das Ticket braucht die Fähigkeit Zahlungen auf Stufe 2; die haben Sie noch nicht.")
    ).to_be_visible()
    looks_right(page)
