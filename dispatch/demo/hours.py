"""A week of needed hours from now on, some of them booked, so that there is something to book and to drop at once."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone

from agents.models import Agent, Pool
from dispatch.models import Booking, NeededHour

DAYS = 7
OPEN = range(9, 21)  # by the house's clock
PEAKS = {10: 2, 11: 3, 17: 2, 18: 3, 19: 3}  # hour → people; else one
SMALL = ("trust",)  # pools in which the peaks alone are staffed


def offer_hours() -> None:
    """Offered for a month already, so that the first day is over for most; each person has booked a few."""
    house = ZoneInfo(settings.TIME_ZONE)
    now = timezone.now()
    today = now.astimezone(house).date()
    for pool in Pool.objects.order_by("pk"):
        listed = []
        for day in (today + timedelta(days=after) for after in range(DAYS + 1)):
            for hour in OPEN:
                begins = datetime(day.year, day.month, day.day, hour, tzinfo=house)
                if begins <= now or (pool.key in SMALL and hour not in PEAKS):
                    continue
                listed.append(NeededHour(pool=pool, begins_at=begins, seats=PEAKS.get(hour, 1)))
        hours = NeededHour.objects.bulk_create(listed)
        NeededHour.objects.filter(pool=pool).update(made_at=now - timedelta(days=30))
        _book(hours, list(Agent.objects.filter(pools=pool).order_by("pk")))


def _book(hours: list[NeededHour], people: list[Agent]) -> None:
    """Of each third hour one seat, in turn; nobody in two places."""
    for number, hour in enumerate(hours[1::3]):
        agent = people[number % len(people)]
        if Booking.objects.filter(agent=agent, begins_at=hour.begins_at).exists():
            continue
        Booking.objects.create(hour=hour, agent=agent, begins_at=hour.begins_at)
        NeededHour.objects.filter(pk=hour.pk).update(taken=1)
