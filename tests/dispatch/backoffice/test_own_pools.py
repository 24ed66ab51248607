"""A pool admin sees and changes what belongs to own pools, whichever way they try."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse
from django.urls.converters import IntConverter
from django.urls.resolvers import RegexPattern
from django.utils import timezone

from agents.errors import ScopeNotYours
from agents.models import Agent, Lease, User
from agents.tokens import token_make
from dispatch import urls_lead
from dispatch.backoffice.roles import ROLES
from dispatch.models import Escalation, Misuse, Offer, Policy, Requirement, Route, RouteStep
from tests.dispatch.backoffice.scene import Scene
from tests.dispatch.backoffice.test_roles import address
from tests.untouched import nothing_changed
from tickets.models import CannedReply, Message, Ticket

pytestmark = pytest.mark.django_db

THINGS = ("pool", "agent", "ticket", "route", "policy", "offer", "shift", "neededhour", "cannedreply")


@pytest.fixture
def olaf(scene: Scene) -> Client:
    return scene.clients["pool_admin"]


def listed(client: Client, model: Any, **asked: Any) -> list[Any]:
    page = client.get(address(model, "changelist"), asked)
    return list(page.context["cl"].result_list) if page.status_code == 200 else [page.status_code]


def test_lists_have_own_things_only(scene: Scene, olaf: Client) -> None:
    bea = scene.world.agents["Bea"]
    for thing in THINGS:
        mine, theirs = scene.of[f"ours.{thing}"], scene.of[f"theirs.{thing}"]
        found = listed(olaf, type(mine))
        assert mine in found, thing
        assert theirs not in found, thing
    assert set(listed(olaf, Agent)) == {scene.of["ours.agent"], bea}
    assert {lease.shift for lease in listed(olaf, Lease)} == {scene.of["ours.shift"]}
    assert {message.ticket for message in listed(olaf, Message)} == {scene.of["ours.ticket"]}
    # The default route's pool has tickets without a topic too; others see all.
    loose = scene.world.ticket()
    Ticket.objects.filter(pk=loose.pk).update(topic=None)
    assert loose in listed(olaf, Ticket)
    assert scene.of["theirs.ticket"] in listed(scene.clients["auditor"], Ticket)


def test_no_address_opens_what_is_of_others(scene: Scene, olaf: Client) -> None:
    for thing in THINGS:
        theirs = scene.of[f"theirs.{thing}"]
        assert olaf.get(address(type(theirs), "change", theirs.pk)).status_code == 302, (
            thing
        )  # not there: to the index
        assert olaf.post(address(type(theirs), "change", theirs.pk), {}).status_code in (302, 403), thing
        assert olaf.get(address(type(theirs), "history", theirs.pk)).status_code == 403, thing
    for name in ("lead_runs", "lead_flagged"):
        assert olaf.get(reverse(name)).status_code == 403
    run = Offer.objects.get(pk=scene.of["ours.offer"].pk).run_id
    assert olaf.get(reverse("admin:dispatch_run_replay", args=[run])).status_code == 403
    assert olaf.get(reverse("admin:agents_pool_add_members", args=[scene.second.pk])).status_code == 404


def lead_addresses() -> list[str]:
    """Every page of the leads, with numbers of nothing where one is asked for."""
    found = []
    for pattern in urls_lead.urlpatterns:
        kwargs = {
            name: 1 if isinstance(converter, IntConverter) else "nothing"
            for name, converter in pattern.pattern.converters.items()
        }
        if isinstance(pattern.pattern, RegexPattern):
            continue  # a picture of a simulation: below its page
        found.append(reverse(pattern.name, kwargs=kwargs))
    return found


def test_pages_and_interfaces_that_know_nothing_of_pools_are_not_theirs(scene: Scene, olaf: Client) -> None:
    """What they may see stands in the admin, where each row is looked at."""
    theirs = Ticket.objects.get(pk=scene.of["theirs.ticket"].pk)
    addresses = [
        *lead_addresses(),
        reverse("lead_ticket", args=[theirs.public_id]),
        *(f"/api/v1/staff/{name}" for name in ("tickets", "offers", "agents", "shifts", "pools", "skills")),
        f"/api/v1/staff/tickets/{theirs.public_id}",
    ]
    assert len(addresses) > 30
    answers = {address: olaf.get(address) for address in addresses}
    # 405: only to be posted to.
    assert {
        address: one.status_code for address, one in answers.items() if one.status_code not in (403, 405)
    } == {}
    # As a word: the random letters of a token may have it.
    assert not [address for address, one in answers.items() if re.search(r"\bZoe\b", one.content.decode())]
    assert scene.clients["auditor"].get("/api/v1/staff/tickets").status_code == 200


def test_other_groups_widen_nothing(scene: Scene, olaf: Client) -> None:
    """A pool admin with every other role besides: what asks for a right asks whether it is for the whole house, too."""
    me, theirs = User.objects.get(name="Olaf"), scene.of["theirs.ticket"]
    me.groups.add(*Group.objects.filter(name__in=[role.group for role in ROLES.values()]))
    zoe, boss = scene.of["theirs.agent"], User.objects.create_superuser("boss@standby.example", "secret")
    escalation = Escalation.objects.create(ticket=theirs, agent=zoe, reason="Look at this.")
    misuse = Misuse.objects.create(
        ticket=theirs, offer=scene.of["theirs.offer"], kind="spam", address="spammer@customers.example"
    )
    settled = Misuse.objects.create(
        ticket=theirs, offer=scene.of["theirs.offer"], kind="spam", address="spammer@customers.example",
        confirmed=True, settled_at=timezone.now(), settled_by=boss,
    )  # fmt: skip
    token = token_make(by=boss, name="Warehouse", scopes=["tickets:read"]).token
    posts = {
        reverse("lead_settle", args=[escalation.pk]): {"answer": "Seen."},
        reverse("lead_flagged_settle", args=[misuse.pk]): {"decision": "take-back", "answer": "Not spam."},
        reverse("lead_flagged_block", args=[settled.pk]): {},
        reverse("admin:agents_ledgerentry_adjust"): {},
        reverse("admin:agents_payoutrun_make"): {},
        reverse("admin:agents_payout_fail", args=[1]): {},
        **{address: {} for address in lead_addresses()},
    }
    with nothing_changed():
        for there, sent in posts.items():
            assert olaf.post(there, sent).status_code in (403, 405), there
        for there in lead_addresses():
            assert olaf.get(there).status_code in (403, 405), there
        for there in ("/api/v1/staff/tokens", "/api/v1/staff/tickets", "/api/v1/webhooks"):
            assert olaf.get(there).status_code == 403, there
        sent = {"name": "Mine", "scopes": ["tickets:read"]}
        made = olaf.post("/api/v1/staff/tokens", sent, "application/json", headers={"Idempotency-Key": "k-1"})
        assert made.status_code == 403
        revoked = olaf.post(f"/api/v1/staff/tokens/{token.pk}/revoke", {}, "application/json")
        assert revoked.status_code == 403
        with pytest.raises(ScopeNotYours):
            token_make(by=me, name="Mine", scopes=["tickets:read"])
    # Nor do they decide on people, who may work elsewhere too.
    anna = scene.of["ours.agent"]
    chosen = {"action": "suspend", "_selected_action": [anna.pk], "decided": "yes", "reason": "Because."}
    with nothing_changed():
        olaf.post(address(Agent, "changelist"), chosen)
    # With the same groups and no pools of their own it is theirs.
    me.groups.remove(Group.objects.get(name="Pool admins"))
    assert olaf.post(reverse("lead_settle", args=[escalation.pk]), {"answer": "Seen."}).status_code == 302
    escalation.refresh_from_db()
    assert escalation.settled_by == me
    assert olaf.get("/api/v1/staff/tokens").status_code == 200


def test_no_filter_tells_who_works_elsewhere(scene: Scene, olaf: Client) -> None:
    for lookup in ("pools__id__exact", "pools", "pools__in", "pools__id__in", "pools__key", "pools__id__gte"):
        second = scene.second.key if lookup.endswith("key") else scene.second.pk
        assert listed(olaf, Agent, **{lookup: second}) in ([], [400], [302]), lookup
    found = listed(olaf, Agent, pools__id__exact=scene.world.pool.pk)
    assert found == [scene.of["ours.agent"], scene.world.agents["Bea"]]


def test_no_page_names_another_pool(scene: Scene, olaf: Client) -> None:
    """In choices, filters, parts of what is theirs, and histories. The step that leads there is left as it is."""
    bea = scene.world.agents["Bea"]
    pages = [
        address(Agent, "changelist"),
        address(Agent, "change", bea.pk),
        address(Agent, "history", bea.pk),
        address(Route, "changelist"),
        address(Route, "change", scene.of["ours.route"].pk),
        address(Route, "history", scene.of["ours.route"].pk),
        address(Policy, "change", scene.of["ours.policy"].pk),
        address(Policy, "add"),
        address(Ticket, "change", scene.of["ours.ticket"].pk),
        address(scene.second.__class__, "change", scene.world.pool.pk),
        address(CannedReply, "add"),
        reverse("admin:agents_agent_import"),
    ]
    for page in pages:
        answer = olaf.get(page)
        assert answer.status_code == 200, page
        text = answer.content.decode()
        assert "Second line" not in text, page
        assert not re.search(r"\bZoe\b", text), page  # as a word: a token of the page may have these letters


def route_form(route: Route, **more: Any) -> dict[str, Any]:
    fields = (
        "offer_seconds", "units", "expected_minutes", "target_seconds", "max_wait_seconds", "least_level", "known_seconds",
        "wrap_up_seconds", "silent_seconds", "silent_units", "snooze_hours", "answer_minutes",
    )  # fmt: skip
    empty = {"TOTAL_FORMS": 0, "INITIAL_FORMS": 0, "MIN_NUM_FORMS": 0, "MAX_NUM_FORMS": 1000}
    return {
        **{name: getattr(route, name) for name in fields},
        "topic": route.topic_id,
        "pool": route.pool_id,
        **{
            f"{prefix}-{name}": value for prefix in ("steps", "requirements") for name, value in empty.items()
        },
        **more,
    }


def test_nothing_is_saved_into_another_pool(scene: Scene, olaf: Client) -> None:
    route = scene.of["ours.route"]
    there = address(Route, "change", route.pk)
    assert olaf.post(there, route_form(route, pool=scene.second.pk)).status_code == 200  # an error
    step = {
        "steps-TOTAL_FORMS": 1,
        "steps-0-after_seconds": 90,
        "steps-0-least_level": 1,
        "steps-0-route": route.pk,
    }
    answer = olaf.post(there, route_form(route, **step, **{"steps-0-pool": scene.second.pk}))
    assert answer.status_code == 200
    assert (
        olaf.post(there, route_form(route, units=25, **step, **{"steps-0-pool": route.pool_id})).status_code
        == 302
    )
    assert Route.objects.get(pk=route.pk).units == 25
    assert sorted(RouteStep.objects.values_list("pool__key", flat=True)) == ["first", "second"]
    assert Requirement.objects.filter(route=route).count() == 1
    # A new version of a policy, for a pool of others.
    before = Policy.objects.count()
    assert olaf.post(address(Policy, "add"), {"pool": scene.second.pk}).status_code == 200
    assert Policy.objects.count() == before
    # Canned replies: for own topics; those without a topic are everybody's.
    loose = CannedReply.objects.create(title="All", body="All", language="en")
    reply = {"title": "New", "body": "New", "language": "en", "active": "on"}
    for topic in ("", scene.world.card.pk):
        assert olaf.post(address(CannedReply, "add"), reply | {"topic": topic}).status_code == 200
    assert olaf.post(address(CannedReply, "add"), reply | {"topic": scene.world.refund.pk}).status_code == 302
    assert olaf.get(address(CannedReply, "change", loose.pk)).status_code == 200
    assert olaf.post(address(CannedReply, "change", loose.pk), reply).status_code == 403
    assert olaf.get(address(CannedReply, "delete", loose.pk)).status_code == 403
    listing = {"form-TOTAL_FORMS": 1, "form-INITIAL_FORMS": 1, "form-0-id": loose.pk, "_save": "Save"}
    olaf.post(address(CannedReply, "changelist"), listing)
    assert CannedReply.objects.get(pk=loose.pk).active


def agent_form(agent: Agent, **more: Any) -> dict[str, Any]:
    return {
        "name": agent.name,
        "languages": "en,de",
        "units": agent.units,
        "extra_seconds": agent.extra_seconds,
        "agent_skills-TOTAL_FORMS": 0,
        "agent_skills-INITIAL_FORMS": 0,
        **more,
    }


def test_members_are_changed_and_those_who_work_elsewhere_too_are_not(scene: Scene, olaf: Client) -> None:
    anna, bea = scene.of["ours.agent"], scene.world.agents["Bea"]
    answer = olaf.post(address(Agent, "change", anna.pk), agent_form(anna, units=80, pools=[scene.second.pk]))
    assert answer.status_code == 302
    anna.refresh_from_db()
    assert (anna.units, [pool.key for pool in anna.pools.all()]) == (80, ["first"])
    assert olaf.post(address(Agent, "change", bea.pk), agent_form(bea, units=80)).status_code == 403
    bea.refresh_from_db()
    assert bea.units == 100


def test_no_right_is_given(scene: Scene, olaf: Client) -> None:
    pool, kurt, me = scene.world.pool, User.objects.get(name="Kurt"), User.objects.get(name="Olaf")
    page = olaf.post(
        address(type(pool), "change", pool.pk),
        {"key": "first", "name_en": "First of all", "name_de": "Erste Reihe", "admins": [kurt.pk],
         "routes-TOTAL_FORMS": 0, "routes-INITIAL_FORMS": 0, "policies-TOTAL_FORMS": 0, "policies-INITIAL_FORMS": 0},
    )  # fmt: skip
    assert page.status_code == 302
    pool.refresh_from_db()
    assert (pool.name_en, list(pool.admins.all())) == ("First of all", [me])
    assert olaf.post(address(User, "change", me.pk), {"is_superuser": "on"}).status_code == 403


def test_actions_reach_own_things_only(scene: Scene, olaf: Client) -> None:
    theirs = scene.of["theirs.shift"]
    data = {"action": "force_offline", "_selected_action": [theirs.pk], "decided": "yes", "reason": "x"}
    olaf.post(address(type(theirs), "changelist"), data)
    theirs.refresh_from_db()
    assert theirs.ended_at is None
    zoe, bea = scene.world.agents["Zoe"], scene.world.agents["Bea"]
    chosen = {"_selected_action": [zoe.pk, bea.pk], "decided": "yes"}
    olaf.post(address(Agent, "changelist"), {"action": "add_to_pool", "pool": scene.world.pool.pk, **chosen})
    assert [pool.key for pool in zoe.pools.all()] == ["second"]
    moving = {"action": "move_to_pool", "pool": scene.world.pool.pk, "to": scene.second.pk, **chosen}
    assert olaf.post(address(Agent, "changelist"), moving).status_code == 200  # an error
    olaf.post(address(Agent, "changelist"), {"action": "take_out_of_pool", "pool": scene.second.pk, **chosen})
    assert sorted(pool.key for pool in bea.pools.all()) == ["first", "second"]


def test_the_form_of_a_policy_begins_with_no_terms_of_others(scene: Scene, olaf: Client) -> None:
    for pk in (scene.world.pool.pk, scene.second.pk):
        Policy.objects.filter(pool_id=pk).update(fit=7.5, grace_seconds=77)

    def initial(pool: object) -> dict[str, Any]:
        page = olaf.get(address(Policy, "add"), {"pool": pool})
        assert page.status_code == 200
        found: dict[str, Any] = page.context["adminform"].form.initial
        return {name: found.get(name) for name in ("pool", "fit", "grace_seconds")}

    assert initial(scene.world.pool.pk) == {"pool": scene.world.pool.pk, "fit": 7.5, "grace_seconds": 77}
    for pool in (scene.second.pk, "x", "", "99999999999999999999"):
        assert initial(pool) == {"pool": None, "fit": None, "grace_seconds": None}
