"""The example data: made once, in trials only, with somebody for everybody."""

from io import StringIO
from itertools import product

import pytest
from django.contrib.auth.models import Group
from django.core.management import CommandError, call_command
from django.db.models import Count

from agents import learning
from agents.models import (
    Agent,
    Appeal,
    Application,
    Choice,
    LearningUnit,
    LedgerEntry,
    Pool,
    Question,
    Quiz,
    Shift,
    Skill,
    User,
)
from dispatch import members, routes, tasks
from dispatch.demo.brand import PASSWORD, TOPICS
from dispatch.demo.people import NEWCOMERS
from dispatch.demo.seed import seed
from dispatch.demo.stories import ANSWERS, LANGUAGES, by_opening, stories
from dispatch.models import (
    Misuse,
    Offer,
    Policy,
    Practice,
    PracticePoint,
    PracticeScript,
    Rate,
    Requirement,
    Route,
)
from dispatch.rules.practice import words_of
from tickets.language import detect
from tickets.models import Message, Rating, Ticket, TicketState, Topic
from tickets.redaction import redact


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """No worker is asked; nothing of another test's database is remembered."""
    members.profiles_forget()
    monkeypatch.setattr(tasks, "run_ask", lambda pool_ids: None)


def run(*words: str) -> str:
    out = StringIO()
    call_command("seed_demo", *words, stdout=out)
    return out.getvalue()


def counts() -> dict[str, int]:
    models = (
        User,
        Agent,
        Skill,
        Pool,
        Topic,
        Route,
        Requirement,
        Rate,
        Policy,
        Ticket,
        Message,
        Offer,
        LedgerEntry,
        Shift,
    )
    return {model.__name__: model.objects.count() for model in models}


@pytest.mark.django_db
def test_it_has_the_promised_size() -> None:
    assert seed() is True
    assert (Topic.objects.count(), Skill.objects.count(), Pool.objects.count(), Agent.objects.count()) == (
        12,
        15,
        3,
        40,
    )
    assert Topic.objects.filter(priority=1).count() == 1
    assert Policy.objects.filter(current=True).count() == 3
    assert Route.objects.filter(topic=None).count() == 1
    assert User.objects.filter(is_superuser=True).count() == 1
    lead = User.objects.get(is_staff=True, is_superuser=False)
    assert lead.has_perm("tickets.view_ticket")
    assert not lead.has_perm("tickets.change_ticket")
    assert Group.objects.get(name="Team leads") in lead.groups.all()
    assert not User.objects.exclude(email__endswith=".example").exists()
    assert User.objects.get(email=NEWCOMERS[0].email).check_password(PASSWORD)
    assert {"de", "en"} == {
        code for languages in Agent.objects.values_list("languages", flat=True) for code in languages
    }


@pytest.mark.django_db
def test_somebody_is_there_for_each_topic_in_each_language() -> None:
    seed()
    newcomers = {person.email for person in NEWCOMERS}
    plan = routes.routes()
    topics: list[int | None] = [*Topic.objects.values_list("pk", flat=True), None]
    for topic_id, language in product(topics, LANGUAGES):
        spec = plan.of(topic_id)
        assert spec is not None
        able = [
            agent
            for agent in Agent.objects.filter(
                pools=spec.pool_id, languages__contains=[language]
            ).select_related("user")
            if spec.required.items()
            <= {
                skill: min(level, spec.required.get(skill, 0))
                for skill, level in agent.agent_skills.values_list("skill_id", "level")
            }.items()
        ]
        assert len(able) >= 2, f"{spec.topic_key} in {language}"
        others = [agent for agent in able if agent.user.email not in newcomers]
        assert len(others) >= 2, f"{spec.topic_key} in {language}, without the newcomer's agents"


@pytest.mark.django_db(transaction=True)
def test_again_changes_nothing_and_keeps_what_admins_changed() -> None:
    printed = run()
    before = counts()
    Topic.objects.filter(key="refund").update(name_en="Money back", active=False)
    Rate.objects.filter(topic__key="refund").update(amount_cents=999)
    Requirement.objects.filter(route__topic__key="data").delete()
    anna = User.objects.get(email=NEWCOMERS[0].email)
    anna.set_password("another one")
    anna.save()
    changed = counts()

    assert run() == printed
    assert counts() == changed
    assert before["Requirement"] > changed["Requirement"]
    topic = Topic.objects.get(key="refund")
    assert (topic.name_en, topic.active) == ("Money back", False)
    assert Rate.objects.get(topic=topic).amount_cents == 999
    anna.refresh_from_db()
    assert anna.check_password("another one")


