"""The clock, the pages and the measures of the assistant: nothing hangs, nothing is quoted unapproved, a bad one pauses."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core import mail
from django.db.models.functions import Now
from django.test import Client
from django.urls import reverse

from agents.models import User
from dispatch import alerts, queue
from dispatch.rules.promise import Happened, waits_of
from dispatch.runs import match_pool
from tests.cast import World
from tests.tickets.assistant.scenes import ASKED, assisted, opened, switch_on
from tests.untouched import nothing_changed
from tickets import kept, stream
from tickets.access import token_of
from tickets.articles import article_approve, article_save
from tickets.assistant import measures, turns
from tickets.errors import ArticleChanged, NothingToJudge
from tickets.lifecycle import ticket_close, ticket_rate, ticket_reopen, ticket_request_human
from tickets.models import Article, ArticleVersion, AssistantAnswer, Message, Ticket, Topic

pytestmark = pytest.mark.django_db


def late(ticket: Ticket) -> None:
    Ticket.objects.filter(pk=ticket.pk).update(assist_due_at=Now() - timedelta(seconds=1))


def test_off_by_default_nothing_is_different(world: World) -> None:
    ticket = world.ticket()
    assert (ticket.state, ticket.events.get(seq=1).data["assisted"]) == ("waiting", False)


def test_an_assisted_ticket_is_in_no_queue(world: World, invariants_hold: Callable[[], None]) -> None:
    switch_on(world)
    ticket = opened(world)
    assert (ticket.state, ticket.events.get(seq=1).data["assisted"]) == ("assisted", True)
    assert queue.pools_due() == set()
    world.agent("Anna")
    match_pool(world.pool.pk)
    queue.places_write()
    ticket.refresh_from_db()
    assert (ticket.state, ticket.place) == ("assisted", None)
    invariants_hold()


def test_what_is_not_answered_in_time_goes_to_a_person(
    world: World, invariants_hold: Callable[[], None]
) -> None:
    switch_on(world)
    ticket = opened(world)
    with nothing_changed():
        turns.overdue(ticket_id=ticket.pk)
    late(ticket)
    turns.due_look()
    ticket.refresh_from_db()
    assert (ticket.state, ticket.handover) == ("waiting", "late")
    with nothing_changed():
        turns.due_look()
    invariants_hold()


def test_a_lost_task_is_asked_for_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    switch_on(world)
    ticket = opened(world)
    asked: list[int] = []
    monkeypatch.setattr(turns, "tell_answer_wanted", asked.append)
    turns.due_look()
    assert asked == []
    Ticket.objects.update(assist_due_at=Now() + timedelta(seconds=7))
    turns.due_look()
    assert asked == [ticket.pk]


def test_a_customer_who_says_nothing_more_is_let_go_and_a_no_is_not(world: World) -> None:
    ticket = assisted(world)
    late(ticket)
    turns.due_look()
    ticket.refresh_from_db()
    assert (ticket.state, AssistantAnswer.objects.get().helped) == ("resolved", None)
    Topic.objects.update(assistant_answers=2)
    other = assisted(world)
    turns.answer_judge(ticket=Ticket.objects.select_related("topic").get(pk=other.pk), helped=False)
    late(other)
    turns.due_look()
    other.refresh_from_db()
    assert (other.state, other.handover) == ("waiting", "not_helped")


def test_who_was_helped_can_rate_and_come_back_to_a_person(world: World) -> None:
    ticket = assisted(world)
    turns.answer_judge(ticket=ticket, helped=True, key="k")
    turns.answer_judge(ticket=ticket, helped=True, key="k")
    ticket_rate(ticket=ticket, score=5, solved=True)
    ticket_reopen(ticket=ticket, body=ASKED)
    ticket.refresh_from_db()
    assert ticket.state == "waiting"
    with nothing_changed():
        assert turns.answer(ticket_id=ticket.pk) is None
        with pytest.raises(NothingToJudge):
            turns.answer_judge(ticket=ticket, helped=True)


def test_the_promise_counts_from_the_handover(world: World) -> None:
    ticket = assisted(world)
    ticket_request_human(ticket=ticket)
    timeline = [
        Happened(event.type, event.created_at.timestamp(), None, event.data.get("assisted", False))
        for event in ticket.events.order_by("seq")
    ]
    [wait] = waits_of(timeline)
    assert wait.began == ticket.events.get(type="ticket.human_requested").created_at.timestamp()


def test_the_page_says_that_it_is_a_machine_and_asks_for_a_word(world: World) -> None:
    ticket = assisted(world)
    browser = Client()
    browser.cookies[f"t-{ticket.public_id}"] = token_of(ticket)
    page = browser.get(f"/t/{ticket.public_id}/").content.decode()
    assert page.count("Did that help?") == 2  # in the message, and above the buttons
    assert "Our assistant tries first" in page
    assert "Talk to a person</button>" in page
    assert "Assistant (machine)" in browser.get(f"/t/{ticket.public_id}/transcript").content.decode()
    done = browser.post(f"/t/{ticket.public_id}/answer", {"helped": "perhaps"})
    assert done.status_code == 400
    assert browser.post(f"/t/{ticket.public_id}/answer", {"helped": "yes"}).status_code == 303
    ticket.refresh_from_db()
    assert ticket.state == "resolved"
    frames = stream.frames_after(ticket.pk, ticket.stream, 0, staff=False) or []
    assert [frame["data"]["author_name"] for frame in frames if frame["data"].get("author") == "system"] == [
        "Assistant (machine)"
    ]


def test_articles_are_drafts_until_somebody_approves_just_this_text(world: World, client: Client) -> None:
    boss = User.objects.create_superuser("boss@standby.example", "secret")
    client.force_login(boss)
    article = switch_on(world)
    address = reverse("article", args=[article.slug])
    assert "three to five days" in Client().get(address).content.decode()
    assert article.title in Client().get(reverse("articles")).content.decode()
    article.refresh_from_db()
    article.body = "It takes ten days."
    article_save(article, user_id=boss.pk)
    article.refresh_from_db()
    assert (article.state, article.version, article.approved_at) == ("draft", 2, None)
    assert Client().get(address).status_code == 404
    with nothing_changed(), pytest.raises(ArticleChanged):
        article_approve(article_id=article.pk, version=1, user_id=boss.pk)
    ticket = opened(world)
    turns.answer(ticket_id=ticket.pk)
    ticket.refresh_from_db()
    assert (ticket.state, ticket.handover) == ("waiting", "unsure")
    client.post(
        reverse("admin:tickets_article_changelist"), {"action": "approve", "_selected_action": [article.pk]}
    )
    article.refresh_from_db()
    assert (article.state, article.approved_by) == ("approved", boss)
    assert [(one.version, one.approved_by) for one in ArticleVersion.objects.order_by("version")] == [
        (1, None),
        (2, boss),
    ]


def test_measures_and_a_pause(world: World, client: Client, mailoutbox: list[mail.EmailMessage]) -> None:
    User.objects.create_superuser("boss@standby.example", "secret")
    helped, regretted, again = assisted(world), assisted(world), assisted(world)
    ticket_close(ticket=assisted(world))
    for ticket in (helped, again):
        turns.answer_judge(ticket=ticket, helped=True)
    ticket_request_human(ticket=regretted)
    ticket_reopen(ticket=again)
    [tally] = measures.counted().values()
    assert tally == measures.Tally(had=4, answered=4, known=3, confirmed=1, reopened=1, regretted=1)
    assert measures.pause_look() == []

    article = Article.objects.get()
    for _ in range(measures.FEWEST):
        ticket = world.ticket()
        Ticket.objects.filter(pk=ticket.pk).update(state="waiting", assist_due_at=None, handover="not_helped")
        AssistantAnswer.objects.create(
            ticket=ticket, seq=3, article=article, version=1, score=0.99, target=0.95, helped=False
        )
    assert measures.pause_look() == ["refund"]
    assert measures.pause_look() == []
    kept.forget()
    assert world.ticket().state == "waiting"
    alerts.waiting_refresh()
    for alert_id in alerts.due():
        alerts.alert_mail(alert_id=alert_id)
    assert ["paused itself" in one.subject for one in mailoutbox] == [True]
    boss = User.objects.get()
    client.force_login(boss)
    page = client.get(reverse("lead_assistant")).content.decode()
    assert "paused itself" in page
    client.post(
        reverse("admin:tickets_topic_changelist"),
        {"action": "assistant_resume", "_selected_action": [world.refund.pk]},
    )
    kept.forget()
    assert world.ticket().state == "assisted"
    assert measures.pause_look() == []  # what was before is not held against it again


def test_a_note_is_for_the_person_alone(world: World) -> None:
    ticket = assisted(world)
    ticket_request_human(ticket=ticket)
    note = Message.objects.get(ticket=ticket, internal=True)
    assert ASKED in note.body
    assert "How long a refund takes" in note.body
    assert note.seq not in [
        frame["seq"] for frame in stream.frames_after(ticket.pk, "t", 0, staff=False) or []
    ]
