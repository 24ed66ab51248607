"""Files in the console's composer, in a real browser: chosen, let go again, sent, refused, lost with a reload."""

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.backstage import Backstage
from tests.browser.looks import fits, no_findings
from tests.browser.test_console import BROKEN, held, online
from tests.conftest import NewPage
from tests.stack import LiveStack

pytestmark = [pytest.mark.browser, pytest.mark.servers]


@pytest.fixture
def bill(tmp_path: Path) -> Path:
    path = tmp_path / "bill.txt"
    path.write_text("4.00")
    return path


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "run.exe"
    path.write_bytes(b"MZ\x90\x00")
    return path


def desk(page: Page, backstage: Backstage) -> Locator:
    """The thread of a ticket that this page holds."""
    online(page)
    return page.locator(f"#thread-{held(page, backstage)}")


def chosen(thread: Locator) -> Locator:
    return thread.locator("[data-chosen]")


def names(thread: Locator) -> list[str]:
    return thread.locator("input[type=file]").evaluate("one => [...one.files].map(file => file.name)")  # type: ignore[no-any-return]


def test_a_file_goes_to_the_customer_and_one_comes_back(
    console: Any, backstage: Backstage, new_page: NewPage, stack: LiveStack, bill: Path
) -> None:
    page = console()
    thread = desk(page, backstage)
    link = backstage.run("result = access.link_path(Ticket.objects.get())")
    customer = new_page(size="phone")
    customer.goto(link)
    expect(customer.locator("#chat")).to_be_visible()

    button = thread.get_by_label("Add files")
    button.set_input_files(bill)
    expect(chosen(thread)).to_have_text("bill.txt")
    thread.get_by_role("button", name="Send", exact=True).click()  # without a text
    expect(thread.locator(".message-agent .attachment")).to_contain_text("bill.txt")
    expect(thread.locator("[data-outbox] li")).to_have_count(0)
    expect(chosen(thread)).to_be_empty()
    expect(customer.locator(".message-agent .attachment")).to_contain_text("bill.txt")
    with page.expect_download() as download:
        thread.locator(".message-agent .attachment").click()
    assert Path(download.value.path()).read_text() == "4.00"

    customer.get_by_label("Add files").set_input_files(bill)
    expect(customer.locator("#chosen")).to_have_text("bill.txt")
    customer.get_by_role("button", name="Remove files").click()
    expect(customer.locator("#chosen")).to_be_empty()
    customer.get_by_label("Add files").set_input_files(bill)
    customer.get_by_label("Your message").fill("Here is mine")
    customer.get_by_role("button", name="Send").click()
    expect(thread.locator(".message-customer .attachment")).to_contain_text(
        "….txt"
    )  # customers' names are masked
    assert stack.sql("SELECT count(*) FROM tickets_attachment") == [(2,)]


def test_files_of_a_note_stay_with_the_note(
    console: Any, backstage: Backstage, stack: LiveStack, bill: Path
) -> None:
    page = console()
    thread = desk(page, backstage)
    thread.get_by_label("Internal note").check(force=True)
    thread.get_by_label("Add files").set_input_files(bill)
    thread.get_by_label("To the customer").check(force=True)
    expect(chosen(thread)).to_be_empty()
    assert names(thread) == []
    thread.get_by_label("Internal note").check(force=True)
    expect(chosen(thread)).to_have_text("bill.txt")
    thread.get_by_label("Your text").fill("What the shop sent")
    thread.get_by_role("button", name="Save note").click()
    expect(thread.locator(".notes .attachment")).to_contain_text("bill.txt")
    assert stack.sql(
        "SELECT internal FROM tickets_message m JOIN tickets_attachment a ON a.message_id = m.id"
    ) == [(True,)]


