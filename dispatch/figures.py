"""How business goes, in figures for monitoring: counted from the database when somebody asks, so any process says the same.

A few cheap queries: each looks at what is open (partial indexes) or at the newest LATEST rows. No figure names a person; labels
are keys of pools and topics, states and kinds. `FIGURES` says what there is; docs/reference/metrics.md is made from it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Count, Min
from django.db.models.functions import Now
from django.utils import timezone

from agents.models import Letter, Notice, Pool
from dispatch import answers, pulse, routes
from dispatch.models import Alert, DeliveryState, PromisedAnswer, PromiseDay, WebhookDelivery
from dispatch.sight import queue_of
from tickets.mail import due_ticket_ids, left_out_due
from tickets.models import AwayMail, Channel, LinkRequest

WINDOW = 600  # seconds: "of late"
LATEST = 5_000  # offers and runs that are looked at for what happened of late
QUANTILES = (0.5, 0.9, 0.99)
NO_TOPIC = "none"


@dataclass(frozen=True)
class Figure:
    """A gauge: what it says, in which unit its name ends, and its labels."""

    name: str
    says: str
    labels: tuple[str, ...] = ()


class Sample(NamedTuple):
    """One value of a figure; `labels` in the order of the figure's."""

    name: str
    labels: tuple[str, ...]
    value: float


FIGURES = (
    Figure(
        "standby_queue_tickets",
        "Tickets that wait for a person, by the pool that they wait in first.",
        ("pool",),
    ),
    Figure(
        "standby_queue_oldest_seconds", "How long the one that waits longest has waited, by pool.", ("pool",)
    ),
    Figure("standby_topic_waiting_tickets", "Tickets that wait for a person, by topic.", ("topic",)),
    Figure(
        "standby_topic_oldest_seconds",
        "How long the one that waits longest has waited, by topic.",
        ("topic",),
    ),
    Figure("standby_tickets_flagged", "Waiting tickets that nobody online could take."),
    Figure("standby_tickets_held", "Tickets with an agent just now: the chats."),
    Figure("standby_tickets_assisted", "Tickets with the assistant just now."),
    Figure("standby_tickets_asleep", "Tickets that are put aside until a time."),
    Figure("standby_people_online", "People with an open shift, by what they chose.", ("state",)),
    Figure("standby_people_lost", "Of these, people whose connection is lost."),
    Figure("standby_units_open", "Units of attention of the people online."),
    Figure("standby_units_taken", "Of these, units that are taken."),
    Figure("standby_offers_recent", "Offers made in the last ten minutes, by state now.", ("state",)),
    Figure(
        "standby_offers_accepted_ratio",
        "Of those of the last ten minutes that were answered or ran out: the share accepted. Absent when there were none.",
    ),
    Figure(
        "standby_offer_answer_seconds",
        "From the offer to its acceptance, of those accepted in the last ten minutes.",
        ("quantile",),
    ),
    Figure(
        "standby_offer_created_seconds",
        "From the ticket's beginning to its first offer, of tickets created in the last ten minutes.",
        ("quantile",),
    ),
    Figure(
        "standby_runs_recent", "Matching runs of the last ten minutes that made offers, by pool.", ("pool",)
    ),
    Figure(
        "standby_run_solve_seconds",
        "What the solver took, of the runs of the last ten minutes.",
        ("quantile",),
    ),
    Figure(
        "standby_promise_waits",
        "Waits for a person that began today, by topic and outcome.",
        ("topic", "outcome"),
    ),
    Figure(
        "standby_service_level_ratio",
        "Of today's waits that are decided: the share in which a person came within the topic's target. Absent without any.",
    ),
    Figure("standby_answers_promised", "Answers by mail that were promised and are open."),
    Figure("standby_answers_late", "Of these, those whose time is over."),
    Figure("standby_outbox_mails", "Mails that wait to be sent, by kind.", ("kind",)),
    Figure("standby_webhooks_due", "Calls of webhooks that are due and were not made yet."),
    Figure("standby_alerts_open", "Alerts that are open, by kind.", ("kind",)),
    Figure(
        "standby_process_heard_seconds",
        "Seconds since a kind of process was last heard of. Absent: never.",
        ("kind",),
    ),
)


