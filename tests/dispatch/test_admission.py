"""Admission, rejection, suspension and appeal: decided by people, recorded, told, and effective at once."""

from typing import Any

import pytest
from django.core import mail
from django.db import InternalError, connection, transaction
from django.db.utils import DatabaseError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from agents import onboarding, tasks
from agents.errors import (
    AppealAnswered,
    AppealWritten,
    NotAdmitted,
    NotDecidable,
    OwnCase,
    ReasonMissing,
    SamePerson,
)
from agents.models import Agent, AgentStatus, Appeal, Application, Decision, Shift, User
from dispatch import presence
from dispatch.models import Offer
from dispatch.offers import offer_accept
from dispatch.runs import match_pool
from dispatch.suspension import suspend
from tests.cast import World
from tests.untouched import nothing_changed
from tickets.models import Ticket, TicketState

pytestmark = pytest.mark.django_db

BACKEND = "django.contrib.auth.backends.ModelBackend"


@pytest.fixture
def boss() -> User:
    return User.objects.create_superuser("boss@standby.example", "secret")


@pytest.fixture
def lead() -> User:
    return User.objects.create_superuser("lead@standby.example", "secret")


def applicant(world: World, name: str = "Nina") -> Agent:
    application = onboarding.apply(
        key=name,
        email=f"{name}@home.example",
        name=name,
        real_name=f"{name} Neumann",
        language="de",
        languages=["de"],
    )
    tasks.letters_due()
    mail.outbox.clear()
    return onboarding.confirm(token=onboarding.token_of(application), password="a long enough 1")


def letters() -> list[Any]:
    tasks.letters_due()
    return list(mail.outbox)


def test_admitted_by_a_person_with_a_reason(world: World, boss: User) -> None:
    agent = applicant(world)
    with nothing_changed(), pytest.raises(ReasonMissing):
        onboarding.admit(agent_id=agent.pk, by=boss, reason="  ", pool_ids=[world.pool.pk])
    decision = onboarding.admit(agent_id=agent.pk, by=boss, reason="Good quiz", pool_ids=[world.pool.pk])
    assert (decision.decided_by, decision.role, decision.reason) == (boss, "Administration", "Good quiz")
    assert list(agent.pools.all()) == [world.pool]
    presence.go_online(agent_id=agent.pk)
    (letter,) = letters()
    assert letter.to == ["nina@home.example"]
    assert "Good quiz" in letter.body
    assert "Administration" in letter.body
    with nothing_changed(), pytest.raises(NotDecidable):  # a second admin, a moment later
        onboarding.reject(agent_id=agent.pk, by=boss, reason="No")


def test_nobody_decides_on_themselves(world: World) -> None:
    agent = applicant(world)
    with nothing_changed(), pytest.raises(OwnCase):
        onboarding.admit(agent_id=agent.pk, by=agent.user, reason="I am good")


def test_rejected_appealed_and_looked_at_again(world: World, boss: User, lead: User) -> None:
    agent = applicant(world)
    decision = onboarding.reject(agent_id=agent.pk, by=boss, reason="No German")
    with pytest.raises(NotAdmitted):
        presence.go_online(agent_id=agent.pk)
    (letter,) = letters()
    assert "No German" in letter.body
    assert "/learn/" in letter.body  # how to appeal
    appeal = onboarding.appeal(agent_id=agent.pk, decision_id=decision.pk, text="I do speak it")
    with nothing_changed():
        with pytest.raises(AppealWritten):
            onboarding.appeal(agent_id=agent.pk, decision_id=decision.pk, text="Once more")
        with pytest.raises(SamePerson):
            onboarding.appeal_answer(appeal_id=appeal.pk, by=boss, upheld=False, answer="No")
        with pytest.raises(OwnCase):
            onboarding.appeal_answer(appeal_id=appeal.pk, by=agent.user, upheld=True, answer="Yes")
        with pytest.raises(ReasonMissing):
            onboarding.appeal_answer(appeal_id=appeal.pk, by=lead, upheld=True, answer=" ")
    onboarding.appeal_answer(appeal_id=appeal.pk, by=lead, upheld=True, answer="We were wrong")
    assert Agent.objects.get().status == AgentStatus.APPLIED
    assert [one.kind for one in Decision.objects.order_by("id")] == ["rejected", "reopened"]
    assert len(letters()) == 3  # rejected; the appeal's answer; lifted
    with nothing_changed(), pytest.raises(AppealAnswered):
        onboarding.appeal_answer(appeal_id=appeal.pk, by=lead, upheld=False, answer="Or not")


