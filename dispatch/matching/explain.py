"""Why this person, and why not that one: in sentences, from what the run saw.

``reason`` is what an offer stores (plain JSON); ``explain`` turns it into sentences at any later time, in any
language here, without the problem. ``explain_absence`` needs the problem: the one of the run, or of its
snapshot.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NotRequired, TypedDict

import numpy as np

from dispatch.matching.problem import ANY_LANGUAGE, Problem, certified
from dispatch.matching.score import Terms, terms_of, withheld
from dispatch.matching.sentences import BECAUSE, Language, Speaker
from dispatch.matching.solve import Solution, solve

VISIBLE = 0.005  # points; less would be shown as 0.00


@dataclass(frozen=True)
class Names:
    """What ids are called, in the reader's language; what is missing is shown by its number."""

    skills: Mapping[int, str] = field(default_factory=dict)  # skill id → name
    languages: Mapping[int, str] = field(default_factory=dict)  # bit number → name

    def skill(self, identity: int) -> str:
        return self.skills.get(identity, f"#{identity}")

    def language(self, bit: int) -> str:
        return self.languages.get(bit, f"#{bit}")


class SkillFact(TypedDict):
    skill: int  # below 0: the certificate of a skill (``certified``)
    level: int
    needed: int
    required: bool


class Reason(TypedDict):
    """Stored with an offer as JSON. No name and no text of anybody."""

    terms: Terms
    skills: list[SkillFact]
    language: int  # bit number, or ANY_LANGUAGE
    overdue: bool
    able: int  # people who could take the ticket
    idle_rank: int  # among them, 1 is the longest idle
    round: int
    parallel: int
    next_up: NotRequired[
        bool
    ]  # asked while they wrapped up; the caller's to say, who knows why units are free
    by_name: NotRequired[bool]  # passed on to them; the caller's to say as well
    again: NotRequired[bool]  # theirs when it was put aside; likewise
    reserved: NotRequired[bool]  # `able` then counts those who were worth its reserve


def reasons(solution: Solution) -> list[Reason]:
    """The reason of each offer, in the order of ``solution.pairs``."""
    problem = solution.problem
    tickets, agents = problem.tickets, problem.agents
    pairs = list(zip(solution.ticket.tolist(), solution.agent.tolist(), strict=True))
    found = []
    terms = terms_of(problem, pairs, solution.scores.basis)
    idle = agents.idle_seconds
    able_of = {i: solution.scores.eligible_row(i) for i in dict.fromkeys(solution.ticket.tolist())}
    for (i, j), turn, shares in zip(pairs, solution.round.tolist(), terms, strict=True):
        able = able_of[i]
        earlier = (idle > idle[j]) | ((idle == idle[j]) & (agents.id < agents.id[j]))
        found.append(
            Reason(
                terms=shares,
                skills=_skills(problem, i, j),
                language=int(tickets.language[i]),
                overdue=bool(tickets.overdue[i]),
                reserved=bool(tickets.reserved[i] and problem.weights.reserve),
                able=int(np.count_nonzero(able)),
                idle_rank=1 + int(np.count_nonzero(able & earlier)),
                round=turn,
                parallel=solution.parallel,
            )
        )
    return found


def explain(reason: Reason, *, language: Language = "en", names: Names | None = None) -> list[str]:
    """Sentences for the person who got the offer, what weighed most first."""
    names = names or Names()
    shares = reason["terms"]
    speak = Speaker(language)
    reserved = reason.get("reserved", False)  # then others could have taken it, later
    lines: list[tuple[float, str]] = []

    def say(weight: float, key: str, **values: object) -> None:
        lines.append((weight, speak(key, **values)))

    first = {
        "overdue": reason["overdue"],
        "only": reason["able"] == 1 and not reserved,
        "reserved": reserved,
        "newcomer": shares.get("newcomer", 0.0) > 0,  # offers from before there were newcomers do not say
        "next_up": reason.get("next_up", False),
        "by_name": reason.get("by_name", False),
        "again": reason.get("again", False),
        "booked": shares.get("booked", 0.0) > 0,
    }
    for name in (name for name, true in first.items() if true):
        say(np.inf, name)
    if shares["known"] > 0:
        say(shares["known"], "known")
    for fact in reason["skills"]:
        key = _fact_key(fact)
        if key is not None:
            skill = names.skill(abs(fact["skill"]))
            weight = shares["fit"] / (1 if fact["required"] else 2)
            say(weight, key, skill=skill, level=fact["level"], needed=fact["needed"])
    if shares["fairness"] > 0.01:
        say(shares["fairness"], "earned_less")
    elif shares["fairness"] < -0.01:
        say(0.0, "earned_more")
    quality = shares.get("quality", 0.0)  # offers from before it counted do not say
    if abs(quality) > 0.01:
        say(max(quality, 0.0), "rated_higher" if quality > 0 else "rated_lower")
    if reason["language"] != ANY_LANGUAGE:
        say(0.0, "language", tongue=names.language(reason["language"]))
    if shares["load"] == 0:
        say(0.0, "free")
    if reason["idle_rank"] == 1 and reason["able"] > 1 and not reserved:
        say(0.0, "idle", able=reason["able"])
    if reason["parallel"] > 1:
        say(-1.0, "parallel", parallel=reason["parallel"])
    return [line for _, line in sorted(lines, key=lambda weighed: -weighed[0])]