def collect() -> list[Sample]:
    """All figures as they stand now. Some twenty cheap queries, and one for each pool."""
    found: list[Sample] = []
    for part in (_queues, _topics, _people, _offers, _runs, _promise, _outbox, _processes):
        found.extend(part())
    return found


def _rows(sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, list(parameters))
        return list(cursor.fetchall())


def _queues() -> Iterable[Sample]:
    plan = routes.routes()
    now = timezone.now()
    for pool_id, key in Pool.objects.order_by("key").values_list("pk", "key"):
        found = queue_of(pool_id, plan, home=True).aggregate(count=Count("pk"), first=Min("waiting_since"))
        yield Sample("standby_queue_tickets", (key,), found["count"])
        waited = (now - found["first"]).total_seconds() if found["first"] else 0.0
        yield Sample("standby_queue_oldest_seconds", (key,), max(waited, 0.0))


def _topics() -> Iterable[Sample]:
    flagged = 0
    for topic, count, oldest, nobody in _rows(
        "SELECT coalesce(p.key, %s), count(*), max(extract(epoch FROM statement_timestamp() - t.waiting_since))::float,"
        " count(t.flagged_at) FROM tickets_ticket t LEFT JOIN tickets_topic p ON p.id = t.topic_id"
        " WHERE t.state = 'waiting' AND t.channel <> %s GROUP BY 1 ORDER BY 1",
        (NO_TOPIC, Channel.PRACTICE),
    ):
        yield Sample("standby_topic_waiting_tickets", (topic,), count)
        yield Sample("standby_topic_oldest_seconds", (topic,), max(oldest, 0.0))
        flagged += nobody
    yield Sample("standby_tickets_flagged", (), flagged)
    ((held, assisted, asleep),) = _rows(
        "SELECT (SELECT count(*) FROM dispatch_offer o JOIN tickets_ticket t ON t.id = o.ticket_id"
        "        WHERE o.state = 'accepted' AND t.channel <> %s),"
        " (SELECT count(*) FROM tickets_ticket WHERE state = 'assisted'),"
        " (SELECT count(*) FROM tickets_ticket WHERE wakes_at IS NOT NULL)",
        (Channel.PRACTICE,),
    )
    yield Sample("standby_tickets_held", (), held)
    yield Sample("standby_tickets_assisted", (), assisted)
    yield Sample("standby_tickets_asleep", (), asleep)


def _people() -> Iterable[Sample]:
    lost = open_units = taken = 0
    states = {"online": 0, "paused": 0, "finishing": 0}
    for state, count, gone, units, used in _rows(
        "SELECT state, count(*), count(lost_at), sum(units), sum(units_taken) FROM agents_shift"
        " WHERE ended_at IS NULL AND NOT practice GROUP BY 1"
    ):
        states[state] = count
        lost, open_units, taken = lost + gone, open_units + units, taken + used
    for state, count in states.items():
        yield Sample("standby_people_online", (state,), count)
    yield Sample("standby_people_lost", (), lost)
    yield Sample("standby_units_open", (), open_units)
    yield Sample("standby_units_taken", (), taken)


def _offers() -> Iterable[Sample]:
    recent = (
        "WITH recent AS (SELECT * FROM (SELECT * FROM dispatch_offer WHERE run_id IS NOT NULL ORDER BY id DESC LIMIT %s) o"
        " WHERE made_at > statement_timestamp() - make_interval(secs => %s)) "
    )
    window = (LATEST, WINDOW)
    states = dict(_rows(f"{recent} SELECT state, count(*) FROM recent GROUP BY 1 ORDER BY 1", window))
    for state, count in states.items():
        yield Sample("standby_offers_recent", (state,), count)
    said_yes = sum(states.get(state, 0) for state in ("accepted", "completed", "released"))
    if answered := said_yes + states.get("declined", 0) + states.get("expired", 0):
        yield Sample("standby_offers_accepted_ratio", (), said_yes / answered)
    yield from _quantiles(
        "standby_offer_answer_seconds",
        f"{recent} SELECT percentile_cont(%s::float[]) WITHIN GROUP (ORDER BY extract(epoch FROM answered_at - made_at))"
        " FROM recent WHERE state IN ('accepted', 'completed', 'released')",
        window,
    )
    yield from _quantiles(
        "standby_offer_created_seconds",
        f"{recent}, first AS (SELECT ticket_id, min(made_at) AS made_at FROM recent GROUP BY 1)"
        " SELECT percentile_cont(%s::float[]) WITHIN GROUP (ORDER BY extract(epoch FROM f.made_at - t.created_at))"
        " FROM first f JOIN tickets_ticket t ON t.id = f.ticket_id"
        f" WHERE t.created_at > statement_timestamp() - make_interval(secs => {WINDOW})",
        window,
    )


