"""axe over the admin pages that have templates of ours, those of pay, and those for who runs the place: nothing but what the
stock admin has anyway."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.backstage import Backstage
from tests.browser.looks import violations
from tests.browser.test_pay import SCENE, person
from tests.conftest import NewPage
from tests.stack import LiveStack

pytestmark = [pytest.mark.browser, pytest.mark.servers]

# Rule → where the stock admin breaks it, as a selector; the same rule anywhere else is a finding of ours.
STOCK = {
    "link-in-text-block": ".breadcrumbs a, .quiet a",  # links told from the text between them by colour alone
    "target-size": "#changelist-filter a",  # the filters' links stand close together
    "label": ".select2-search__field",  # of a field that completes itself
    "label-title-only": "#searchbar",  # its label is a picture
    "scrollable-region-focusable": ".inline-group, .results, #changelist-form",  # on small screens
    "empty-table-header": ".inline-group th",  # the column of a row's own name, in edit_inline/tabular.html
}
PLACES = """
from agents.models import PayoutAccount
bea = agent('Bea')["id"]
account_save(agent_id=bea, holder='Bea Beispiel', iban='DE02120300000000202051')
credit(agent_id=bea, kind='ticket', amount_cents=4000, currency='USD', reference='test:bea', memo='S-2')
draft, made = runs.payout_run_make(up_to=timezone.localdate(), made_by_id=one.pk, currency='USD')
presence.go_online(agent_id=owed.pk)
world.ticket('Where is my refund?')
offered(owed.pk)
matched = Run.objects.latest('pk').pk
result = [
    "agents/payoutrun/", "agents/payoutrun/make/", f"agents/payoutrun/{run.pk}/change/",
    f"agents/payoutrun/{draft.pk}/change/", f"agents/payoutrun/{draft.pk}/approve/",
    "agents/payout/", f"agents/payout/{run.payouts.get().pk}/change/", f"agents/payout/{run.payouts.get().pk}/fail/",
    "agents/payoutaccount/", f"agents/payoutaccount/{PayoutAccount.objects.latest('pk').pk}/change/",
    "agents/ledgerentry/", "agents/ledgerentry/adjust/",
    "dispatch/rate/", f"dispatch/rate/{Rate.objects.latest('pk').pk}/change/",
    f"dispatch/run/{matched}/change/", f"dispatch/run/{matched}/again/",
]
"""
BACKOFFICE = """
from datetime import timedelta
presence.go_online(agent_id=world.agents['Anna'].pk)
pool = world.pool.pk
first, _made = Policy.objects.get_or_create(pool_id=pool, version=1)
Policy.objects.filter(pk=first.pk).update(fit=3.5)
route = Route.objects.get(topic=world.refund)
Route.objects.filter(pk=route.pk).update(offer_seconds=45)
Route.objects.filter(pk=route.pk).update(offer_seconds=20)
world.ticket('Where is my refund?')
result = [
    "tickets/ticket/", f"tickets/ticket/{Ticket.objects.latest('pk').pk}/change/",
    f"agents/pool/{pool}/change/", f"agents/pool/{pool}/history/", f"agents/pool/{pool}/add-members/",
    "agents/agent/", "agents/agent/import/", f"dispatch/route/{route.pk}/history/",
    f"dispatch/policy/{first.pk}/change/", "dispatch/change/", "dispatch/rate/",
]
"""
FILE = b"email;languages;skills\nanna@agents.example;de;payments:5\nnobody@agents.example;de;\n"

# Of webhooks nothing is sent: this one was stopped by hand. Alerts are over, so that nobody is told.
OPERATED = """
from datetime import timedelta
from django.utils import timezone
from agents.tokens import token_make
from dispatch.webhooks.endpoints import endpoint_change, endpoint_register
one = User.objects.create_superuser('one@staff.example', 'x', name='one')
hook = endpoint_register(url='https://hooks.example/standby', description='Warehouse', events=['ticket.closed']).endpoint
endpoint_change(endpoint_id=hook.pk, enabled=False)
told = hook.deliveries.create(message_id='msg_1', type='ticket.closed', data={'ticket': 'S-1'}, state='failed', tries=1)
told.attempts.create(number=1, milliseconds=5000, error='Timeout', status=None)
token = token_make(by=one, name='Reports', scopes=['tickets:read']).token
alert = Alert.objects.create(kind='outbox')
Alert.objects.filter(pk=alert.pk).update(closed_at=timezone.now() + timedelta(seconds=1))
act = LeadAction.objects.create(kind='call_in', by=one, why='A shop is down.', data={'pool': 'front', 'called': 2})
heard, _made = Pulse.objects.get_or_create(kind='worker')
rule, _made = AlertRule.objects.get_or_create(kind='silent')
result = [
    "dispatch/webhookendpoint/", "dispatch/webhookendpoint/add/", f"dispatch/webhookendpoint/{hook.pk}/change/",
    "dispatch/webhookdelivery/", f"dispatch/webhookdelivery/{told.pk}/change/",
    "agents/apitoken/", f"agents/apitoken/{token.pk}/change/",
    "dispatch/alert/", f"dispatch/alert/{alert.pk}/change/",
    "dispatch/alertrule/", f"dispatch/alertrule/{rule.pk}/change/",
    "dispatch/pulse/", f"dispatch/pulse/{heard.pk}/change/",
    "dispatch/neededhour/", "dispatch/neededhour/add/",
    "dispatch/leadaction/", f"dispatch/leadaction/{act.pk}/change/",
]
"""


def ours(page: Page) -> list[str]:
    """What axe finds that the stock admin does not have anyway. Without preload: that brings styles the CSP refuses."""
    found = violations(page, preload=False)
    return [
        f"{page.url} {one['id']}: {node['html']}"
        for one in found
        for node in one["nodes"]
        if not page.locator(node["target"][0]).first.evaluate(
            "(element, stock) => Boolean(stock) && element.matches(stock)", STOCK.get(one["id"], "")
        )
    ]


def test_axe_finds_nothing_of_ours(
    new_page: NewPage, backstage: Backstage, stack: LiveStack, anna: dict[str, Any]
) -> None:
    page = person(new_page, stack, backstage, "Otto")
    places = backstage.run(SCENE + PLACES)
    found = []
    for place in places:
        page.goto(f"/admin/{place}")
        assert page.url.endswith(place)  # what is not there is a redirect
        found += ours(page)
    page.goto("/admin/agents/agent/")
    page.locator("input.action-select").first.check()
    page.locator("select[name=action]").select_option("admit")
    page.locator("button[name=index]").click()
    expect(page.locator("input[name=decided]")).to_have_count(1)
    assert found + ours(page) == []


def test_nor_on_those_for_who_runs_the_place(
    new_page: NewPage, backstage: Backstage, stack: LiveStack
) -> None:
    page = person(new_page, stack, backstage, "Otto")
    found = []
    try:
        for place in backstage.run(OPERATED):
            page.goto(f"/admin/{place}")
            assert page.url.endswith(place)
            found += ours(page)
        page.goto("/admin/agents/apitoken/add/")
        found += ours(page)
        page.locator("#id_name").fill("Warehouse")
        page.locator("[name=scopes]").first.check()
        page.locator("[name=_save]").click()
        expect(page.locator("#secret")).to_be_visible()
        assert found + ours(page) == []
    finally:
        backstage.run("WebhookEndpoint.objects.all().delete(); Alert.objects.filter(kind='outbox').delete()")


def test_pools_history_and_files_in_german_on_a_small_phone(
    new_page: NewPage, backstage: Backstage, stack: LiveStack, anna: dict[str, Any]
) -> None:
    """Strict policy (new_page), nothing found by axe, nothing wider than 320 pixels, and a file from its choice to its end."""
    page = new_page(locale="de", viewport={"width": 320, "height": 640}, allowed=["status of 400"])
    session = backstage.run("result = staff('Otto')")
    page.context.add_cookies([{"name": "sessionid", "value": session, "url": stack.base_url}])
    found = []
    for place in backstage.run(BACKOFFICE):
        page.goto(f"/admin/{place}")
        assert page.url.endswith(place)
        found += ours(page)
        wide = page.evaluate("document.documentElement.scrollWidth")
        found += [f"{place}: {wide} pixels"] if wide > 320 else []
    page.goto("/admin/agents/agent/import/")
    page.locator("input[type=file]").set_input_files(
        {"name": "a.csv", "mimeType": "text/csv", "buffer": FILE}
    )
    page.get_by_role("button", name="Weiter").click()
    expect(page.get_by_role("row", name="3 nobody@agents.example")).to_contain_text(
        "Es gibt keinen Agenten mit dieser Adresse."
    )
    found += ours(page)
    right = FILE.replace(b"nobody@agents.example;de;\n", b"")
    page.locator("input[type=file]").set_input_files(
        {"name": "a.csv", "mimeType": "text/csv", "buffer": right}
    )
    page.get_by_role("button", name="Weiter").click()
    expect(page.get_by_role("row", name="2 anna@agents.example")).to_contain_text("payments:5")
    found += ours(page)
    page.get_by_role("button", name="Ändern").click()
    expect(page.locator(".messagelist")).to_contain_text("1 Agent wurde geändert.")
    page.goto("/admin/agents/shift/")
    page.locator("input.action-select").first.check()
    page.locator("select[name=action]").select_option("force_offline")
    page.locator("button[name=index]").click()
    expect(page.locator("textarea[name=reason]")).to_have_count(1)
    assert found + ours(page) == []
