"""The assistant's turns: it answers, takes a yes or no, and hands over. Every write looks once more whether it is its turn.

A turn reads the ticket, thinks without a transaction, and writes by one conditional UPDATE: only while the ticket is assisted
and has the number that was read. Whoever was faster, customer or person, has the word: nothing is posted then.
"""

from dataclasses import dataclass, replace
from datetime import timedelta

from django.conf import settings
from django.db.models import DurationField, ExpressionWrapper, F, Q
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone

from tickets import events, timeline
from tickets import language as languages
from tickets.assistant import handover, rephrasing, search
from tickets.assistant.grounded import Source
from tickets.assistant.limits import Limits, Talk, limit, verdict
from tickets.assistant.rules import rules
from tickets.assistant.words import Quoted, compose, passage, say, tongue
from tickets.conversation import ANSWER_WITHIN, message_post
from tickets.errors import NothingToJudge, TicketClosed
from tickets.models import (
    AssistantAnswer,
    AssistantUse,
    Author,
    HandoverReason,
    Message,
    Ticket,
    TicketState,
    Topic,
)
from tickets.signals import tell_answer_wanted, tell_queue_changed

TRIES = 3  # looks at a ticket to which others write at the same time; then the tick comes by
ASK_AGAIN = timedelta(seconds=2)  # after so long without an answer its message may be lost
SILENT = timedelta(hours=1)  # the customer's time for a word about an answer


@dataclass(frozen=True)
class Seen:
    """A ticket with an answer owed, as it was read at number `seq`."""

    ticket: Ticket
    seq: int
    left: timedelta  # until its next step is due
    talk: Talk
    answers: list[AssistantAnswer]


@dataclass(frozen=True)
class Answer:
    """What is to be posted."""

    article: search.Found
    score: float
    target: float
    quoted: Quoted
    language: str
    body: str
    phrased: rephrasing.Phrased = rephrasing.QUOTED


def answer(*, ticket_id: int, rephrase: bool = True) -> HandoverReason | Answer | None:
    """Answer what the customer has said, or hand over. Outermost. Safe to run twice: None when no answer is owed.

    `rephrase`: a language model may be asked, if one is set; not where a customer waits for this call. About ten queries.
    """
    for _try in range(TRIES):
        seen = look(ticket_id)
        if seen is None:
            return None
        said = verdict(seen.talk.said)
        if seen.answers and seen.answers[-1].helped is None and said is not None:
            try:
                answer_judge(ticket=seen.ticket, helped=said)
            except (NothingToJudge, TicketClosed):
                continue
            return None
        found = decide(seen)
        if isinstance(found, HandoverReason):
            if hand_over(ticket=seen.ticket, reason=found, seq=seen.seq):
                return found
        else:
            if rephrase:
                found = _rephrased(seen, found)
            if _post(seen, found):
                return found
        rephrase = False  # its seconds are for one look
    return None


def look(ticket_id: int) -> Seen | None:
    """The ticket, when it is with the assistant and the customer has the last word. Four queries."""
    ticket = (
        Ticket.objects.select_related("customer", "topic")
        .annotate(left=ExpressionWrapper(F("assist_due_at") - Now(), DurationField()))
        .filter(pk=ticket_id, state=TicketState.ASSISTED)
        .first()
    )
    if ticket is None:
        return None
    # Only what the ticket's number covers: of what came since it was read, the write will know.
    messages = list(
        ticket.messages.filter(internal=False, seq__lte=ticket.last_seq)
        .prefetch_related("attachments")
        .order_by("seq")
    )
    answered = max((one.seq for one in messages if one.author != Author.CUSTOMER), default=0)
    new = [one for one in messages if one.seq > answered]
    if not new:
        return None
    answers = list(ticket.answers.select_related("article").order_by("seq"))
    talk = Talk(
        said="\n".join(one.body for one in new),
        before=tuple(one.body for one in messages if one.seq < answered and one.author == Author.CUSTOMER),
        files=any(one.attachments.all() for one in new),
        not_helped=len(answers),  # who writes again, and not that it helped, is not helped
        minutes=(timezone.now() - ticket.created_at).total_seconds() / 60,
    )
    return Seen(ticket, ticket.last_seq, ticket.left, talk, answers)


