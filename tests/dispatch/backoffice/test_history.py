"""Who changed what of the configuration, from what to what: whichever way it was changed."""

from typing import Any

import pytest
from django.contrib import admin
from django.db import DatabaseError, connection, models, transaction
from django.test import Client
from django.urls import reverse

from agents import membership
from agents.models import Agent, AgentSkill, Pool, User
from dispatch.admin_changes import tracked
from dispatch.models import Change, Policy, Rate, Route, RouteStep
from tests.cast import World
from tests.dispatch.backoffice.test_own_pools import route_form
from tests.dispatch.backoffice.test_roles import address
from tickets.models import MailIn, Topic

pytestmark = pytest.mark.django_db

# Pages with a form whose rows are no configuration, but work that is decided on there.
NO_CONFIGURATION: set[type[models.Model]] = {MailIn}


@pytest.fixture
def boss(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("boss@standby.example", "secret", name="Bo Boss"))
    return client


def since(last: int = 0) -> list[tuple[Any, ...]]:
    """(table, kind, before, after, by) of what was noted after a number."""
    rows = Change.objects.filter(pk__gt=last).order_by("pk").select_related("by")
    return [(one.table, one.kind, one.old, one.new, one.by.name if one.by else None) for one in rows]


def last() -> int:
    return Change.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


def test_a_form_with_its_parts(world: World, boss: Client) -> None:
    route, before = Route.objects.get(topic=world.refund), last()
    second = Pool.objects.create(key="second", name_en="Second line", name_de="Zweite Reihe")
    before = last()
    step = {
        "steps-TOTAL_FORMS": 1,
        "steps-0-after_seconds": 90,
        "steps-0-least_level": 1,
        "steps-0-route": route.pk,
    }
    fields = route_form(
        route, offer_seconds=30, **step, **{"steps-0-pool": second.pk, "steps-0-preferred": "on"}
    )
    assert boss.post(address(Route, "change", route.pk), fields).status_code == 302
    added = {
        "route_id": route.pk,
        "after_seconds": 90,
        "pool_id": second.pk,
        "least_level": 1,
        "preferred": True,
    }
    assert since(before) == [
        ("dispatch_route", "UPDATE", {"offer_seconds": 20}, {"offer_seconds": 30}, "Bo Boss"),
        ("dispatch_routestep", "INSERT", {}, added, "Bo Boss"),
    ]
    page = boss.get(address(Route, "history", route.pk)).content.decode()
    for words in (
        "Bo Boss",
        "Seconds to answer an offer",
        "<td>20</td><td>30</td>",
        "Second line",
        "step of a route",
    ):
        assert words in page, words
    # A step that is gone is still told of, and so is a route that is.
    RouteStep.objects.all().delete()
    assert since(last() - 1) == [("dispatch_routestep", "DELETE", added, {}, None)]
    assert "the system" in boss.get(address(Route, "history", route.pk)).content.decode()
    Route.objects.filter(pk=route.pk).delete()
    assert "<td>20</td><td>30</td>" in boss.get(address(Route, "history", route.pk)).content.decode()
    assert boss.get(address(Route, "history", 10**9)).status_code == 404


def test_many_to_many_bulk_and_plain_sql(world: World, boss: Client) -> None:
    anna, second = world.agent("Anna"), Pool.objects.create(key="second", name_en="Second", name_de="Zweite")
    before = last()
    data = {"action": "move_to_pool", "pool": world.pool.pk, "to": second.pk, "_selected_action": [anna.pk]}
    assert boss.post(address(Agent, "changelist"), data | {"decided": "yes"}).status_code == 302
    assert since(before) == [
        ("agents_agent_pools", "DELETE", {"agent_id": anna.pk, "pool_id": world.pool.pk}, {}, "Bo Boss"),
        ("agents_agent_pools", "INSERT", {}, {"agent_id": anna.pk, "pool_id": second.pk}, "Bo Boss"),
    ]
    # It is told of on the pages of all three.
    for page in (address(Agent, "history", anna.pk), address(Pool, "history", world.pool.pk)):
        assert "Anna" in boss.get(page).content.decode()
    before = last()
    Topic.objects.filter(pk=world.refund.pk).update(priority=1)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE agents_agentskill SET level = 5 WHERE agent_id = %s AND level = 3", [anna.pk])
    assert [row[:2] for row in since(before)] == [
        ("tickets_topic", "UPDATE"),
        *[("agents_agentskill", "UPDATE")] * 2,
    ]
    # What moves by itself, and what says nothing else than before, is none.
    before = last()
    Agent.objects.filter(pk=anna.pk).update(last_epoch=7, auto_accept=True, name="Anni")
    Topic.objects.filter(pk=world.refund.pk).update(priority=1)
    User.objects.filter(pk=anna.user_id).update(password="!", name="A")
    membership.members_add(pool_id=second.pk, agent_ids=[anna.pk])
    assert since(before) == []


