"""The agent's whole life in the browser: a stranger applies, learns, is certified, practises, is admitted by a person, goes
online, has five chats at once, resolves them, and is paid by the bank. At a desk in English with the keyboard alone, and on a
small phone in German with a thumb.
"""

import re
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Page, expect

from tests.backstage import Backstage
from tests.browser.life import PASSWORD, SCRIPT, Customer, Desk, Looked, of_file, paid_out, payout_details
from tests.browser.test_apply_and_learn import BANK, admit, fill, mailed
from tests.browser.test_pay import person
from tests.conftest import NewPage
from tests.invariants import broken
from tests.practising import ASKS, HELPS
from tests.stack import LiveStack

pytestmark = [pytest.mark.browser, pytest.mark.servers]

ASKS_IN = {"en": ASKS, "de": "Wie ist bitte Ihre Bestellnummer?"}
HELPS_IN = {"en": HELPS, "de": "Ich habe die Rechnung angehalten."}
THANKS_IN = {"en": "Thank you, that is all!", "de": "Danke, das ist alles!"}


@pytest.fixture
def installed(backstage: Backstage) -> Backstage:
    """A quiz for payments, a scripted customer, routes of which one person can carry five."""
    backstage.run(BANK + SCRIPT)
    return backstage


@pytest.mark.parametrize(
    ("width", "locale", "scheme"),
    [(1440, "en", "light"), (320, "de", "dark")],
    ids=["desk in English by keys", "small phone in German"],
)
def test_the_whole_life(
    new_page: NewPage,
    stack: LiveStack,
    installed: Backstage,
    tmp_path: Path,
    width: int,
    locale: Literal["en", "de"],
    scheme: Literal["light", "dark"],
) -> None:
    page = new_page(locale=locale, color_scheme=scheme, viewport={"width": width, "height": 800})
    looked = Looked(page, tmp_path)
    desk = Desk(page, keys=locale == "en")

    applied(page, stack, looked)
    certified(page, looked)
    practised(page, desk, looked, locale)
    admitted_by_a_person(page, new_page, stack)
    tickets = five_chats(page, desk, looked, stack, locale)
    is_paid(page, looked, new_page, stack, installed, len(tickets))

    assert looked.seen == [
        "work-with-us", "sent", "confirm", "journey", "skill", "quiz", "certified",
        "practice", "practising", "practice-over", "practised", "practice-done",
        "console", "offer", "five", "earnings", "password-again", "payout-details",
    ]  # fmt: skip
    assert broken(stack.sql) == {}


def applied(page: Page, stack: LiveStack, looked: Looked) -> None:
    """The form, the letter's link, a password."""
    marks = stack.marks()
    fill(page, "nina@home.example")
    page.locator("input[name=consent]").check()
    looked.at("work-with-us")
    page.get_by_role("button", name=re.compile("Apply|Bewerben")).click()
    expect(page).to_have_url(re.compile("/work-with-us/sent"))
    looked.at("sent")
    page.goto(mailed(stack, marks, r"http://\S+(/work-with-us/confirm/\S+)")[1])
    for field in ("password1", "password2"):
        page.locator(f"input[name={field}]").fill(PASSWORD)
    looked.at("confirm")
    page.locator("main form button.button-primary").click()
    expect(page).to_have_url(re.compile("/learn/$"))
    looked.at("journey")


def certified(page: Page, looked: Looked) -> None:
    """Read, two questions, a certificate."""
    page.get_by_role("link", name=re.compile("Payments|Zahlungen")).click()
    looked.at("skill")
    page.locator("main form button").click()
    for number in (1, 2):
        expect(page.get_by_role("heading", level=1)).to_have_text(re.compile(f" {number} (of|von) 2"))
        if number == 1:
            looked.at("quiz")
        page.get_by_label("A right one").check()
        page.get_by_role("button", name=re.compile("^(Answer|Antworten)$")).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("Passed|Bestanden"))
    looked.at("certified")


