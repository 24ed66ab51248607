"""Leaving and being erased: what goes, what stays without a name; it goes on where it was left, and can be withdrawn."""

import re

import pytest
from django.core import mail as outbox
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from agents import onboarding, rights
from agents.errors import NotLeaving, StillOwed, WrongPassword, YouLeave
from agents.models import (
    Agent,
    AgentStatus,
    DecisionKind,
    Leaving,
    LedgerEntry,
    Notice,
    Payout,
    Shift,
    User,
)
from agents.pay import runs
from agents.pay.accounts import account_save
from dispatch import (
    audit,
    contests,
    desk,
    drafts,
    erasure,
    export,
    leaving,
    passing,
    presence,
    suspension,
    tasks,
)
from dispatch.models import AuditLink, DraftKind, FeedEvent, Offer
from dispatch.runs import match_pool
from tests.agents.conftest import IBAN
from tests.cast import PASSWORD, World
from tests.console import Person
from tests.dispatch.scenes import earlier, rated
from tickets.conversation import customer_reply
from tickets.models import Message, Ticket

pytestmark = pytest.mark.django_db

REAL = "Zenobia Quellmann"
NAME = "Zeno"
EMAIL = "zeno@home.example"
BYPASS = "SET LOCAL standby.erasing = 'on'"


def everywhere(words: list[str]) -> dict[str, list[str]]:
    """table.column → rows with one of these words, in all columns of text and JSON of the whole database."""
    found: dict[str, list[str]] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
            " AND (data_type IN ('text', 'character varying', 'json', 'jsonb') OR data_type = 'ARRAY')"
        )
        for table, column in cursor.fetchall():
            cursor.execute(
                f'SELECT "{column}"::text FROM "{table}" WHERE "{column}"::text ~* %s',
                ["|".join(map(re.escape, words))],
            )
            if rows := cursor.fetchall():
                found[f"{table}.{column}"] = [row[0] for row in rows]
    return found


@pytest.fixture
def boss(world: World) -> User:
    return User.objects.create_superuser("boss@staff.example", PASSWORD, name="Bossa")


@pytest.fixture
def zeno(world: World, boss: User) -> Person:
    """Somebody who left a trace in everything."""
    filed = onboarding.apply(
        key="k",
        email=EMAIL,
        name=NAME,
        real_name=REAL,
        language="en",
        languages=["en", "de"],
        about=f"I am {REAL}.",
    )
    agent = onboarding.confirm(token=onboarding.token_of(filed), password=PASSWORD)
    onboarding.admit(agent_id=agent.pk, by=boss, reason=f"{REAL} knows payments.", pool_ids=[world.pool.pk])
    person = Person.__new__(Person)
    person.world, person.agent, person.client, person.epoch = world, agent, Client(), 0
    person.agent.agent_skills.create(skill=world.payments, level=3)
    person.client.force_login(person.agent.user)
    person.online()
    account_save(agent_id=agent.pk, holder=REAL, iban=IBAN)
    rated(person, 2, f"{NAME} was slow")
    held = person.holding(text="And mine?")
    desk.reply(agent=agent, epoch=person.epoch, ticket_id=held.pk, body=f"Hello, my name is {NAME}.")
    customer_reply(ticket=held, body=f"Thanks {NAME}!")
    passing.escalate(agent=agent, epoch=person.epoch, ticket_id=held.pk, reason=f"{NAME} asks for help.")
    drafts.keep(agent=agent, ticket_id=held.pk, kind=DraftKind.MESSAGE, body=f"Yours, {NAME}")
    desk.resolve(agent=agent, epoch=person.epoch, ticket_id=held.pk)
    rights.inquiry_ask(agent_id=agent.pk, kind="pay", text=f"This is {REAL}.")
    rating = Ticket.objects.order_by("pk").first().ratings.get()  # type: ignore[union-attr]
    contest = contests.contest_rating(agent_id=agent.pk, rating_id=rating.pk, text=f"{NAME} was not slow.")
    contests.answer(contest_id=contest.pk, by=boss, outcome="struck", answer=f"Dear {REAL}, right.")
    made, _new = rights.export_ask(agent_id=agent.pk, language="en")
    export.export_make(export_id=made.pk)
    return person


def paid_out(world: World, boss: User) -> None:
    second = User.objects.create_superuser("second@staff.example", PASSWORD)
    run, _made = runs.payout_run_make(up_to=timezone.localdate(), made_by_id=boss.pk, minimum_cents=100_000)
    runs.payout_run_approve(run_id=run.pk, by_id=second.pk)
    runs.payout_run_export(run_id=run.pk)
    runs.payouts_confirm(run_id=run.pk)


def two_weeks_later() -> None:
    earlier(Leaving, "erase_at", leaving.GRACE)


