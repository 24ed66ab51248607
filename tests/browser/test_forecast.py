"""The forecast in a browser: on a phone in the dark and at a desk, in German, from a case to hours that are written."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.backstage import Backstage
from tests.browser.looks import looks_right, no_findings
from tests.conftest import NewPage
from tests.stack import LiveStack

pytestmark = [pytest.mark.browser, pytest.mark.servers]

SCENE = """
from datetime import timedelta
from django.contrib.auth.models import Permission
from django.utils import timezone
from dispatch.models import Forecast
lead = User.objects.create_user("lead@team.example", name="Lea")
rights = ("view_forecast", "intervene", "add_simulation", "view_simulation")
lead.user_permissions.add(*Permission.objects.filter(codename__in=rights))
client = Client()
client.force_login(lead, backend="django.contrib.auth.backends.ModelBackend")
for name in ("Anna", "Bernd"):
    world.agent(name)
day = [0.5] * 16 + [4.0, 6.0] * 12 + [1.5] * 8
for back in (1, 0):
    for skill in (None, world.payments):
        Forecast.objects.create(
            pool=world.pool, skill=skill, day=timezone.localdate() - timedelta(days=back), model="recent level", error=0.31,
            baseline_error=0.36, errors={"seasonal average": 0.36, "recent level": 0.31}, dispersion=0.05, history_days=40,
            means=day * 8, baseline=[one * 0.9 for one in day] * 8)
result = client.cookies["sessionid"].value
"""


@pytest.fixture
def lead(new_page: NewPage, stack: LiveStack, backstage: Backstage) -> Callable[..., Page]:
    session = backstage.run(SCENE)

    def open_page(**more: object) -> Page:
        page = new_page(**more)
        page.context.add_cookies([{"name": "sessionid", "value": session, "url": stack.base_url}])
        page.goto("/lead/forecast")
        return page

    return open_page


@pytest.mark.parametrize(("scheme", "width"), [("dark", 320), ("light", 1440)])
def test_from_what_if_to_needed_hours(lead: Callable[..., Page], scheme: str, width: int) -> None:
    page = lead(locale="de", color_scheme=scheme, viewport={"width": width, "height": 900}, bypass_csp=True)
    expect(page.get_by_text("Diese Vorhersage ist von: saisonales Mittel × jüngste Höhe.")).to_be_visible()
    expect(page.locator(".forecast-chart svg polyline")).to_have_count(4)
    looks_right(page)
    # By keyboard alone: open the case, double what comes.
    page.get_by_text("Was wäre, wenn?").focus()
    page.keyboard.press("Enter")
    page.get_by_label("Aufkommen, Prozent mehr oder weniger").fill("100")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("demand=100"))
    page.locator("details").filter(has=page.locator("table")).nth(1).locator("summary").click()
    expect(page.get_by_role("cell", name="12,0", exact=True).first).to_be_visible()
    looks_right(page)
    page.get_by_role("link", name="Bedarf eintragen …").click()
    expect(page.get_by_label("Warum?")).to_be_visible()
    no_findings(page)
    page.get_by_label("Warum?").fill("So vorhergesagt")
    page.get_by_role("button", name="Eintragen").press("Enter")
    expect(page.get_by_text(re.compile(r"Bedarf: \d+ Stunden eingetragen, \d+ geändert"))).to_be_visible()
