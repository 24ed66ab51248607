"""What the admin saves is what somebody changed there: whatever services write meanwhile stays."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from agents.models import Agent, AgentStatus, Pool, User
from dispatch.backoffice.saving import Saving
from tests.cast import World
from tests.untouched import nothing_changed
from tickets.models import Block, Topic

pytestmark = pytest.mark.django_db


@pytest.fixture
def boss(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("boss@standby.example", "secret"))
    return client


def parts(*prefixes: str) -> dict[str, int]:
    empty = {"TOTAL_FORMS": 0, "INITIAL_FORMS": 0, "MIN_NUM_FORMS": 0, "MAX_NUM_FORMS": 1000}
    return {f"{prefix}-{name}": value for prefix in prefixes for name, value in empty.items()}


def agent_form(agent: Agent, **more: Any) -> dict[str, Any]:
    """The page as it stands, its skills left out (none is changed)."""
    return {
        "name": agent.name,
        "languages": ",".join(agent.languages),
        "units": agent.units,
        "extra_seconds": agent.extra_seconds,
        "time_zone": agent.time_zone,
        "pools": list(agent.pools.values_list("pk", flat=True)),
        **parts("agent_skills", "decisions"),
        **more,
    }


def meanwhile(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], object]) -> None:
    """It happens after the row was read, and before it is saved."""
    save_form = admin.ModelAdmin.save_form

    def late(self: Any, request: Any, form: Any, change: bool) -> Any:
        happens()
        return save_form(self, request, form, change)

    monkeypatch.setattr(admin.ModelAdmin, "save_form", late)


def test_every_page_saves_what_was_changed_only() -> None:
    """Nothing stands between a page and Saving but what itself writes by a service."""
    for model, page in admin.site._registry.items():
        assert isinstance(page, Saving), model


def test_an_agents_page_leaves_what_services_write(
    world: World, boss: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna = world.agent("Anna")
    now = timezone.now()
    meanwhile(
        monkeypatch,
        lambda: Agent.objects.update(status=AgentStatus.SUSPENDED, last_epoch=7, leaving_since=now),
    )
    answer = boss.post(reverse("admin:agents_agent_change", args=[anna.pk]), agent_form(anna, units=50))
    assert answer.status_code == 302
    anna.refresh_from_db()
    assert (anna.units, anna.status, anna.last_epoch, anna.leaving_since) == (50, "suspended", 7, now)
    assert anna.agent_skills.count() == 2


def test_only_who_is_admitted_is_put_into_a_pool(world: World, boss: Client) -> None:
    anna = world.agent("Anna")
    second = Pool.objects.create(key="second", name_en="Second line", name_de="Zweite Reihe")
    page = reverse("admin:agents_agent_change", args=[anna.pk])
    both = agent_form(anna, pools=[world.pool.pk, second.pk])
    Agent.objects.update(status=AgentStatus.SUSPENDED)
    with nothing_changed():
        answer = boss.post(page, both)
    assert answer.status_code == 200
    assert answer.context["adminform"].form.errors == {"pools": ["Who is not admitted can be in no pool."]}
    assert boss.post(page, agent_form(anna, name="Anne")).status_code == 302  # what they are in they stay in
    assert boss.post(page, agent_form(anna, pools=[])).status_code == 302  # and may be taken out of
    assert list(anna.pools.all()) == []
    Agent.objects.update(status=AgentStatus.ADMITTED)
    assert boss.post(page, both).status_code == 302
    assert list(anna.pools.order_by("key")) == [world.pool, second]


def test_topics_leave_the_pause_of_their_assistant(
    world: World, boss: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page and the list."""
    now = timezone.now()
    meanwhile(monkeypatch, lambda: Topic.objects.update(assistant_paused_at=now))
    topic = world.refund
    page = reverse("admin:tickets_topic_change", args=[topic.pk])
    shown = boss.get(page).context["adminform"].form
    form = {
        one.html_name: one.value()
        for one in shown
        if one.value() not in (None, "") and one.value() is not False
    }
    answer = boss.post(page, form | {"position": 5})
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    topic.refresh_from_db()
    assert (topic.position, topic.assistant_paused_at) == (5, now)

    Topic.objects.update(assistant_paused_at=None)
    rows = {
        f"form-{place}-{name}": value
        for place, one in enumerate(Topic.objects.order_by("position"))
        for name, value in (("id", one.pk), ("position", 9), ("active", "on"))
    }
    counts = {"form-TOTAL_FORMS": 2, "form-INITIAL_FORMS": 2}
    answer = boss.post(reverse("admin:tickets_topic_changelist"), rows | counts | {"_save": "Save"})
    assert answer.status_code == 302
    assert set(Topic.objects.values_list("position", "assistant_paused_at")) == {(9, now)}


def test_what_a_form_works_out_of_its_fields_is_saved_with_them(boss: Client) -> None:
    add = {"kind": "email", "value": "mallory@example.com", "reason": "Threats"}
    assert boss.post(reverse("admin:tickets_block_add"), add).status_code == 302
    block = Block.objects.get()
    before = block.digest
    page = reverse("admin:tickets_block_change", args=[block.pk])
    assert boss.post(page, add | {"value": "mallory@example.org"}).status_code == 302
    block.refresh_from_db()
    assert block.digest != before
