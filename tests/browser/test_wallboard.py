"""The wallboard in a browser: it moves while customer and agent are at work, a lead acts from it; it says when it is old."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.backstage import Backstage
from tests.browser.looks import looks_right, no_findings
from tests.browser.test_console import online, state
from tests.browser.test_snooze import customer_of
from tests.conftest import NewPage
from tests.stack import LiveStack

pytestmark = [pytest.mark.browser, pytest.mark.servers]

LEAD = """
from django.contrib.auth.models import Permission
lead = User.objects.create_user("lead@team.example", name="Lea")
rights = ("view_halfhour", "view_ticket", "view_shift", "view_leadaction", "intervene")
lead.user_permissions.add(*Permission.objects.filter(codename__in=rights))
client = Client()
client.force_login(lead, backend="django.contrib.auth.backends.ModelBackend")
result = client.cookies["sessionid"].value
"""
HALVES = """
from dispatch.wall import halves
halves.halves_write()
"""


@pytest.fixture
def wallboard(new_page: NewPage, stack: LiveStack, backstage: Backstage) -> Callable[..., Page]:
    session = backstage.run(LEAD)

    def open_page(path: str = "/lead/", **more: object) -> Page:
        page = new_page(**more)
        page.context.add_cookies([{"name": "sessionid", "value": session, "url": stack.base_url}])
        page.goto(path)
        return page

    return open_page


def figure(page: Page, name: str) -> Any:
    return expect(page.locator(f"#figure-{name}"))


def test_it_moves_and_a_lead_acts(
    wallboard: Callable[..., Page], console: Any, new_page: NewPage, backstage: Backstage
) -> None:
    lead = wallboard()
    expect(lead.locator("#wall-how")).to_have_text("Live")
    figure(lead, "online").to_have_text("0")
    agent = console()
    online(agent)
    figure(lead, "online").to_have_text("1")
    public_id = backstage.ticket()
    figure(lead, "waiting").to_have_text("1")
    figure(lead, "offers").to_have_text("1")
    expect(lead.locator("#wall-waits")).to_contain_text("Refund")
    agent.get_by_role("button", name=re.compile("Accept")).click()
    figure(lead, "chats").to_have_text("1")
    figure(lead, "waiting").to_have_text("0")

    # A whisper: to the agent at once, and never to the customer.
    customer = customer_of(public_id, backstage, new_page)
    lead.goto(f"/lead/tickets/{public_id}")
    no_findings(lead)
    lead.get_by_label("Note").fill("Offer her 20 euros.")
    lead.get_by_role("button", name="Whisper").click()
    expect(lead.get_by_text("Whispered. The customer does not see it.")).to_be_visible()
    expect(agent.locator("#notices")).to_contain_text("a note from Lea, team lead")
    note = agent.locator(f"#thread-{public_id} .note", has_text="Offer her 20 euros.")
    expect(note).to_contain_text("Team lead")
    backstage.run(
        f"conversation.customer_reply(ticket=Ticket.objects.get(public_id='{public_id}'), body='Hello?')"
    )
    expect(customer.get_by_text("Hello?")).to_be_visible()  # so what came before would be there as well
    expect(customer.get_by_text("20 euros")).to_have_count(0)

    # Taken offline: asked for a reason first, and the agent's page says so.
    lead.get_by_role("link", name="Take offline …").click()
    expect(lead.get_by_text("1 ticket goes back to the queue with its age.")).to_be_visible()
    no_findings(lead)
    lead.get_by_label("Why?").fill("The line is dead.")
    lead.get_by_role("button", name="Take offline").click()
    expect(lead.get_by_text("Anna is offline now.")).to_be_visible()
    expect(state(agent)).to_have_attribute("data-state", "offline")
    lead.goto("/lead/")
    figure(lead, "waiting").to_have_text("1")
    figure(lead, "gone").to_have_text("1")
    lead.goto("/lead/acts")
    expect(lead.get_by_role("row", name=re.compile("Anna"))).to_contain_text("The line is dead.")


def test_it_says_since_when_there_was_no_news(wallboard: Callable[..., Page], backstage: Backstage) -> None:
    page = wallboard(allowed=[r"ERR_INTERNET_DISCONNECTED", r"WebSocket"])
    expect(page.locator("#wall-how")).to_have_text("Live")
    page.context.set_offline(True)
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.get_by_role("alert")).to_have_text(re.compile(r"Stale: no news since \d\d:\d\d:\d\d\."))
    backstage.run("presence.go_online(agent_id=agent('Ben')['id'])")
    page.context.set_offline(False)
    figure(page, "online").to_have_text("1")
    expect(page.get_by_role("alert")).to_have_count(0)


def test_it_polls_while_its_socket_is_away(new_page: NewPage, stack: LiveStack, backstage: Backstage) -> None:
    page = new_page(allowed=[r"WebSocket"])
    page.context.add_cookies([{"name": "sessionid", "value": backstage.run(LEAD), "url": stack.base_url}])
    page.route_web_socket("**/ws/**", lambda socket: socket.close())
    page.goto("/lead/")
    backstage.run("presence.go_online(agent_id=agent('Ben')['id'])")
    figure(page, "online").to_have_text("1")
    expect(page.locator("#wall-how")).to_have_text("By polling")


@pytest.mark.parametrize(("scheme", "width"), [("light", 320), ("dark", 1440)])
def test_in_german_with_a_table_behind_each_chart(
    wallboard: Callable[..., Page], backstage: Backstage, scheme: str, width: int
) -> None:
    backstage.ticket()
    backstage.run(HALVES)
    page = wallboard(
        locale="de", color_scheme=scheme, viewport={"width": width, "height": 900}, bypass_csp=True
    )
    figure(page, "waiting").to_have_text("1")
    for summary in page.get_by_text("Als Tabelle").all():
        summary.press("Enter")
    expect(page.locator("#wall-waited_rows tr").first).to_be_visible()
    expect(page.locator("#wall-waited svg rect").first).to_be_attached()
    looks_right(page)
    page.get_by_role("button", name="Vollbild").press("Enter")
    expect(page.get_by_role("button", name="Vollbild verlassen")).to_be_visible()
    assert page.evaluate("document.fullscreenElement.id") == "wall"
    backstage.run("presence.go_online(agent_id=agent('Ben')['id'])")
    for path in ("/lead/?wall=1", "/lead/people", "/lead/queue", "/lead/call-in", "/lead/acts"):
        page.goto(path)
        looks_right(page)
        if path == "/lead/people":
            expect(page.locator("tbody tr")).to_have_count(1)


# What is wider than its tile, or a figure than its place.
OVERFLOWING = """() => [...document.querySelectorAll(".wall-tiles > .card, :is(.wall-tiles, .wall-people) dd")]
  .filter((one) => one.scrollWidth > one.clientWidth)
  .map((one) => `${one.innerText}: ${one.scrollWidth} in ${one.clientWidth}`)"""


@pytest.mark.parametrize("path", ["/lead/", "/lead/?wall=1"])
def test_every_figure_fits_into_its_tile(
    wallboard: Callable[..., Page], backstage: Backstage, path: str
) -> None:
    backstage.ticket()
    backstage.run(
        "from datetime import timedelta\n"
        "from django.utils import timezone\n"
        "Ticket.objects.update(waiting_since=timezone.now() - timedelta(minutes=13, seconds=27))"
    )
    backstage.run(HALVES)
    page = wallboard(path, locale="de")
    figure(page, "longest").to_have_text(re.compile(r"13 min \d+ s"))
    expect(page.locator("#wall-now dt").first).to_have_text("Wartend")
    for width in (1920, 1366, 1280, 1024, 390, 320):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate(OVERFLOWING) == [], width
    page.set_viewport_size({"width": 1920, "height": 900})
    # In one step of the page's: a figure that is drawn anew meanwhile has no size any more.
    sizes = page.evaluate(
        "names => names.map(one => parseFloat(getComputedStyle(document.getElementById(`figure-${one}`)).fontSize))",
        ["waiting", "longest"],
    )
    assert min(sizes) >= (40 if "wall=1" in path else 24)  # to be read from afar