def decide(seen: Seen) -> HandoverReason | Answer:
    """What to do: nothing is written. One query, and those of what is not kept."""
    topic, talk = seen.ticket.topic, seen.talk
    if topic is None or not topic.assisted:
        return HandoverReason.SWITCHED_OFF
    bounds = Limits(topic.assistant_answers, topic.assistant_chars, topic.assistant_minutes)
    if reason := limit(talk, bounds, rules()):
        return HandoverReason(reason)
    return _search(seen, topic)


def _search(seen: Seen, topic: Topic) -> HandoverReason | Answer:
    """The answer, if an article is sure enough to be the right one."""
    ticket, talk = seen.ticket, seen.talk
    spoken = languages.detect(talk.said, default=ticket.language)
    found = search.find(talk.said, spoken)
    if found is None:
        return HandoverReason.UNSURE
    target = topic.assistant_target / 100
    score = search.score_of(found.raw, spoken)
    if score < target:
        return HandoverReason.UNSURE
    if _for_people(found.topic_id):
        return HandoverReason.TOPIC
    if any(one.article_id == found.id for one in seen.answers):
        return HandoverReason.NOT_HELPED
    link = settings.BASE_URL + reverse("article", args=[found.slug])
    quoted = Quoted(found.title, found.body, link)
    return Answer(found, score, target, quoted, tongue(spoken), _composed(seen, quoted, tongue(spoken)))


def _composed(seen: Seen, quoted: Quoted, language: str, rephrased: str = "") -> str:
    return compose(
        quoted,
        seen.talk.said,
        language=language,
        brand=settings.BRAND,
        first=not seen.answers,
        rephrased=rephrased,
    )


def _rephrased(seen: Seen, found: Answer) -> Answer:
    """The same answer with a language model's words before the quotation, if there is a model and they can be shown."""
    phrased = rephrasing.rephrase(
        Source(found.quoted.title, passage(found.quoted.body, seen.talk.said)),
        seen.talk.said,
        name=seen.ticket.customer.name,
        language=found.language,
        left=seen.left,
    )
    body = _composed(seen, found.quoted, found.language, phrased.text) if phrased.text else found.body
    return replace(found, body=body, phrased=phrased)


def _for_people(topic_id: int | None) -> bool:
    return topic_id is not None and Topic.objects.filter(pk=topic_id, assistant=AssistantUse.NEVER).exists()


def _post(seen: Seen, found: Answer) -> bool:
    """Post it, if it is still the assistant's turn. Outermost."""
    with timeline.command():
        posted = _speak(seen.ticket, found.body, seq=seen.seq)
        if posted is None:
            return False
        seen.ticket.answers.filter(helped__isnull=True).update(helped=False, judged_at=Now())
        AssistantAnswer.objects.create(
            ticket=seen.ticket,
            seq=posted,
            article_id=found.article.id,
            version=found.article.version,
            score=found.score,
            target=found.target,
            phrasing=found.phrased.how,
            model=found.phrased.model,
        )
        if found.phrased.model:
            told = {"seq": posted, "phrasing": found.phrased.how.value, "model": found.phrased.model}
            timeline.advance(Ticket.objects.filter(pk=seen.ticket.pk), events.ANSWER_PHRASED, told)
    return True


def _speak(ticket: Ticket, body: str, *, seq: int | None = None) -> int | None:
    """A message of the assistant, while the ticket is its own and, with `seq`, has this number still. Inner.

    Returns the message's number; None when it is not its turn any more.
    """
    its_own = Ticket.objects.filter(pk=ticket.pk, state=TicketState.ASSISTED)
    numbered = timeline.advance(
        its_own if seq is None else its_own.filter(last_seq=seq),
        events.MESSAGE_POSTED,
        assist_due_at=Now() + SILENT,
    )
    if not numbered:
        return None
    Message.objects.create(
        ticket=ticket,
        seq=numbered[ticket.pk],
        author=Author.SYSTEM,
        author_name=say(ticket.language, "name"),
        body=body,
    )
    return numbered[ticket.pk]


def hand_over(*, ticket: Ticket, reason: HandoverReason, seq: int | None = None) -> bool:
    """Give the ticket to a person, with a note, and tell the customer so. Outermost. False when it is not its own any more."""
    with timeline.command():
        return _hand_over(ticket, reason, seq)


