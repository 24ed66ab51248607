"""How well the assistant does, counted from its answers: by topic and day, and whether it should pause itself.

An answered ticket is *known* when its customer has said something about it, by a word, by asking for a person or by opening it
again. Who just left is not known, and counts on neither side of the precision.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import NamedTuple

from django.db import connection
from django.db.models import Count, Q
from django.db.models.functions import Now
from django.utils import timezone

from tickets.assistant.calibrate import wilson
from tickets.models import AssistantAnswer, AssistantUse, Channel, HandoverReason, Phrasing, Topic

DAYS = 30  # that are shown, and judged
FEWEST = 30  # known answers; from fewer nothing follows
REOPENED_WITHIN = timedelta(days=7)


@dataclass
class Tally:
    """Tickets that the assistant had. `confirmed`: it helped, and they were not opened again; the others did not go well."""

    had: int = 0
    answered: int = 0
    known: int = 0
    confirmed: int = 0
    reopened: int = 0
    regretted: int = 0

    def __iadd__(self, other: "Tally") -> "Tally":
        for name in ("had", "answered", "known", "confirmed", "reopened", "regretted"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        return self

    @property
    def share(self) -> float | None:
        """Of the tickets that it had, those that it answered, 0 to 1."""
        return self.answered / self.had if self.had else None

    @property
    def precision(self) -> float | None:
        """Of the known ones, those confirmed, 0 to 1."""
        return self.confirmed / self.known if self.known else None

    @property
    def least(self) -> float:
        """Lower end of the interval of the precision."""
        return wilson(self.confirmed, self.known)[0]


_COUNT = """
    WITH had AS (
        SELECT t.id, t.topic_id, t.created_at, t.handover, t.state,
               EXISTS (SELECT FROM tickets_assistantanswer a WHERE a.ticket_id = t.id) AS answered,
               EXISTS (SELECT FROM tickets_assistantanswer a WHERE a.ticket_id = t.id AND a.helped) AS helped,
               EXISTS (SELECT FROM tickets_assistantanswer a WHERE a.ticket_id = t.id AND a.helped IS NOT NULL) AS judged
        FROM tickets_ticket t
        WHERE t.created_at >= %(since)s AND t.channel <> %(practice)s
          AND (t.handover <> '' OR EXISTS (SELECT FROM tickets_assistantanswer a WHERE a.ticket_id = t.id))),
    seen AS (
        SELECT had.*, answered AND handover = '' AND EXISTS (
            SELECT FROM tickets_ticketevent r JOIN tickets_ticketevent e ON e.ticket_id = r.ticket_id
            WHERE r.ticket_id = had.id AND r.type = 'ticket.resolved' AND e.type = 'ticket.reopened' AND e.seq > r.seq
              AND e.created_at <= r.created_at + %(within)s::interval) AS reopened,
            answered AND handover = %(person)s AS regretted
        FROM had)
    SELECT topic_id, (created_at AT TIME ZONE %(zone)s)::date, count(*),
           count(*) FILTER (WHERE answered),
           count(*) FILTER (WHERE answered AND (judged OR reopened OR regretted)),
           count(*) FILTER (WHERE helped AND NOT reopened),
           count(*) FILTER (WHERE reopened), count(*) FILTER (WHERE regretted)
    FROM seen LEFT JOIN tickets_topic topic ON topic.id = seen.topic_id
    WHERE NOT %(judging)s OR topic.assistant_since IS NULL OR seen.created_at >= topic.assistant_since
    GROUP BY 1, 2
"""


def counted(*, judging: bool = False) -> dict[tuple[int | None, date], Tally]:
    """(topic id, day) → tally, of the last DAYS. `judging`: only what came since an admin let it go on. One query."""
    first = timezone.localdate() - timedelta(days=DAYS - 1)
    with connection.cursor() as cursor:
        cursor.execute(
            _COUNT,
            {
                "since": timezone.make_aware(datetime.combine(first, time())),
                "practice": Channel.PRACTICE,
                "person": HandoverReason.PERSON,
                "within": f"{REOPENED_WITHIN.days} days",
                "zone": timezone.get_current_timezone_name(),
                "judging": judging,
            },
        )
        return {(topic_id, day): Tally(*figures) for topic_id, day, *figures in cursor.fetchall()}


def by_topic(found: dict[tuple[int | None, date], Tally]) -> dict[int | None, Tally]:
    """The same without days."""
    whole: dict[int | None, Tally] = defaultdict(Tally)
    for (topic_id, _day), tally in found.items():
        whole[topic_id] += tally
    return dict(whole)


def total(tallies: Iterable[Tally]) -> Tally:
    """All of them as one."""
    whole = Tally()
    for tally in tallies:
        whole += tally
    return whole


class Worded(NamedTuple):
    """Answers that came about in one way, a value of Phrasing. `known`: their customers said whether they helped."""

    how: str
    answers: int
    known: int
    helped: int

    @property
    def confirmed(self) -> float | None:
        """Of the known ones, those that helped, 0 to 1."""
        return self.helped / self.known if self.known else None


def phrasings() -> list[Worded]:
    """Who put the answers of the last DAYS into words, most first; nothing where no model was ever asked. One query."""
    since = timezone.make_aware(datetime.combine(timezone.localdate() - timedelta(days=DAYS - 1), time()))
    answers = AssistantAnswer.objects.filter(created_at__gte=since).exclude(ticket__channel=Channel.PRACTICE)
    rows = answers.values("phrasing").annotate(
        answers=Count("pk"), known=Count("helped"), good=Count("pk", filter=Q(helped=True))
    )
    found = [Worded(row["phrasing"], row["answers"], row["known"], row["good"]) for row in rows]
    if all(one.how == Phrasing.QUOTED for one in found):
        return []
    return sorted(found, key=lambda one: (-one.answers, one.how))


def pause_look() -> list[str]:
    """Pause the assistant where too few of its answers are confirmed, for sure enough. Returns the topics' keys. Two queries.

    With FEWEST known answers, when the lower end of the precision's interval is below what the topic asks for.
    """
    on = {
        topic.pk: topic
        for topic in Topic.objects.filter(assistant=AssistantUse.ON, assistant_paused_at__isnull=True)
    }
    if not on:
        return []
    paused = []
    for topic_id, tally in by_topic(counted(judging=True)).items():
        topic = on.get(topic_id) if topic_id is not None else None
        if topic is None or tally.known < FEWEST or tally.least >= topic.assistant_confirmed / 100:
            continue
        its = Topic.objects.filter(
            Q(assistant_paused_at__isnull=True), pk=topic.pk, assistant=AssistantUse.ON
        )
        if its.update(assistant_paused_at=Now()):
            paused.append(topic.key)
    return paused


def resume(topic_ids: Iterable[int]) -> int:
    """An admin lets it go on; it is judged by what comes from now on. Returns topics."""
    return Topic.objects.filter(pk__in=list(topic_ids), assistant_paused_at__isnull=False).update(
        assistant_paused_at=None, assistant_since=Now()
    )
