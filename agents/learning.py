"""Quizzes: draw, answer, judge, certify. All state is in the rows of the attempt; what is right never leaves the server
before the answer is given.
"""

import random
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Now

from agents.errors import NoAttemptLeft, NoQuiz, NothingChosen
from agents.models import Agent, AgentSkill, AgentStatus, Answer, Attempt, Choice, Question, Quiz

REMIND = timedelta(days=30)  # before a certificate ends
_draw = random.SystemRandom()


def quiz_of(skill_key: str) -> Quiz:
    """The quiz of a skill that can be taken. Raises NoQuiz: not there, not active, or with too few questions. Two queries."""
    found = Quiz.objects.select_related("skill").filter(skill__key=skill_key, active=True).first()
    if found is None or usable(found).count() < found.draw:
        raise NoQuiz
    return found


def usable(quiz: Quiz) -> QuerySet[Question]:
    """Questions that can be asked: active, two choices at least, and as many right ones as their kind wants."""
    rights = Count("choices", filter=Q(choices__right=True), distinct=True)
    return (
        Question.objects.filter(quiz=quiz, active=True)
        .annotate(rights=rights, all_choices=Count("choices", distinct=True))
        .filter(Q(several=True, rights__gte=1) | Q(several=False, rights=1), all_choices__gte=2)
    )


def attempt_open(*, agent_id: int, quiz: Quiz) -> Attempt | None:
    """The attempt that goes on; one whose time is up is finished by this. Outermost."""
    found = Attempt.objects.filter(agent_id=agent_id, quiz=quiz, finished_at__isnull=True).first()
    if found is None or found.ends_at is None:
        return found
    with transaction.atomic(durable=True):
        found = _locked(agent_id, found.pk)
        return None if found is None or found.finished_at or _finish_if_late(found) else found


def _locked(agent_id: int, attempt_id: int) -> Attempt | None:
    """This agent's attempt, locked; the agent's row first, always: certifying writes it too (a trigger)."""
    Agent.objects.select_for_update(of=("self",), no_key=True).get(pk=agent_id)
    locked = Attempt.objects.select_for_update(of=("self",)).select_related("quiz__skill")
    return locked.filter(pk=attempt_id, agent_id=agent_id).first()


def attempt_start(*, agent_id: int, quiz: Quiz) -> Attempt:
    """Draw the questions of a new attempt; the open one if there is one. Outermost. Raises NoAttemptLeft, NoQuiz."""
    with transaction.atomic(durable=True):
        # Two tabs start at once: the second waits here, and finds the first's attempt.
        Agent.objects.select_for_update(of=("self",), no_key=True).get(pk=agent_id)
        found = Attempt.objects.filter(agent_id=agent_id, quiz=quiz, finished_at__isnull=True).first()
        if found is not None and not _finish_if_late(found):
            return found
        if attempts_left(agent_id, quiz) <= 0:
            raise NoAttemptLeft
        questions = list(usable(quiz).prefetch_related("choices"))
        if len(questions) < quiz.draw:
            raise NoQuiz
        ends = Now() + timedelta(minutes=quiz.minutes) if quiz.minutes else None
        attempt = Attempt.objects.create(
            agent_id=agent_id, quiz=quiz, pass_percent=quiz.pass_percent, asked=quiz.draw, ends_at=ends
        )
        for position, question in enumerate(_draw.sample(questions, quiz.draw), start=1):
            order = [choice.pk for choice in question.choices.all()]
            _draw.shuffle(order)
            Answer.objects.create(attempt=attempt, position=position, question=question, order=order)
    attempt.refresh_from_db()
    return attempt


def attempts_left(agent_id: int, quiz: Quiz) -> int:
    """How many may be started now: the allowed ones less those of the last 24 hours, by the database's clock. One query."""
    lately = Attempt.objects.filter(agent_id=agent_id, quiz=quiz, started_at__gt=Now() - timedelta(days=1))
    return quiz.attempts_a_day - lately.count()


@dataclass(frozen=True)
class Asked:
    """A question as it is shown: without what is right."""

    position: int
    of: int
    question: Question
    choices: list[Choice]


def asked_now(attempt: Attempt) -> Asked | None:
    """The first question without an answer; None when there is none left. Two queries."""
    answer = (
        attempt.answers.filter(chosen__isnull=True).select_related("question").order_by("position").first()
    )
    if answer is None:
        return None
    return Asked(answer.position, attempt.asked, answer.question, choices_in_order(answer))


def choices_in_order(answer: Answer) -> list[Choice]:
    """The choices as this attempt shows them. One query."""
    found = Choice.objects.in_bulk(answer.order)
    return [found[pk] for pk in answer.order if pk in found]


