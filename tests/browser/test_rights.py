"""Rights in a browser, on a phone and at a desk: from a bad rating to the contest's answer, my data, leaving."""

import io
import zipfile
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Page, expect

from tests.backstage import Backstage
from tests.browser.looks import looks_right
from tests.cast import PASSWORD
from tests.conftest import NewPage
from tests.stack import LiveStack

pytestmark = [pytest.mark.browser, pytest.mark.servers]

SCENE = """
from django.contrib.auth.models import Permission
from agents.models import Decision
from dispatch import reviews
from tickets.lifecycle import ticket_rate
Policy.objects.update(current=False)
Policy.objects.create(pool=world.pool, version=2 + Policy.objects.count(), review_percent=100, peer_level=3)
kept.forget()
anna_agent, bernd = world.agent("Anna"), agent("Bernd")
session = Client()
session.force_login(anna_agent.user, backend="django.contrib.auth.backends.ModelBackend")
shift = presence.go_online(agent_id=anna_agent.pk)
for number, score in enumerate((5, 4, 1)):
    ticket = world.ticket(f"Question {number}: where is my refund?")
    offer_accept(offer_id=offered(anna_agent.pk), agent_id=anna_agent.pk, epoch=shift.epoch)
    presence.beats([shift.pk])
    desk.reply(agent=anna_agent, epoch=shift.epoch, ticket_id=ticket.pk, body="Dear Carla, it is on its way.")
    desk.resolve(agent=anna_agent, epoch=shift.epoch, ticket_id=ticket.pk)
    ticket_rate(ticket=ticket, score=score, solved=score > 2, comment="The shop was rude." if score == 1 else "")
presence.go_offline(agent_id=anna_agent.pk, epoch=shift.epoch)
reviews.draw()
lead = User.objects.create_user("lead@team.example", name="Lea")
for codename in ("change_review", "view_review", "view_contest", "answer_contest", "view_run", "view_escalation"):
    lead.user_permissions.add(Permission.objects.get(codename=codename))
# By an admin, and with the longest of roles.
Decision.objects.create(agent=anna_agent, kind="readmitted", reason="All is well.", decided_by=lead, role="Administration")
leads = Client()
leads.force_login(lead, backend="django.contrib.auth.backends.ModelBackend")
result = {"anna": session.cookies["sessionid"].value, "bernd": bernd["session"], "lead": leads.cookies["sessionid"].value}
"""


@pytest.fixture
def sessions(backstage: Backstage) -> dict[str, str]:
    return dict(backstage.run(SCENE))


WORDS: dict[str, Any] = {
    "en": {"contest": "Contest", "why": "Why it is not right", "send": "Contest", "data": "Collect my data",
           "download": "Download", "leave": "Leave or be erased", "password": "Your password", "erase": "Erase me",
           "back": "Do not erase me", "days": "Decisions, day by day", "review": "Send the review",
           "text": "Why, and what would be better", "stands": "struck out", "answer": "Answer to the agent", "go": "Answer",
           "struck": "struck out", "lead": "by a team lead", "contested": "contested, answer by"},
    "de": {"contest": "Einwand erheben", "why": "Warum es nicht stimmt", "send": "Einwand erheben",
           "data": "Meine Daten zusammenstellen", "download": "Herunterladen", "leave": "Ausscheiden oder gelöscht werden",
           "password": "Ihr Passwort", "erase": "Mich löschen", "back": "Mich nicht löschen",
           "days": "Entscheidungen, Tag für Tag", "review": "Durchsicht senden", "text": "Warum, und was besser wäre",
           "stands": "gestrichen", "answer": "Antwort an die Person", "go": "Antworten", "struck": "gestrichen",
           "lead": "von einer Teamleitung", "contested": "Einwand erhoben, Antwort bis"},
}  # fmt: skip


