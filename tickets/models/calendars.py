"""Calendar, OpeningHours, ClosedDay: when a topic's tickets are promised an answer."""

from zoneinfo import available_timezones

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext_lazy as _


def time_zone_known(value: str) -> None:
    """Raises ValidationError."""
    if value not in available_timezones():
        raise ValidationError(_("No time zone has this name. One is “Europe/Berlin”."))


class Calendar(models.Model):
    """Opening hours. They say how tickets age and what customers are told; whoever is online is asked at any hour."""

    name = models.CharField(_("name"), max_length=80, unique=True)
    time_zone = models.CharField(
        _("time zone"), max_length=64, default="Europe/Berlin", validators=[time_zone_known]
    )
    without_topic = models.BooleanField(
        _("for tickets without a topic"), default=False, help_text=_("One calendar at most.")
    )

    class Meta:
        verbose_name = _("calendar")
        verbose_name_plural = _("calendars")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["without_topic"],
                condition=Q(without_topic=True),
                name="calendar_one_without_topic",
                violation_error_message=_("Another calendar is the one for tickets without a topic."),
            )
        ]

    def __str__(self) -> str:
        return self.name


class OpeningHours(models.Model):
    """From when until when it is open on a day of the week. Over midnight: one row until 00:00, one from 00:00."""

    calendar = models.ForeignKey(
        Calendar, models.CASCADE, related_name="opening_hours", verbose_name=_("calendar")
    )
    weekday = models.PositiveSmallIntegerField(_("day of the week"), choices=list(WEEKDAYS.items()))
    opens = models.TimeField(_("opens"))
    closes = models.TimeField(_("closes"), help_text=_("00:00 is the end of the day."))

    class Meta:
        verbose_name = _("opening hours")
        verbose_name_plural = _("opening hours")
        ordering = ["weekday", "opens"]
        constraints = [
            models.CheckConstraint(
                condition=Q(closes__gt=F("opens")) | Q(closes="00:00"),
                name="opening_hours_closes_after_opens",
                violation_error_message=_("It closes before it opens."),
            ),
            models.CheckConstraint(condition=Q(weekday__lte=6), name="opening_hours_weekday_0_to_6"),
        ]

    def __str__(self) -> str:
        return f"{WEEKDAYS[self.weekday]} {self.opens:%H:%M}–{self.closes:%H:%M}"


class ClosedDay(models.Model):
    """A day without hours, such as a holiday."""

    calendar = models.ForeignKey(
        Calendar, models.CASCADE, related_name="closed_days", verbose_name=_("calendar")
    )
    day = models.DateField(_("day"))
    note = models.CharField(_("why"), max_length=80, blank=True)

    class Meta:
        verbose_name = _("closed day")
        verbose_name_plural = _("closed days")
        ordering = ["day"]
        constraints = [models.UniqueConstraint(fields=["calendar", "day"], name="closed_day_once")]

    def __str__(self) -> str:
        return str(self.day)
