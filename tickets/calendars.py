"""The calendars that admins have set, and what customers are told of them. Kept for some seconds, like the topics."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.dates import WEEKDAYS
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from tickets import kept, topics
from tickets.hours import DAY, Hours, Interval, merged, next_opening
from tickets.models import Calendar, ClosedDay, OpeningHours, Topic

SOON = timedelta(days=14)  # closed days within it are told


@dataclass(frozen=True)
class Calendars:
    """A calendar that opens on no day would let tickets wait for ever, so it is none here."""

    by_id: dict[int, Hours]
    by_topic: dict[int | None, Hours]  # None: of tickets without a topic. What is not in it is always open.


def calendars() -> Calendars:
    """All of them. Four queries when not kept, one while there is none."""
    return kept.keep("calendars", load)


def load() -> Calendars:
    """The same from the database, for who keeps what is made of it."""
    rows = list(Calendar.objects.all())
    if not rows:
        return Calendars({}, {})
    weeks: dict[int, list[list[Interval]]] = {row.pk: [[] for _day in range(7)] for row in rows}
    closed: dict[int, set[date]] = {row.pk: set() for row in rows}
    for hours in OpeningHours.objects.all():
        weeks[hours.calendar_id][hours.weekday].append((_minute(hours.opens), _minute(hours.closes) or DAY))
    for calendar_id, day in ClosedDay.objects.values_list("calendar_id", "day"):
        closed[calendar_id].add(day)
    by_id = {
        row.pk: Hours(row.time_zone, tuple(merged(day) for day in weeks[row.pk]), frozenset(closed[row.pk]))
        for row in rows
    }
    by_id = {key: hours for key, hours in by_id.items() if hours.ever}
    named: list[tuple[int | None, int | None]] = [(None, row.pk) for row in rows if row.without_topic]
    named += Topic.objects.filter(calendar__isnull=False).values_list("pk", "calendar_id")
    return Calendars(by_id, {topic: by_id[key] for topic, key in named if key in by_id})


def _minute(of_day: time) -> int:
    return of_day.hour * 60 + of_day.minute


def hours_of(topic_id: int | None) -> Hours | None:
    """The hours in which tickets of a topic, or of none, are promised an answer; None: always. No query while kept."""
    return calendars().by_topic.get(topic_id)


# --- In words ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Told:
    """What a customer is told of one calendar."""

    topics: str  # which ones, if not all have this calendar
    week: list[tuple[str, str]] = field(default_factory=list)  # days, times; empty: at any hour
    zone: str = ""
    closed: list[str] = field(
        default_factory=list
    )  # days soon on which it is closed, though not in other weeks
    opens: datetime | None = None  # when it opens next, in its own time zone; None while it is open


def told() -> list[Told]:
    """Of each calendar that the form's topics have, and last of those that have none, if others do. No query while kept."""
    known = calendars().by_topic
    if not known:
        return []
    topics_of: dict[Hours | None, list[str]] = {}
    for topic in topics.active():
        topics_of.setdefault(known.get(topic.pk), []).append(topic.name)
    topics_of.setdefault(known.get(None), []).append(_("I am not sure"))
    always = topics_of.pop(None, [])
    found = [
        Told(
            topics=", ".join(names) if always or len(topics_of) > 1 else "",
            week=week_in_words(hours),
            zone=hours.zone.replace("_", " "),
            closed=_closed_soon(hours),
            opens=opens_at(hours),
        )
        for hours, names in topics_of.items()
        if hours is not None
    ]
    return [*found, Told(topics=", ".join(always))] if found and always else found


def opens_at(hours: Hours | None) -> datetime | None:
    """When it opens next, in its own time zone; None while it is open, or always is."""
    if hours is None:
        return None
    now = timezone.now().timestamp()
    opens = next_opening(hours, now)
    return datetime.fromtimestamp(opens, ZoneInfo(hours.zone)) if opens is not None and opens > now else None


def clock_in_words(there: datetime) -> str:
    """A moment soon, on the clock of its own time zone, as people say it: "today, 18:30 CET", "Monday, 08:00 CET".

    The zone is named, since nobody knows where the reader is.
    """
    today = timezone.now().astimezone(there.tzinfo).date()
    # Translators: a time of day and the short name of its time zone
    clock = _("%(time)s %(zone)s") % {"time": f"{there:%H:%M}", "zone": _zone_of(there)}
    days = (there.date() - today).days
    if days == 0:
        return _("today, %(time)s") % {"time": clock}
    if days == 1:
        return _("tomorrow, %(time)s") % {"time": clock}
    if days < 7:
        return f"{WEEKDAYS[there.weekday()]}, {clock}"
    return f"{WEEKDAYS[there.weekday()]}, {date_format(there.date(), 'DATE_FORMAT')}, {clock}"


def _zone_of(there: datetime) -> str:
    name = there.tzname() or ""
    return (
        f"UTC{name}" if name[:1] in {"+", "-"} else name
    )  # places without letters of their own have numbers


def week_in_words(hours: Hours) -> list[tuple[str, str]]:
    """(days, times) of a week, days in a row with the same times in one: ("Monday–Friday", "08:00–18:00")."""
    groups: list[tuple[list[int], Sequence[Interval]]] = []
    for weekday, intervals in enumerate(hours.week):
        if groups and groups[-1][1] == intervals:
            groups[-1][0].append(weekday)
        else:
            groups.append(([weekday], intervals))
    return [(_days(days), _times(intervals)) for days, intervals in groups if intervals]


def _days(days: list[int]) -> str:
    if len(days) == 1:
        return str(WEEKDAYS[days[0]])
    return f"{WEEKDAYS[days[0]]}–{WEEKDAYS[days[-1]]}"


def _times(intervals: Iterable[Interval]) -> str:
    return ", ".join(f"{_clock(begin)}–{_clock(end)}" for begin, end in intervals)


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _closed_soon(hours: Hours) -> list[str]:
    today = timezone.now().astimezone(ZoneInfo(hours.zone)).date()
    return [
        date_format(day, "DATE_FORMAT")
        for day in sorted(hours.closed)
        if today <= day < today + SOON and hours.week[day.weekday()]
    ]
