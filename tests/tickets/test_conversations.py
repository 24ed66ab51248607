"""Scripted conversations in English and German (conversations.txt): what the assistant does at each step, and why."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from django.conf import settings

from tests.tickets.assistant.conftest import help_desk, written
from tickets import timeline
from tickets.assistant import turns
from tickets.assistant.words import SAYS
from tickets.attachments import inspect
from tickets.conversation import customer_reply
from tickets.intake import ticket_open
from tickets.lifecycle import ticket_hold, ticket_request_human
from tickets.models import Article, AssistantAnswer, Author, Channel, Message, Ticket, Topic

assert written
assert help_desk

SCRIPTS = Path(__file__).with_name("conversations.txt").read_text(encoding="utf-8")


class Script(NamedTuple):
    language: str
    topic: str
    steps: list[tuple[str, str]]  # (sign, words)


def scripts() -> Iterator[Script]:
    for block in re.split(r"\n\s*\n", SCRIPTS):
        lines = [line for line in block.splitlines() if line and not line.startswith("#")]
        if lines:
            language, topic = lines[0].split()
            yield Script(language, topic, [(line[0], line[2:]) for line in lines[1:]])


ALL = list(scripts())


def test_there_are_enough_of_each_kind() -> None:
    ends = [step[1] for script in ALL for step in script.steps if step[0] == "="]
    assert len(ALL) >= 60
    for language in ("en", "de"):
        asks = [
            s
            for s in ALL
            if s.language == language and s.steps[-1] == ("=", "person person") and len(s.steps) == 2
        ]
        assert len(asks) >= 10
    for why in (
        "fraud",
        "emotion",
        "hardship",
        "trick",
        "unsure",
        "repeats",
        "not_helped",
        "long",
        "file",
        "language",
    ):
        assert f"person {why}" in ends


@pytest.mark.usefixtures("help_desk")
@pytest.mark.parametrize("script", ALL, ids=lambda one: f"{one.language}-{one.steps[0][1][:40]}")
def test_conversation(script: Script, invariants_hold: Callable[[], None]) -> None:
    play = Play(script)
    for sign, words in script.steps:
        play.step(sign, words)
    if ("@", "agent") not in script.steps:  # who is an agent without an offer here
        invariants_hold()


class Play:
    """One script, by the same services as the pages; the assistant's task is done by hand after each step of the customer."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.ticket: Ticket | None = None
        self.next: set[str] = set()
        self.said = 0  # messages of the assistant so far
        self.state = ""  # before the last step

    def step(self, sign: str, words: str) -> None:
        if sign == "@":
            self._happens(words)
        elif sign == "=":
            self._check(words)
        else:
            self.state = self.ticket.state if self.ticket else ""
            self._write(words) if sign == ">" else self._press(words)
            assert self.ticket is not None
            turns.answer(ticket_id=self.ticket.pk)
            assert turns.answer(ticket_id=self.ticket.pk) is None  # again changes nothing
            self.ticket = Ticket.objects.select_related("customer", "topic").get(pk=self.ticket.pk)

    def _happens(self, words: str) -> None:
        if words == "agent":
            assert self.ticket is not None
            with timeline.command():
                ticket_hold(ticket_id=self.ticket.pk, agent_name="Anna", actor_id=None)  # type: ignore[arg-type]
            self.ticket.refresh_from_db()
        self.next.add(words)

    def _write(self, words: str) -> None:
        files = [inspect("note.txt", b"hello")] if "file" in self.next else []
        if "long" in self.next:
            words = " ".join([words] * 80)
        if self.ticket is not None:
            customer_reply(ticket=self.ticket, body=words, files=files)
            return
        self.ticket = ticket_open(
            text=words,
            channel=Channel.FORM,
            name="Carla",
            topic_key=self.script.topic,
            chosen_language=self.script.language,
            files=files,
        ).ticket
        if "off" in self.next:
            Topic.objects.filter(key=self.script.topic).update(assistant="off")

    def _press(self, button: str) -> None:
        assert self.ticket is not None
        if button == "person":
            ticket_request_human(ticket=self.ticket)
        else:
            turns.answer_judge(ticket=self.ticket, helped=button == "yes")

    def _check(self, words: str) -> None:
        assert self.ticket is not None
        what, _, detail = words.partition(" ")
        spoken = list(
            Message.objects.filter(ticket=self.ticket, author=Author.SYSTEM, internal=False).order_by("seq")
        )
        new = spoken[self.said :]
        self.said = len(spoken)
        says = SAYS["de" if self.ticket.language == "de" else "en"]
        if what == "nothing":
            assert new == []
            assert self.ticket.state == (self.state or "waiting")
        elif what == "answer":
            answer = AssistantAnswer.objects.select_related("article").get(ticket=self.ticket, seq=new[0].seq)
            assert (answer.article.slug, answer.helped, self.ticket.state) == (detail, None, "assisted")
            assert f"/help/{detail}" in new[0].body
            own_words_or_quoted(new[0].body, answer.article)
            if len(spoken) == 1:
                assert says["hello"].format(brand=settings.BRAND) in new[0].body
        elif what == "asks":
            assert [message.body for message in new] == [f"{says['sorry']} {says['other_words']}"]
            assert self.ticket.state == "assisted"
        elif what == "resolved":
            assert (new, self.ticket.state, self.ticket.served_by) == ([], "resolved", "")
        else:
            self._handed_over(detail, new, says)

    def _handed_over(self, why: str, new: list[Message], says: dict[str, str]) -> None:
        assert self.ticket is not None
        assert (self.ticket.state, self.ticket.handover) == ("waiting", why)
        note = Message.objects.get(ticket=self.ticket, internal=True)
        assert note.author == Author.SYSTEM
        assert (
            Message.objects.filter(ticket=self.ticket, author="customer").earliest("seq").body[:40]
            in note.body
        )
        for answer in self.ticket.answers.select_related("article"):
            assert answer.article.title in note.body
        if self.ticket.human_requested_at:  # by the button: no word more than needed
            assert new == []
        else:
            assert [message.body for message in new] == [
                f"{says['machine'].format(brand=settings.BRAND)} {says['queued']}"
            ]


def own_words_or_quoted(text: str, article: Article) -> None:
    """Each sentence is one of the fixed ones, or stands in the article."""
    fixed = {
        sentence
        for says in SAYS.values()
        for line in says.values()
        for sentence in sentences(
            line.format(
                brand=settings.BRAND,
                title=article.title,
                link=f"{settings.BASE_URL}/help/{article.slug}",
            )
        )
    }
    quoted = set(sentences(article.body))
    for sentence in sentences(text):
        assert sentence in fixed | quoted, sentence
    assert quoted & set(sentences(text))


def sentences(text: str) -> list[str]:
    return [one for line in text.splitlines() for one in re.split(r"(?<=[.?!:]) ", line.strip()) if one]
