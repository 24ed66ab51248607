"""The target of an unanswered customer on the desk: by when a person should have answered, in open hours as tickets age.

The target is the route's, the same that the matcher ages by and the wallboard counts. What routes and calendars say is kept in
memory, so this asks the database nothing while it is.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from dispatch import routes
from tickets.hours import Hours, open_after
from tickets.models import Channel, Ticket

CLOSE = 0.75  # of the target: from then on it is close


@dataclass(frozen=True)
class Target:
    """Moments with their zone; `state` at this look: "within", "close" or "over"."""

    words: str  # the target itself, such as "2 min"
    close_at: datetime
    due_at: datetime
    state: str


def target_of(ticket: Ticket, waiting_at: str | None) -> Target | None:
    """Of a ticket whose customer has waited for an answer since `waiting_at` (ISO 8601); None without one, for practice, and
    when its hours do not open again within a year.

    Who spoke with the assistant first, or was put back into the queue, waits for a person since then and not since they wrote.
    No query while routes are kept.
    """
    said = parse_datetime(waiting_at) if waiting_at else None
    plan = routes.routes()
    spec = plan.of(ticket.topic_id)
    if said is None or spec is None or not spec.target_seconds or ticket.channel == Channel.PRACTICE:
        return None
    begun = max(said, ticket.waiting_since).timestamp()
    hours = plan.hours.get(ticket.topic_id)
    close_at, due_at = (_after(hours, begun, part * spec.target_seconds) for part in (CLOSE, 1.0))
    if close_at is None or due_at is None:
        return None
    now = timezone.now()
    state = "over" if now >= due_at else "close" if now >= close_at else "within"
    return Target(_in_words(spec.target_seconds), close_at, due_at, state)


def _after(hours: Hours | None, begun: float, seconds: float) -> datetime | None:
    moment = begun + seconds if hours is None else open_after(hours, begun, seconds)
    return None if moment is None else datetime.fromtimestamp(moment, UTC)


def _in_words(seconds: int) -> str:
    """As admins set it: whole minutes as such."""
    if seconds % 60:
        return _("%(seconds)s s") % {"seconds": seconds}
    return _("%(minutes)s min") % {"minutes": seconds // 60}
