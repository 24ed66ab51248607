"""Reasons in words, German and English, from what was stored."""

from __future__ import annotations

import json
from dataclasses import replace
from string import Formatter

import pytest
from hypothesis import given, settings

from dispatch.matching import TicketRow, Weights, build, score, solve
from dispatch.matching.explain import Names, explain, explain_absence, reasons
from dispatch.matching.sentences import SENTENCES
from tests.dispatch.matching.people import (
    ALICE,
    BOB,
    CHARLIE,
    ENGLISH,
    FRAUD,
    GERMAN,
    LOGIN,
    REFUND,
    problems,
)

EN = Names({REFUND: "Refunds", FRAUD: "Fraud", LOGIN: "Log-in"}, {GERMAN: "German", ENGLISH: "English"})
DE = Names(
    {REFUND: "Erstattung", FRAUD: "Betrug", LOGIN: "Anmeldung"}, {GERMAN: "Deutsch", ENGLISH: "Englisch"}
)
ONE = Weights(max_parallel=1)


def test_why_alice():
    ticket = TicketRow(id=100, waited_seconds=5, required={REFUND: 3}, language=GERMAN, known=[1])
    (reason,) = reasons(solve(build([ticket], [ALICE, BOB, CHARLIE], ONE)))
    stored = json.loads(json.dumps(reason))
    assert explain(stored, names=EN) == [
        "Of the people who were free, only you could take it.",
        "You have the skill Refunds at level 4, 3 was needed.",
        "You have helped this customer before.",
        "You speak German, the language of this ticket.",
        "You have no other ticket open.",
    ]
    assert explain(stored, language="de", names=DE) == [
        "Von allen, die gerade frei waren, konnten nur Sie es übernehmen.",
        "Sie haben die Fähigkeit Erstattung auf Stufe 4, nötig war 3.",
        "Sie haben dieser Kundin oder diesem Kunden schon geholfen.",
        "Sie sprechen Deutsch, die Sprache dieses Tickets.",
        "Sie haben kein anderes Ticket offen.",
    ]


def test_why_the_longest_idle_of_several():
    people = [replace(CHARLIE, id=identity, idle_seconds=identity) for identity in (5, 6, 7, 8)]
    old = TicketRow(id=100, waited_seconds=99, max_wait_seconds=90, preferred={LOGIN: 2})
    first, second = reasons(solve(build([old], people, Weights(max_parallel=2))))
    assert explain(first) == [
        "The ticket has waited past its longest time, so it went before all younger ones.",
        "You have #3 at level 3, which helps with this ticket.",
        "You have no other ticket open.",
        "Of the 4 people who could take it, you have been idle longest; that decides between equals.",
        "Up to 2 people are asked at once; the first to accept gets it, others lose nothing.",
    ]
    assert (first["idle_rank"], first["round"]) == (1, 1)
    assert (second["idle_rank"], second["round"]) == (2, 2)


def test_no_offers_need_no_reasons():
    assert reasons(solve(build([], []))) == []
    assert reasons(solve(build([TicketRow(id=1, waited_seconds=0)], []))) == []


def test_why_not():
    needs = {REFUND: 3, FRAUD: 1}
    hard = TicketRow(id=100, waited_seconds=5, required=needs, language=ENGLISH, units=50, excluded=[2])
    busy = replace(BOB, free_units=20, max_pending=0)
    problem = build([hard], [ALICE, busy])
    assert explain_absence(problem, 100, 2, names=EN) == [
        "You had as many open offers as you can answer at once.",
        "Your free capacity was 20 units, the ticket needs 50.",
        "The ticket needs the skill Refunds at level 3; you have level 2.",
        "The ticket is in English, which is not among your languages.",
        "You said no to this ticket before, or it was waiting for one person in particular.",
    ]
    assert explain_absence(problem, 100, 2, said_no=True)[-1] == (
        "You declined this ticket or gave it back before, so others are asked."
    )
    assert explain_absence(problem, 100, 2, said_no=False)[-1].startswith(
        "In its first moments the ticket was waiting for"
    )
    assert explain_absence(problem, 100, 1, names=DE, language="de") == [
        "Das Ticket braucht die Fähigkeit Betrug auf Stufe 1; die haben Sie noch nicht."
    ]
    assert explain_absence(problem, 100, 3) == [
        "You were not among the people who were free for this pool at that moment."
    ]
    assert explain_absence(problem, 101, 1) == ["The ticket was not waiting in this run."]


def test_why_not_among_those_who_could():
    ticket = TicketRow(id=100, waited_seconds=5, required={REFUND: 2})
    problem = build([ticket], [ALICE, replace(BOB, skills={REFUND: 2, LOGIN: 2})], ONE)
    assert explain_absence(problem, 100, 1) == ["It was offered to you."]
    assert explain_absence(problem, 100, 2) == [
        "It went to somebody who fitted better: 3.88 points, you had 3.48, a gap of 0.40.",
        "Mostly because of skill level.",
    ]
    assert explain_absence(problem, 100, 2, language="de") == [
        "Es ging an jemanden, der besser passte: 3,88 Punkte, Sie hatten 3,48, ein Abstand von 0,40.",
        "Vor allem wegen der Stufe der Fähigkeiten.",
    ]
    twins = build([ticket], [ALICE, replace(ALICE, id=9, idle_seconds=0)], ONE)
    assert explain_absence(twins, 100, 9) == [
        "It went to somebody with the same points who had been idle longer or had the lower number."
    ]
    two = [ticket, TicketRow(id=101, waited_seconds=0, required={REFUND: 2})]
    assert explain_absence(build(two, [ALICE], ONE), 101, 1) == [
        "You were offered another ticket in the same run.",
        "The people who could take it were needed for tickets that go first.",
    ]


@settings(max_examples=80, deadline=None)
@given(problems(most_agents=4, equal_units=False, pending=2))
def test_every_pair_has_an_answer_and_barriers_are_named_for_exactly_the_impossible(problem):
    solution = solve(problem)
    eligible = score(problem).eligible
    offered = set(solution.ids)
    possible = {"other", "offered", "somebody", "people who", "so divided"}
    for i, ticket in enumerate(problem.tickets.id.tolist()):
        for j, agent in enumerate(problem.agents.id.tolist()):
            said = explain_absence(problem, ticket, agent, solution=solution)
            assert said
            assert (said == ["It was offered to you."]) == ((ticket, agent) in offered)
            assert any(word in said[0] for word in possible) == eligible[i, j], said
    for reason in reasons(solution):
        assert json.loads(json.dumps(reason)) == reason
        assert len(explain(reason)) == len(explain(reason, language="de"))


@pytest.mark.parametrize("key", SENTENCES)
def test_both_languages_say_the_same_figures(key):
    figures = {
        language: {field for _, field, _, _ in Formatter().parse(text) if field}
        for language, text in SENTENCES[key].items()
    }
    assert figures["de"] == figures["en"]