class TestErasing:
    def test_nothing_of_the_person_is_found_and_the_sums_stay(
        self, zeno: Person, world: World, boss: User
    ) -> None:
        trace = everywhere([REAL, NAME, EMAIL])
        assert len(trace) > 15  # the search finds what there is
        leaving.erase_ask(agent_id=zeno.agent.pk, password=PASSWORD)
        paid_out(world, boss)
        lines = list(
            LedgerEntry.objects.order_by("pk").values_list("kind", "amount_cents", "reference", "created_at")
        )
        words = Message.objects.count()
        two_weeks_later()
        tasks.erase_due()
        assert everywhere([*REAL.split(), NAME, EMAIL, IBAN.replace(" ", ""), "3000"]) == {}
        assert (
            list(
                LedgerEntry.objects.order_by("pk").values_list(
                    "kind", "amount_cents", "reference", "created_at"
                )
            )
            == lines
        )
        assert Message.objects.count() == words
        bodies = list(
            Message.objects.filter(ticket__summary="And mine?")
            .order_by("seq")
            .values_list("author_name", "body")
        )
        assert ("a former agent", "Hello, my name is a former agent.") in bodies
        assert ("Carla", "Thanks a former agent!") in bodies
        user = User.objects.get(pk=zeno.agent.user_id)
        assert (user.email, user.name, user.is_active, user.has_usable_password()) == (
            f"erased-{user.pk}@erased.invalid",
            "",
            False,
            False,
        )
        assert zeno.client.get("/rights/").status_code == 302  # nobody is logged in any more
        assert Payout.objects.values_list("holder", "hint", "iban_sealed", "state").get() == (
            "–",
            "–",
            "",
            "confirmed",
        )
        assert Leaving.objects.get().erased_at is not None
        before = everywhere(["former agent"])
        tasks.erase_due()
        assert erasure.erase(agent_id=zeno.agent.pk) is False
        assert everywhere(["former agent"]) == before
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # as the commits would have
        assert AuditLink.objects.filter(act="deleted").exists()
        assert audit.verify().broken == ""

    def test_it_goes_on_where_it_was_left(
        self, zeno: Person, world: World, boss: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        leaving.erase_ask(agent_id=zeno.agent.pk, password=PASSWORD)
        paid_out(world, boss)
        two_weeks_later()

        def dies(agent_id: int, names: list[str]) -> None:
            raise RuntimeError("the worker is killed")

        with monkeypatch.context() as patched:
            patched.setitem(erasure.STEPS, "judged", dies)
            with pytest.raises(RuntimeError):
                tasks.erase_due()
        assert Leaving.objects.get().steps_done == ["desk", "tickets"]
        assert not FeedEvent.objects.filter(agent=zeno.agent).exists()
        assert User.objects.filter(email=EMAIL).exists()  # names that are still looked for stay to the last
        with pytest.raises(NotLeaving):
            leaving.come_back(agent_id=zeno.agent.pk)
        tasks.erase_due()
        assert everywhere([*REAL.split(), NAME, EMAIL]) == {}

    def test_the_sealed_records_stay_sealed_for_anything_else(self, zeno: Person) -> None:
        line = LedgerEntry.objects.filter(agent=zeno.agent).first()
        assert line is not None
        for sql in (
            f"UPDATE agents_ledgerentry SET memo = 'x' WHERE id = {line.pk}",
            f"{BYPASS}; UPDATE agents_ledgerentry SET amount_cents = 1 WHERE id = {line.pk}",
            f"{BYPASS}; DELETE FROM agents_ledgerentry WHERE id = {line.pk}",
            f"{BYPASS}; UPDATE tickets_ticketevent SET seq = seq + 100",
            f"{BYPASS}; UPDATE agents_decision SET kind = 'rejected'",
            f"{BYPASS}; UPDATE dispatch_contest SET outcome = 'stands'",
            "UPDATE dispatch_contest SET answer = 'x'",
        ):
            refused = pytest.raises(Exception, match=r"append-only|answered once")
            with refused, transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(sql)
        line.refresh_from_db()
        assert line.amount_cents == 400

    def test_a_customer_of_the_same_name_keeps_it(self, zeno: Person, world: World, boss: User) -> None:
        ticket = Ticket.objects.get(summary="And mine?")
        type(ticket.customer).objects.filter(pk=ticket.customer_id).update(name=NAME)
        leaving.erase_ask(agent_id=zeno.agent.pk, password=PASSWORD)
        paid_out(world, boss)
        two_weeks_later()
        tasks.erase_due()
        assert Message.objects.filter(ticket=ticket, body=f"Thanks {NAME}!").exists()


class TestMoneyFirst:
    def test_erasing_waits_until_the_last_cent_is_paid(self, zeno: Person, world: World, boss: User) -> None:
        leaving.erase_ask(agent_id=zeno.agent.pk, password=PASSWORD)
        two_weeks_later()
        assert erasure.due_ids() == []
        assert erasure.erase(agent_id=zeno.agent.pk) is False
        assert User.objects.filter(email=EMAIL).exists()
        paid_out(world, boss)  # the run's least amount is 1,000.00, and they have left
        assert Payout.objects.get().amount_cents == 800
        assert leaving.owed(zeno.agent.pk) == []
        assert erasure.due_ids() == [zeno.agent.pk]

    def test_without_payout_details_one_has_to_forgo_it(self, zeno: Person) -> None:
        zeno.agent.payout_account.delete()
        with pytest.raises(StillOwed):
            leaving.erase_ask(agent_id=zeno.agent.pk, password=PASSWORD)
        assert not Leaving.objects.exists()
        leaving.erase_ask(agent_id=zeno.agent.pk, password=PASSWORD, forgoes=True)
        two_weeks_later()
        assert erasure.due_ids() == [zeno.agent.pk]


class TestLeaving:
    def test_no_more_offers_and_what_is_held_is_finished(self, world: World) -> None:
        anna = Person(world, "Anna").online()
        held = anna.holding()
        leaving.leave(agent_id=anna.agent.pk)
        leaving.leave(agent_id=anna.agent.pk)
        assert Shift.objects.get().state == "finishing"
        world.ticket()
        assert match_pool(world.pool.pk) == 0
        with pytest.raises(YouLeave):
            presence.go_online(agent_id=anna.agent.pk)
        assert leaving.leavings_complete() == 0
        desk.reply(agent=anna.agent, epoch=anna.epoch, ticket_id=held.pk, body="Done.")
        desk.resolve(agent=anna.agent, epoch=anna.epoch, ticket_id=held.pk)
        assert leaving.leavings_complete() == 1
        assert leaving.leavings_complete() == 0
        assert (Shift.objects.get().state, Agent.objects.get().status) == ("ended", AgentStatus.LEFT)
        assert LedgerEntry.objects.get().amount_cents == 400
        assert [one.kind for one in Notice.objects.all()] == ["leaving"]

    def test_coming_back_undoes_it(self, world: World) -> None:
        anna = Person(world, "Anna").online()
        leaving.erase_ask(agent_id=anna.agent.pk, password=PASSWORD)
        assert Agent.objects.get().status == AgentStatus.LEFT
        leaving.come_back(agent_id=anna.agent.pk)
        assert (Agent.objects.get().status, Leaving.objects.count()) == (AgentStatus.ADMITTED, 0)
        two_weeks_later()
        assert erasure.due_ids() == []
        assert presence.go_online(agent_id=anna.agent.pk).state == "online"
        with pytest.raises(NotLeaving):
            leaving.come_back(agent_id=anna.agent.pk)

    def test_who_is_suspended_does_not_come_back_by_leaving(self, world: World, boss: User) -> None:
        anna = world.agent("Anna")
        suspension.suspend(agent_id=anna.pk, by=boss, reason="To be looked at.")
        leaving.leave(agent_id=anna.pk)
        assert Agent.objects.get().status == AgentStatus.SUSPENDED
        leaving.come_back(agent_id=anna.pk)
        assert Agent.objects.get().status == AgentStatus.SUSPENDED

    def test_a_person_may_take_somebody_back(self, world: World, boss: User) -> None:
        anna = world.agent("Anna")
        leaving.leave(agent_id=anna.pk)
        decision = onboarding.readmit(agent_id=anna.pk, by=boss, reason="Welcome.")
        assert decision.kind == DecisionKind.READMITTED
        assert (Agent.objects.get().status, Leaving.objects.count()) == (AgentStatus.ADMITTED, 0)
        assert presence.go_online(agent_id=anna.pk).state == "online"


class TestThePages:
    def test_consequences_password_withdrawal(self, world: World) -> None:
        anna = Person(world, "Anna").online()
        page = anna.get("/rights/leave").content.decode()
        assert "After 14 days you are erased" in page
        refused = anna.client.post("/rights/leave/erase", {"password": "guess"})
        assert (refused.status_code, Leaving.objects.count()) == (422, 0)
        assert "This is not your password." in refused.content.decode()
        assert anna.client.post("/rights/leave/erase", {"password": PASSWORD}).status_code == 303
        page = anna.get("/rights/leave").content.decode()
        assert "Do not erase me" in page
        assert anna.client.post("/rights/leave/withdraw").status_code == 303
        assert Leaving.objects.get().erase_at is None
        assert anna.client.post("/rights/leave/withdraw").status_code == 409
        assert anna.client.post("/rights/leave/come-back").status_code == 303
        outbox.outbox.clear()
        from agents.tasks import letters_due

        letters_due()
        letters_due()
        assert [mail.subject.split(" ·")[0] for mail in outbox.outbox] == [
            "You leave",
            "You asked to be erased",
            "You are not erased",
        ]

    def test_the_service_checks_the_password_itself(self, world: World) -> None:
        anna = world.agent("Anna")
        with pytest.raises(WrongPassword):
            leaving.erase_ask(agent_id=anna.pk, password="")
        assert not Offer.objects.exists()
        assert not Leaving.objects.exists()
