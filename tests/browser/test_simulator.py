"""The simulator's page in a browser, with the worker that plays: from the form to the figures."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.looks import looks_right, no_findings
from tests.conftest import NewPage
from tests.people import prepare
from tests.stack import LiveStack, live_stack

pytestmark = [pytest.mark.browser, pytest.mark.servers]

SCENE = """
from django.contrib.auth.models import Permission
from django.test import Client
from agents.models import User
lead = User.objects.create_user("lead@team.example", name="Lea", language="de")
lead.user_permissions.add(*Permission.objects.filter(codename__in=["add_simulation", "view_simulation"]))
client = Client()
client.force_login(lead, backend="django.contrib.auth.backends.ModelBackend")
print("session", client.cookies["sessionid"].value)
"""


@pytest.fixture(scope="module")
def stack() -> Iterator[LiveStack]:
    with live_stack("simulator", with_simulator=True) as started:
        prepare(started, "Anna")
        yield started


def test_from_the_form_to_the_figures(stack: LiveStack, new_page: NewPage) -> None:
    session = stack.manage("shell", "--no-imports", "-c", SCENE).split("session ")[1].strip()
    page = new_page(
        locale="de",
        color_scheme="dark",
        viewport={"width": 320, "height": 800},
        bypass_csp=True,
        allowed=["status of 422"],
    )
    page.context.add_cookies([{"name": "sessionid", "value": session, "url": stack.base_url}])
    page.goto("/lead/simulator")
    looks_right(page)
    page.get_by_label("Personen online").fill("6")
    page.get_by_label("Gemessene Stunden").fill("0")
    page.get_by_label("Welten").fill("2")
    page.get_by_label("Die Regeln von „Erste Reihe“ von jetzt").check()
    page.get_by_label("Wer am längsten frei ist").check()
    page.get_by_role("button", name="Spielen").click()
    # What was wrong is said, and what was typed stands there still.
    expect(page.get_by_role("alert")).to_contain_text("es wurde nichts gestartet")
    expect(page.get_by_label("Personen online")).to_have_value("6")
    no_findings(page)
    page.get_by_label("Gemessene Stunden").fill("0.5")
    page.get_by_role("button", name="Spielen").press("Enter")
    expect(page.get_by_role("heading", name=re.compile(r"Simulation \d+"))).to_be_visible()
    # Nobody has to look again: the page does.
    expect(page.get_by_role("heading", name="Was herauskam")).to_be_visible(timeout=60_000)
    expect(page.get_by_role("row", name=re.compile("^Wer am längsten frei ist"))).to_contain_text("%")
    expect(page.locator(".lead-plot img")).to_have_js_property("complete", value=True)
    assert page.evaluate("document.querySelector('.lead-plot img').naturalWidth") > 0
    looks_right(page)
    with page.expect_download() as download:
        page.get_by_role("link", name="Bericht (HTML)").click()
    assert re.fullmatch(r"simulation-\d+\.html", download.value.suggested_filename)
