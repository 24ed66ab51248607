"""A promised time is told on the reader's own clock; without JavaScript, on ours, with its zone."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.backstage import Backstage
from tests.browser.test_customer import opened
from tests.conftest import NewPage
from tests.stack import LiveStack

pytestmark = [pytest.mark.browser, pytest.mark.servers]

PROMISE = """
from datetime import UTC, datetime, timedelta
from dispatch import answers
ticket = Ticket.objects.get(public_id={ticket!r})
until(Ticket.objects.filter(pk=ticket.pk, flagged_at__isnull=False).exists, "it is known that nobody is online")
due = (datetime.now(UTC) + timedelta(days=1)).replace(hour=11, minute=0, second=0, microsecond=0)
answers.answer_promise(ticket_id=ticket.pk, due_at=due)
result = due.isoformat()
"""
# What a browser elsewhere calls that moment, by its own means.
THERE = "at => new Intl.DateTimeFormat('de-DE', { timeStyle: 'short' }).format(new Date(at))"


@pytest.fixture(autouse=True)
def nobody_online(backstage: Backstage) -> None:
    backstage.run("world.agent('Anna')")


def promised(page: Page, backstage: Backstage) -> str:
    return str(backstage.run(PROMISE.format(ticket=opened(page))))


@pytest.mark.parametrize(
    ("zone", "hour"), [("America/Los_Angeles", {"3:00", "4:00"}), ("Asia/Tokyo", {"20:00"})]
)
def test_on_the_readers_clock(new_page: NewPage, backstage: Backstage, zone: str, hour: set[str]) -> None:
    page = new_page(locale="de", timezone_id=zone)
    at = promised(page, backstage)
    for place in ("#status", "#thread .event >> nth=-1"):
        time = page.locator(place).locator("time[data-near]")
        expect(time).to_have_attribute("datetime", re.compile("T1[23]:00:00"))
        expect(time).to_have_attribute("title", re.compile(page.evaluate(THERE, at)))
        said = time.inner_text()
        assert said.removesuffix(" Uhr").rpartition(", ")[2].removeprefix("0") in hour
        assert page.evaluate(THERE, at) in said
        assert "CE" not in said


def test_without_scripts_the_zone_is_named(new_page: NewPage, backstage: Backstage, stack: LiveStack) -> None:
    page = new_page(locale="de", timezone_id="America/Los_Angeles", java_script_enabled=False)
    promised(page, backstage)
    page.reload()
    words = re.compile(r"spätestens (heute|morgen), 1[23]:00 Uhr \(CES?T\)")
    expect(page.locator("#status")).to_have_text(words, use_inner_text=True)
    expect(page.locator("#thread .event").last).to_have_text(words, use_inner_text=True)
    expect(page.get_by_text(re.compile(r"^Uhrzeiten in CES?T\.$"))).to_be_visible()


def test_the_form_says_when_we_open_on_the_readers_clock(new_page: NewPage, backstage: Backstage) -> None:
    backstage.run(
        "from datetime import time as clock, timedelta\n"
        "from django.utils import timezone as zones\n"
        "later = zones.localtime() + timedelta(days=3)\n"  # in Tokyo it may be tomorrow already
        "calendar = Calendar.objects.create(name='Later', without_topic=True)\n"
        "OpeningHours.objects.create(calendar=calendar, weekday=later.weekday(), opens=clock(8), closes=clock(9))"
    )
    try:
        page = new_page(locale="de", timezone_id="Asia/Tokyo")
        for _look in range(40):  # the processes keep the calendars in mind for some seconds
            page.goto("/")
            if page.locator(".closed-now").count():
                break
            page.wait_for_timeout(250)
        expect(page.locator(".closed-now time")).to_have_text(re.compile(r"\w+tag|\w+woch"))
        expect(page.locator(".closed-now time")).to_have_text(re.compile(r", 1[56]:00 Uhr$"))
    finally:
        backstage.run("Calendar.objects.all().delete()")
