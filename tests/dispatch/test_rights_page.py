"""The page of rights: every decision about me with its reason, a person who answers, and that nothing is measured offline."""

from datetime import timedelta

import pytest
from django.apps import apps
from django.core import mail as outbox
from django.db.models.functions import Now
from django.test import Client
from django.utils import timezone

from agents import rights
from agents.errors import AlreadyAnswered, OwnCase, TooManyOpen
from agents.models import Agent, Inquiry, Lease, Notice, Shift, User
from agents.tasks import letters_due
from dispatch import about_me, automatic, presence, suspension, tasks
from dispatch.matching.snapshot import unpack
from dispatch.models import Offer, Policy, Run
from dispatch.offers import offer_accept
from dispatch.personal import PLACES
from dispatch.runs import match_pool
from tests.cast import PASSWORD, World
from tests.console import Person
from tests.dispatch.scenes import earlier, rated
from tests.forcing import force_offline

pytestmark = pytest.mark.django_db


@pytest.fixture
def boss(world: World) -> User:
    return User.objects.create_superuser("boss@staff.example", PASSWORD, name="Bossa")


def titles(person: Person) -> list[tuple[str, str]]:
    """(title, by) of what is neither made nor absent."""
    return [(item.title, item.by) for item in about_me.others(person.agent, timezone.localdate())]


class TestDecisions:
    def test_offers_made_and_not_made_each_with_its_reason(self, world: World) -> None:
        anna, greta, hans = (
            Person(world, name, payments=level) for name, level in (("Anna", 3), ("Greta", 0), ("Hans", 3))
        )
        anna.online()
        greta.online()
        offer = anna.offered()
        [made] = about_me.made(anna.agent, timezone.localdate(), "en")
        assert made.title == f"{offer.ticket.number} · Refund was offered to you"
        assert "You have the skill Payments at level 3, 2 was needed." in made.lines
        assert (made.state, made.by) == ("open", "")
        assert about_me.absent(anna.agent, timezone.localdate(), "en") == []
        [absent] = about_me.absent(greta.agent, timezone.localdate(), "en")
        assert absent.lines == ["The ticket needs the skill Payments at level 2; you do not have it yet."]
        [absent] = about_me.absent(greta.agent, timezone.localdate(), "de")
        assert absent.lines == [
            "Das Ticket braucht die Fähigkeit Zahlungen auf Stufe 2; die haben Sie noch nicht."
        ]
        assert (
            about_me.absent(hans.agent, timezone.localdate(), "en") == []
        )  # was not online: no decision about him
        page = greta.get("/rights/decisions").content.decode()
        assert absent.title.split(" ")[0] in page
        assert "by a rule" in page
        assert "Carla" not in page
        assert "Anna" not in page

    def test_another_day_has_its_own(self, world: World) -> None:
        anna = Person(world, "Anna").online()
        offer = anna.offered()
        yesterday = timezone.localdate() - timedelta(days=1)
        earlier(Offer, "made_at", timedelta(days=1))
        assert about_me.made(anna.agent, timezone.localdate(), "en") == []
        assert len(about_me.made(anna.agent, yesterday, "en")) == 1
        page = anna.get(f"/rights/decisions?day={yesterday}").content.decode()
        assert offer.ticket.number in page
        assert anna.get("/rights/decisions?day=2026-02-31").status_code == 200
        assert anna.get("/rights/decisions?day=x&others=-3&page=z").status_code == 200

    def test_those_that_went_to_others_are_paged(self, world: World) -> None:
        anna, greta = Person(world, "Anna").online(), Person(world, "Greta", payments=0).online()
        offer = anna.offered()
        Offer.objects.filter(pk=offer.pk).update(state="declined", answered_at=Now(), ended_at=Now())
        Offer.objects.bulk_create(
            [
                Offer(
                    ticket=world.ticket(), agent=anna.agent, shift=offer.shift, run=offer.run, state="cancelled", units=1,
                    pay_cents=1, currency="EUR", expires_at=offer.expires_at, answered_at=Now(), ended_at=Now(),
                )
                for _ in range(11)
            ]
        )  # fmt: skip
        today = timezone.localdate()
        assert about_me.absent_count(greta.agent, today) == 12
        pages = [about_me.absent(greta.agent, today, "en", offset) for offset in (0, 10, 20)]
        assert [len(one) for one in pages] == [10, 2, 0]
        page = greta.get("/rights/decisions?others=10").content.decode()
        assert "11 to 12 of 12" in page

    def test_a_missed_offer_a_lost_lease_and_auto_accept(self, world: World) -> None:
        anna, bernd, cora = (Person(world, name) for name in ("Anna", "Bernd", "Cora"))
        anna.online()
        offer = anna.offered()
        Offer.objects.filter(pk=offer.pk).update(expires_at=Now() - timedelta(seconds=1))
        tasks.tick()
        assert titles(anna) == [("You were paused", "")]
        presence.go_offline(agent_id=anna.agent.pk, epoch=anna.epoch)
        assert titles(anna) == [("You were paused", "")]  # their own doing is no decision about them
        bernd.online()
        Lease.objects.filter(shift__agent=bernd.agent).update(expires_at=Now() - timedelta(seconds=1))
        tasks.tick()
        assert titles(bernd) == [("Your shift was ended", "")]
        cora.online()
        automatic.auto_accept_choose(agent_id=cora.agent.pk, on=True)
        world.ticket("And mine?")
        match_pool(world.pool.pk)
        automatic.accept_due()
        accepted = Offer.objects.get(agent=cora.agent, state="accepted")
        assert accepted.automatic
        Offer.objects.filter(pk=accepted.pk).update(
            answered_at=Now() - automatic.FIRST_WORD - timedelta(seconds=1)
        )
        tasks.tick()
        assert titles(cora) == [("Auto-accept was switched off, and you were paused", "")]

    def test_people_are_named_by_their_role(self, world: World, boss: User) -> None:
        anna = Person(world, "Anna").online()
        force_offline(shift_id=Shift.objects.get().pk)
        suspension.suspend(agent_id=anna.agent.pk, by=boss, reason="To be looked at.")
        assert sorted(titles(anna)) == [("Your shift was ended", "team"), ("suspended", "Administration")]
        page = anna.get("/rights/decisions").content.decode()
        assert "by a person (Administration)" in page
        assert "To be looked at." in page
        assert "Bossa" not in page


