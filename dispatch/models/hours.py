"""Booked hours: NeededHour, the plain table of who is needed when, and Booking, somebody's seat in it."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from agents.models import Agent, Pool


class NeededHour(models.Model):
    """An hour in which a pool will need people. A moment and not a day with a number: two hours may have one name in autumn."""

    pool = models.ForeignKey(Pool, models.CASCADE, related_name="needed_hours", verbose_name=_("pool"))
    begins_at = models.DateTimeField(_("begins"), help_text=_("On the full hour."))
    seats = models.PositiveSmallIntegerField(_("people needed"))
    taken = models.PositiveSmallIntegerField(_("booked"), default=0, db_default=0, editable=False)
    made_at = models.DateTimeField(_("made"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("needed hour")
        verbose_name_plural = _("needed hours")
        ordering = ["begins_at", "pool"]
        constraints = [
            models.UniqueConstraint(
                fields=["pool", "begins_at"],
                name="needed_hour_once",
                violation_error_message=_("This hour is in the table already."),
            ),
            models.CheckConstraint(
                condition=Q(taken__lte=F("seats")),
                name="needed_hour_seats_never_exceeded",
                violation_error_message=_("More people have booked this hour. Nobody’s seat is taken away."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pool} {self.begins_at:%Y-%m-%d %H:%M %Z}"


class Booking(models.Model):
    """A seat of somebody. It ends by being dropped, or by being free again because they were not online; both cost nothing."""

    hour = models.ForeignKey(NeededHour, models.CASCADE, related_name="bookings", verbose_name=_("hour"))
    agent = models.ForeignKey(Agent, models.CASCADE, related_name="bookings", verbose_name=_("agent"))
    begins_at = models.DateTimeField(_("begins"), editable=False)  # the hour's: one person is in one place
    booked_at = models.DateTimeField(_("booked"), db_default=Now(), editable=False)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True, editable=False)
    missed = models.BooleanField(_("free again, was not online"), default=False, db_default=False)

    class Meta:
        verbose_name = _("booking")
        verbose_name_plural = _("bookings")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["agent", "begins_at"],
                condition=Q(ended_at__isnull=True),
                name="booking_one_place_an_hour",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.agent_id} {self.begins_at:%Y-%m-%d %H:%M %Z}"
