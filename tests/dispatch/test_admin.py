"""Every admin page opens, and nothing that services write can be changed there."""

import pytest
from django.contrib import admin
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from agents.models import Notice, Shift, User
from dispatch import desk, presence
from dispatch.models import LeadAction, Offer, Policy
from dispatch.offers import offer_accept
from dispatch.runs import match_pool
from tests.cast import World
from tests.untouched import nothing_changed
from tickets.lifecycle import ticket_rate
from tickets.models import Ticket

pytestmark = pytest.mark.django_db

OURS = [model for model in admin.site._registry if model._meta.app_label in {"agents", "tickets", "dispatch"}]
WRITTEN_BY_SERVICES = {
    "inquiry", "dataexport", "promiseday", "promisedanswer", "leaving", "notice", "review", "contest",
    "ticket", "customer", "message", "attachment", "ticketevent", "rating",
    "awaymail", "mailin",
    "shift", "lease", "ledgerentry", "payoutaccount", "payout", "payoutrun",
    "offer", "run", "standing", "poolstanding", "feed", "feedevent", "alert",
    "leadaction", "simulation", "forecast",
    "calibration", "assistantanswer",
    "application", "decision", "appeal", "letter", "attempt", "escalation", "transfer", "practice",
    "linkrequest", "misuse", "reveal", "webhookdelivery", "webhooktry", "pulse", "triagemodel", "triagelabel",
    "change",
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


def test_every_page_opens_and_nothing_of_services_can_be_changed(world: World, boss: Client) -> None:
    """Lists, and what each role sees: tests/dispatch/backoffice."""
    live_through(world, "Anna")
    for model in OURS:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        asked = {"q": "1"} if admin.site._registry[model].search_fields else {}
        assert boss.get(reverse(f"{name}_changelist"), asked).status_code == 200, name
        first = model._default_manager.order_by("pk").first()
        change, delete = (
            first and reverse(f"{name}_{page}", args=[first.pk]) for page in ("change", "delete")
        )
        assert change is None or boss.get(change).status_code == 200, name
        if model._meta.model_name in WRITTEN_BY_SERVICES:
            assert boss.get(reverse(f"{name}_add")).status_code == 403, name
            assert change is None or boss.post(change, {"state": "closed"}).status_code == 403, name
            assert delete is None or boss.post(delete, {"post": "yes"}).status_code == 403, name
        else:
            assert boss.get(reverse(f"{name}_add")).status_code == 200, name


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
            "rescinded_percent", "exploration_percent", "snapshot_days", "reserve", "reserve_seconds",
            "surge_percent", "surge_from", "quality", "review_percent", "peer_level", "booked", "booking_days", "booking_cap",
            "call_from", "call_hours", "reveals_an_hour",
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


@pytest.mark.parametrize(
    ("name", "value"), [("fit", "-1"), ("booked", "-0.1"), ("load", "1001"), ("wait", "nan")]
)
def test_weights_that_matching_would_refuse_are_refused_here(
    world: World, boss: Client, name: str, value: str
) -> None:
    """One such policy would end the runs of its pool."""
    answer = boss.post(
        reverse("admin:dispatch_policy_add"), {"pool": world.pool.pk, "max_parallel": 1, name: value}
    )
    assert answer.status_code == 200
    assert name in answer.context["adminform"].form.errors
    assert Policy.objects.filter(version__gt=1).count() == 0
    for wrong in (-1.0, float("nan"), float("inf")):
        with pytest.raises(IntegrityError), transaction.atomic():
            Policy.objects.create(pool=world.pool, version=9, current=False, **{name: wrong})


def test_people_come_in_by_the_one_page_with_its_limits(client: Client) -> None:
    for path in ("/admin/", "/admin/login/?next=/admin/agents/agent/"):
        answer = client.get(path, follow=True)
        assert answer.redirect_chain[-1][0].startswith("/accounts/login/?next=")
    before = Client().post("/admin/login/", {"username": "boss@standby.example", "password": "secret"})
    assert (before.status_code, before["Location"][:16]) == (302, "/accounts/login/")


def test_ending_shifts_asks_why_tells_them_and_is_written_down(world: World, boss: Client) -> None:
    agent = world.agent("Anna")
    shift = presence.go_online(agent_id=agent.pk)
    world.ticket()
    match_pool(world.pool.pk)
    page = reverse("admin:agents_shift_changelist")
    chosen = {"action": "force_offline", "_selected_action": [shift.pk]}
    for more in ({}, {"sure": "yes"}, {"decided": "yes", "reason": " "}):
        with nothing_changed():
            asked = boss.post(page, chosen | more)
        assert asked.status_code == 200
        assert "held tickets go back to the front of the queue" in asked.content.decode()
    said = chosen | {"decided": "yes", "reason": "You do not answer."}
    answer = boss.post(page, said, follow=True)
    assert "1 shift was ended." in answer.content.decode()
    assert Shift.objects.get().end_reason == "forced"
    assert Offer.objects.get().state == "revoked"
    assert Notice.objects.get(agent=agent).text == "You do not answer."
    act = LeadAction.objects.get()
    assert (act.kind, act.by.email, act.agent, act.why) == (
        "force_offline", "boss@standby.example", agent, "You do not answer.",
    )  # fmt: skip
    # The shift that was chosen, and not the one that the agent has begun since.
    presence.go_online(agent_id=agent.pk)
    with nothing_changed():
        again = boss.post(page, said, follow=True)
    assert "They are offline already." in again.content.decode()


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
