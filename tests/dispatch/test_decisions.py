"""The decision log: stored runs give the same pairs again, say why not, and are forgotten when their time is over."""

import random
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO

import pytest
from django.contrib.auth.models import Permission
from django.core.management import CommandError, call_command
from django.db.models.functions import Now
from django.test import Client
from django.utils import translation

from agents.models import Lease, User
from dispatch import decisions, desk, presence
from dispatch.matching import AgentRow, TicketRow, build, solve
from dispatch.matching.score import Terms
from dispatch.matching.snapshot import pack
from dispatch.models import Offer, Policy, Run
from dispatch.offers import offer_accept, offer_decline
from dispatch.runs import match_pool
from tests.callers import Caller, account, agent_of, anonymous, problem
from tests.cast import PASSWORD, World
from tickets.models import Ticket

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    """A request's language stays its own."""
    with translation.override("en"):
        yield


STORED = 1000


def stored(world: World, count: int) -> None:
    """Runs of all sizes, as match_pool stores them, of people and tickets that never were."""
    policy = Policy.objects.get_or_create(pool=world.pool, version=1)[0]
    dice = random.Random(7302)
    rows = []
    for _ in range(count):
        agents = [
            AgentRow(
                id=number,
                skills={skill: dice.randint(1, 5) for skill in dice.sample(range(1, 6), 3)},
                languages=dice.randint(1, 3),
                free_units=dice.choice([0, 30, 60, 100]),
                idle_seconds=dice.choice([0.0, 5.0, 5.0, 90.0]),
                share=dice.choice([0.5, 1.0, 1.0, 2.0]),
                accept=dice.choice([0.4, 0.8, 0.8, 1.0]),
            )
            for number in range(dice.randint(1, 12))
        ]
        tickets = [
            TicketRow(
                id=1000 + number,
                waited_seconds=dice.choice([0.0, 10.0, 10.0, 70.0, 900.0]),
                required={dice.randint(1, 5): dice.randint(1, 3)},
                max_wait_seconds=600.0,
                units=dice.choice([25, 30]),
                language=dice.choice([-1, 0, 1]),
                excluded=dice.sample(range(12), 2),
            )
            for number in range(dice.randint(1, 6))
        ]
        problem = build(tickets, agents)
        solution = solve(problem)
        rows.append(
            Run(
                pool=world.pool,
                policy=policy,
                tickets=len(tickets),
                agents=len(agents),
                offers=len(solution.ids),
                solve_micros=1,
                snapshot=pack(problem, solution),
            )
        )
    Run.objects.bulk_create(rows)


def replayed(*words: str) -> str:
    out = StringIO()
    call_command("replay_run", *words, stdout=out, stderr=out)
    return out.getvalue()


def test_a_thousand_stored_runs_give_the_same_pairs(world: World) -> None:
    stored(world, STORED)
    assert replayed("--last", str(STORED)) == f"{STORED} runs gave the same pairs again.\n"


def test_one_run_in_words(run: Run) -> None:
    out = replayed(str(run.pk))
    offers = Offer.objects.order_by("pk")
    lines = [
        f"  ticket {offer.ticket_id} → agent {offer.agent_id}, {offer.why['terms']['value']:.3f} points"
        for offer in offers
    ]
    assert out.splitlines() == [
        f"run {run}: the same 2 pairs",
        *lines,
        "1 runs gave the same pairs again.",
    ]


def test_another_result_is_an_error(run: Run) -> None:
    forged = bytearray(decisions.replay(run).run.snapshot)
    Run.objects.update(snapshot=bytes(forged[:-4]))
    with pytest.raises(CommandError, match="1 of 1 runs did not give the same pairs again"):
        replayed(str(run.pk))
    assert decisions.replay(Run.objects.get()).verdict == "unreadable"


@pytest.mark.parametrize("words", [(), ("1", "--last", "3"), ("999",)])
def test_what_runs_must_be_said(world: World, words: tuple[str, ...]) -> None:
    with pytest.raises(CommandError):
        replayed(*words)