def _runs() -> Iterable[Sample]:
    recent = (
        "WITH recent AS (SELECT * FROM (SELECT * FROM dispatch_run ORDER BY id DESC LIMIT %s) r"
        " WHERE started_at > statement_timestamp() - make_interval(secs => %s)) "
    )
    window = (LATEST, WINDOW)
    for pool, count in _rows(
        f"{recent} SELECT p.key, count(*) FROM recent r JOIN agents_pool p ON p.id = r.pool_id GROUP BY 1 ORDER BY 1",
        window,
    ):
        yield Sample("standby_runs_recent", (pool,), count)
    yield from _quantiles(
        "standby_run_solve_seconds",
        f"{recent} SELECT percentile_cont(%s::float[]) WITHIN GROUP (ORDER BY solve_micros / 1e6) FROM recent",
        window,
    )


def _quantiles(name: str, sql: str, window: Sequence[Any]) -> Iterable[Sample]:
    ((values,),) = _rows(sql, (*window, list(QUANTILES)))
    for quantile, value in zip(QUANTILES, values or (), strict=False):
        if value is not None:
            yield Sample(name, (str(quantile),), max(float(value), 0.0))


def _promise() -> Iterable[Sample]:
    kept = missed = 0
    outcomes = ("kept", "missed", "left", "pending")
    rows = PromiseDay.objects.filter(day=timezone.localdate(), asked__gt=0).order_by("topic__key")
    for topic, *counts in rows.values_list("topic__key", *outcomes):
        for outcome, count in zip(outcomes, counts, strict=True):
            yield Sample("standby_promise_waits", (topic or NO_TOPIC, outcome), count)
        kept, missed = kept + counts[0], missed + counts[1]
    if kept + missed:
        yield Sample("standby_service_level_ratio", (), kept / (kept + missed))
    promised = PromisedAnswer.objects.filter(ended_at__isnull=True)
    yield Sample("standby_answers_promised", (), promised.count())
    yield Sample("standby_answers_late", (), promised.filter(due_at__lte=Now()).count())


def _outbox() -> Iterable[Sample]:
    waiting = {
        "link": len(due_ticket_ids(LATEST)),
        "away": AwayMail.objects.filter(next_at__lte=Now()).count(),
        "letter": Letter.objects.filter(sent_at__isnull=True).count(),
        "notice": Notice.objects.filter(mailed_at__isnull=True).count(),
        "promise": PromisedAnswer.objects.filter(answers.UNMAILED).count(),
        "links": LinkRequest.objects.filter(sent_at__isnull=True).count(),
        "left_out": len(left_out_due()),
    }
    for kind, count in waiting.items():
        yield Sample("standby_outbox_mails", (kind,), count)
    due = WebhookDelivery.objects.filter(
        state=DeliveryState.PENDING, due_at__lte=Now(), endpoint__stopped_by=""
    )
    yield Sample("standby_webhooks_due", (), due.count())
    opened = Alert.objects.filter(closed_at__isnull=True).order_by("kind").values_list("kind")
    for kind, count in opened.annotate(count=Count("pk")):
        yield Sample("standby_alerts_open", (kind,), count)


def _processes() -> Iterable[Sample]:
    now = timezone.now()
    for kind, at in pulse.pulses().items():
        if at is not None:
            yield Sample("standby_process_heard_seconds", (kind,), max((now - at).total_seconds(), 0.0))