def test_an_appeal_that_is_not_granted_changes_nothing_else(world: World, boss: User, lead: User) -> None:
    agent = applicant(world)
    decision = onboarding.reject(agent_id=agent.pk, by=boss, reason="No German")
    appeal = onboarding.appeal(agent_id=agent.pk, decision_id=decision.pk, text="I do")
    onboarding.appeal_answer(appeal_id=appeal.pk, by=lead, upheld=False, answer="We talked, sorry")
    assert Agent.objects.get().status == AgentStatus.REJECTED
    assert Decision.objects.count() == 1
    assert "We talked, sorry" in letters()[-1].body


def test_only_ones_own_standing_decision_can_be_appealed(world: World, boss: User) -> None:
    nina, otto = applicant(world), applicant(world, "Otto")
    theirs = onboarding.reject(agent_id=otto.pk, by=boss, reason="No")
    mine = onboarding.admit(agent_id=nina.pk, by=boss, reason="Yes")
    with nothing_changed():
        for decision in (theirs, mine):
            with pytest.raises(NotDecidable):
                onboarding.appeal(agent_id=nina.pk, decision_id=decision.pk, text="Hm")


def test_suspension_ends_what_is_open_at_once(
    world: World, boss: User, lead: User, invariants_hold: Any
) -> None:
    anna = world.agent("Anna")
    presence.go_online(agent_id=anna.pk)
    held = world.ticket()
    match_pool(world.pool.pk)
    offer_accept(offer_id=Offer.objects.get().pk, agent_id=anna.pk, epoch=1)
    world.ticket("Another")
    match_pool(world.pool.pk)
    assert sorted(Offer.objects.values_list("state", flat=True)) == ["accepted", "pending"]
    with nothing_changed(), pytest.raises(ReasonMissing):
        suspend(agent_id=anna.pk, by=boss, reason="")
    decision = suspend(agent_id=anna.pk, by=boss, reason="Asked for a card number")
    assert sorted(Offer.objects.values_list("state", flat=True)) == ["released", "revoked"]
    assert Ticket.objects.get(pk=held.pk).state == TicketState.WAITING
    assert Shift.objects.get().end_reason == "forced"
    invariants_hold()
    with pytest.raises(NotAdmitted):
        presence.go_online(agent_id=anna.pk)
    with nothing_changed(), pytest.raises(NotDecidable):
        suspend(agent_id=anna.pk, by=boss, reason="Twice")
    appeal = onboarding.appeal(agent_id=anna.pk, decision_id=decision.pk, text="It was a test card")
    onboarding.appeal_answer(appeal_id=appeal.pk, by=lead, upheld=True, answer="So it was")
    presence.go_online(agent_id=anna.pk)
    assert [one.kind for one in Decision.objects.order_by("id")] == ["suspended", "readmitted"]


def test_a_suspension_can_end_without_an_appeal(world: World, boss: User) -> None:
    anna = world.agent("Anna")
    suspend(agent_id=anna.pk, by=boss, reason="To be looked into")
    onboarding.readmit(agent_id=anna.pk, by=boss, reason="Looked into")
    presence.go_online(agent_id=anna.pk)