class TestThePage:
    def test_summary_from_the_policy_and_ratings_with_their_number(self, world: World) -> None:
        Policy.objects.create(
            pool=world.pool,
            version=1,
            fit=2.0,
            fairness=0.0,
            known=0.0,
            load=0.0,
            scarcity=0.0,
            quality=0.0,
            booked=0.0,
        )
        anna = Person(world, "Anna").online()
        page = anna.get("/rights/").content.decode()
        # Skill is worth 2, and 1 + 2 is what the chance of a yes multiplies, 0.95 of which it can change.
        assert '<span>Skill</span> <b class="number">41 %</b>' in page
        assert '<span>Chance of a yes</span> <b class="number">59 %</b>' in page
        assert "is one of the figures that decide who is asked first, and is used for nothing else." in page
        assert "No customer has rated your work" in page
        assert "Nothing is measured while you are offline." in page
        for score in (5, 4):
            rated(anna, score, "Quick <b>help</b>")
        page = anna.get("/rights/").content.decode()
        assert "of 5, from 2 ratings of the last 180 days." in page
        assert ">4.5<" in page
        assert "Quick &lt;b&gt;help&lt;/b&gt;" in page
        assert "Carla" not in page

    def test_only_for_agents(self, boss: User) -> None:
        client = Client()
        for path in ("/rights/", "/rights/decisions", "/rights/leave", "/rights/reviews"):
            assert client.get(path).status_code == 302
        client.force_login(boss)
        assert client.get("/rights/").status_code == 302
        assert client.post("/rights/data").status_code == 302

    def test_applicants_have_them_too(self, world: World) -> None:
        anna = Person(world, "Anna")
        Agent.objects.update(status="applied")
        assert anna.get("/rights/").status_code == 200


