"""From a solved ticket to money on its way: earn, say where it goes, a run by two people, the bank's file, the statement."""

import io
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import sepaxml
from playwright.sync_api import Page, expect
from pypdf import PdfReader

from tests.backstage import Backstage
from tests.browser.looks import looks_right, no_findings
from tests.cast import PASSWORD
from tests.conftest import NewPage
from tests.stack import LiveStack

pytestmark = [pytest.mark.browser, pytest.mark.servers]

IBAN = "DE89 3704 0044 0532 0130 00"
HINT = "DE89 •••• 3000"


def held(page: Page, backstage: Backstage) -> str:
    page.get_by_role("button", name="Online").click()
    expect(page.locator("#console")).to_have_attribute("data-connection", "connected")
    public_id = backstage.ticket()
    card = page.locator("#offers article")
    expect(card).to_contain_text("€4.00")
    expect(card).to_contain_text("Bonus for a rating of 5")
    no_findings(page)
    card.get_by_role("button", name=re.compile("Accept")).click()
    expect(page.locator(f"#thread-{public_id}")).to_be_visible()
    return public_id


def again(page: Page) -> None:
    """The password once more: an open browser is not enough to redirect money."""
    expect(page).to_have_url(re.compile("/accounts/reauthenticate"))
    page.get_by_label(re.compile("Password|Passwort")).fill(PASSWORD)
    page.locator("main form button").first.click()


def test_from_a_ticket_to_the_bank_and_back(
    backstage: Backstage,
    anna: dict[str, Any],
    console: Any,
    new_page: NewPage,
    stack: LiveStack,
    tmp_path: Path,
) -> None:
    backstage.run("Rate.objects.update(bonus_cents=50); let_all_hear()")
    page = console(allowed=[r"status of 422"])
    public_id = held(page, backstage)
    backstage.run(
        f"ticket = Ticket.objects.select_related('customer').get(public_id={public_id!r})\n"
        f"desk.resolve(agent=world.agents['Anna'], epoch=1, ticket_id=ticket.pk)\n"
        "lifecycle.ticket_rate(ticket=ticket, score=5, solved=True)"
    )
    page.goto("/console/earnings/")
    sums = page.locator(".sums")
    expect(sums).to_contain_text("Not paid out yet€4.50")
    expect(page.locator("tbody tr")).to_have_count(2)
    sums.get_by_role("link", name="show the lines").nth(2).click()
    expect(page.locator("tfoot")).to_contain_text("€4.50")

    # Where the money goes: the password once more, a slip, then right; never shown in full again.
    page.get_by_role("link", name="Give payout details").click()
    again(page)
    page.get_by_label("Account holder").fill("Anna Müller")
    page.get_by_label("IBAN").fill("DE89 3704 0044 0532 0130 01")
    with page.expect_response(lambda answer: answer.status == 422):
        page.get_by_role("button", name="Keep").click()
    expect(page.get_by_role("alert")).to_contain_text("no valid IBAN")
    no_findings(page)
    page.get_by_label("IBAN").fill(IBAN)
    page.get_by_role("button", name="Keep").click()
    expect(page.get_by_text(f"Payouts go to Anna Müller, {HINT}.")).to_be_visible()
    assert "3704" not in page.content()

    # Olga makes the run and cannot approve it; Otto can.
    olga, otto = (person(new_page, stack, backstage, name) for name in ("Olga", "Otto"))
    olga.goto("/admin/agents/payoutrun/")
    olga.get_by_role("link", name="Make a payout run").click()
    olga.get_by_label("Up to and including").fill(
        backstage.run("from django.utils import timezone; result = str(timezone.localdate())")
    )
    olga.get_by_label("Least amount").fill("1.00")
    olga.get_by_role("button", name="Make a payout run").click()
    expect(olga.get_by_text("Somebody else has to approve it.").first).to_be_visible()
    expect(olga.get_by_role("link", name="Approve", exact=True)).to_have_count(0)
    run = olga.url.split("/")[-3]
    otto.goto(f"/admin/agents/payoutrun/{run}/change/")
    expect(otto.get_by_text(HINT)).to_be_visible()
    otto.get_by_role("link", name="Approve", exact=True).click()
    expect(otto.get_by_text("1 payouts, €4.50 in all, made by Olga")).to_be_visible()
    otto.get_by_role("button", name="Approve").click()
    with otto.expect_download() as coming:
        otto.get_by_role("button", name="Download the file for the bank").click()
    coming.value.save_as(tmp_path / "run.xml")
    file = (tmp_path / "run.xml").read_bytes()
    sepaxml.validation.try_valid_xml(file, "pain.001.001.09")
    paid = {element.tag.split("}")[1]: element.text for element in ElementTree.fromstring(file).iter()}
    assert (paid["InstdAmt"], paid["CtrlSum"], paid["NbOfTxs"]) == ("4.50", "4.50", "1")
    assert b"DE89370400440532013000" in file
    assert b"Anna Mueller" in file
    otto.reload()
    otto.get_by_role("link", name="The bank has paid all that is open").click()
    otto.get_by_role("button", name="The bank has paid").click()

    # Anna sees it, and keeps the statement.
    page.goto("/console/earnings/")
    expect(sums).to_contain_text("Paid out€4.50")
    expect(sums).to_contain_text("Not paid out yet€0.00")
    payout = page.locator(".payouts li")
    expect(payout).to_contain_text("paid")
    with page.expect_download() as coming:
        payout.get_by_role("link", name=re.compile("as PDF")).click()
    coming.value.save_as(tmp_path / "statement.pdf")
    text = "\n".join(
        one.extract_text() for one in PdfReader(io.BytesIO((tmp_path / "statement.pdf").read_bytes())).pages
    )
    assert "€4.50" in text
    assert "quality bonus" in text
    assert "Anna Müller" in text


