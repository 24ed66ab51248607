"""Every admin page opens, nothing that services write can be changed there, and no list asks a query a row."""

from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from agents.models import Shift, User
from dispatch import desk, presence
from dispatch.models import Offer, Policy
from dispatch.offers import offer_accept
from dispatch.runs import match_pool
from tests.cast import World
from tickets.lifecycle import ticket_rate
from tickets.models import Ticket

pytestmark = pytest.mark.django_db

OURS = [model for model in admin.site._registry if model._meta.app_label in {"agents", "tickets", "dispatch"}]
WRITTEN_BY_SERVICES = {
    "ticket", "customer", "message", "attachment", "ticketevent", "rating",
    "shift", "lease", "ledgerentry", "payoutaccount", "payout", "payoutrun",
    "offer", "run", "standing", "poolstanding", "feed", "feedevent", "alert", "simulation",
    "application", "decision", "appeal", "letter", "attempt", "escalation", "transfer",
}  # fmt: skip


@pytest.fixture
def boss(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("boss@standby.example", "secret"))
    return client


def live_through(world: World, name: str) -> None:
    """One ticket from the form to its rating."""
    agent = world.agent(name)
    presence.go_online(agent_id=agent.pk)
    ticket = world.ticket()
    match_pool(world.pool.pk)
    offer = Offer.objects.get(agent=agent, state="pending")
    offer_accept(offer_id=offer.pk, agent_id=agent.pk, epoch=1)
    desk.note(agent=agent, epoch=1, ticket_id=ticket.pk, body="Looks like a double charge")
    desk.resolve(agent=agent, epoch=1, ticket_id=ticket.pk)
    ticket_rate(ticket=Ticket.objects.get(pk=ticket.pk), score=4, solved=True)
    presence.pause(agent_id=agent.pk, epoch=1)


@pytest.mark.parametrize("model", OURS, ids=lambda model: model._meta.model_name)
def test_list_and_change_page_open(world: World, boss: Client, model: Any) -> None:
    live_through(world, "Anna")
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    page = boss.get(
        reverse(f"{name}_changelist"), {"q": "1"} if admin.site._registry[model].search_fields else {}
    )
    assert page.status_code == 200
    first = model._default_manager.order_by("pk").first()
    if first is not None:
        assert boss.get(reverse(f"{name}_change", args=[first.pk])).status_code == 200
    if model._meta.model_name in WRITTEN_BY_SERVICES:
        assert boss.get(reverse(f"{name}_add")).status_code == 403
        if first is not None:
            assert (
                boss.post(reverse(f"{name}_change", args=[first.pk]), {"state": "closed"}).status_code == 403
            )
            assert boss.post(reverse(f"{name}_delete", args=[first.pk]), {"post": "yes"}).status_code == 403
    else:
        assert boss.get(reverse(f"{name}_add")).status_code == 200


@pytest.mark.parametrize("model", OURS, ids=lambda model: model._meta.model_name)
def test_no_list_asks_a_query_a_row(
    world: World, boss: Client, model: Any, django_assert_max_num_queries: Any
) -> None:
    address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    for name in (
        "Anna",
        "Bernd",
        "Cem",
        "Dana",
        "Emil",
        "Fatma",
        "Greta",
        "Hans",
        "Ida",
        "Jan",
        "Kim",
        "Lea",
    ):
        live_through(world, name)
    boss.get(address)  # content types are read once
    with django_assert_max_num_queries(11):
        assert boss.get(address).status_code == 200


def test_the_ticket_page_shows_its_timeline_and_offers(world: World, boss: Client) -> None:
    live_through(world, "Anna")
    page = boss.get(reverse("admin:tickets_ticket_change", args=[Ticket.objects.get().pk])).content.decode()
    for word in ("ticket.opened", "ticket.held", "ticket.rated", "Looks like a double charge", "completed"):
        assert word in page


def test_an_offer_says_why(world: World, boss: Client) -> None:
    live_through(world, "Anna")
    page = boss.get(reverse("admin:dispatch_offer_change", args=[Offer.objects.get().pk])).content.decode()
    assert "Payments" in page


def test_a_policy_is_never_edited(world: World, boss: Client) -> None:
    live_through(world, "Anna")
    first = Policy.objects.get()
    fields = {
        name: getattr(first, name)
        for name in (
            "fit", "wait", "wait_cap", "priority", "fairness", "known", "load", "scarcity", "max_parallel", "grace_seconds",
            "rescinded_percent", "exploration_percent", "snapshot_days",
            "surge_percent", "surge_from",
        )
    }  # fmt: skip
    answer = boss.post(
        reverse("admin:dispatch_policy_change", args=[first.pk]),
        {**fields, "pool": first.pool_id, "fit": "2.5", "note": "skill counts more"},
    )
    assert answer.status_code == 302
    assert list(Policy.objects.order_by("version").values_list("version", "current", "fit")) == [
        (1, False, 1.0),
        (2, True, 2.5),
    ]


def test_ending_shifts_goes_through_the_service(world: World, boss: Client) -> None:
    agent = world.agent("Anna")
    shift = presence.go_online(agent_id=agent.pk)
    world.ticket()
    match_pool(world.pool.pk)
    answer = boss.post(
        reverse("admin:agents_shift_changelist"), {"action": "force_offline", "_selected_action": [shift.pk]}
    )
    assert answer.status_code == 302
    assert Shift.objects.get().end_reason == "forced"
    assert Offer.objects.get().state == "revoked"


def test_an_account_can_be_made_and_is_found_in_any_case(boss: Client, client: Client) -> None:
    answer = boss.post(
        reverse("admin:agents_user_add"),
        {
            "email": "Jörg.Müller@Example.com",
            "usable_password": "true",
            "password1": "sehr geheim 1",
            "password2": "sehr geheim 1",
        },
    )
    assert answer.status_code == 200  # an umlaut before the @ is refused with the form kept
    answer = boss.post(
        reverse("admin:agents_user_add"),
        {
            "email": "Joerg.Mueller@Example.com",
            "usable_password": "true",
            "password1": "sehr geheim 1",
            "password2": "sehr geheim 1",
        },
    )
    assert answer.status_code == 302
    assert User.objects.get(email="joerg.mueller@example.com").check_password("sehr geheim 1")