@pytest.mark.django_db(transaction=True)
def test_the_past_is_made_by_the_services() -> None:
    run()
    assert Agent.objects.get(practised_at__isnull=False).name == "Tilda"
    assert Practice.objects.get().passed
    states = dict(Ticket.objects.filter(Ticket.REAL).values_list("state").annotate(Count("pk")))
    assert states[TicketState.WAITING] == 3
    assert states[TicketState.RESOLVED] >= 35
    assert states[TicketState.ASLEEP] == 1
    assert Misuse.objects.filter(settled_at=None).count() == 1
    assert sum(states.values()) == len(stories()) + 1  # and one that is nobody's matter
    assert set(Ticket.objects.values_list("language", flat=True)) == set(LANGUAGES)
    assert Rating.objects.count() >= 20
    # What is paid is what was worked: one line for each completed offer, with what the card said.
    lines = {entry.reference: entry.amount_cents for entry in LedgerEntry.objects.filter(kind="ticket")}
    assert lines == {
        f"offer:{offer.pk}": offer.pay_cents
        for offer in Offer.objects.filter(state="completed", run__isnull=False)
    }
    # Who gets which ticket is the matcher's: it keeps those with rare skills free, so one of the five may have earned nothing.
    earned = LedgerEntry.objects.filter(agent__user__email__in=[person.email for person in NEWCOMERS])
    assert earned.values("agent").distinct().count() >= 1
    assert not Shift.objects.filter(ended_at=None).exists()
    assert not Offer.objects.filter(state__in=Offer.LIVE).exists()


@pytest.mark.django_db
def test_it_refuses_outside_a_trial(settings: pytest.FixtureRequest) -> None:
    settings.TRIAL = False  # type: ignore[attr-defined]
    with pytest.raises(CommandError, match="STANDBY_TRIAL=1"):
        run()
    assert not User.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_the_table_names_everybody_who_may_log_in() -> None:
    printed = run("--no-past")
    for login in ("admin", "lead", *(person.login for person in NEWCOMERS)):
        assert f" {login}@later.example " in printed
    for path in ("/accounts/login/", "/admin/", "/console/"):
        assert path in printed
    assert PASSWORD in printed


def test_the_stories_are_whole() -> None:
    assert len(by_opening()) == len(stories()) >= 40
    for story in stories():
        assert story.topic in {spec.key for spec in TOPICS}
        assert len(story.customer) == len(story.agent) >= 2
        assert 1 <= story.score <= 5
        assert story.agent[0].format(agent="Anna") != story.agent[0]
        assert detect(story.opening) == story.language
        for line in (*story.customer, *story.agent):
            assert redact(line).text == line
    for topic, language in product(TOPICS, LANGUAGES):
        assert [story for story in stories() if (story.topic, story.language) == (topic.key, language)]
    assert set(ANSWERS) == set(LANGUAGES)


@pytest.mark.django_db(transaction=True)
def test_lessons_are_whole_and_somebody_is_at_each_step() -> None:
    printed = run("--no-past")
    assert "applicant, learning" in printed
    assert "applicant, practised" in printed
    for quiz in Quiz.objects.all():
        assert learning.usable(quiz).count() == quiz.questions.count() > quiz.draw
        assert learning.quiz_of(quiz.skill.key) == quiz
    for unit in LearningUnit.objects.all():
        assert unit.text_en
        assert unit.text_de
    for model, fields in ((Question, ("text", "explanation")), (Choice, ("text",))):
        for row in model.objects.all():
            assert all(getattr(row, f"{field}_{code}") for field in fields for code in ("en", "de"))
    assert Application.objects.filter(agent=None).count() == 1
    assert sorted(Application.objects.exclude(agent=None).values_list("agent__status", flat=True)) == [
        "applied",
        "applied",
        "applied",
        "rejected",
    ]
    assert not Practice.objects.exists()
    assert PracticeScript.objects.exclude(topic=None).count() == 2
    for point in PracticePoint.objects.all():
        assert words_of(point.words_en)
        assert words_of(point.words_de)
    assert Appeal.objects.filter(answered_at=None).count() == 1
    lead = User.objects.get(is_staff=True, is_superuser=False)
    assert lead.has_perm("agents.decide")
