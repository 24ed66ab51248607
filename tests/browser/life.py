"""Steps of an agent's life, as test_agent_life.py walks them: customers over HTTP, the desk by keys or by taps, the office."""

import io
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import httpx
import sepaxml
from playwright.sync_api import Page, expect

from tests.browser.looks import fits, violations
from tests.people import open_ticket
from tests.stack import LiveStack

SCRIPT = """
from tests.practising import make_script
if not PracticeScript.objects.exists():
    make_script(world.refund)
Route.objects.update(units=20)  # processes keep routes for two seconds: long before the first customer
"""
PASSWORD = "a rather long phrase 7"
IBAN = "DE89 3704 0044 0532 0130 00"


@dataclass
class Looked:
    """Each page on the way is looked at: nothing for axe, nothing to scroll sideways, a picture for whoever wants to see."""

    page: Page
    folder: Path
    seen: list[str] = field(default_factory=list)

    def at(self, name: str) -> None:
        assert violations(self.page) == [], name
        fits(self.page)
        self.page.screenshot(path=self.folder / f"{len(self.seen):02}-{name}.png")
        self.seen.append(name)


class Customer:
    """Somebody without an account, who has a program for the public interface."""

    def __init__(self, stack: LiveStack, number: int, language: str) -> None:
        self.number = number
        opened = open_ticket(
            stack,
            f"Matter {number}: where is my refund?",
            name=f"Carla {number}",
            topic="refund",
            language=language,
        )
        self.ticket = str(opened["id"])
        self.client = httpx.Client(
            base_url=f"{stack.base_url}/api/v1/tickets/",
            headers={"Authorization": f"Ticket {opened['token']}"},
            timeout=20,
        )

    def says(self, text: str) -> None:
        assert self.client.post(f"{self.ticket}/messages", json={"body": text}).status_code == 201

    def reads(self) -> list[tuple[str, str]]:
        answer = self.client.get(f"{self.ticket}/messages")
        assert answer.status_code == 200
        return [(one["author"], one["body"]) for one in answer.json()["messages"]]

    def state(self) -> str:
        return str(self.client.get(self.ticket).json()["state"])


class Desk:
    """An agent's hands: on keys alone, or on the glass of a phone."""

    def __init__(self, page: Page, *, keys: bool) -> None:
        self.page, self.keys = page, keys

    def press(self, button: str) -> None:
        """A button, by the keyboard or by a tap."""
        found = self.page.locator(button)
        if self.keys:
            found.focus()
            self.page.keyboard.press("Enter")
        else:
            found.click()

    def online(self) -> None:
        self.press("#switch-online")
        expect(self.page.locator("#presence")).to_have_attribute("data-state", "online")
        expect(self.page.locator("#console")).to_have_attribute("data-connection", "connected")

    def accept(self, ticket: str) -> None:
        expect(self.page.locator(".offer")).to_be_visible()
        if self.keys:
            self.page.keyboard.press("a")
        else:
            self.page.locator("[data-shortcut=accept]").click()
        expect(self.page.locator(f"#thread-{ticket}")).to_be_visible()

    def open(self, ticket: str) -> None:
        """The thread of a ticket that is on the desk."""
        title = self.page.locator(f"#thread-title-{ticket}")
        if self.keys:
            self.page.keyboard.press("Control+k")
            expect(self.page.locator("#palette-input")).to_be_focused()
            self.page.keyboard.type(self.number(ticket))
            expect(self.page.locator("#palette").get_by_role("option")).to_have_count(1)
            self.page.keyboard.press("Enter")
            expect(title).to_be_focused()
            return
        if not title.is_visible():
            self.back()
            self.page.locator(f"#open-{ticket}").click()
        expect(title).to_be_visible()

    def number(self, ticket: str) -> str:
        text = self.page.locator(f"#item-{ticket} .item-topic").text_content() or ""
        return text.split(" ")[0]

    def back(self) -> None:
        """On a phone, from a thread to the list."""
        link = self.page.locator(".desk-thread:visible .thread-back")
        if link.count() and link.is_visible():
            link.click()

    def write(self, ticket: str, text: str) -> None:
        """Into the open thread; it is there when the server has it."""
        box = self.page.locator(f"#body-{ticket}")
        if self.keys:
            self.page.keyboard.press("r")
            expect(box).to_be_focused()
            self.page.keyboard.type(text)
            self.page.keyboard.press("Control+Enter")
        else:
            box.fill(text)
            self.page.locator(f"#composer-{ticket} button.button-primary.for-message").click()
        sent = self.page.locator(f"#messages-{ticket} .message-agent .bubble", has_text=text)
        expect(sent).to_have_count(1)
        if self.keys:  # out of the box, so that keys are commands again
            self.page.locator(f"#thread-title-{ticket}").focus()

    def answer_of(self, ticket: str, text: str) -> None:
        expect(self.page.locator(f"#messages-{ticket} .bubble", has_text=text)).to_be_visible()

    def resolve(self, ticket: str) -> None:
        if self.keys:
            self.page.keyboard.press("e")
        else:
            self.page.locator(f"#head-{ticket} [data-shortcut=resolve]").click()
        expect(self.page.locator(f"#thread-{ticket}")).to_have_count(0)


def payout_details(page: Page, look: Callable[[str], None]) -> None:
    """Where the money goes: the password once more, then the account."""
    page.goto("/console/payout-details/")
    expect(page).to_have_url(re.compile("/accounts/reauthenticate"))
    look("password-again")
    page.get_by_label(re.compile("Password|Passwort")).fill(PASSWORD)
    page.locator("main form button").first.click()
    expect(page).to_have_url(re.compile("/console/payout-details/"))
    page.locator("input[name=holder]").fill("Nina Neumann")
    page.locator("input[name=iban]").fill(IBAN)
    look("payout-details")
    page.locator("main form button.button-primary").click()
    expect(page.get_by_text("DE89 •••• 3000").first).to_be_visible()


def paid_out(olga: Page, otto: Page, day: str) -> bytes:
    """Olga makes the run, Otto approves it, fetches the file for the bank, and says that the bank has paid. The file."""
    olga.goto("/admin/agents/payoutrun/")
    olga.get_by_role("link", name="Make a payout run").click()
    olga.get_by_label("Up to and including").fill(day)
    olga.get_by_label("Least amount").fill("1.00")
    olga.get_by_role("button", name="Make a payout run").click()
    expect(olga.get_by_text("Somebody else has to approve it.").first).to_be_visible()
    otto.goto(f"/admin/agents/payoutrun/{olga.url.split('/')[-3]}/change/")
    otto.get_by_role("link", name="Approve", exact=True).click()
    otto.get_by_role("button", name="Approve").click()
    with otto.expect_download() as coming:
        otto.get_by_role("button", name="Download the file for the bank").click()
    file = Path(coming.value.path()).read_bytes()
    otto.reload()
    otto.get_by_role("link", name="The bank has paid all that is open").click()
    otto.get_by_role("button", name="The bank has paid").click()
    return file


def of_file(file: bytes) -> dict[str, Any]:
    """What the bank reads in it; it is valid by the schema."""
    sepaxml.validation.try_valid_xml(file, "pain.001.001.09")
    root = ElementTree.parse(io.BytesIO(file)).getroot()
    return {element.tag.split("}")[1]: element.text for element in root.iter()}
