"""Booked hours: book, drop, and what becomes of the seat of somebody who is not there.

Lock order: agent → needed hour. A seat is taken by one conditional UPDATE; the check of the table stands behind it.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection
from django.db.models import Count, F, Q, Value
from django.db.models.functions import Greatest, Now

from agents.errors import NotAdmitted, YouLeave
from agents.models import Agent, AgentStatus
from dispatch.errors import HourNotBooked, HourNotFound, HourRefused
from dispatch.models import Booking, NeededHour, Policy
from dispatch.rules.booking import HOUR, PATIENCE, Hour, Mine, No, Terms, refusal
from tickets import timeline


@dataclass(frozen=True)
class Offered:
    """One hour as its reader sees it. `no`: why they cannot book it now."""

    hour: NeededHour
    booking: Booking | None  # theirs
    no: No | None
    opens: datetime
    first_until: datetime

    @property
    def left(self) -> int:
        return self.hour.seats - self.hour.taken


def hour_book(*, agent_id: int, hour_id: int) -> Booking:
    """Take a seat. Outermost. Raises HourNotFound (also for a pool of others), HourRefused with the reason, NotAdmitted,
    YouLeave.
    """
    with timeline.command():
        # Two bookings of one person wait for each other: else both would be below the cap.
        agent = (
            Agent.objects.select_for_update(of=("self",), no_key=True).select_related("user").get(pk=agent_id)
        )
        if agent.status != AgentStatus.ADMITTED or not agent.user.is_active:
            raise NotAdmitted
        if agent.leaving_since is not None:
            raise YouLeave
        hour = NeededHour.objects.filter(pk=hour_id, pool__members=agent).first()
        if hour is None:
            raise HourNotFound
        [offered] = _judged(agent, [hour], _database_now())
        if offered.no is not None:
            raise HourRefused(offered.no)
        if not NeededHour.objects.filter(pk=hour_id, taken__lt=F("seats")).update(taken=F("taken") + 1):
            raise HourRefused(No.FULL)
        return Booking.objects.create(hour=hour, agent=agent, begins_at=hour.begins_at)


def hour_drop(*, agent_id: int, hour_id: int) -> None:
    """Give a seat back, at any time. Outermost. Nothing follows. Raises HourNotBooked."""
    with timeline.command():
        mine = Booking.objects.filter(agent_id=agent_id, hour_id=hour_id)
        if not _end(mine.values_list("pk", flat=True)):
            raise HourNotBooked


def bookings_give_back(agent_id: int) -> int:
    """All seats of hours that have not begun, of somebody who will not come. Inner. Returns how many."""
    ahead = Booking.objects.filter(agent_id=agent_id, ended_at__isnull=True, begins_at__gt=Now())
    return _end(ahead.values_list("pk", flat=True))


def missed_release(limit: int = 500) -> int:
    """Free the seats of running hours whose people were not online for PATIENCE. Outermost.

    Safe to run twice or late. Returns how many.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT b.id FROM dispatch_booking b
            WHERE b.ended_at IS NULL AND b.begins_at > statement_timestamp() - %(hour)s::interval
              AND b.begins_at <= statement_timestamp() - %(patience)s::interval
              AND b.booked_at <= statement_timestamp() - %(patience)s::interval
              AND NOT EXISTS (
                SELECT FROM agents_shift s WHERE s.agent_id = b.agent_id
                  AND coalesce(s.ended_at, s.lost_at, statement_timestamp()) > statement_timestamp() - %(patience)s::interval)
            ORDER BY b.id LIMIT %(limit)s
            """,
            {
                "hour": f"{HOUR.total_seconds()} seconds",
                "patience": f"{PATIENCE.total_seconds()} seconds",
                "limit": limit,
            },
        )
        found = [row[0] for row in cursor.fetchall()]
    released = 0
    for booking_id in found:
        with timeline.command():
            released += _end([booking_id], missed=True)
    return released


def needed_write(*, pool_id: int, seats: Mapping[datetime, int]) -> tuple[int, int]:
    """Set how many people a pool needs in these hours; an hour that is not in the table is added. Inner.

    Nobody's seat is taken away: where more have booked, so many stay. Returns (hours added, hours changed). Raises ValueError
    for a moment that is not on the full hour.
    """
    if any(begins.minute or begins.second or begins.microsecond for begins in seats):
        raise ValueError("hours begin on the full hour")
    added = changed = 0
    for begins, many in sorted(seats.items()):
        hour, made = NeededHour.objects.get_or_create(
            pool_id=pool_id, begins_at=begins, defaults={"seats": many}
        )
        added += made
        if not made:
            # `taken` moves all the time, so it is compared where it stands.
            wanted = Greatest(F("taken"), Value(many))
            changed += NeededHour.objects.filter(pk=hour.pk).exclude(seats=wanted).update(seats=wanted)
    return added, changed


def _end(booking_ids: Collection[int], *, missed: bool = False) -> int:
    """End these bookings that are live, and give their seats back. Inner."""
    ended = 0
    for booking in Booking.objects.filter(pk__in=booking_ids, ended_at__isnull=True).order_by("hour_id"):
        if Booking.objects.filter(pk=booking.pk, ended_at__isnull=True).update(ended_at=Now(), missed=missed):
            NeededHour.objects.filter(pk=booking.hour_id).update(taken=F("taken") - 1)
            ended += 1
    return ended


# --- What there is ----------------------------------------------------------------------------------------------------


def hours_for(agent: Agent) -> list[Offered]:
    """Hours of the agent's pools from the running one on, as far as the longest policy looks ahead. Some six queries."""
    now = _database_now()
    farthest = max((terms.days for terms in _terms().values()), default=0)
    hours = NeededHour.objects.filter(
        pool__members=agent, begins_at__gt=now - HOUR, begins_at__lt=now + timedelta(days=farthest + 1)
    ).select_related("pool")
    return _judged(agent, list(hours), now)


