"""Who was heard of when, by kind of process: matcher, worker, simulator, beat.

Beat sends a tiny task to each queue every ten seconds, and whoever works on the queue writes the kind's row: proof that the
whole way works, from beat through Redis to a process that takes tasks and reaches PostgreSQL. A thread of its own in each
process would prove less: one that lives and has stopped to listen would go on beating. Beat writes its own row when Redis took
the task.

In PostgreSQL and not in Redis, which may be emptied at any time; four rows, written a few times a minute. The times are the
database's. A kind is alive as long as one process of it is: which of two matchers died, its supervisor knows.
"""

from datetime import datetime, timedelta

from django.db.models import DateTimeField
from django.db.models.expressions import ExpressionWrapper
from django.db.models.functions import Now

from dispatch.models import ProcessKind, Pulse

# Nobody answers while it computes, and a simulator's task takes up to a quarter of an hour (simulations.SECONDS).
PATIENCE: dict[str, float] = {ProcessKind.SIMULATOR: 1200.0}  # seconds


def pulse_beat(*, kind: str) -> None:
    """`kind` was heard of now. One statement; safe to run twice or late. Raises ValueError for no kind of ours."""
    Pulse.objects.bulk_create(
        [Pulse(kind=ProcessKind(kind), heard_at=Now())],
        update_conflicts=True,
        unique_fields=["kind"],
        update_fields=["heard_at"],
    )


def pulses() -> dict[str, datetime | None]:
    """When each kind was last heard of, by the database's clock; None: never. One query."""
    heard = dict(Pulse.objects.values_list("kind", "heard_at"))
    return {kind: heard.get(kind) for kind in ProcessKind.values}


def silent(seconds: float) -> list[str]:
    """Kinds that were not heard of for `seconds` though they were asked, in the order of ProcessKind. One query.

    Who was not asked cannot answer: while beat is silent, others are named only if they were silent before it. A simulator is
    given more time (PATIENCE).
    """
    now_too = Pulse.objects.annotate(now=ExpressionWrapper(Now(), output_field=DateTimeField()))
    rows = list(now_too.values_list("kind", "heard_at", "now"))
    if not rows:
        return [ProcessKind.BEAT.value]
    heard = {kind: at for kind, at, _now in rows}
    now, beat = rows[0][2], heard.get(ProcessKind.BEAT)
    late = timedelta(seconds=seconds)
    beat_is_silent = beat is None or now - beat > late
    asked = beat if beat_is_silent else now  # the last time at which the others were
    found = []
    for kind in ProcessKind.values:
        if kind == ProcessKind.BEAT:
            is_silent = beat_is_silent
        elif asked is None:
            is_silent = False
        else:
            at = heard.get(kind)
            patience = timedelta(seconds=PATIENCE.get(kind, 0.0))
            is_silent = at is None or asked - at > max(late, patience)
        if is_silent:
            found.append(kind)
    return found
