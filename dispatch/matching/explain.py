"""Why this person, and why not that one: in sentences, from what the run saw.

``reason`` is what an offer stores (plain JSON); ``explain`` turns it into sentences at any later time, in any
language here, without the problem. ``explain_absence`` needs the problem: the one of the run, or of its
snapshot.

The sentences are templates and no gettext: the core imports no Django, and a sentence must mean the same in
each language, which two columns side by side show best.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NotRequired, TypedDict

import numpy as np

from dispatch.matching.problem import ANY_LANGUAGE, Problem, certified
from dispatch.matching.score import Terms, terms_of
from dispatch.matching.solve import Solution, solve

Language = Literal["de", "en"]
VISIBLE = 0.005  # points; less would be shown as 0.00

_SENTENCES: dict[str, dict[Language, str]] = {
    "skill": {
        "en": "You have the skill {skill} at level {level}, {needed} was needed.",
        "de": "Sie haben die Fähigkeit {skill} auf Stufe {level}, nötig war {needed}.",
    },
    "certificate": {
        "en": "You have a valid certificate for {skill}, which this ticket needs.",
        "de": "Sie haben ein gültiges Zertifikat für {skill}, das dieses Ticket verlangt.",
    },
    "skill_preferred": {
        "en": "You have {skill} at level {level}, which helps with this ticket.",
        "de": "Sie haben {skill} auf Stufe {level}, das hilft bei diesem Ticket.",
    },
    "language": {
        "en": "You speak {tongue}, the language of this ticket.",
        "de": "Sie sprechen {tongue}, die Sprache dieses Tickets.",
    },
    "known": {
        "en": "You have helped this customer before.",
        "de": "Sie haben dieser Kundin oder diesem Kunden schon geholfen.",
    },
    "only": {
        "en": "Of the people online, only you could take it.",
        "de": "Von allen, die online sind, konnten nur Sie es übernehmen.",
    },
    "idle": {
        "en": (
            "Of the {able} people who could take it, you have been idle longest; that decides between equals."
        ),
        "de": (
            "Von {able} Personen, die es übernehmen konnten, sind Sie am längsten frei; das entscheidet bei "
            "Gleichstand."
        ),
    },
    "newcomer": {
        "en": "You are new: a share of the tickets goes to newcomers first.",
        "de": "Sie sind neu: Ein Teil der Tickets geht zuerst an Neue.",
    },
    "earned_less": {
        "en": "You have earned less per online hour than the average lately, so you came earlier.",
        "de": (
            "Sie haben zuletzt je Online-Stunde weniger verdient als der Durchschnitt, deshalb kamen Sie "
            "eher an die Reihe."
        ),
    },
    "earned_more": {
        "en": (
            "You have earned more per online hour than the average lately; that counted a little against it."
        ),
        "de": (
            "Sie haben zuletzt je Online-Stunde mehr verdient als der Durchschnitt; das sprach ein wenig "
            "dagegen."
        ),
    },
    "free": {
        "en": "You have no other ticket open.",
        "de": "Sie haben kein anderes Ticket offen.",
    },
    "by_name": {
        "en": "A colleague passed this ticket on to you by name, with a note.",
        "de": "Jemand aus Ihrem Team hat dieses Ticket namentlich an Sie weitergegeben, mit einer Notiz.",
    },
    "next_up": {
        "en": "You were wrapping up your last ticket; this would be your next.",
        "de": "Sie haben Ihr letztes Ticket gerade nachbereitet; dies wäre Ihr nächstes.",
    },
    "overdue": {
        "en": "The ticket has waited past its longest time, so it went before all younger ones.",
        "de": "Das Ticket hat länger gewartet als vorgesehen und ging deshalb allen jüngeren vor.",
    },
    "parallel": {
        "en": "Up to {parallel} people are asked at once; the first to accept gets it, others lose nothing.",
        "de": "Bis zu {parallel} Personen werden zugleich gefragt; wer zuerst annimmt, bekommt es, "
        "den anderen schadet nichts.",
    },
    # absence
    "ticket_unknown": {
        "en": "The ticket was not waiting in this run.",
        "de": "Das Ticket wartete in diesem Lauf nicht.",
    },
    "not_online": {
        "en": "You were not online in this pool at that moment.",
        "de": "Sie waren in diesem Augenblick in diesem Pool nicht online.",
    },
    "pending": {
        "en": "You had as many open offers as you can answer at once.",
        "de": "Sie hatten so viele offene Angebote, wie Sie zugleich beantworten können.",
    },
    "no_units": {
        "en": "Your free capacity was {free} units, the ticket needs {units}.",
        "de": "Frei waren bei Ihnen {free} Einheiten, das Ticket braucht {units}.",
    },
    "skill_missing": {
        "en": "The ticket needs the skill {skill} at level {needed}; you do not have it yet.",
        "de": "Das Ticket braucht die Fähigkeit {skill} auf Stufe {needed}; die haben Sie noch nicht.",
    },
    "skill_low": {
        "en": "The ticket needs the skill {skill} at level {needed}; you have level {level}.",
        "de": "Das Ticket braucht die Fähigkeit {skill} auf Stufe {needed}; Sie haben Stufe {level}.",
    },
    "certificate_missing": {
        "en": "Your certificate for {skill} is missing or has expired.",
        "de": "Ihr Zertifikat für {skill} fehlt oder ist abgelaufen.",
    },
    "language_missing": {
        "en": "The ticket is in {tongue}, which is not among your languages.",
        "de": "Das Ticket ist auf {tongue}, das nicht zu Ihren Sprachen gehört.",
    },
    "excluded": {
        "en": "You declined this ticket before, or it could not go to you on its present step.",
        "de": (
            "Sie haben dieses Ticket schon abgelehnt, oder es durfte auf seiner jetzigen Stufe nicht zu "
            "Ihnen."
        ),
    },
    "offered": {
        "en": "It was offered to you.",
        "de": "Es wurde Ihnen angeboten.",
    },
    "other_ticket": {
        "en": "You were offered another ticket in the same run.",
        "de": "Ihnen wurde im selben Lauf ein anderes Ticket angeboten.",
    },
    "others_better": {
        "en": "It went to somebody who fitted better: {best} points, you had {own}, a gap of {gap}.",
        "de": (
            "Es ging an jemanden, der besser passte: {best} Punkte, Sie hatten {own}, ein Abstand von {gap}."
        ),
    },
    "others_equal": {
        "en": "It went to somebody with the same points who had been idle longer or had the lower number.",
        "de": (
            "Es ging an jemanden mit gleich vielen Punkten, der länger frei war oder die kleinere Nummer "
            "hatte."
        ),
    },
    "whole_better": {
        "en": (
            "You had {own} points, the person who got it {best}; so divided, all waiting tickets together "
            "were served better."
        ),
        "de": (
            "Sie hatten {own} Punkte, die gewählte Person {best}; so verteilt waren alle wartenden Tickets "
            "zusammen besser bedient."
        ),
    },
    "nobody": {
        "en": "The people who could take it were needed for tickets that go first.",
        "de": "Wer es übernehmen konnte, wurde für Tickets gebraucht, die vorgehen.",
    },
}

# What most speaks against is named by its term; only where the two differ by more than what a reader can see.
_BECAUSE: dict[str, dict[Language, str]] = {
    "fit": {"en": "Mostly because of skill level.", "de": "Vor allem wegen der Stufe der Fähigkeiten."},
    "fairness": {
        "en": "Mostly because they had earned less per online hour lately.",
        "de": "Vor allem, weil die andere Person zuletzt je Online-Stunde weniger verdient hatte.",
    },
    "known": {
        "en": "Mostly because they had helped this customer before.",
        "de": "Vor allem, weil die andere Person hier schon geholfen hatte.",
    },
    "load": {
        "en": "Mostly because they had less open work.",
        "de": "Vor allem, weil die andere Person weniger offene Arbeit hatte.",
    },
    "scarcity": {
        "en": "Mostly because your rare skills were kept free for tickets that need them.",
        "de": "Vor allem, weil Ihre seltenen Fähigkeiten für Tickets frei bleiben sollten, die sie brauchen.",
    },
    "newcomer": {
        "en": "Mostly because they are new, and this ticket was one of those that go to newcomers first.",
        "de": "Vor allem, weil die andere Person neu ist und dieses Ticket zu denen gehörte, die zuerst an Neue gehen.",
    },
    "accept": {
        "en": "Mostly because they were likelier to answer with yes, by recent answers to such topics.",
        "de": "Vor allem, weil ein Ja nach den letzten Antworten zu solchen Themen wahrscheinlicher war.",
    },
}


class _Speaker:
    def __init__(self, language: Language) -> None:
        self.language = language

    def __call__(self, key: str, **values: object) -> str:
        return _SENTENCES[key][self.language].format(**values)

    def decimal(self, value: float) -> str:
        shown = f"{value:.2f}"
        return shown.replace(".", ",") if self.language == "de" else shown


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


def reasons(solution: Solution) -> list[Reason]:
    """The reason of each offer, in the order of ``solution.pairs``."""
    problem = solution.problem
    tickets, agents = problem.tickets, problem.agents
    pairs = list(zip(solution.ticket.tolist(), solution.agent.tolist(), strict=True))
    found = []
    terms = terms_of(problem, pairs, solution.scores.basis)
    idle = agents.idle_seconds
    for (i, j), turn, shares in zip(pairs, solution.round.tolist(), terms, strict=True):
        able = solution.scores.eligible_row(i)
        earlier = (idle > idle[j]) | ((idle == idle[j]) & (agents.id < agents.id[j]))
        found.append(
            Reason(
                terms=shares,
                skills=_skills(problem, i, j),
                language=int(tickets.language[i]),
                overdue=bool(tickets.overdue[i]),
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
    speak = _Speaker(language)
    lines: list[tuple[float, str]] = []

    def say(weight: float, key: str, **values: object) -> None:
        lines.append((weight, speak(key, **values)))

    first = {
        "overdue": reason["overdue"],
        "only": reason["able"] == 1,
        "newcomer": shares.get("newcomer", 0.0) > 0,  # offers from before there were newcomers do not say
        "next_up": reason.get("next_up", False),
        "by_name": reason.get("by_name", False),
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
    if reason["language"] != ANY_LANGUAGE:
        say(0.0, "language", tongue=names.language(reason["language"]))
    if shares["load"] == 0:
        say(0.0, "free")
    if reason["idle_rank"] == 1 and reason["able"] > 1:
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
) -> list[str]:
    """Why this person did not get this ticket; one sentence for each thing that stood in the way.

    Solves the problem again if no solution is given. Never an error: unknown ids are an answer too.
    """
    say = _Speaker(language)
    ticket = np.flatnonzero(problem.tickets.id == ticket_id).tolist()
    agent = np.flatnonzero(problem.agents.id == agent_id).tolist()
    if not ticket:
        return [say("ticket_unknown")]
    if not agent:
        return [say("not_online")]
    i, j = ticket[0], agent[0]
    return _barriers(problem, i, j, say, names or Names()) or _outdone(solution or solve(problem), i, j, say)


def _barriers(problem: Problem, i: int, j: int, say: _Speaker, names: Names) -> list[str]:
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
        found.append(say("excluded"))
    return found


def _outdone(solution: Solution, i: int, j: int, say: _Speaker) -> list[str]:
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
    sums = sum(own[name] for name in ("served", "fit", "fairness", "known", "load", "scarcity"))
    apart = {
        "fit": best["accept"] * (best["fit"] - own["fit"]),
        "fairness": best["accept"] * (best["fairness"] - own["fairness"]),
        "known": best["accept"] * (best["known"] - own["known"]),
        "load": best["accept"] * (best["load"] - own["load"]),
        "scarcity": best["accept"] * (best["scarcity"] - own["scarcity"]),
        "newcomer": best["newcomer"] - own["newcomer"],
        "accept": (best["accept"] - own["accept"]) * sums,
    }
    most = max(apart, key=lambda name: apart[name])
    return [_BECAUSE[most][language]] if apart[most] > VISIBLE else []


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
