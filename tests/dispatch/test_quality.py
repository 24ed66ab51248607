"""Quality in matching: one term, shown, explained, and in the snapshot; ratings that were struck out do not count."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest

from dispatch import contests, decisions, members, quality, tasks
from dispatch.matching import AgentRow, TicketRow, build, solve
from dispatch.matching.explain import explain, explain_absence, reasons
from dispatch.matching.snapshot import pack, replay, unpack
from dispatch.matching.weights import Weights
from dispatch.models import Offer, Policy, Run, Standing
from dispatch.runs import match_pool
from tests.agents.conftest import Office, office
from tests.cast import World
from tests.console import Person
from tests.dispatch.scenes import rated
from tickets import kept

pytestmark = pytest.mark.django_db
assert office


def two(weight: float) -> list[tuple[int, int]]:
    """Who gets the ticket: agent 1, longest idle, or agent 2, better rated."""
    return solve(
        build(
            [TicketRow(id=7, waited_seconds=10.0)],
            [AgentRow(id=1, idle_seconds=90.0, quality=-0.5), AgentRow(id=2, quality=0.5)],
            Weights(quality=weight, max_parallel=1),
        )
    ).ids


class TestTheTerm:
    def test_it_decides_between_equals_only_if_a_policy_says_so(self) -> None:
        assert (two(0.0), two(0.3)) == ([(7, 1)], [(7, 2)])

    def test_it_is_a_term_of_its_own_in_the_sum(self) -> None:
        problem = build(
            [TicketRow(id=7, waited_seconds=10.0)], [AgentRow(id=1, quality=0.5)], Weights(quality=0.4)
        )
        [reason] = reasons(solve(problem))
        terms = reason["terms"]
        assert terms["quality"] == pytest.approx(0.2)
        assert terms["served"] == pytest.approx(2.5)  # 1 and all that may be below 0: 0.5 + 0.3 + 0.3 + 0.4
        whole = sum(
            terms[name] for name in ("served", "fit", "fairness", "known", "load", "scarcity", "quality")
        )
        assert terms["value"] == pytest.approx(
            terms["accept"] * whole + terms["newcomer"] + terms["wait"] + terms["priority"]
        )
        assert "Your ratings and reviews are above the usual; that counted a little for you." in explain(
            reason
        )
        assert any("über dem Üblichen" in line for line in explain(reason, language="de"))

    def test_why_not_me_names_it(self) -> None:
        problem = build(
            [TicketRow(id=7, waited_seconds=10.0)],
            [AgentRow(id=1, quality=-0.5), AgentRow(id=2, quality=0.5)],
            Weights(quality=0.3, max_parallel=1),
        )
        assert explain_absence(problem, 7, 1)[-1] == "Mostly because their ratings and reviews are higher."

    def test_a_run_is_solved_again_with_it(self) -> None:
        problem = build(
            [TicketRow(id=7, waited_seconds=10.0)],
            [AgentRow(id=1, idle_seconds=90.0, quality=-0.5), AgentRow(id=2, quality=0.5)],
            Weights(quality=0.3, max_parallel=1),
        )
        data = pack(problem, solve(problem))
        again, stored = unpack(data)
        assert (again.weights.quality, again.agents.quality.tolist(), stored) == (0.3, [-0.5, 0.5], [(7, 2)])
        assert replay(data).ids == [(7, 2)]


class TestFigures:
    def test_a_rating_is_of_who_resolved_it(self, world: World) -> None:
        anna, bernd = Person(world, "Anna").online(), Person(world, "Bernd")
        for score in (5, 5, 2):
            rated(anna, score)
        assert quality.figures(anna.agent.pk).term == 0.0  # as matching has it until the task comes by
        tasks.qualities()
        found = quality.figures(anna.agent.pk)
        assert (found.ratings, found.reviews) == (3, 0)
        # usual: (2.25 + 8) ÷ 13; shrunk: (2.25 + 10 usual) ÷ 13
        usual = (2.25 + 10 * 0.8) / 13
        assert found.term == pytest.approx(((2.25 + 10 * usual) / 13 - usual) / 0.25)
        assert quality.figures(bernd.agent.pk).ratings == 0
        assert quality.figures(bernd.agent.pk).term == 0.0

    def test_a_look_reads_what_is_the_agents_alone(
        self, world: World, django_assert_num_queries: Callable[[int], AbstractContextManager[Any]]
    ) -> None:
        """However many others were rated: three queries, each by this agent."""
        anna, bernd = Person(world, "Anna").online(), Person(world, "Bernd")
        rated(anna, 4)
        with django_assert_num_queries(3) as asked:
            quality.figures(bernd.agent.pk)
        assert all(
            f"= {bernd.agent.pk}" in one["sql"] or f"({bernd.agent.pk})" in one["sql"] for one in asked
        )

    def test_matching_sees_what_the_page_shows(self, world: World) -> None:
        anna = Person(world, "Anna").online()
        rated(anna, 5)
        tasks.qualities()
        members.members_forget(world.pool.pk)
        standing = Standing.objects.get(agent=anna.agent)
        assert standing.judged == 1
        assert standing.quality == pytest.approx(quality.figures(anna.agent.pk).term)
        kept.forget()
        world.ticket()
        match_pool(world.pool.pk)
        offer = Offer.objects.order_by("-pk")[0]
        assert offer.why["terms"]["quality"] == pytest.approx(0.3 * standing.quality, abs=1e-6)
        assert decisions.replay(Run.objects.order_by("-pk")[0]).verdict == "same"

    def test_what_was_struck_out_does_not_count_and_what_was_corrected_counts_as_that(
        self, world: World, office: Office
    ) -> None:
        anna = Person(world, "Anna").online()
        bad, other = rated(anna, 1), rated(anna, 2)
        before = quality.figures(anna.agent.pk)
        struck = contests.contest_rating(agent_id=anna.agent.pk, rating_id=bad.pk, text="Meant for the shop.")
        assert quality.figures(anna.agent.pk) == before  # as long as nobody has answered
        contests.answer(contest_id=struck.pk, by=office.olga, outcome="struck", answer="Right.")
        assert quality.figures(anna.agent.pk).ratings == 1
        corrected = contests.contest_rating(agent_id=anna.agent.pk, rating_id=other.pk, text="It was a 4.")
        contests.answer(
            contest_id=corrected.pk, by=office.olga, outcome="corrected", answer="So it was.", score=4
        )
        found = quality.figures(anna.agent.pk)
        assert found.interval is not None
        assert found.interval[1] == 0.75
        assert bad.score == 1  # the rating itself is what the customer gave
        tasks.qualities()
        assert Standing.objects.get(agent=anna.agent).judged == 1

    def test_the_rules_in_words_have_it(self, world: World) -> None:
        policy = Policy(
            pool=world.pool, fit=1.0, fairness=0.5, known=0.5, load=0.3, scarcity=0.3, quality=0.3, booked=0.0
        )
        people, _tickets = decisions.weights_in_words(policy)
        assert [(one.name, one.share) for one in people if one.name == "Quality"] == [("Quality", 7)]
