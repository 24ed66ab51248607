"""Certificates are hard needs: missing or expired keeps a ticket away, by the database's day in TIME_ZONE. Languages too."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from agents.models import Agent, AgentSkill
from dispatch import decisions, members, presence, runs
from dispatch.matching import snapshot
from dispatch.models import Offer, Requirement, Run
from dispatch.runs import match_pool
from tests.cast import World
from tickets import kept
from tickets.models import Ticket

pytestmark = pytest.mark.django_db


def today() -> date:
    """The database's, in TIME_ZONE."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (statement_timestamp() AT TIME ZONE %s)::date", [timezone.get_default_timezone_name()]
        )
        found: date = cursor.fetchone()[0]
        return found


def needed(world: World) -> None:
    Requirement.objects.filter(route__topic=world.refund).update(certificate=True)
    kept.forget()


def certified(agent: Agent, until: date | None) -> None:
    agent.agent_skills.filter(skill__key="payments").update(certified_until=until)
    kept.forget()


def there(world: World, name: str, until: date | None = None) -> Agent:
    """Online, with everything but perhaps the certificate."""
    agent = world.agent(name)
    certified(agent, until)
    presence.go_online(agent_id=agent.pk)
    return agent


def asked() -> list[str]:
    return sorted(Offer.objects.filter(state="pending").values_list("agent__name", flat=True))


def test_only_a_valid_certificate_is_asked(world: World) -> None:
    needed(world)
    there(world, "Anna")
    there(world, "Ben", today() - timedelta(days=1))
    there(world, "Clara", today())  # the last day counts
    there(world, "Dmitri", today() + timedelta(days=1))
    there(world, "Elif", date.max)
    world.ticket()
    match_pool(world.pool.pk)
    assert asked() == ["Clara", "Dmitri", "Elif"]


def test_without_the_need_nobody_asks_for_it(world: World) -> None:
    there(world, "Anna")
    world.ticket()
    assert match_pool(world.pool.pk) == 1


def test_it_is_never_relaxed_and_the_ticket_is_flagged(world: World) -> None:
    needed(world)
    anna = there(world, "Anna", today() - timedelta(days=1))
    ticket = world.ticket()
    Ticket.objects.update(waiting_since=timezone.now() - timedelta(days=3))
    assert match_pool(world.pool.pk) == 0
    assert Ticket.objects.get(pk=ticket.pk).flagged_at is not None
    certified(anna, today())
    assert match_pool(world.pool.pk) == 1
    assert Ticket.objects.get(pk=ticket.pk).flagged_at is None


def test_it_ends_with_the_day_though_the_profile_is_kept(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is written when a day is over, so the profile has the same version before and after."""
    needed(world)
    there(world, "Anna", today())
    world.ticket()
    assert match_pool(world.pool.pk) == 1
    Offer.objects.update(state="revoked", answered_at=timezone.now(), ended_at=timezone.now())
    Agent.objects.get().shifts.update(units_taken=0)
    before = members._profiles
    [profile] = before.of.values()
    [end] = profile.ends.values()
    row = before.rows(before.ids)
    [skill] = profile.ends
    assert before.certified(skill, row, end - 0.001).tolist() == [3]
    assert before.certified(skill, row, end).tolist() == [0]
    assert (profile.level(-skill, end - 0.001), profile.level(-skill, end)) == (3, 0)
    # Seen by a run: the same profile, a clock that is past the day's end.
    monkeypatch.setitem(before.ends, skill, before.ends[skill] * 0 + 1.0)
    profile.ends[skill] = 1.0
    assert match_pool(world.pool.pk) == 0
    assert members._profiles is before
    assert Ticket.objects.get().flagged_at is not None


def test_who_loses_it_while_the_run_solves_is_left_out(world: World, monkeypatch: pytest.MonkeyPatch) -> None:

    needed(world)
    anna = there(world, "Anna", today())
    world.ticket()
    solve = runs.solve

    def slow(problem: object) -> object:
        certified(anna, None)
        return solve(problem)  # type: ignore[arg-type]

    monkeypatch.setattr(runs, "solve", slow)
    assert match_pool(world.pool.pk) == 0
    assert asked() == []


@pytest.mark.parametrize(
    ("day", "end"),
    [
        (date(2026, 3, 28), datetime(2026, 3, 28, 23, tzinfo=UTC)),
        (date(2026, 3, 29), datetime(2026, 3, 29, 22, tzinfo=UTC)),  # the clocks go forward that night
        (date(2026, 10, 25), datetime(2026, 10, 25, 23, tzinfo=UTC)),
    ],
)
def test_a_day_ends_at_midnight_in_the_time_zone(day: date, end: datetime) -> None:
    assert members.day_end(day) == end.timestamp()


def test_why_and_why_not(world: World) -> None:
    needed(world)
    there(world, "Anna", today())
    ben = there(world, "Ben", today() - timedelta(days=1))
    ticket = world.ticket()
    match_pool(world.pool.pk)
    run = Run.objects.get()
    assert decisions.why_not(run, ticket.pk, ben.pk, "en") == [
        "Your certificate for Payments is missing or has expired."
    ]
    assert decisions.why_not(run, ticket.pk, ben.pk, "de") == [
        "Ihr Zertifikat für Zahlungen fehlt oder ist abgelaufen."
    ]
    replayed = decisions.replay(run)
    assert replayed.verdict == "same"
    assert replayed.solution is not None
    [pair] = decisions.pairs_of(replayed, "en")
    assert "You have a valid certificate for Payments, which this ticket needs." in pair.lines
    assert "You have the skill Payments at level 3, 2 was needed." in pair.lines
    assert snapshot.unpack(bytes(run.snapshot))[0].agents.skill_id.min() < 0


def test_the_need_leaves_the_fit_as_it_is(world: World) -> None:
    there(world, "Anna", today())
    found = []
    for need in (False, True):
        Requirement.objects.filter(route__topic=world.refund).update(certificate=need)
        kept.forget()
        world.ticket()
        match_pool(world.pool.pk)
        found.append(Offer.objects.get(state="pending").why["terms"]["fit"])
        Offer.objects.update(state="revoked", answered_at=timezone.now(), ended_at=timezone.now())
        Agent.objects.get().shifts.update(units_taken=0)
        Ticket.objects.update(state="closed", closed_at=timezone.now())
    assert found == [0.6, 0.6]


def test_only_a_required_skill_needs_one(world: World) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Requirement.objects.update(required=False, certificate=True)
    assert not Requirement.objects.filter(certificate=True).exists()


def test_a_new_certificate_makes_a_new_version(world: World) -> None:
    anna = there(world, "Anna")
    before = Agent.objects.get(pk=anna.pk).profile_version
    AgentSkill.objects.filter(agent=anna, skill__key="payments").update(certified_until=today())
    assert Agent.objects.get(pk=anna.pk).profile_version == before + 1


class TestLanguages:
    def test_a_ticket_that_nobody_speaks_is_flagged_and_not_offered(self, world: World) -> None:
        presence.go_online(agent_id=world.agent("Greta", languages=("de",)).pk)
        ticket = world.ticket(language="en")
        Ticket.objects.update(waiting_since=timezone.now() - timedelta(days=3))
        assert match_pool(world.pool.pk) == 0
        assert Ticket.objects.get(pk=ticket.pk).flagged_at is not None
        presence.go_online(agent_id=world.agent("Anna", languages=("en",)).pk)
        assert match_pool(world.pool.pk) == 1
        assert asked() == ["Anna"]
        assert Ticket.objects.get(pk=ticket.pk).flagged_at is None