def answer_give(*, agent_id: int, attempt_id: int, position: int, chosen: Iterable[int]) -> Attempt:
    """Answer a question of one's own open attempt; the last answer finishes it. Outermost.

    An answer counts once: given again (a reload, the back button, a second tab) it changes nothing. After the time it does
    not count. Raises NoQuiz for an attempt that is not theirs, NothingChosen.
    """
    with transaction.atomic(durable=True):
        attempt = _locked(agent_id, attempt_id)
        if attempt is None:
            raise NoQuiz
        if attempt.finished_at is not None or _finish_if_late(attempt):
            return attempt
        answer = attempt.answers.select_related("question").filter(position=position).first()
        if answer is None:
            raise NoQuiz
        if answer.chosen is not None:
            return attempt
        picked = sorted(set(chosen) & set(answer.order))
        if not picked or (not answer.question.several and len(picked) != 1):
            raise NothingChosen
        right = sorted(answer.question.choices.filter(right=True).values_list("pk", flat=True))
        Answer.objects.filter(pk=answer.pk).update(chosen=picked, right=picked == right)
        if not attempt.answers.filter(chosen__isnull=True).exists():
            _finish(attempt)
    return attempt


def _finish_if_late(attempt: Attempt) -> bool:
    if attempt.ends_at is None:
        return False
    if not Attempt.objects.filter(pk=attempt.pk, ends_at__lte=Now()).exists():
        return False
    _finish(attempt)
    return True


def _finish(attempt: Attempt) -> None:
    """Judge a locked, open attempt; what was not answered is not right. Whoever passes is certified."""
    right = attempt.answers.filter(right=True).count()
    passed = 100 * right >= attempt.pass_percent * attempt.asked
    Attempt.objects.filter(pk=attempt.pk).update(finished_at=Now(), right=right, passed=passed)
    attempt.refresh_from_db(fields=["finished_at", "right", "passed"])
    if passed:
        certify(agent_id=attempt.agent_id, quiz=attempt.quiz)


def certify(*, agent_id: int, quiz: Quiz) -> AgentSkill:
    """Give the skill: the quiz's level or the higher one there is, certified from today on for so many days. Inner.

    A certificate that is valid for longer stays so. A rise of the profile's version tells the matcher (a trigger).
    """
    until = today() + timedelta(days=quiz.valid_days)
    has, _made = AgentSkill.objects.select_for_update().get_or_create(
        agent_id=agent_id, skill_id=quiz.skill_id, defaults={"level": quiz.level}
    )
    has.level = max(has.level, quiz.level)
    has.certified_until = max(filter(None, (has.certified_until, until)))
    has.save(update_fields=["level", "certified_until"])
    return has


def may_practise(agent: Agent) -> bool:
    """Whether they may practise: who works here, and applicants from their first certificate on. Two queries at most."""
    if agent.status == AgentStatus.APPLIED:
        return AgentSkill.objects.filter(agent=agent, certified_until__gte=today()).exists()
    return agent.status == AgentStatus.ADMITTED


def today() -> date:
    """The day in TIME_ZONE, by the database's clock: the one that ends certificates (dispatch/members.py)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT (statement_timestamp() AT TIME ZONE %s)::date", [settings.TIME_ZONE])
        found: date = cursor.fetchone()[0]
    return found


@dataclass(frozen=True)
class Course:
    """A skill that can be learned, as its agent's page shows it."""

    quiz: Quiz
    units: int
    has: AgentSkill | None
    state: str  # none, certified, ends_soon, expired
    open_attempt: bool
    wished: bool

    @property
    def done(self) -> bool:
        return self.state in ("certified", "ends_soon")


def courses(agent: Agent, wished: Iterable[str] = ()) -> list[Course]:
    """All skills with an active quiz, those the agent named first. Three queries."""
    now = today()
    named = set(wished)
    has = {one.skill_id: one for one in AgentSkill.objects.filter(agent=agent)}
    open_now = set(
        Attempt.objects.filter(agent=agent, finished_at__isnull=True).values_list("quiz_id", flat=True)
    )
    quizzes = (
        Quiz.objects.filter(active=True)
        .select_related("skill")
        .annotate(unit_count=Count("skill__units", filter=Q(skill__units__active=True)))
    )
    found = [
        Course(
            quiz=quiz,
            units=quiz.unit_count,
            has=has.get(quiz.skill_id),
            state=_state(has.get(quiz.skill_id), now),
            open_attempt=quiz.pk in open_now,
            wished=quiz.skill.key in named,
        )
        for quiz in quizzes
    ]
    return sorted(found, key=lambda course: (not course.wished, course.quiz.skill.name))


def _state(has: AgentSkill | None, now: date) -> str:
    if has is None or has.certified_until is None:
        return "none"
    if has.certified_until < now:
        return "expired"
    return "ends_soon" if has.certified_until - REMIND <= now else "certified"