def _hand_over(ticket: Ticket, reason: HandoverReason, seq: int | None = None) -> bool:
    its_own = Ticket.objects.filter(pk=ticket.pk, state=TicketState.ASSISTED)
    if not timeline.advance(
        its_own if seq is None else its_own.filter(last_seq=seq),
        events.HANDED_OVER,
        **handover.to_person(reason),
    ):
        return False
    message_post(
        ticket_id=ticket.pk,
        author=Author.SYSTEM,
        author_name=say(ticket.language, "name"),
        body=say(ticket.language, "machine", "queued", brand=settings.BRAND),
    )
    ticket.answers.filter(helped__isnull=True).update(helped=False, judged_at=Now())
    handover.note(ticket.pk, reason)
    tell_queue_changed([ticket.pk])
    return True


def answer_judge(*, ticket: Ticket, helped: bool, key: str | None = None) -> None:
    """The customer says whether the answer helped: then the ticket is resolved; if not, one more try, or a person. Outermost.

    Raises NothingToJudge when no answer of the assistant waits for a word, KeyReused.
    """
    digest = timeline.digest_of("answer_judge", helped)

    def act() -> None:
        with timeline.command():
            if not timeline.advance(
                Ticket.objects.filter(pk=ticket.pk, state=TicketState.ASSISTED),
                events.ANSWER_JUDGED,
                {"helped": helped},
                key=key,
                digest=digest,
                assist_due_at=Now() + SILENT,
            ):
                raise NothingToJudge
            # The step above holds the ticket's row, so nothing comes between.
            judged = AssistantAnswer.objects.filter(ticket_id=ticket.pk, helped__isnull=True)
            if not judged.update(helped=helped, judged_at=Now()):
                raise NothingToJudge
            if helped:
                _resolve(ticket)
            else:
                _not_helped(ticket)

    timeline.once(ticket.pk, key, digest, act, lambda _event: None)


def _not_helped(ticket: Ticket) -> None:
    failed = AssistantAnswer.objects.filter(ticket_id=ticket.pk, helped=False).count()
    most = ticket.topic.assistant_answers if ticket.topic else 1
    if failed >= most:
        _hand_over(ticket, HandoverReason.NOT_HELPED)
    else:
        _speak(ticket, say(ticket.language, "sorry", "other_words"))


def _resolve(ticket: Ticket) -> None:
    timeline.advance(
        Ticket.objects.filter(pk=ticket.pk, state=TicketState.ASSISTED),
        events.RESOLVED,
        state=TicketState.RESOLVED,
        assist_due_at=None,
        resolved_at=Now(),
    )


# --- The clock --------------------------------------------------------------------------------------------------------


def due_look() -> None:
    """What the tick does: ask again for answers whose message may be lost, hand over what comes too late, end what is silent.

    One query while nothing is due. Safe to run twice or late.
    """
    model = timedelta(seconds=settings.ASSISTANT_MODEL_SECONDS if rephrasing.on() else 0)
    soon = Q(assist_due_at__lte=Now() + (ANSWER_WITHIN - ASK_AGAIN - model))
    due = Ticket.objects.filter(soon, state=TicketState.ASSISTED).order_by("assist_due_at")
    for ticket_id, over in due.annotate(over=Q(assist_due_at__lte=Now())).values_list("pk", "over")[:200]:
        if over:
            overdue(ticket_id=ticket_id)
        else:
            tell_answer_wanted(ticket_id)


def overdue(*, ticket_id: int) -> None:
    """The time for the next step has passed: a person takes over, or, after an answer without a word, it ends. Outermost."""
    with timeline.command():
        ticket = (
            Ticket.objects.select_for_update(of=("self",))
            .select_related("topic")
            .filter(pk=ticket_id, state=TicketState.ASSISTED, assist_due_at__lte=Now())
            .first()
        )
        if ticket is None:
            return
        last = ticket.messages.filter(internal=False).order_by("-seq").first()
        open_answer = ticket.answers.filter(helped__isnull=True).exists()
        if last is None or last.author == Author.CUSTOMER:
            _hand_over(ticket, HandoverReason.LATE)
        elif not open_answer:
            _hand_over(ticket, HandoverReason.NOT_HELPED)
        else:
            _speak(ticket, say(ticket.language, "silent", "again"))
            _resolve(ticket)