def _fact_key(fact: SkillFact) -> str | None:
    """Which sentence says it; None where nothing speaks for the person."""
    if fact["required"]:
        return "certificate" if fact["skill"] < 0 else "skill"
    return "skill_preferred" if fact["level"] >= fact["needed"] else None


def explain_absence(
    problem: Problem,
    ticket_id: int,
    agent_id: int,
    *,
    language: Language = "en",
    names: Names | None = None,
    solution: Solution | None = None,
    said_no: bool | None = None,
) -> list[str]:
    """Why this person did not get this ticket; one sentence for each thing that stood in the way.

    Solves the problem again if no solution is given. `said_no`: whether this person has said no to it before, where the caller
    knows: an excluded pair alone does not tell that from a ticket that waits for somebody else. Never an error: unknown ids are
    an answer too.
    """
    say = Speaker(language)
    ticket = np.flatnonzero(problem.tickets.id == ticket_id).tolist()
    agent = np.flatnonzero(problem.agents.id == agent_id).tolist()
    if not ticket:
        return [say("ticket_unknown")]
    if not agent:
        return [say("not_free")]
    i, j = ticket[0], agent[0]
    return _barriers(problem, i, j, say, names or Names(), said_no=said_no) or _outdone(
        solution or solve(problem), i, j, say
    )


def _barriers(
    problem: Problem, i: int, j: int, say: Speaker, names: Names, *, said_no: bool | None
) -> list[str]:
    """Everything that made the pair impossible; empty for exactly the eligible ones."""
    tickets, agents = problem.tickets, problem.agents
    found = []
    if agents.max_pending[j] == 0:
        found.append(say("pending"))
    if agents.free_units[j] < tickets.units[i]:
        found.append(say("no_units", free=int(agents.free_units[j]), units=int(tickets.units[i])))
    for fact in _skills(problem, i, j):
        if fact["skill"] < 0:
            if not fact["level"]:  # a level that is too low is said of the skill itself
                found.append(say("certificate_missing", skill=names.skill(certified(fact["skill"]))))
        elif fact["required"] and fact["level"] < fact["needed"]:
            key = "skill_low" if fact["level"] else "skill_missing"
            found.append(
                say(key, skill=names.skill(fact["skill"]), needed=fact["needed"], level=fact["level"])
            )
    bit = int(tickets.language[i])
    if bit != ANY_LANGUAGE and not int(agents.languages[j]) >> bit & 1:
        found.append(say("language_missing", tongue=names.language(bit)))
    out = tickets.excluded
    if ((out.ticket_id == tickets.id[i]) & (out.agent_id == agents.id[j])).any():
        found.append(say("excluded" if said_no is None else "said_no" if said_no else "waited_for"))
    if not found and withheld(problem, i, j):
        found.append(say("reserved_for_others", reserve=say.decimal(problem.weights.reserve)))
    return found


def _outdone(solution: Solution, i: int, j: int, say: Speaker) -> list[str]:
    """Why an eligible pair was not chosen."""
    mine = solution.ticket[solution.agent == j]
    if (mine == i).any():
        return [say("offered")]
    busy = [say("other_ticket")] if len(mine) else []
    winners = solution.agent[solution.ticket == i]
    if not len(winners):
        return [*busy, say("nobody")]
    # The gap to the last who was still asked is what it would have taken.
    rival = int(winners[solution.value[solution.ticket == i].argmin()])
    own, best = terms_of(solution.problem, [(i, j), (i, rival)], solution.scores.basis)
    gap = best["value"] - own["value"]
    figures = {"own": say.decimal(own["value"]), "best": say.decimal(best["value"]), "gap": say.decimal(gap)}
    if gap >= VISIBLE:
        return [*busy, say("others_better", **figures), *_because(own, best, say.language)]
    return [*busy, say("others_equal" if gap > -VISIBLE and not busy else "whole_better", **figures)]


def _because(own: Terms, best: Terms, language: Language) -> list[str]:
    """The term in which the two differ most, at the other's probability; acceptance by what it changes in the
    whole."""
    sums = sum(
        own[name] for name in ("served", "fit", "fairness", "known", "load", "scarcity", "quality", "booked")
    )
    apart = {
        "fit": best["accept"] * (best["fit"] - own["fit"]),
        "fairness": best["accept"] * (best["fairness"] - own["fairness"]),
        "known": best["accept"] * (best["known"] - own["known"]),
        "load": best["accept"] * (best["load"] - own["load"]),
        "booked": best["accept"] * (best["booked"] - own["booked"]),
        "scarcity": best["accept"] * (best["scarcity"] - own["scarcity"]),
        "quality": best["accept"] * (best["quality"] - own["quality"]),
        "newcomer": best["newcomer"] - own["newcomer"],
        "accept": (best["accept"] - own["accept"]) * sums,
    }
    most = max(apart, key=lambda name: apart[name])
    return [BECAUSE[most][language]] if apart[most] > VISIBLE else []


def _skills(problem: Problem, i: int, j: int) -> list[SkillFact]:
    facts = []
    for needs, required in ((problem.tickets.required, True), (problem.tickets.preferred, False)):
        for row in np.flatnonzero(needs.ticket == i).tolist():
            column = int(needs.skill[row])
            facts.append(
                SkillFact(
                    skill=int(problem.agents.skill_id[column]),
                    level=int(problem.agents.levels[j, column]),
                    needed=int(needs.level[row]),
                    required=required,
                )
            )
    return facts
