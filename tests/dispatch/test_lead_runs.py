"""The decision log outside of the admin: who may see it, what stands in the list, what of one run."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from agents.models import User
from dispatch import presence
from dispatch.automatic import auto_accept_choose
from dispatch.models import Offer, Policy, Run
from dispatch.runs import match_pool
from dispatch.views.lead.runs import PAGE_RUNS
from tests.cast import PASSWORD, World
from tests.untouched import nothing_changed

pytestmark = pytest.mark.django_db


def signed_in(user: User, language: str = "en") -> Client:
    client = Client(headers={"accept-language": language})
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def lead_user() -> User:
    """As the demo's group “Team leads” makes them, but for the admin, which they need not have."""
    user = User.objects.create_user("lead@team.example", PASSWORD)
    user.user_permissions.add(Permission.objects.get(codename="view_run"))
    return user


@pytest.fixture
def lead(db: None) -> Client:
    return signed_in(lead_user())


def page(client: Client, path: str, **query: Any) -> str:
    answer = client.get(f"/lead/{path}", query)
    assert answer.status_code == 200
    return answer.content.decode()


def shown(text: str) -> list[int]:
    """Runs in the list, in its order."""
    return [int(found) for found in re.findall(r'href="/lead/runs/(\d+)"', text)]


def runs_made(world: World, count: int) -> list[int]:
    policy = Policy.objects.get_or_create(pool=world.pool, version=1)[0]
    rows = [
        Run(pool=world.pool, policy=policy, tickets=1, agents=1, offers=1, solve_micros=1234, snapshot=b"")
        for _ in range(count)
    ]
    return [row.pk for row in Run.objects.bulk_create(rows)]


@pytest.mark.parametrize("path", ["runs", "runs/{run}"])
class TestWhoMaySeeIt:
    def test_roles(self, world: World, run: Run, path: str) -> None:
        address = f"/lead/{path.format(run=run.pk)}"
        admin = User.objects.create_superuser("root@team.example", PASSWORD)
        staff = User.objects.create_user("staff@team.example", PASSWORD, is_staff=True)
        gone = User.objects.create_user("gone@team.example", PASSWORD, is_active=False)
        gone.user_permissions.add(Permission.objects.get(codename="view_run"))
        got = {
            name: signed_in(user).get(address).status_code
            for name, user in {
                "lead": lead_user(),
                "admin": admin,
                "agent": world.agents["Anna"].user,
                "staff without the right": staff,
                "disabled": gone,
            }.items()
        }
        assert got == {
            "lead": 200,
            "admin": 200,
            "agent": 403,
            "staff without the right": 403,
            "disabled": 302,
        }
        assert Client().get(address).headers["Location"] == f"/accounts/login/?next={address}"
        refused = signed_in(world.agents["Anna"].user).get(address).content.decode()
        assert "This page is for team leads" in refused
        assert "Bernd" not in refused

    def test_looking_changes_nothing_and_nothing_else_is_taken(
        self, lead: Client, run: Run, path: str
    ) -> None:
        address = f"/lead/{path.format(run=run.pk)}"
        with nothing_changed():
            assert lead.get(address).status_code == 200
            assert lead.post(address).status_code == 405


def test_a_lead_without_the_admin_comes_here_after_logging_in(lead: Client) -> None:
    assert lead.get("/console/").headers["Location"] == "/lead/runs"


