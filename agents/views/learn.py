"""Learning a skill and showing it: units, quiz, result. The page holds no state, so nothing can be lost or repeated with it."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from agents import learning
from agents.errors import NothingChosen
from agents.models import Agent, AgentSkill, AgentStatus, Attempt, LearningUnit, Skill
from agents.views.people import Page, agent_page
from agents.views.work import INVALID, SeeOther


def learner_page(view: Page) -> Page:
    """As agent_page, for all but those who are not admitted: applicants learn, and agents renew."""

    @never_cache
    @agent_page
    def page(request: HttpRequest, agent: Agent, **names: str) -> HttpResponse:
        if agent.status == AgentStatus.REJECTED:
            return redirect("journey")
        return view(request, agent, **names)  # type: ignore[return-value]

    return page


@require_safe
@learner_page
def skill(request: HttpRequest, agent: Agent, key: str) -> HttpResponse:
    """What there is to read, what the quiz is like, and the way in."""
    found = get_object_or_404(Skill, key=key)
    quiz = learning.quiz_of(key)
    context = {
        "agent": agent,
        "skill": found,
        "quiz": quiz,
        "units": list(LearningUnit.objects.filter(skill=found, active=True)),
        "has": AgentSkill.objects.filter(agent=agent, skill=found).first(),
        "today": learning.today(),
        "open": learning.attempt_open(agent_id=agent.pk, quiz=quiz),
        "left": learning.attempts_left(agent.pk, quiz),
        "latest": Attempt.objects.filter(agent=agent, quiz=quiz, finished_at__isnull=False).first(),
    }
    return render(request, "agents/skill.html", context)


@require_POST
@learner_page
def start(request: HttpRequest, agent: Agent, key: str) -> HttpResponse:  # noqa: ARG001
    """Begin an attempt, or go on with the open one."""
    learning.attempt_start(agent_id=agent.pk, quiz=learning.quiz_of(key))
    return SeeOther(reverse("quiz", args=[key]))


@require_safe
@learner_page
def quiz(request: HttpRequest, agent: Agent, key: str) -> HttpResponse:
    """The question that is to be answered now, whatever this tab showed before."""
    return _question(request, agent, key)


def _question(
    request: HttpRequest, agent: Agent, key: str, *, problem: str = "", status: int = 200
) -> HttpResponse:
    found = learning.quiz_of(key)
    attempt = learning.attempt_open(agent_id=agent.pk, quiz=found)
    asked = learning.asked_now(attempt) if attempt is not None else None
    if attempt is None or asked is None:
        return redirect("learn", key=key)
    context = {"agent": agent, "quiz": found, "attempt": attempt, "asked": asked, "problem": problem}
    return render(request, "agents/quiz.html", context, status=status)


@require_POST
@learner_page
def answer(request: HttpRequest, agent: Agent, key: str) -> HttpResponse:
    """Answer a question; then the next one, or the result."""
    attempt_id, position = _number(request.POST.get("attempt")), _number(request.POST.get("position"))
    chosen = [_number(value) for value in request.POST.getlist("choice")]
    try:
        attempt = learning.answer_give(
            agent_id=agent.pk, attempt_id=attempt_id, position=position, chosen=chosen
        )
    except NothingChosen as refusal:
        return _question(request, agent, key, problem=str(refusal.detail), status=INVALID)
    if attempt.finished_at is not None:
        return SeeOther(reverse("quiz_result", args=[attempt.quiz.skill.key, attempt.pk]))
    return SeeOther(reverse("quiz", args=[attempt.quiz.skill.key]))


def _number(text: str | None) -> int:
    """A row's number; 0 for anything else."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 19 else 0


@require_safe
@learner_page
def result(request: HttpRequest, agent: Agent, key: str, attempt_id: int) -> HttpResponse:
    """A finished attempt of one's own: what was right, and why."""
    attempt = (
        Attempt.objects.select_related("quiz__skill")
        .filter(pk=attempt_id, agent=agent, quiz__skill__key=key, finished_at__isnull=False)
        .first()
    )
    if attempt is None:
        raise Http404
    lines = []
    for given in attempt.answers.select_related("question").order_by("position"):
        chosen = set(given.chosen or [])
        choices = [
            {"choice": choice, "chosen": choice.pk in chosen} for choice in learning.choices_in_order(given)
        ]
        lines.append({"answer": given, "question": given.question, "choices": choices})
    context = {
        "agent": agent,
        "attempt": attempt,
        "quiz": attempt.quiz,
        "lines": lines,
        "has": AgentSkill.objects.filter(agent=agent, skill=attempt.quiz.skill).first(),
        "left": learning.attempts_left(agent.pk, attempt.quiz),
    }
    return render(request, "agents/result.html", context)