def person(new_page: NewPage, stack: LiveStack, backstage: Backstage, name: str) -> Page:
    page = new_page()
    session = backstage.run(f"result = staff({name!r})")
    page.context.add_cookies([{"name": "sessionid", "value": session, "url": stack.base_url}])
    return page


SCENE = """
from django.utils import timezone
from agents.pay import credit, runs
from agents.pay.accounts import account_save
owed = world.agents['Anna']
account_save(agent_id=owed.pk, holder='Anna Müller', iban='DE89370400440532013000')
for number, (kind, cents) in enumerate((('ticket', 123456), ('surge', 5000), ('waiting', 35))):
    reference = f'test:{number}'
    credit(agent_id=owed.pk, kind=kind, amount_cents=cents, currency='EUR', reference=reference, memo='S-1 · Erstattung')
one, other = (User.objects.create_user(f'{name}@staff.example', 'x', name=name) for name in ('one', 'other'))
run, made = runs.payout_run_make(up_to=timezone.localdate(), made_by_id=one.pk)
runs.payout_run_approve(run_id=run.pk, by_id=other.pk)
runs.payout_run_export(run_id=run.pk)
runs.payout_fail(payout_id=run.payouts.get().pk, reason='Konto aufgelöst')
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_small_phone_in_german(
    backstage: Backstage, anna: dict[str, Any], console: Any, scheme: str
) -> None:
    backstage.run(SCENE)
    page = console(
        path="/console/earnings/?show=pending",
        size="phone",
        locale="de",
        color_scheme=scheme,
        viewport={"width": 320, "height": 640},
    )
    expect(page.get_by_role("heading", name="Verdienst")).to_be_visible()
    expect(page.locator(".payouts")).to_contain_text("Konto aufgelöst")
    expect(page.locator("tfoot")).to_contain_text("1.284,91\xa0€")
    looks_right(page)
    page.get_by_role("link", name="Auszahlungsdaten ändern").click()
    again(page)
    expect(page.get_by_role("heading", name="Auszahlungsdaten")).to_be_visible()
    assert "3704" not in page.locator("main").inner_html().replace(IBAN, "")
    looks_right(page)
    # By the keyboard alone.
    page.get_by_label("IBAN").focus()
    page.keyboard.type("FR14 2004 1010 0505 0001 3M02 606")
    page.keyboard.press("Enter")
    expect(page.get_by_text("FR14 •••• 2606").first).to_be_visible()
