"""Quizzes: drawn, answered, judged and certified by the server alone."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client

from agents import learning
from agents.errors import NoAttemptLeft, NoQuiz, NothingChosen
from agents.models import (
    Agent,
    AgentSkill,
    AgentStatus,
    Answer,
    Attempt,
    Choice,
    LearningUnit,
    Question,
    Quiz,
)
from tests.cast import World
from tests.untouched import nothing_changed

pytestmark = pytest.mark.django_db


def bank(world: World, count: int = 6, **settings: Any) -> Quiz:
    """A quiz of "payments": each question has “right” and two wrong ones; every third wants two right ones."""
    fields: dict[str, Any] = {
        "draw": 3,
        "pass_percent": 60,
        "attempts_a_day": 2,
        "level": 2,
        "valid_days": 90,
    }
    quiz = Quiz.objects.create(skill=world.payments, **(fields | settings))
    for number in range(count):
        several = number % 3 == 2
        question = Question.objects.create(
            quiz=quiz,
            several=several,
            text_en=f"Question {number}?",
            text_de=f"Frage {number}?",
            explanation_en=f"Because {number}.",
        )
        for text, right in (("right", True), ("also right", several), ("wrong", False), ("worse", False)):
            Choice.objects.create(question=question, text_en=text, text_de=text, right=right)
    LearningUnit.objects.create(
        skill=world.payments, title_en="Paying", title_de="Zahlen", text_en="One.\n\nTwo.", text_de="Eins."
    )
    return quiz


def answer(attempt: Attempt, position: int, *, right: bool) -> Attempt:
    given = attempt.answers.get(position=position)
    chosen = list(given.question.choices.filter(right=True).values_list("pk", flat=True))
    if not right:
        chosen = list(given.question.choices.filter(text_en="wrong").values_list("pk", flat=True))
    return learning.answer_give(
        agent_id=attempt.agent_id, attempt_id=attempt.pk, position=position, chosen=chosen
    )


@pytest.fixture
def nina(world: World) -> Agent:
    agent = world.agent("Nina", payments=0, cards=0)
    Agent.objects.filter(pk=agent.pk).update(status=AgentStatus.APPLIED)
    agent.refresh_from_db()
    return agent


@pytest.fixture
def page(nina: Agent, client: Client) -> Client:
    client.force_login(nina.user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_passing_certifies(world: World, nina: Agent) -> None:
    quiz = bank(world)
    attempt = learning.attempt_start(agent_id=nina.pk, quiz=quiz)
    assert [given.position for given in attempt.answers.all()] == [1, 2, 3]
    version = Agent.objects.get(pk=nina.pk).profile_version
    answer(attempt, 1, right=True)
    answer(attempt, 2, right=False)
    assert not AgentSkill.objects.exists()
    done = answer(attempt, 3, right=True)
    assert (done.passed, done.right, done.asked) == (True, 2, 3)  # 66 % of 60 %
    has = AgentSkill.objects.get()
    assert (has.level, has.certified_until) == (2, learning.today() + timedelta(days=90))
    assert Agent.objects.get(pk=nina.pk).profile_version > version  # the matcher reads it anew
    assert Agent.objects.get(pk=nina.pk).status == AgentStatus.APPLIED  # learning admits nobody


def test_failing_gives_nothing(world: World, nina: Agent) -> None:
    attempt = learning.attempt_start(agent_id=nina.pk, quiz=bank(world))
    for position in (1, 2, 3):
        done = answer(attempt, position, right=position == 1)
    assert (done.passed, done.right) == (False, 1)
    assert not AgentSkill.objects.exists()


def test_a_level_only_rises_and_a_longer_certificate_stays(world: World, nina: Agent) -> None:
    quiz = bank(world)
    later = learning.today() + timedelta(days=900)
    AgentSkill.objects.create(agent=nina, skill=world.payments, level=4, certified_until=later)
    has = learning.certify(agent_id=nina.pk, quiz=quiz)
    assert (has.level, has.certified_until) == (4, later)


def test_an_answer_counts_once(world: World, nina: Agent) -> None:
    attempt = learning.attempt_start(agent_id=nina.pk, quiz=bank(world))
    answer(attempt, 1, right=False)
    with nothing_changed():
        answer(attempt, 1, right=True)  # the back button
    assert Answer.objects.get(attempt=attempt, position=1).right is False
    answer(attempt, 2, right=True)
    answer(attempt, 3, right=True)
    with nothing_changed():
        answer(attempt, 2, right=False)  # finished


def test_a_second_tab_goes_on_with_the_same_attempt(world: World, nina: Agent) -> None:
    quiz = bank(world)
    first = learning.attempt_start(agent_id=nina.pk, quiz=quiz)
    with nothing_changed():
        assert learning.attempt_start(agent_id=nina.pk, quiz=quiz) == first
    with pytest.raises(IntegrityError), transaction.atomic():
        Attempt.objects.create(agent=nina, quiz=quiz, pass_percent=60, asked=3)


def test_attempts_end_and_come_back_after_a_day(world: World, nina: Agent) -> None:
    quiz = bank(world)
    for _ in range(2):
        attempt = learning.attempt_start(agent_id=nina.pk, quiz=quiz)
        for position in (1, 2, 3):
            answer(attempt, position, right=False)
    with nothing_changed(), pytest.raises(NoAttemptLeft):
        learning.attempt_start(agent_id=nina.pk, quiz=quiz)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE agents_attempt SET started_at = started_at - interval '25 hours'")
    assert learning.attempt_start(agent_id=nina.pk, quiz=quiz).finished_at is None


def test_what_comes_after_the_time_does_not_count(world: World, nina: Agent) -> None:
    quiz = bank(world, minutes=5)
    attempt = learning.attempt_start(agent_id=nina.pk, quiz=quiz)
    assert attempt.ends_at is not None
    answer(attempt, 1, right=True)
    answer(attempt, 2, right=True)
    Attempt.objects.update(ends_at="2026-01-01T00:00Z")
    done = answer(attempt, 3, right=True)
    assert (done.right, done.passed) == (2, True)  # judged by what came in time
    assert Answer.objects.get(attempt=attempt, position=3).chosen is None
    again = learning.attempt_start(agent_id=nina.pk, quiz=quiz)
    Attempt.objects.filter(pk=again.pk).update(ends_at="2026-01-01T00:00Z")
    assert learning.attempt_open(agent_id=nina.pk, quiz=quiz) is None
    assert Attempt.objects.get(pk=again.pk).passed is False


def test_others_attempts_and_foreign_choices_are_refused(world: World, nina: Agent) -> None:
    attempt = learning.attempt_start(agent_id=nina.pk, quiz=bank(world))
    other = world.agent("Otto")
    first = attempt.answers.get(position=1)
    foreign = Choice.objects.exclude(pk__in=first.order).first()
    assert foreign is not None
    with nothing_changed():
        with pytest.raises(NoQuiz):
            learning.answer_give(
                agent_id=other.pk, attempt_id=attempt.pk, position=1, chosen=[first.order[0]]
            )
        for chosen in ([], [foreign.pk]):
            with pytest.raises(NothingChosen):
                learning.answer_give(agent_id=nina.pk, attempt_id=attempt.pk, position=1, chosen=chosen)


def test_a_bank_that_is_too_small_is_no_quiz(world: World, nina: Agent) -> None:
    quiz = bank(world, 3)
    broken = Question.objects.first()
    assert broken is not None
    broken.choices.update(right=False)  # nothing is right: it is not asked
    with pytest.raises(NoQuiz):
        learning.quiz_of("payments")
    with nothing_changed(), pytest.raises(NoQuiz):
        learning.attempt_start(agent_id=nina.pk, quiz=quiz)


def test_the_pages(world: World, nina: Agent, page: Client) -> None:
    bank(world)
    assert "Payments" in page.get("/learn/").content.decode()
    assert "<p>Two.</p>" in page.get("/learn/payments/").content.decode()
    assert page.get("/learn/payments/quiz")["Location"] == "/learn/payments/"  # nothing is begun
    assert page.get("/learn/cards/").status_code == 404
    page.post("/learn/payments/start")
    seen = []
    for number in (1, 2, 3):
        shown = page.get("/learn/payments/quiz").content.decode()
        assert "Because" not in shown  # no explanation before the answer
        assert not re.search(r"right\"|data-|checked", re.sub(r"data-once", "", shown))
        assert f"Question {number} of 3" in shown
        assert page.get("/learn/payments/quiz").status_code == 200  # reload
        attempt = re.search(r'name="attempt" value="(\d+)"', shown)
        assert attempt
        sent: dict[str, Any] = {"attempt": attempt[1], "position": number}
        empty = page.post("/learn/payments/answer", sent)
        assert empty.status_code == 422
        assert "Please choose an answer." in empty.content.decode()
        given = Answer.objects.get(attempt=attempt[1], position=number)
        sent["choice"] = list(given.question.choices.filter(right=True).values_list("pk", flat=True))
        last = page.post("/learn/payments/answer", sent)
        assert last.status_code == 303
        seen.append(given.question_id)
    assert len(set(seen)) == 3
    result = page.get(last["Location"]).content.decode()
    assert "Passed" in result
    assert "Because" in result
    assert "certified until" in result
    others = Client()
    others.force_login(world.agent("Otto").user, backend="django.contrib.auth.backends.ModelBackend")
    assert others.get(last["Location"]).status_code == 404


def test_a_certificate_that_ends_soon_is_said(world: World, nina: Agent, page: Client) -> None:
    bank(world)
    has = AgentSkill.objects.create(
        agent=nina, skill=world.payments, level=2, certified_until=learning.today() + timedelta(days=30)
    )
    assert "Your certificate for Payments ends on" in page.get("/learn/").content.decode()
    AgentSkill.objects.filter(pk=has.pk).update(certified_until=learning.today() + timedelta(days=31))
    assert "Your certificate for Payments" not in page.get("/learn/").content.decode()
    AgentSkill.objects.filter(pk=has.pk).update(certified_until=learning.today() - timedelta(days=1))
    assert "Your certificate for Payments ended on" in page.get("/learn/").content.decode()


PAGES = ("/learn/", "/learn/payments/", "/learn/payments/quiz", "/learn/payments/results/1")
POSTS = ("/learn/appeals/1", "/learn/payments/start", "/learn/payments/answer")


def test_strangers_and_staff_see_none_of_it(world: World, django_user_model: Any) -> None:
    bank(world)
    stranger, staff, customer = Client(), Client(), Client()
    staff.force_login(
        django_user_model.objects.create_superuser("boss@standby.example", "x"),
        backend="django.contrib.auth.backends.ModelBackend",
    )
    customer.force_login(
        django_user_model.objects.create_user("plain@standby.example", "x"),
        backend="django.contrib.auth.backends.ModelBackend",
    )
    with nothing_changed():
        for ask, paths in (("get", PAGES), ("post", POSTS)):
            for path in paths:
                answer = getattr(stranger, ask)(path)
                assert answer.status_code == 302, path
                assert answer["Location"].startswith("/accounts/login/")
                assert getattr(staff, ask)(path)["Location"] == "/admin/"
                assert getattr(customer, ask)(path).status_code == 403