@pytest.mark.parametrize(("width", "locale", "scheme"), [(1440, "en", "light"), (320, "de", "dark")])
def test_the_whole_way(
    new_page: NewPage,
    stack: LiveStack,
    sessions: dict[str, str],
    width: int,
    locale: Literal["en", "de"],
    scheme: Literal["light", "dark"],
    tmp_path: Path,
) -> None:
    words = WORDS[locale]

    def opened(who: str, path: str) -> Page:
        page = new_page(
            locale=locale, color_scheme=scheme, viewport={"width": width, "height": 900}, bypass_csp=True
        )
        page.context.add_cookies([{"name": "sessionid", "value": sessions[who], "url": stack.base_url}])
        page.goto(path)
        return page

    def seen(page: Page, name: str) -> None:
        looks_right(page)
        page.screenshot(path=tmp_path / f"{name}-{locale}.png", full_page=True)

    # A lead reviews, and sees no name of the customer.
    lead = opened("lead", "/lead/reviews")
    looks_right(lead)
    lead.locator(".table a").first.click()
    expect(lead.get_by_text("Dear […], it is on its way.")).to_be_visible()
    for name in ("solved", "correct", "clear", "kind"):
        lead.locator(f"input[name={name}][value='3']").check(force=True)
    lead.get_by_label(words["text"]).fill("Short and right.")
    seen(lead, "lead-review")
    lead.get_by_role("button", name=words["review"]).click()
    expect(lead.locator(".notice-good")).to_be_visible()

    # The agent reads it, and contests the rating: with the keyboard.
    anna = opened("anna", "/rights/")
    expect(anna.get_by_text("Short and right.")).to_be_visible()
    expect(anna.get_by_text(words["lead"])).to_be_visible()
    seen(anna, "rights")
    anna.locator("li:has-text('The shop was rude.')").get_by_role("link", name=words["contest"]).focus()
    anna.keyboard.press("Enter")
    anna.get_by_label(words["why"]).focus()
    anna.keyboard.type("It is about the shop.")
    seen(anna, "contest")
    anna.keyboard.press("Tab")
    anna.keyboard.press("Enter")
    expect(anna.locator(".notice-good")).to_be_visible()
    expect(anna.locator(".badge-accent", has_text=words["contested"])).to_be_visible()
    seen(anna, "contested")

    # Another person answers.
    lead.goto("/lead/contests")
    lead.get_by_label(words["stands"]).check()
    lead.get_by_label(words["answer"]).fill("Right: not about you.")
    seen(lead, "lead-contests")
    lead.get_by_role("button", name=words["go"], exact=True).click()
    expect(lead.locator(".notice-good")).to_be_visible()
    anna.reload()
    expect(anna.get_by_text("Right: not about you.")).to_be_visible()

    # Every decision, with its reason.
    anna.get_by_role("link", name=words["days"]).click()
    expect(anna.locator(".rights-list li").first).to_be_visible()
    expect(anna.locator(".badge-accent", has_text="(Administration)")).to_be_visible()
    seen(anna, "decisions")

    # The data: one click, a worker makes the file.
    anna.goto("/rights/")
    anna.get_by_role("button", name=words["data"]).click()
    link = anna.get_by_role("link", name=words["download"])
    for _ in range(100):
        if link.count():
            break
        anna.wait_for_timeout(200)
        anna.reload()
    with anna.expect_download() as download:
        link.click()
    with zipfile.ZipFile(io.BytesIO(Path(download.value.path()).read_bytes())) as archive:
        assert "README.txt" in archive.namelist()
        assert b"The shop was rude." in archive.read("ratings.json")
    bernd = opened("bernd", "/rights/reviews")
    expect(bernd.locator(".rights-list li").first).to_be_visible()
    looks_right(bernd)

    # Leaving: consequences, password, and back.
    anna.get_by_role("link", name=words["leave"]).click()
    seen(anna, "leave")
    anna.get_by_label(words["password"]).fill(PASSWORD)
    forgo = anna.locator("input[name=forgoes]")
    if forgo.count():
        forgo.check()
    anna.get_by_role("button", name=words["erase"]).click()
    expect(anna.get_by_role("button", name=words["back"])).to_be_visible()
    seen(anna, "erasing")
    anna.get_by_role("button", name=words["back"]).click()
    expect(anna.locator(".notice-good")).to_be_visible()