def practised(page: Page, desk: Desk, looked: Looked, locale: str) -> None:
    """A scripted customer on the real desk: helped, resolved, told how it went."""
    page.goto("/learn/")
    page.get_by_role("link", name=re.compile("To the practice|Zur Übung")).click()
    looked.at("practice")
    page.get_by_role("button", name=re.compile("^(Begin|Beginnen)")).click()
    expect(page).to_have_url(re.compile("/console/$"))
    expect(page.locator("#console")).to_have_attribute("data-connection", "connected")
    expect(page.locator("#switch-online")).to_have_count(0)
    ticket = page.locator(".desk-thread").get_attribute("data-ticket") or ""
    desk.open(ticket)
    looked.at("practising")
    desk.write(ticket, ASKS_IN[locale])
    desk.answer_of(ticket, "It is K-7731.")
    desk.write(ticket, HELPS_IN[locale])
    desk.answer_of(ticket, THANKS_IN[locale])
    desk.resolve(ticket)
    expect(page.locator("#practice-result")).to_be_visible()
    looked.at("practice-over")
    desk.press("#practice-result")
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("Practice passed|Übung bestanden"))
    expect(page.locator(".results .badge-good")).to_have_count(5)
    looked.at("practised")
    page.goto("/learn/")
    expect(page.locator(".way-done")).to_have_count(4)  # applied, confirmed, learning, practice
    looked.at("practice-done")
    assert page.request.get("/console/").url.endswith("/learn/")  # the desk is closed again


def admitted_by_a_person(page: Page, new_page: NewPage, stack: LiveStack) -> None:
    """Who has looked at the practice first."""
    boss = new_page()
    assert stack.sql("SELECT passed FROM dispatch_practice") == [(True,)]
    admit(boss, stack)
    ((application,),) = stack.sql("SELECT id FROM agents_application")
    boss.goto(f"/admin/agents/application/{application}/change/")
    boss.locator(".field-practices a").click()
    expect(boss.locator(".field-conversation")).to_contain_text("It is K-7731.")
    page.goto("/console/")


def five_chats(page: Page, desk: Desk, looked: Looked, stack: LiveStack, locale: str) -> list[str]:
    """Five customers over HTTP, all at once on one desk, each answered twice and resolved."""
    desk.online()
    looked.at("console")
    customers = []
    for number in range(1, 6):
        customers.append(Customer(stack, number, locale))
        if number == 1:
            expect(page.locator(".offer")).to_be_visible()
            looked.at("offer")
        desk.accept(customers[-1].ticket)
    assert [customer.state() for customer in customers] == ["held"] * 5
    for customer in customers:
        desk.open(customer.ticket)
        desk.write(customer.ticket, f"First answer to {customer.number}.")
    for customer in customers:  # all at once, while the last one's thread is open
        customer.says(f"And then, {customer.number}?")
    for customer in customers:
        expect(page.locator(f"#messages-{customer.ticket} .bubble").last).to_have_text(
            f"And then, {customer.number}?"
        )
    looked.at("five")
    for customer in customers:
        desk.open(customer.ticket)
        desk.write(customer.ticket, f"Then it is done, {customer.number}.")
        desk.resolve(customer.ticket)
        assert customer.reads() == [
            ("customer", f"Matter {customer.number}: where is my refund?"),
            ("agent", f"First answer to {customer.number}."),
            ("customer", f"And then, {customer.number}?"),
            ("agent", f"Then it is done, {customer.number}."),
        ]
    assert [customer.state() for customer in customers] == ["resolved"] * 5
    expect(page.locator("#earned")).to_contain_text(re.compile(r"20[.,]00"))
    return [customer.ticket for customer in customers]


def is_paid(
    page: Page, looked: Looked, new_page: NewPage, stack: LiveStack, backstage: Backstage, tickets: int
) -> None:
    """Where to, a run by two people, the bank's file, and what the agent sees of it. Practice paid nothing."""
    page.goto("/console/earnings/")
    expect(page.locator("tbody tr")).to_have_count(tickets)
    looked.at("earnings")
    payout_details(page, looked.at)
    today = str(backstage.run("from django.utils import timezone; result = str(timezone.localdate())"))
    olga, otto = (person(new_page, stack, backstage, name) for name in ("Olga", "Otto"))
    paid = of_file(paid_out(olga, otto, today))
    assert (paid["InstdAmt"], paid["CtrlSum"], paid["NbOfTxs"]) == ("20.00", "20.00", "1")
    page.goto("/console/earnings/")
    expect(page.locator(".payouts li")).to_contain_text(re.compile("paid|bezahlt|ausgezahlt"))
    assert stack.sql("SELECT sum(amount_cents) FROM agents_ledgerentry") == [(0,)]
