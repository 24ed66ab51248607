"""A stranger becomes an agent: form → letter → account → quiz → a person admits them in the admin → online."""

import re
import time
from typing import Any, Literal

import pytest
from playwright.sync_api import Page, expect

from tests.backstage import Backstage
from tests.browser.looks import looks_right
from tests.cast import PASSWORD
from tests.conftest import NewPage
from tests.stack import LiveStack

pytestmark = [pytest.mark.browser, pytest.mark.servers]

BANK = """
from agents import onboarding
quiz, made = Quiz.objects.get_or_create(skill=world.payments, defaults={"draw": 2, "pass_percent": 50, "level": 3})
if made:
    LearningUnit.objects.create(skill=world.payments, title_en="How paying works", title_de="Wie Bezahlen geht",
        text_en="First pay.\\n\\nThen rest.", text_de="Erst zahlen.\\n\\nDann ruhen.")
    for number in range(4):
        question = Question.objects.create(quiz=quiz, text_en=f"Question number {number}?", text_de=f"Frage Nummer {number}?",
            explanation_en="That is so.", explanation_de="So ist das.", several=number == 3)
        for text, right in (("A right one", True), ("A wrong one", False), ("Another wrong one", False)):
            Choice.objects.create(question=question, text_en=text, text_de=text, right=right)
User.objects.create_superuser("boss@standby.example", "PASSWORD", language="en")
""".replace("PASSWORD", PASSWORD)


@pytest.fixture
def bank(backstage: Backstage) -> Backstage:
    backstage.run(BANK)
    return backstage


def mailed(stack: LiveStack, since: dict[str, int], pattern: str) -> re.Match[str]:
    """What the worker's mail printed, once it is there."""
    for _ in range(400):
        found = re.search(pattern, stack.logs_since(since))
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError(f"no mail with {pattern}")


def fill(page: Page, email: str) -> None:
    page.goto("/work-with-us")
    page.get_by_label(re.compile("Your real name|Ihr richtiger Name")).fill("Nina Neumann")
    page.get_by_label(re.compile("Name that customers|Name, den Kund")).fill("Nina")
    page.get_by_label("E-Mail" if page.locator("html[lang=de]").count() else "E-mail").fill(email)
    page.get_by_text(re.compile("What you would like to learn|Was Sie lernen möchten")).first.click()
    page.locator("input[name=wishes][value=payments]").check()


@pytest.mark.parametrize(("width", "locale", "color_scheme"), [(1440, "en", "light"), (320, "de", "dark")])
def test_from_stranger_to_online(
    new_page: NewPage,
    stack: LiveStack,
    bank: Backstage,
    width: int,
    locale: Literal["en", "de"],
    color_scheme: Literal["light", "dark"],
) -> None:
    marks = stack.marks()
    page = new_page(
        locale=locale,
        color_scheme=color_scheme,
        viewport={"width": width, "height": 800},
        allowed=[r"status of 422"],
    )
    words = {
        "en": ("Apply", "Confirm and go on", "Start the quiz", "Answer", "Passed"),
        "de": ("Bewerben", "Bestätigen und weiter", "Quiz beginnen", "Antworten", "Bestanden"),
    }[locale]
    fill(page, "nina@home.example")
    expect(page.locator("[data-device-check]")).to_have_attribute("data-checked", "yes")
    looks_right(page)
    # Sent without the consent: what is wrong is said, and nothing is lost.
    page.get_by_role("button", name=words[0]).click()
    expect(page.locator("#errors")).to_be_focused()
    expect(page.get_by_role("textbox", name=re.compile("real name|richtiger Name"))).to_have_value(
        "Nina Neumann"
    )
    expect(page.locator("input[name=wishes][value=payments]")).to_be_checked()
    looks_right(page)
    page.locator("input[name=consent]").check()
    page.get_by_role("button", name=words[0]).click()
    expect(page).to_have_url(re.compile("/work-with-us/sent"))
    looks_right(page)

    link = mailed(stack, marks, r"http://\S+(/work-with-us/confirm/\S+)")[1]
    page.goto(link)
    looks_right(page)
    for field in ("password1", "password2"):
        page.locator(f"input[name={field}]").fill("a rather long phrase 7")
    page.get_by_role("button", name=words[1]).click()
    expect(page).to_have_url(re.compile("/learn/$"))
    looks_right(page)
    assert page.request.get("/console/").url.endswith("/learn/")

    page.get_by_role("link", name=re.compile("Payments|Zahlungen")).click()
    expect(page).to_have_url(re.compile("/learn/payments/$"))
    looks_right(page)
    page.get_by_role("button", name=words[2]).click()
    for number in (1, 2):
        expect(page.get_by_role("heading", level=1)).to_have_text(
            re.compile(f"(Question|Frage) {number} (of|von) 2")
        )
        page.reload()
        looks_right(page)
        page.get_by_label("A right one").check()
        page.keyboard.press("Tab")
        page.keyboard.press("Shift+Tab")
        page.get_by_role("button", name=words[3], exact=True).press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(words[4])
    looks_right(page)
    page.go_back()  # to a question that is answered: the server shows where things stand
    page.goto("/learn/")
    expect(page.locator(".course .badge-good")).to_be_visible()
    looks_right(page)

    marks = stack.marks()
    admit(new_page(), stack)
    mailed(stack, marks, "admitted|zugelassen")
    page.goto("/console/")
    page.get_by_role("button", name="Online", exact=True).click()
    expect(page.locator("#presence")).to_have_attribute("data-state", "online")


