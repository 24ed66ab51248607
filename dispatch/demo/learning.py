"""What Later & Co teaches: lessons.txt, put into the database; and people at each step of the way to a first shift."""

from datetime import timedelta
from pathlib import Path

from django.db import transaction

from agents import learning, onboarding
from agents.models import (
    Agent,
    AgentSkill,
    Application,
    Choice,
    LearningUnit,
    Question,
    Quiz,
    Skill,
    User,
)
from dispatch.demo.brand import DOMAIN, PASSWORD
from dispatch.demo.people import ADMIN, NEWCOMERS
from dispatch.demo.practising import practised

LEVELS = {"fraud": 3}  # what passing gives; others 2
DRAW = 3

# Log-in, name, languages, skills named → at which step they are.
APPLICANTS = (
    ("pia", "Pia Lorenzen", ("de",), ("payments",), "unconfirmed"),
    ("quirin", "Quirin Haas", ("de", "en"), ("returns",), "learning"),
    ("runa", "Runa Eide", ("en",), ("payments", "fraud"), "certified"),
    ("tilda", "Tilda Vester", ("en",), ("returns",), "practised"),
    ("sami", "Sami Korhonen", ("en",), ("payments",), "rejected"),
)


def lessons(skills: dict[str, Skill]) -> None:
    """Units and quizzes with their banks, of the skills that lessons.txt names. Inner."""
    text = Path(__file__).with_name("lessons.txt").read_text(encoding="utf-8")
    for block in text.split("\n== ")[1:]:
        key, *lines = block.strip().splitlines()
        skill = skills[key]
        quiz = Quiz.objects.create(skill=skill, draw=DRAW, pass_percent=66, level=LEVELS.get(key, 2))
        unit: LearningUnit | None = None
        question: Question | None = None
        for line in lines:
            mark, _blank, rest = line.partition(" ")
            if mark not in {"--", "?", "??", "+", "-", "="}:
                mark, rest = "", line
            english, _bar, german = (part.strip() for part in rest.partition("|"))
            if mark == "--":
                unit = LearningUnit.objects.create(
                    skill=skill, position=skill.units.count(), title_en=english, title_de=german
                )
            elif mark in {"?", "??"}:
                question = Question.objects.create(
                    quiz=quiz, several=mark == "??", text_en=english, text_de=german
                )
            elif mark in {"+", "-"} and question is not None:
                Choice.objects.create(question=question, text_en=english, text_de=german, right=mark == "+")
            elif mark == "=" and question is not None:
                question.explanation_en, question.explanation_de = english, german
                question.save(update_fields=["explanation_en", "explanation_de"])
            elif english and unit is not None:
                unit.text_en = f"{unit.text_en}\n\n{english}".strip()
                unit.text_de = f"{unit.text_de}\n\n{german}".strip()
                unit.save(update_fields=["text_en", "text_de"])


def applicants(*, past: bool = True) -> None:
    """Somebody at each step, made by the services; does nothing when anybody has applied already. Outermost.

    Without a past nobody has practised: a practice is a ticket that has been.
    """
    admin = User.objects.filter(email=f"{ADMIN[0]}@{DOMAIN}").first()
    if admin is None or Application.objects.exists():
        return
    for login, name, languages, named, step in APPLICANTS:
        filed = onboarding.apply(
            key=f"demo-{login}",
            email=f"{login}@{DOMAIN}",
            name=name.split()[0],
            real_name=name,
            language=languages[0],
            languages=list(languages),
            skills_wished=list(named),
            hours=["weekday_evening", "weekend_day"],
        )
        if step == "unconfirmed":
            continue
        agent = onboarding.confirm(token=onboarding.token_of(filed), password=PASSWORD)
        if step in ("certified", "practised"):
            with transaction.atomic(durable=True):
                learning.certify(agent_id=agent.pk, quiz=Quiz.objects.get(skill__key=named[0]))
        if step == "practised" and past:
            practised(agent)
        if step == "rejected":
            decision = onboarding.reject(
                agent_id=agent.pk, by=admin, reason="At the moment we look for people who write German."
            )
            onboarding.appeal(
                agent_id=agent.pk,
                decision_id=decision.pk,
                text="I have passed the German exam at level B2 in October; I forgot to tick it.",
            )
    # One certificate that is to be renewed, on the page of the newcomer's first agent.
    AgentSkill.objects.filter(
        agent__in=Agent.objects.filter(user__email=NEWCOMERS[0].email), skill__key="payments"
    ).update(certified_until=learning.today() + timedelta(days=12))