def test_the_record_only_grows(world: World, boss: User, lead: User) -> None:
    agent = applicant(world)
    decision = onboarding.reject(agent_id=agent.pk, by=boss, reason="No")
    appeal = onboarding.appeal(agent_id=agent.pk, decision_id=decision.pk, text="Why")
    for sql in (
        "UPDATE agents_decision SET reason = 'nicer'",
        "DELETE FROM agents_decision",
        "UPDATE agents_appeal SET text = 'nicer'",
        "DELETE FROM agents_appeal",
    ):
        with (
            nothing_changed(),
            pytest.raises(DatabaseError),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(sql)
    # Also past the service, whoever decided cannot answer.
    with nothing_changed(), pytest.raises(DatabaseError), transaction.atomic():
        Appeal.objects.filter(pk=appeal.pk).update(
            answered_by=boss, upheld=False, answer="x", answered_at=timezone.now()
        )
    onboarding.appeal_answer(appeal_id=appeal.pk, by=lead, upheld=False, answer="Because")
    with nothing_changed(), pytest.raises((InternalError, DatabaseError)), transaction.atomic():
        Appeal.objects.filter(pk=appeal.pk).update(answer="nicer")


def test_the_appeal_page(world: World, boss: User, client: Client) -> None:
    agent = applicant(world)
    decision = onboarding.reject(agent_id=agent.pk, by=boss, reason="No German")
    client.force_login(agent.user, backend=BACKEND)
    page = client.get("/learn/").content.decode()
    assert "No German" in page
    assert client.get("/learn/payments/")["Location"] == "/learn/"
    empty = client.post(f"/learn/appeals/{decision.pk}", {"text": " "})
    assert empty.status_code == 422
    assert not Appeal.objects.exists()
    client.post(f"/learn/appeals/{decision.pk}", {"text": "I do speak it"})
    assert "I do speak it" in client.get("/learn/").content.decode()
    again = client.post(f"/learn/appeals/{decision.pk}", {"text": "Once more"})
    assert again.status_code == 409
    assert Appeal.objects.count() == 1


# --- In Django admin --------------------------------------------------------------------------------------------------


@pytest.fixture
def admin_of(boss: User, client: Client) -> Client:
    client.force_login(boss, backend=BACKEND)
    return client


def test_bulk_admission_asks_first(world: World, admin_of: Client) -> None:
    people = [applicant(world, name) for name in ("Nina", "Otto")]
    unconfirmed = onboarding.apply(
        key="p", email="p@home.example", name="P", real_name="Pia", language="en", languages=["en"]
    )
    rows = [*Application.objects.filter(agent__in=people).values_list("pk", flat=True), unconfirmed.pk]
    url = reverse("admin:agents_application_changelist")
    for step, count in (("confirm", 1), ("learning", 2), ("admit", 0), ("decided", 0)):
        assert admin_of.get(url, {"step": step}).context["cl"].result_count == count
    sent: dict[str, Any] = {"action": "admit", "_selected_action": rows}
    with nothing_changed():
        asked = admin_of.post(url, sent)
        assert "Admit these applicants?" in asked.content.decode()
        without = admin_of.post(url, sent | {"decided": "yes", "reason": ""})
        assert without.status_code == 200
    done = admin_of.post(
        url, sent | {"decided": "yes", "reason": "Good", "pools": [world.pool.pk]}, follow=True
    ).content.decode()
    assert "Decided on 2 people" in done
    assert "The address is not confirmed yet." in done
    assert set(Agent.objects.values_list("status", "pools")) == {("admitted", world.pool.pk)}
    assert admin_of.get(url, {"step": "decided"}).context["cl"].result_count == 2


def test_suspending_rejecting_and_answering_in_the_admin(world: World, admin_of: Client, lead: User) -> None:
    anna, nina = world.agent("Anna"), applicant(world)
    presence.go_online(agent_id=anna.pk)
    agents = reverse("admin:agents_agent_changelist")
    decided = {"decided": "yes", "reason": "Because"}
    admin_of.post(agents, {"action": "suspend", "_selected_action": [anna.pk]} | decided)
    assert Shift.objects.get().end_reason == "forced"
    applications = reverse("admin:agents_application_changelist")
    admin_of.post(applications, {"action": "reject", "_selected_action": [nina.application.pk]} | decided)
    assert Agent.objects.get(pk=nina.pk).status == "rejected"
    standing = onboarding.standing_against(anna.pk)
    assert standing is not None
    appeal = onboarding.appeal(agent_id=anna.pk, decision_id=standing.pk, text="Not me")
    appeals = reverse("admin:agents_appeal_changelist")
    sent = {"action": "answer", "_selected_action": [appeal.pk], "upheld": "yes"} | decided
    with nothing_changed():
        answer = admin_of.post(appeals, sent, follow=True).content.decode()
        assert "another person must" in answer
    admin_of.force_login(lead, backend=BACKEND)
    admin_of.post(appeals, sent)
    assert Agent.objects.get(pk=anna.pk).status == "admitted"


def test_the_status_cannot_be_edited_and_deciding_is_a_right_of_its_own(world: World, client: Client) -> None:
    from django.contrib.auth.models import Permission

    anna = world.agent("Anna")
    clerk = User.objects.create_user("clerk@standby.example", "x", is_staff=True)
    clerk.user_permissions.add(
        *Permission.objects.filter(codename__in=("view_agent", "change_agent", "view_application"))
    )
    client.force_login(clerk, backend=BACKEND)
    page = client.get(reverse("admin:agents_agent_change", args=[anna.pk])).content.decode()
    assert 'name="status"' not in page
    with nothing_changed():
        client.post(
            reverse("admin:agents_agent_changelist"),
            {"action": "suspend", "_selected_action": [anna.pk], "decided": "yes", "reason": "x"},
        )