def admit(page: Page, stack: LiveStack) -> None:
    """A person, in Django admin."""
    page.goto("/admin/")
    expect(page).to_have_url(re.compile(r"/accounts/login/\?next="))  # the house has one page for that
    page.locator("input[name=login]").fill("boss@standby.example")
    page.locator("input[name=password]").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/admin/$"))
    page.goto("/admin/agents/application/?step=admit")
    page.locator("input.action-select").check()
    page.locator("select[name=action]").select_option("admit")
    page.locator("button[name=index]").click()
    expect(page.get_by_role("heading", name="Admit these applicants?")).to_be_visible()
    page.locator("textarea[name=reason]").fill("A good quiz")
    page.get_by_label("First line").check()
    page.get_by_role("button", name="Decide, and tell by mail").or_(
        page.locator("input[type=submit][value='Decide, and tell by mail']")
    ).first.click()
    expect(page.get_by_text("Decided on 1 person, who is told by mail.")).to_be_visible()


def test_without_scripts_too(new_page: NewPage, bank: Backstage) -> None:
    page = new_page(java_script_enabled=False)
    fill(page, "plain@home.example")
    expect(page.get_by_text("This browser runs no scripts")).to_be_visible()
    page.locator("input[name=consent]").check()
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_role("heading", name="Please check your mail")).to_be_visible()


@pytest.mark.parametrize(("width", "locale"), [(320, "de"), (1440, "en")])
def test_a_suspended_agent_sees_why_and_appeals(
    new_page: NewPage, bank: Backstage, stack: LiveStack, width: int, locale: Literal["en", "de"]
) -> None:
    anna: dict[str, Any] = bank.run("result = agent('Anna')")
    bank.run(
        "from dispatch.suspension import suspend\n"
        f"suspend(agent_id={anna['id']}, by=User.objects.get(email='boss@standby.example'), reason='Asked for a card number')"
    )
    page = new_page(locale=locale, viewport={"width": width, "height": 800})
    page.context.add_cookies([{"name": "sessionid", "value": anna["session"], "url": stack.base_url}])
    page.goto("/console/")
    expect(page).to_have_url(re.compile("/learn/$"))
    expect(page.locator("section blockquote").get_by_text("Asked for a card number")).to_be_visible()
    looks_right(page)
    page.get_by_role("textbox").fill("It was a test card")
    page.get_by_role("button", name=re.compile("Send the appeal|Widerspruch senden")).click()
    expect(page.get_by_text("It was a test card")).to_be_visible()
    expect(page.get_by_role("textbox")).to_have_count(0)
    looks_right(page)