def next_booking(agent_id: int) -> Booking | None:
    """The running or next hour that the agent has booked. One query."""
    live = Booking.objects.filter(agent_id=agent_id, ended_at__isnull=True, begins_at__gt=Now() - HOUR)
    return live.select_related("hour__pool").order_by("begins_at").first()


def _judged(agent: Agent, hours: Sequence[NeededHour], now: datetime) -> list[Offered]:
    terms = _terms()
    begins = [hour.begins_at for hour in hours]
    mine = {
        one.begins_at: one
        for one in Booking.objects.filter(agent=agent, ended_at__isnull=True, begins_at__in=begins)
    }
    weeks = {(hour.pool_id, week_of(hour.begins_at)) for hour in hours}
    own = {week: _booked(week, Q(agent=agent)) for _pool, week in weeks}
    usual = {one: _usual(*one) for one in weeks}
    found = []
    for hour in hours:
        rules = terms.get(hour.pool_id, Terms(0, 0))
        booking, week = mine.get(hour.begins_at), week_of(hour.begins_at)
        spec = Hour(hour.begins_at, hour.made_at, hour.seats, hour.taken)
        here = booking is not None and booking.hour_id == hour.pk
        case = Mine(own[week], usual[hour.pool_id, week], here, booking is not None and not here)
        opens = spec.opens(rules)
        found.append(
            Offered(
                hour,
                booking if here else None,
                refusal(spec, case, rules, now),
                opens,
                opens + timedelta(days=1),
            )
        )
    return found


def week_of(moment: datetime) -> tuple[datetime, datetime]:
    """The week from Monday to Monday, by the house's clock, as moments: an hour longer in autumn."""
    house = ZoneInfo(settings.TIME_ZONE)
    day = moment.astimezone(house).date()
    monday = day - timedelta(days=day.weekday())
    begin, end = (
        datetime(one.year, one.month, one.day, tzinfo=house) for one in (monday, monday + timedelta(days=7))
    )
    return begin, end


def _booked(week: tuple[datetime, datetime], whose: Q) -> int:
    """Hours booked in a week; also those that are over, but not those that were given back."""
    return Booking.objects.filter(
        whose, ended_at__isnull=True, begins_at__gte=week[0], begins_at__lt=week[1]
    ).count()


def _usual(pool_id: int, week: tuple[datetime, datetime]) -> float:
    """Hours that the pool's admitted people have booked of a week, on average."""
    people = Agent.objects.filter(pools=pool_id, status=AgentStatus.ADMITTED).aggregate(many=Count("pk"))[
        "many"
    ]
    return _booked(week, Q(agent__pools=pool_id)) / people if people else 0.0


def _terms() -> dict[int, Terms]:
    return {
        policy.pool_id: Terms(policy.booking_days, policy.booking_cap)
        for policy in Policy.objects.filter(current=True)
    }


def _database_now() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement_timestamp()")
        [now] = cursor.fetchone()
    assert isinstance(now, datetime)
    return now