def test_why_not(world: World, run: Run) -> None:
    ticket = Offer.objects.first().ticket_id  # type: ignore[union-attr]

    def why(name: str, language: str = "en") -> list[str]:
        return decisions.why_not(run, ticket, world.agents[name].pk, language)

    assert why("Anna") == ["It was offered to you."]
    assert why("Greta") == ["The ticket needs the skill Payments at level 2; you do not have it yet."]
    assert why("Greta", "de") == [
        "Das Ticket braucht die Fähigkeit Zahlungen auf Stufe 2; die haben Sie noch nicht."
    ]
    assert why("Hans") == ["You were not online at that moment."]
    assert decisions.last_run_of(ticket) == run


@pytest.mark.parametrize(
    ("was", "says"),
    [
        ("asked", "You had another offer open at that moment; nobody is asked about two at once."),
        ("full", "The ticket that you had open left no room for another one at that moment."),
        ("paused", "You had paused at that moment."),
        ("finishing", "You were finishing at that moment, and new tickets are for others then."),
        ("lost", "Your connection was lost at that moment."),
        ("elsewhere", "You were online, but not free for this pool at that moment."),
    ],
)
def test_why_not_of_somebody_who_was_online_and_not_free(world: World, was: str, says: str) -> None:
    anna = world.agent("Anna", units=30)
    presence.go_online(agent_id=anna.pk)
    if was in ("asked", "full", "finishing"):
        world.ticket()
        assert match_pool(world.pool.pk) == 1
    if was in ("full", "finishing"):
        offer_accept(offer_id=Offer.objects.get().pk, agent_id=anna.pk, epoch=1)
    if was == "paused":
        presence.pause(agent_id=anna.pk, epoch=1)
    elif was == "finishing":
        presence.finish(agent_id=anna.pk, epoch=1)
    elif was == "lost":
        Lease.objects.update(expires_at=Now() - timedelta(seconds=1))
        assert presence.leases_end() == 1
    elif was == "elsewhere":
        anna.pools.clear()
    presence.go_online(agent_id=world.agent("Bernd").pk)
    Ticket.objects.filter(state="waiting").update(state="closed", closed_at=Now())
    ticket = world.ticket()
    assert match_pool(world.pool.pk) == 1
    run = Run.objects.latest("pk")
    assert decisions.why_not(run, ticket.pk, anna.pk, "en") == [says]
    # and whatever they do afterwards
    for offer in Offer.objects.filter(agent=anna, state="pending"):
        offer_decline(offer_id=offer.pk, agent_id=anna.pk, epoch=1)
    presence.shift_force(agent_id=anna.pk)
    assert decisions.why_not(run, ticket.pk, anna.pk, "en") == [says]


def test_why_not_of_a_ticket_that_is_kept_from_somebody(world: World) -> None:
    """Who has said no before, and who only stands behind somebody who knows the customer, hear different things."""
    anna, bernd = (world.agent(name) for name in ("Anna", "Bernd"))
    presence.go_online(agent_id=anna.pk)
    first = world.ticket()
    match_pool(world.pool.pk)
    offer_decline(offer_id=Offer.objects.get().pk, agent_id=anna.pk, epoch=1)
    presence.go_online(agent_id=bernd.pk)
    match_pool(world.pool.pk)
    declined = decisions.why_not(Run.objects.latest("pk"), first.pk, anna.pk, "en")
    assert declined == ["You declined this ticket or gave it back before, so others are asked."]
    offer_accept(offer_id=Offer.objects.get(agent=bernd).pk, agent_id=bernd.pk, epoch=1)
    desk.resolve(agent=bernd, epoch=1, ticket_id=first.pk)
    again = world.ticket()
    Ticket.objects.filter(pk=again.pk).update(customer=first.customer)
    match_pool(world.pool.pk)
    [line] = decisions.why_not(Run.objects.latest("pk"), again.pk, anna.pk, "de")
    assert line.startswith("In den ersten Momenten wartete das Ticket auf eine bestimmte Person")


