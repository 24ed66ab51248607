"""An agent's network goes dark: offers go at once, tickets after a grace time; who is back in time has lost nothing."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.backstage import Backstage
from tests.browser.test_console import BROKEN, held, online, state
from tests.invariants import broken
from tests.stack import LiveStack
from tests.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.servers]


def goes_dark(page: Page, stack: LiveStack) -> None:
    """No beat comes through any more, and the lease is over: its 15 seconds are taken away here."""
    page.context.set_offline(True)
    expect(page.locator("#connection")).to_have_attribute("data-state", "offline")
    until(lambda: _lost(stack), "the lease did not end")


def _lost(stack: LiveStack) -> bool:
    stack.sql(
        "UPDATE agents_lease SET expires_at = now() FROM agents_shift s, agents_agent a"
        " WHERE s.id = shift_id AND a.id = s.agent_id AND a.name = 'Anna'"
    )
    return bool(stack.sql("SELECT 1 FROM agents_shift WHERE lost_at IS NOT NULL"))


def states(stack: LiveStack, agent: str) -> list[str]:
    return [
        row[0]
        for row in stack.sql(
            "SELECT o.state FROM dispatch_offer o JOIN agents_agent a ON a.id = o.agent_id"
            f" WHERE a.name = '{agent}' ORDER BY o.id"
        )
    ]


def events(stack: LiveStack, public_id: str) -> list[str]:
    return [
        row[0]
        for row in stack.sql(
            "SELECT e.type FROM tickets_ticketevent e JOIN tickets_ticket t ON t.id = e.ticket_id"
            f" WHERE t.public_id = '{public_id}' ORDER BY e.seq"
        )
    ]


def test_who_is_back_within_the_grace_time_keeps_the_ticket_and_loses_the_offer(
    console: Any, backstage: Backstage, stack: LiveStack
) -> None:
    page = console(allowed=BROKEN)
    online(page)
    public_id = held(page, backstage)
    backstage.ticket("Another matter")
    expect(page.locator(".offer")).to_be_visible()
    goes_dark(page, stack)
    until(lambda: states(stack, "Anna") == ["accepted", "revoked"], "the offer was not taken back")
    assert "ticket.agent_lost" in events(stack, public_id)
    assert stack.sql("SELECT state FROM tickets_ticket ORDER BY id") == [("held",), ("waiting",)]

    page.context.set_offline(False)
    expect(page.locator("#console")).to_have_attribute("data-connection", "connected")
    expect(state(page)).to_have_attribute("data-state", "online")
    expect(page.get_by_text("You are online.")).to_be_visible()
    until(lambda: "ticket.agent_back" in events(stack, public_id), "the customer was not told")
    thread = page.locator(f"#thread-{public_id}")
    thread.get_by_label("Your text").fill("Here I am again.")
    thread.get_by_label("Your text").press("Control+Enter")
    expect(thread.locator(".message-agent .bubble")).to_have_text("Here I am again.")
    expect(page.locator(".offer")).to_contain_text("Another matter")  # it is offered again
    assert broken(stack.sql) == {}


def test_after_the_grace_time_the_ticket_goes_on_at_the_front_with_its_history(
    console: Any, backstage: Backstage, stack: LiveStack
) -> None:
    page = console(allowed=BROKEN)
    online(page)
    public_id = held(page, backstage, "The older matter")
    thread = page.locator(f"#thread-{public_id}")
    thread.get_by_label("Your text").fill("I am looking into it.")
    thread.get_by_label("Your text").press("Control+Enter")
    expect(thread.locator(".message-agent .bubble")).to_have_text("I am looking into it.")
    goes_dark(page, stack)
    backstage.ticket("The younger matter")
    ((since,),) = stack.sql(f"SELECT waiting_since FROM tickets_ticket WHERE public_id = '{public_id}'")
    stack.sql("UPDATE agents_shift SET lost_at = now() - interval '61 seconds' WHERE lost_at IS NOT NULL")
    until(lambda: states(stack, "Anna")[0] == "released", "the ticket was not passed on")
    assert stack.sql(f"SELECT state, waiting_since FROM tickets_ticket WHERE public_id = '{public_id}'") == [
        ("waiting", since)
    ]

    bernd = console(session=backstage.run("result = agent('Bernd')")["session"])
    online(bernd)
    card = bernd.locator(".offer")
    expect(card).to_contain_text("The older matter")
    bernd.get_by_role("button", name="Accept").click()
    expect(bernd.locator(f"#thread-{public_id} .bubble")).to_have_text(
        ["The older matter", "I am looking into it."]
    )

    # The laptop that wakes is told, and what it had typed goes nowhere.
    page.context.set_offline(False)
    expect(page.get_by_text("Your connection was lost for too long, so your shift ended.")).to_be_visible()
    expect(thread).to_have_count(0)
    expect(state(page)).to_have_attribute("data-state", "offline")
    expect(page.locator("#notices")).to_contain_text("is no longer with you: it waits for another agent.")
    online(page)
    expect(page.locator(".desk-thread")).to_have_count(0)
    assert broken(stack.sql) == {}