def test_what_is_refused_is_said_in_place_and_can_be_changed(
    console: Any, backstage: Backstage, stack: LiveStack, bill: Path, program: Path, tmp_path: Path
) -> None:
    page = console(allowed=[r"status of 415"])
    thread = desk(page, backstage)
    button, box = thread.get_by_label("Add files"), thread.get_by_label("Your text")

    # By number and size at once, before anything is sent.
    big = tmp_path / "big.txt"
    big.write_bytes(b"x" * (5 * 1024 * 1024 + 1))
    button.set_input_files([bill] * 6)
    expect(chosen(thread)).to_have_text("Too many files: five a message at most.")
    button.set_input_files(big)
    expect(chosen(thread)).to_have_text(re.compile("“big.txt”: This file is too large"))
    assert names(thread) == []

    # By what is in it, by the server.
    box.fill("Please see the file")
    button.set_input_files([bill, program])
    box.press("Control+Enter")
    waiting = thread.locator("[data-outbox] li")
    expect(waiting).to_contain_text("“run.exe”: Only PNG")
    expect(waiting.locator(".bubble")).to_contain_text("Please see the file")
    waiting.get_by_role("button", name="Edit").click()
    expect(box).to_have_value("Please see the file")
    assert names(thread) == ["bill.txt", "run.exe"]
    thread.get_by_role("button", name="Remove files").click()
    expect(button).to_be_focused()
    assert names(thread) == []
    button.set_input_files(bill)
    box.press("Control+Enter")
    expect(thread.locator(".message-agent .attachment")).to_have_count(1)
    assert stack.sql("SELECT count(*) FROM tickets_message WHERE author = 'agent'") == [(1,)]


def test_a_lost_answer_doubles_no_file(
    console: Any, backstage: Backstage, stack: LiveStack, bill: Path
) -> None:
    page = console(allowed=BROKEN)
    thread = desk(page, backstage)

    def lose_the_answer(route: Any) -> None:
        route.fetch()
        route.abort()

    page.route("**/reply", lose_the_answer)
    thread.get_by_label("Add files").set_input_files(bill)
    thread.get_by_label("Your text").press("Control+Enter")
    again = thread.get_by_role("button", name="Try again")
    expect(again).to_be_visible()
    page.unroute("**/reply")
    again.click()
    expect(thread.locator("[data-outbox] li")).to_have_count(0)
    expect(thread.locator(".message-agent .attachment")).to_have_count(1)
    assert stack.sql("SELECT count(*) FROM tickets_attachment") == [(1,)]


def test_files_that_a_reload_lost_are_asked_for_again(
    console: Any, backstage: Backstage, stack: LiveStack, bill: Path
) -> None:
    page = console(allowed=BROKEN)
    thread = desk(page, backstage)
    page.route("**/reply", lambda route: route.abort())
    thread.get_by_label("Add files").set_input_files(bill)
    thread.get_by_label("Your text").fill("With a file")
    thread.get_by_label("Your text").press("Control+Enter")
    expect(thread.get_by_role("button", name="Try again")).to_be_visible()
    page.unroute("**/reply")
    page.reload()
    waiting = thread.locator("[data-outbox] li")
    expect(waiting).to_contain_text("please choose them again")
    expect(waiting.get_by_role("button", name="Try again")).to_be_hidden()
    waiting.get_by_role("button", name="Edit").click()
    expect(thread.get_by_label("Your text")).to_have_value("With a file")
    thread.get_by_label("Add files").set_input_files(bill)
    thread.get_by_role("button", name="Send", exact=True).click()
    expect(thread.locator(".message-agent .attachment")).to_have_count(1)
    assert stack.sql("SELECT body FROM tickets_message WHERE author = 'agent'") == [("With a file",)]


def test_by_keyboard_and_for_screen_readers(console: Any, backstage: Backstage, bill: Path) -> None:
    page = console(bypass_csp=True)
    # From the beginning: Playwright begins to look for choosers without waiting until it does.
    page.on("filechooser", lambda _chooser: None)
    thread = desk(page, backstage)
    thread.get_by_label("To the customer").focus()
    page.keyboard.press("Tab")
    expect(thread.get_by_role("button", name="Canned replies")).to_be_focused()
    page.keyboard.press("Tab")
    button = thread.get_by_label("Add files")
    expect(button).to_be_focused()
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    chooser.value.set_files(bill)
    expect(thread.locator("[data-chosen]")).to_have_text("bill.txt")
    expect(button).to_have_accessible_description("bill.txt")
    no_findings(page)
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(thread.get_by_role("button", name="Remove files")).to_be_focused()


@pytest.mark.parametrize("width", [320, 390])
def test_on_a_phone_nothing_sticks_out(console: Any, backstage: Backstage, bill: Path, width: int) -> None:
    page = console(size="phone", locale="de", viewport={"width": width, "height": 740})
    page.get_by_role("button", name="Online").click()
    public_id = backstage.ticket(language="de")
    page.get_by_role("button", name="Annehmen").tap()
    thread = page.locator(f"#thread-{public_id}")
    thread.get_by_label("Dateien anfügen").set_input_files(bill)
    expect(thread.get_by_role("button", name="Dateien entfernen")).to_be_visible()
    fits(page)
    box = thread.locator(".attach").bounding_box()
    assert box is not None
    assert min(box["width"], box["height"]) >= 44