def test_sight_is_forgotten_and_reasons_stay(world: World, run: Run) -> None:
    young = Run.objects.create(
        pool=run.pool, policy=run.policy, tickets=1, agents=1, offers=0, solve_micros=1, snapshot=b"x"
    )
    Run.objects.filter(pk=run.pk).update(started_at=Now() - timedelta(days=90, seconds=1))
    assert decisions.snapshots_drop() == 1
    assert decisions.snapshots_drop() == 0
    assert [len(one.snapshot) for one in Run.objects.order_by("pk")] == [0, 1]
    assert decisions.why_not(Run.objects.get(pk=run.pk), 1, 1, "en") == [
        "What this run saw is not there yet, or not kept any more."
    ]
    assert Offer.objects.first().why["terms"]["value"] > 0  # type: ignore[union-attr]
    Policy.objects.update(snapshot_days=1)
    Run.objects.filter(pk=young.pk).update(started_at=Now() - timedelta(days=2))
    assert decisions.snapshots_drop() == 1


class TestTheAdminsPage:
    @pytest.fixture
    def admin(self, db: None) -> Client:
        User.objects.create_superuser("root@team.example", PASSWORD)
        client = Client()
        client.login(username="root@team.example", password=PASSWORD)
        return client

    def test_pairs_reasons_and_why_not(self, admin: Client, world: World, run: Run) -> None:
        assert "/again/" in admin.get(f"/admin/dispatch/run/{run.pk}/change/").content.decode()
        page = admin.get(f"/admin/dispatch/run/{run.pk}/again/").content.decode()
        assert "the same 2 pairs" in page
        assert "You have the skill Payments at level 3, 2 was needed." in page
        ticket, greta = Offer.objects.first().ticket_id, world.agents["Greta"].pk  # type: ignore[union-attr]
        page = admin.get(
            f"/admin/dispatch/run/{run.pk}/again/?ticket={ticket}&agent={greta}"
        ).content.decode()
        assert "The ticket needs the skill Payments at level 2" in page

    def test_what_is_not_kept_says_so(self, admin: Client, run: Run) -> None:
        Run.objects.update(snapshot=b"")
        page = admin.get(f"/admin/dispatch/run/{run.pk}/again/").content.decode()
        assert "What this run saw is not there yet, or not kept any more." in page
        assert "the same" not in page

    @pytest.mark.parametrize(
        "query", ["?ticket=x&agent=1", "?ticket=1&agent=99999999999999999999", "?ticket=-1"]
    )
    def test_strange_numbers_are_no_error(self, admin: Client, run: Run, query: str) -> None:
        assert admin.get(f"/admin/dispatch/run/{run.pk}/again/{query}").status_code == 200
        assert admin.get("/admin/dispatch/run/999/again/").status_code == 404

    def test_others_do_not_see_it(self, client: Client, run: Run) -> None:
        User.objects.create_user("staff@team.example", PASSWORD, is_staff=True)
        client.login(username="staff@team.example", password=PASSWORD)
        assert client.get(f"/admin/dispatch/run/{run.pk}/again/").status_code == 403