def test_rights_have_a_history_too(world: World, boss: Client) -> None:
    user = User.objects.create_user("new@staff.example", name="New")
    before = last()
    fields = {"email": user.email, "name": "New", "language": "en", "is_active": "on", "is_staff": "on"}
    assert boss.post(address(User, "change", user.pk), fields).status_code == 302
    assert since(before) == [("agents_user", "UPDATE", {"is_staff": False}, {"is_staff": True}, "Bo Boss")]


def test_who_it_was_is_forgotten_after_each_request(
    world: World, boss: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Policy, "save", _fail)
    with pytest.raises(RuntimeError):
        boss.post(address(Policy, "add"), _policy(world))
    before = last()
    Topic.objects.filter(pk=world.refund.pk).update(priority=1)
    assert since(before)[0][4] is None


def _fail(*args: Any, **kwargs: Any) -> None:
    raise RuntimeError


def _policy(world: World) -> dict[str, Any]:
    fields = {
        field.name: field.get_default() for field in Policy._meta.concrete_fields if field.has_default()
    }
    return {**fields, "pool": world.pool.pk, "note": "n"}


@pytest.mark.parametrize(
    "change", ["UPDATE dispatch_change SET by_id = NULL, row = 1", "DELETE FROM dispatch_change"]
)
def test_the_database_refuses_to_change_it(world: World, change: str) -> None:
    before = list(Change.objects.values_list())
    assert before
    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(change)
    assert list(Change.objects.values_list()) == before


def test_whatever_can_be_edited_is_tracked() -> None:
    """Each model with a form in the admin, the parts that are edited with it, and its many-to-many rows."""
    edited = set()
    for model, page in admin.site._registry.items():
        cls = type(page)
        if any(base.__name__ == "ReadOnly" for base in cls.__mro__) or model in NO_CONFIGURATION:
            continue
        if model._meta.app_label not in ("agents", "tickets", "dispatch", "auth"):
            continue
        edited |= {model, *(field.remote_field.through for field in model._meta.many_to_many)}
        edited |= {
            inline.model
            for inline in page.inlines
            if not any(base.__name__ == "ReadOnly" for base in inline.__mro__)
        }
    assert AgentSkill in edited
    assert sorted({model._meta.db_table for model in edited} - set(tracked())) == []


def test_versions_and_rates_say_what_differs(world: World, boss: Client) -> None:
    first = Policy.objects.create(pool=world.pool, version=1, current=True)
    fields = _policy(world) | {"fit": "2.5", "note": "skill counts more"}
    assert boss.post(address(Policy, "change", first.pk), fields).status_code == 302
    second = Policy.objects.get(version=2)
    page = boss.get(address(Policy, "change", second.pk)).content.decode()
    assert '<th scope="row">Fit</th><td>1.0</td><td>2.5</td>' in page
    assert "This is the version in force." in page
    old = boss.get(address(Policy, "change", first.pk)).content.decode()
    assert "It is the first one." in old
    assert '<th scope="row">Fit</th><td>1.0</td><td>2.5</td>' in old  # what the one in force has otherwise
    # Rates: until when each applies; without a default that has begun, what is not paid is said.
    Rate.objects.create(topic=world.refund, amount_cents=500, valid_from="2030-01-01")
    rows = boss.get(address(Rate, "changelist")).context["cl"].result_list
    model_admin = admin.site._registry[Rate]
    shown = {
        (str(rate.valid_from), rate.amount_cents): (str(rate.following), model_admin.applies(rate))
        for rate in rows
    }
    assert shown == {
        ("2030-01-01", 500): ("None", "later"),
        ("2026-01-01", 400): ("2030-01-01", "now"),
        ("2026-01-01", 250): ("None", "now"),
    }
    Rate.objects.filter(topic=None).delete()
    page = boss.get(address(Rate, "changelist")).content.decode()
    assert "Nothing is paid today for: Card." in page


def test_history_asks_no_query_a_row(world: World, boss: Client, django_assert_max_num_queries: Any) -> None:
    second = Pool.objects.create(key="second", name_en="Second", name_de="Zweite")
    for name in ("Anna", "Bernd", "Cem", "Dana", "Emil"):
        membership.members_add(pool_id=second.pk, agent_ids=[world.agent(name).pk])
    where = reverse("admin:agents_pool_history", args=[second.pk])
    boss.get(where)
    with django_assert_max_num_queries(8):
        assert "Emil" in boss.get(where).content.decode()