class TestTheList:
    def test_what_stands_in_it(self, lead: Client, run: Run) -> None:
        Run.objects.update(solve_micros=1234)
        text = page(lead, "runs")
        assert shown(text) == [run.pk]
        assert re.findall(r'<td class="amount">([^<]+)</td>', text) == ["1", "3", "2", "1.2 ms"]
        assert "First line" in text

    def test_pages_by_cursor_stay_where_they_are(self, lead: Client, world: World) -> None:
        made = runs_made(world, PAGE_RUNS + 3)
        first = page(lead, "runs")
        assert shown(first) == made[:2:-1]
        (older,) = re.findall(r"before=(\d+)", first)
        runs_made(world, 2)  # meanwhile
        assert shown(page(lead, "runs", before=older)) == made[2::-1]
        assert "before=" not in page(lead, "runs", before=older).split("<main")[1]

    def test_by_pool_and_by_ticket(self, lead: Client, world: World, run: Run) -> None:
        others = runs_made(world, 2)
        ticket = Offer.objects.values_list("ticket_id", flat=True)[0]
        assert shown(page(lead, "runs", pool="first")) == [*others[::-1], run.pk]
        assert shown(page(lead, "runs", pool="nowhere")) == []
        for wanted in (f"S-{ticket}", f"s-{ticket}", f" {ticket} "):
            assert shown(page(lead, "runs", ticket=wanted)) == [run.pk]
        for wanted in (f"S-{ticket + 1}", "S-", "nonsense", "٣", "9" * 40, "\x00"):
            assert "No run offered this ticket to anybody." in page(lead, "runs", ticket=wanted)
        for wanted in ("-1", "x", "9" * 40, ""):
            assert shown(page(lead, "runs", before=wanted)) == [*others[::-1], run.pk]

    def test_no_query_a_row(self, lead: Client, world: World, django_assert_num_queries: Any) -> None:
        runs_made(world, 20)
        # session, account, its rights (twice), runs, pools
        with django_assert_num_queries(6):
            page(lead, "runs")


class TestOneRun:
    def test_pairs_reasons_and_the_same_again(self, lead: Client, run: Run) -> None:
        text = page(lead, f"runs/{run.pk}")
        assert "Solved again from what the run saw: the same 2 pairs." in text
        assert "You have the skill Payments at level 3, 2 was needed." in text
        assert text.count('<span class="badge">open</span>') == 2
        for name in ("Anna", "Bernd"):
            assert f"S-{Offer.objects.all()[0].ticket_id} → {name}" in text
        assert "Fair share" in text or "Skill" in text

    def test_why_not_for_any_person(self, lead: Client, world: World, run: Run) -> None:
        ticket = Offer.objects.all()[0].ticket_id

        def why(name: str) -> str:
            return page(lead, f"runs/{run.pk}", ticket=ticket, agent=world.agents[name].pk)

        assert "The ticket needs the skill Payments at level 2; you do not have it yet." in why("Greta")
        assert "You were not online at that moment." in why("Hans")
        world.agents["Anna"].pools.clear()  # who was there can be asked about whatever they are now
        assert "It was offered to you." in why("Anna")
        assert f'<option value="{world.agents["Anna"].pk}" selected>' in why("Anna")
        strange = page(lead, f"runs/{run.pk}", ticket="x", agent="9" * 40)
        assert "What the agent would be told" not in strange

    def test_who_was_passed_over_for_somebody_who_accepts_automatically(
        self, lead: Client, world: World
    ) -> None:
        for name in ("Anna", "Bernd"):
            presence.go_online(agent_id=world.agent(name).pk)
        auto_accept_choose(agent_id=world.agents["Bernd"].pk, on=True)
        ticket = world.ticket()
        match_pool(world.pool.pk)
        run = Run.objects.get()
        text = page(lead, f"runs/{run.pk}", ticket=ticket.pk, agent=world.agents["Anna"].pk)
        assert "accepted · automatic" in text
        assert '<span class="badge">not asked</span>' in text
        assert "somebody else accepts automatically; then nobody else is asked." in text

    def test_when_what_it_saw_is_forgotten_the_reasons_stay(self, lead: Client, run: Run) -> None:
        Run.objects.update(snapshot=b"")
        text = page(lead, f"runs/{run.pk}")
        assert "What this run saw is not there yet, or not kept any more." in text
        assert "You have the skill Payments at level 3, 2 was needed." in text
        assert "Why not somebody else?" not in text

    def test_no_such_run(self, lead: Client) -> None:
        assert lead.get("/lead/runs/1").status_code == 404

    def test_in_german(self, world: World, run: Run) -> None:
        client = signed_in(lead_user(), "de")
        text = page(client, f"runs/{run.pk}")
        assert "dieselben 2 Paare" in text
        assert "Warum nicht jemand anderes?" in text
        Run.objects.update(solve_micros=1234)
        assert "1,2 ms" in page(client, "runs")