class TestTheRulesInWords:
    def test_shares_come_from_the_policy(self, world: World) -> None:
        policy = Policy.objects.create(
            pool=world.pool,
            version=1,
            fit=2.0,
            fairness=0.25,
            known=0.5,
            load=0.25,
            scarcity=0.25,
            quality=0.25,
            booked=0.0,
        )
        people, tickets = decisions.weights_in_words(policy)
        assert [(one.name, one.share) for one in people] == [
            # The others are worth 4 in all, so what a yes multiplies is 5 at most, and 0.95 of it is what it can change.
            ("Chance of a yes", 54),
            ("Skill", 23),
            ("Fair share", 6),
            ("You know each other", 6),
            ("Quality", 6),
            ("Load", 3),
            ("Rare skills", 3),
            ("Booked hour", 0),
        ]
        assert [(one.name, one.share) for one in tickets] == [("Waiting", 75), ("Priority", 25)]

    def test_every_term_has_a_name_in_german(self) -> None:
        with translation.override("de"):
            names = {name: decisions.term_name(name) for name in Terms.__annotations__ if name != "value"}
        assert names["newcomer"] == "Neue zuerst"
        assert not [name for name, word in names.items() if word == name]

    def test_weights_of_nothing_divide_by_nothing(self, world: World) -> None:
        policy = Policy(pool=world.pool, wait=0, priority=0)
        assert [one.share for one in decisions.weights_in_words(policy)[1]] == [0, 0]

    def test_everybody_may_read_them(self, client: Client, world: World) -> None:
        assert "No pool has rules yet." in client.get("/how-offers-are-made").content.decode()
        Policy.objects.create(pool=world.pool, version=1, current=False)
        Policy.objects.create(pool=world.pool, version=2, note="Said among admins.", max_parallel=2)
        page = client.get("/how-offers-are-made", headers={"Accept-Language": "en"}).content.decode()
        assert page.count("Version 2") == 1
        assert "Version 1" not in page
        assert "Said among admins" not in page
        assert "At most 2 are asked" in page
        page = client.get("/how-offers-are-made", headers={"Accept-Language": "de"}).content.decode()
        assert "Wie Angebote entstehen" in page
        assert "Aussicht auf ein Ja" in page
        assert "in den letzten 7 Tagen zu Angeboten des Themas Ja gesagt" in " ".join(page.split())
        assert "Erste Reihe" in page


class TestTheApi:
    @pytest.fixture
    def lead(self, db: None) -> Caller:
        user = User.objects.create_user("lead@team.example", PASSWORD)
        user.user_permissions.add(Permission.objects.get(codename="view_run"))
        return account(user)

    def test_a_run(self, lead: Caller, run: Run) -> None:
        data = lead.ask(f"runs/{run.pk}").json()
        offers = list(Offer.objects.order_by("pk"))
        assert {
            name: data[name]
            for name in ("id", "pool", "policy_version", "tickets", "agents", "offers", "verdict")
        } == {
            "id": run.pk,
            "pool": "first",
            "policy_version": 1,
            "tickets": 1,
            "agents": 3,
            "offers": 2,
            "verdict": "same",
        }
        assert [(pair["ticket"], pair["agent"], pair["turn"], pair["terms"]) for pair in data["pairs"]] == [
            (offer.ticket.public_id, offer.agent_id, turn, offer.why["terms"])
            for turn, offer in enumerate(offers, start=1)
        ]
        assert data["pairs"][0]["why"][0] == "You have the skill Payments at level 3, 2 was needed."

    def test_why_not(self, lead: Caller, world: World, run: Run) -> None:
        ticket = Offer.objects.first().ticket  # type: ignore[union-attr]
        path = f"tickets/{ticket.public_id}/why-not/"
        assert lead.ask(path + str(world.agents["Hans"].pk)).json() == {
            "run": run.pk,
            "why_not": ["You were not online at that moment."],
        }
        lonely = world.ticket()
        path = f"tickets/{lonely.public_id}/why-not/{world.agents['Hans'].pk}"
        assert lead.ask(path).json() == {"run": None, "why_not": []}

    @pytest.mark.parametrize(
        ("path", "code"),
        [
            ("runs/999999", "not_found"),
            ("tickets/nosuch/why-not/1", "ticket_not_found"),
            ("tickets/{id}/why-not/999999", "not_found"),
        ],
    )
    def test_what_is_not_there(self, lead: Caller, world: World, path: str, code: str) -> None:
        problem(lead.ask(path.format(id=world.ticket().public_id)), 404, code)

    def test_who_may(self, world: World, run: Run) -> None:
        for caller, status in ((anonymous(), 401), (agent_of(world.agents["Anna"]), 403)):
            assert caller.ask(f"runs/{run.pk}").status_code == status
            assert (
                caller.ask(f"tickets/{Offer.objects.first().ticket.public_id}/why-not/1").status_code
                == status
            )  # type: ignore[union-attr]
