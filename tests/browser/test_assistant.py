"""The assistant in a real browser: a simple question, an answer with its source, "did not help", and then a person. WCAG."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.backstage import Backstage
from tests.browser.looks import looks_right, no_findings
from tests.browser.test_customer import ANNA, connected
from tests.conftest import NewPage

pytestmark = [pytest.mark.browser, pytest.mark.servers]

ON = """
from tests.tickets.assistant.scenes import switch_on
Topic.objects.filter(key="refund").update(name_de="Erstattung")
switch_on(world, assistant_answers=2)
Calibration.objects.create(language="de", curve=[[0.1, 0.99]], questions=1)
Article.objects.update(language="de", title="Wie lange eine Erstattung dauert",
    wordings="Wann bekomme ich mein Geld zurück?",
    body="Der Shop hat 14 Tage Zeit.\\n\\nDanach dauert es drei bis fünf Werktage.")
let_all_hear()
"""
OFF = """
AssistantAnswer.objects.all().delete()
Article.objects.all().delete()
Calibration.objects.all().delete()
Topic.objects.update(assistant="off")
let_all_hear()  # or the next test's ticket would still be the assistant's
"""
COMES = """
shift = presence.go_online(agent_id=anna.pk)
offer_accept(offer_id=pending(ticket=ticket).pk, agent_id=anna.pk, epoch=shift.epoch)
desk.reply(agent=anna, epoch=shift.epoch, ticket_id=ticket.pk, body="Guten Tag, ich sehe nach.")
result = [m.body for m in Message.objects.filter(ticket=ticket, internal=True)]
"""


@pytest.fixture(autouse=True)
def assistant(backstage: Backstage) -> Iterator[None]:
    backstage.run("world.agent('Anna')\n" + ON)
    yield
    backstage.run(OFF)


def test_an_answer_that_did_not_help_and_then_a_person(new_page: NewPage, backstage: Backstage) -> None:
    page = new_page(size="phone", locale="de")
    page.set_viewport_size({"width": 320, "height": 700})
    page.goto("/?topic=refund")
    page.get_by_label("Wie können wir Ihnen helfen?").fill("Wann bekomme ich mein Geld zurück?")
    page.get_by_role("button", name="An einen Menschen senden").click()
    page.wait_for_url("**/t/*/")
    ticket = page.url.rstrip("/").rpartition("/")[2]
    connected(page)
    thread = page.locator("#thread")
    person = page.get_by_role("button", name="Mit einem Menschen sprechen")
    expect(thread.locator(".message-system")).to_contain_text("eine Maschine, kein Mensch")
    expect(thread).to_contain_text("Danach dauert es drei bis fünf Werktage.")
    expect(page.locator("#status")).to_contain_text("Unser Assistent versucht es zuerst")
    expect(person).to_be_visible()
    looks_right(page)

    thread.get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Wie lange eine Erstattung dauert")
    no_findings(page)
    page.go_back()

    page.get_by_role("button", name="Nein").click()
    expect(thread).to_contain_text("Es tut mir leid, dass es nicht geholfen hat.")
    expect(page.get_by_role("button", name="Nein")).to_have_count(0)
    person.click()
    expect(page.locator("#human")).to_contain_text("Mensch angefragt")
    [note] = backstage.run(ANNA.format(ticket=ticket) + COMES)
    assert "Wie lange eine Erstattung dauert" in note
    expect(page.locator("#status")).to_contain_text("Anna ist bei Ihnen")
    expect(thread).to_contain_text("Guten Tag, ich sehe nach.")
    expect(page.locator("#helped button")).to_have_count(0)
