"""When a ticket that is put aside may wake, in a few words: an hour, the afternoon, tomorrow morning; on the agent's clock."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

HOUR, AFTERNOON, TOMORROW, WEEK = "hour", "afternoon", "tomorrow", "week"
MORNING = time(9)
AFTER_LUNCH = time(14)
ROUND_MINUTES = 5
SOON = timedelta(minutes=30)  # what is nearer than that needs no words


def choices(now: datetime, hours: int) -> dict[str, datetime]:
    """Word → moment, the nearest first, of those that are not further away than `hours`. `now` is aware, in the agent's zone.

    A clock that is put forward over a moment has it an hour later; moments that two words would share have one.
    """
    today = now.date()
    wanted = {
        HOUR: _rounded(now + timedelta(hours=1)),
        AFTERNOON: _at(now, AFTER_LUNCH, 0),
        TOMORROW: _at(now, MORNING, 1),
        WEEK: _at(now, MORNING, 7 - today.weekday()),
    }
    found: dict[str, datetime] = {}
    for word, moment in sorted(wanted.items(), key=lambda one: one[1]):
        ahead = moment.astimezone(UTC) - now.astimezone(UTC)
        if SOON < ahead <= timedelta(hours=hours) and moment not in found.values():
            found[word] = moment
    return found


def _at(now: datetime, clock: time, days: int) -> datetime:
    """So many days on, at this time of the clock."""
    local = datetime.combine(now.date() + timedelta(days=days), clock, now.tzinfo)
    return local.astimezone(UTC).astimezone(
        now.tzinfo
    )  # a time that the clock leaves out becomes one that there is


def _rounded(moment: datetime) -> datetime:
    """Up to full minutes that people say."""
    # In UTC: an hour is an hour, whatever the clock does meanwhile.
    utc = moment.astimezone(UTC).replace(second=0, microsecond=0)
    more = -utc.minute % ROUND_MINUTES
    return (utc + timedelta(minutes=more)).astimezone(moment.tzinfo)
