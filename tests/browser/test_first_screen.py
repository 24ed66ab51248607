"""What was said last is on the screen, however small it is, and nothing lies over anything."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Frame, Page, expect

from tests.backstage import Backstage
from tests.browser.test_assistant import OFF, ON
from tests.browser.test_customer import ACCEPT, anna, opened
from tests.browser.test_customer_ways import in_widget, shop, ticket_of
from tests.conftest import NewPage
from tests.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.servers]
assert shop

# Of the newest bubble: whether its first line is on the screen, above the reply, and nothing lies over it.
SEEN = """() => {
  const bubble = [...document.querySelectorAll("#thread .bubble")].at(-1);
  const box = bubble.getBoundingClientRect(), reply = document.querySelector(".chat-reply").getBoundingClientRect();
  const [x, y] = [box.left + box.width / 2, box.top + 12];
  return box.top >= 0 && y < reply.top && y < innerHeight && bubble.contains(document.elementFromPoint(x, y));
}"""
# Whether the button for new messages is within the reply, which scrolls over nothing that can be reached, and "Copy" is free.
FREE = """() => {
  const inner = document.getElementById("to-end").getBoundingClientRect();
  const outer = document.querySelector(".chat-reply").getBoundingClientRect();
  const copy = document.querySelector("[data-copy]"), box = copy.getBoundingClientRect();
  return inner.height > 0 && inner.top >= outer.top && inner.bottom <= outer.bottom
    && copy.contains(document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2));
}"""
SIZES = [(390, 844), (320, 640)]


@pytest.fixture(autouse=True)
def people(backstage: Backstage) -> None:
    backstage.run("world.agent('Anna')")


@pytest.fixture
def assistant(backstage: Backstage) -> Iterator[None]:
    backstage.run(ON)
    yield
    backstage.run(OFF)


def sees_newest(page: Page | Frame) -> None:
    # Asked from here: the pages' policy lets `wait_for_function` ask once only.
    until(lambda: page.evaluate(SEEN), "the newest message is in sight")


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_ones_own_message_and_the_agents(
    new_page: NewPage, backstage: Backstage, width: int, height: int
) -> None:
    page = new_page(size="phone", locale="de", viewport={"width": width, "height": height})
    ticket = opened(page)
    expect(page.locator("#status")).to_contain_text("niemand online")
    sees_newest(page)
    anna(backstage, ticket, ACCEPT)
    expect(page.locator("#thread .message-agent")).to_have_count(1)
    sees_newest(page)
    page.evaluate("scrollTo(0, 0)")
    backstage.run(
        "desk.reply(agent=anna, epoch=shift.epoch, ticket_id=ticket.pk, body='Zeile\\n' * 30)\n"
        "desk.reply(agent=anna, epoch=shift.epoch, ticket_id=ticket.pk, body='Noch etwas.')"
    )
    expect(page.locator("#to-end")).to_be_visible()
    page.get_by_text("Ihr privater Link").click()
    expect(page.get_by_role("button", name="Kopieren")).to_be_visible()
    page.get_by_role("button", name="Kopieren").focus()
    until(lambda: page.evaluate(FREE), "the button for new messages covers nothing")
    page.locator("#to-end").click()
    sees_newest(page)
    expect(page.locator("#to-end")).to_be_hidden()
    page.reload()
    sees_newest(page)


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.usefixtures("assistant")
def test_the_answer_beside_whether_it_helped(new_page: NewPage, width: int, height: int) -> None:
    page = new_page(size="phone", locale="de", viewport={"width": width, "height": height})
    page.goto("/?topic=refund")
    page.get_by_label("Wie können wir Ihnen helfen?").fill("Wann bekomme ich mein Geld zurück?")
    page.get_by_role("button", name="An einen Menschen senden").click()
    expect(page.get_by_text("Hat das geholfen?", exact=True)).to_be_in_viewport()
    expect(page.locator("#thread .message-system")).to_have_count(1)
    sees_newest(page)
    page.reload()
    sees_newest(page)


def test_in_the_widget(new_page: NewPage, backstage: Backstage, shop: int) -> None:
    page = new_page()
    page.goto(f"http://localhost:{shop}/")
    page.get_by_role("button", name="Ask a person").click()
    inside = in_widget(page)
    inside.get_by_label("How can we help?").fill("Where is my refund?")
    inside.get_by_role("button", name="Send to a person").click()
    expect(inside.locator("#status")).to_contain_text("Nobody who can help")
    [frame] = [one for one in page.frames if "/t/" in one.url]
    sees_newest(frame)
    anna(backstage, ticket_of(backstage), ACCEPT)
    expect(inside.locator("#thread .message-agent")).to_have_count(1)
    sees_newest(frame)


def test_an_address_that_is_being_typed_stays(new_page: NewPage, backstage: Backstage) -> None:
    page = new_page(size="phone", locale="de")
    ticket = opened(page)
    field = page.locator("#email-now")
    field.press_sequentially("carla@")
    was = field.evaluate("one => { one.dataset.old = 'yes'; return document.activeElement === one; }")
    assert was
    backstage.run(
        "from tickets import events, timeline\n"
        f"with timeline.command():\n    timeline.advance(Ticket.objects.filter(public_id={ticket!r}), events.PLACED,"
        " {'place': 7, 'expected_seconds': None}, place=7)"
    )
    expect(page.locator("#email-now[data-old]")).to_have_count(0)
    expect(field).to_have_value("carla@")
    expect(field).to_be_focused()
    field.press_sequentially("customers.example")
    field.press("Enter")
    expect(page.locator("#status")).to_contain_text("bis wann Sie eine Antwort bekommen")
    assert backstage.run("result = Customer.objects.get().email") == "carla@customers.example"