class TestAPerson:
    def test_asked_answered_in_the_admin_shown_and_mailed(self, world: World, boss: User) -> None:
        anna = Person(world, "Anna")
        refused = anna.client.post("/rights/ask", {"kind": "pay", "text": " "})
        assert (refused.status_code, Inquiry.objects.count()) == (422, 0)
        assert anna.client.post("/rights/ask", {"kind": "pay", "text": "Why 4.00?"}).status_code == 303
        asked = Inquiry.objects.get()
        assert asked.due_at - asked.asked_at == timedelta(days=3)
        admin = Client(headers={"accept-language": "en"})
        admin.force_login(boss)
        said = {"action": "answer", "_selected_action": [asked.pk]}
        page = admin.post("/admin/agents/inquiry/", said)
        assert "Answer these questions?" in page.content.decode()
        admin.post("/admin/agents/inquiry/", said | {"decided": "1", "answer": "It is the rate of refunds."})
        asked.refresh_from_db()
        assert (asked.answer, asked.role, asked.answered_by) == (
            "It is the rate of refunds.",
            "Administration",
            boss,
        )
        page = anna.get("/rights/").content.decode()
        assert "It is the rate of refunds." in page
        assert "Answered by a person (Administration)" in page
        letters_due()
        [mail] = outbox.outbox
        assert (mail.to, "It is the rate of refunds." in mail.body) == (["anna@agents.example"], True)

    def test_once_and_not_by_oneself(self, world: World, boss: User) -> None:
        anna = world.agent("Anna")
        asked = rights.inquiry_ask(agent_id=anna.pk, kind="pay", text="Why?")
        with pytest.raises(OwnCase):
            rights.inquiry_answer(inquiry_id=asked.pk, by=anna.user, answer="So.")
        rights.inquiry_answer(inquiry_id=asked.pk, by=boss, answer="So.")
        with pytest.raises(AlreadyAnswered):
            rights.inquiry_answer(inquiry_id=asked.pk, by=boss, answer="Or so.")
        assert Notice.objects.count() == 1

    def test_five_open_ones(self, world: World) -> None:
        anna = world.agent("Anna")
        for _ in range(5):
            rights.inquiry_ask(agent_id=anna.pk, kind="pay", text="Why?")
        with pytest.raises(TooManyOpen):
            rights.inquiry_ask(agent_id=anna.pk, kind="pay", text="Why?")
        assert Inquiry.objects.count() == 5


def rows_about(agent: Agent) -> dict[str, int]:
    """Rows that point at this agent or account, by place."""
    found = {}
    for place in PLACES:
        label, name, field = place.split(".")
        model = apps.get_model(label, name)
        to = agent.pk if model._meta.get_field(field).related_model is Agent else agent.user_id
        found[place] = model._default_manager.filter(**{f"{field}_id": to}).count()
    return found


class TestNothingIsMeasuredOffline:
    def test_no_row_no_figure_no_snapshot(self, world: World) -> None:
        """Hans has worked today and went. Then the house is busy, and what is stored about him stays as it is."""
        hans, anna = Person(world, "Hans").online(), Person(world, "Anna")
        rated(hans, 5)
        presence.go_offline(agent_id=hans.agent.pk, epoch=hans.epoch)
        tasks.qualities()
        anna.online()
        before, profile = rows_about(hans.agent), Agent.objects.values().get(pk=hans.agent.pk)
        standing = type(hans.agent.standing).objects.values().get(agent=hans.agent)
        offer = anna.offered(text="Is anybody there?")
        offer_accept(offer_id=offer.pk, agent_id=anna.agent.pk, epoch=anna.epoch)
        with pytest.raises(Exception, match=r"shift_ended|not_online"):
            presence.beat(agent_id=hans.agent.pk, epoch=hans.epoch)  # a browser that was left open
        assert hans.get("/rights/").status_code == 200
        assert hans.get("/console/earnings/").status_code == 200
        for task in (tasks.tick, tasks.standings, tasks.qualities, tasks.places, tasks.alerts_mail):
            task()
        assert rows_about(hans.agent) == before
        assert Agent.objects.values().get(pk=hans.agent.pk) == profile
        assert type(hans.agent.standing).objects.values().get(agent=hans.agent) == standing
        run = Run.objects.order_by("-pk")[0]
        problem, _pairs = unpack(bytes(run.snapshot))
        assert hans.agent.pk not in problem.agents.id.tolist()
        assert anna.agent.pk in problem.agents.id.tolist()  # the control: who is online is seen
        assert rows_about(anna.agent)["dispatch.FeedEvent.agent"] > 0
