"""Shift and Lease: one stretch of being online, and the proof that the browser is still there."""

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from agents.models.people import Agent


class ShiftState(models.TextChoices):
    """What the agent chose. Busy is no state: it is load = capacity."""

    ONLINE = "online", _("online")
    PAUSED = "paused", _("paused")
    FINISHING = "finishing", _("finishing")  # keeps what is held, gets nothing new, ends with it
    ENDED = "ended", _("offline")


class EndReason(models.TextChoices):
    AGENT = "agent", _("went offline")
    LEASE = "lease", _("connection lost")
    FORCED = "forced", _("ended by an admin")
    FINISHED = "finished", _("had finished")  # finishing, and nothing was left: the tick ends it


class Shift(models.Model):
    """One stretch from "go online" to "go offline". Every write of an agent carries its epoch; an old one is refused."""

    agent = models.ForeignKey(Agent, models.PROTECT, related_name="shifts", verbose_name=_("agent"))
    epoch = models.PositiveIntegerField(_("epoch"))
    state = models.CharField(_("state"), max_length=10, choices=ShiftState, default=ShiftState.ONLINE)
    reason = models.CharField(_("reason of the pause"), max_length=40, blank=True)
    # Attention, counted by the same transactions that make and end offers; the constraint stands behind them.
    units = models.PositiveSmallIntegerField(_("capacity"))
    units_taken = models.PositiveSmallIntegerField(_("units taken"), default=0)
    units_wrapping = models.PositiveSmallIntegerField(_("of these in wrap-up"), default=0, db_default=0)
    started_at = models.DateTimeField(_("started"), db_default=Now(), editable=False)
    idle_since = models.DateTimeField(_("idle since"), db_default=Now(), editable=False)
    # Time online, of which the fair share is made: no pause, not finishing, and not while the connection is lost, since nothing
    # is offered then. Added up by each step that begins or ends it (agents/shifts.py); nothing is counted of who is offline.
    online_seconds = models.FloatField(
        _("seconds online"), default=0.0, db_default=0.0, editable=False, help_text=_("Up to “online since”.")
    )
    online_since = models.DateTimeField(_("online since"), null=True, blank=True, editable=False)
    lost_at = models.DateTimeField(_("connection lost"), null=True, blank=True, editable=False)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True, editable=False)
    end_reason = models.CharField(_("ended because"), max_length=10, choices=EndReason, blank=True)
    # For one scripted customer (ADR 19), also of somebody who is not admitted: never online, so no run ever finds it.
    practice = models.BooleanField(_("practice"), default=False, db_default=False, editable=False)

    class Meta:
        verbose_name = _("shift")
        verbose_name_plural = _("shifts")
        ordering = ["-id"]
        # Shifts begin in the order of their time: those of a day lie on a few pages.
        indexes = [BrinIndex(fields=["started_at"], name="shift_by_day", autosummarize=True)]
        constraints = [
            models.UniqueConstraint(fields=["agent", "epoch"], name="shift_epoch_once"),
            models.UniqueConstraint(
                fields=["agent"], condition=Q(ended_at__isnull=True), name="shift_one_open_an_agent"
            ),
            models.CheckConstraint(
                condition=Q(units_taken__lte=F("units")), name="shift_capacity_never_exceeded"
            ),
            models.CheckConstraint(
                condition=Q(units_wrapping__lte=F("units_taken")), name="shift_wrapping_is_taken"
            ),
            models.CheckConstraint(
                condition=Q(state=ShiftState.ENDED, ended_at__isnull=False)
                | (~Q(state=ShiftState.ENDED) & Q(ended_at__isnull=True)),
                name="shift_ended_at_iff_ended",
            ),
            models.CheckConstraint(
                condition=Q(practice=False) | Q(state__in=[ShiftState.FINISHING, ShiftState.ENDED]),
                name="shift_practice_gets_nothing_new",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.agent_id}#{self.epoch} {self.state}"

    @property
    def units_free(self) -> int:
        return self.units - self.units_taken


class Lease(models.Model):
    """Written by each beat, so that beats touch no other row. It lives as long as its shift is open."""

    shift = models.OneToOneField(
        Shift, models.CASCADE, primary_key=True, related_name="lease", verbose_name=_("shift")
    )
    beat_at = models.DateTimeField(_("last beat"), db_default=Now())
    expires_at = models.DateTimeField(
        _("ends")
    )  # no index: beats stay heap-only updates, and the table is small

    class Meta:
        verbose_name = _("lease")
        verbose_name_plural = _("leases")

    def __str__(self) -> str:
        return str(self.shift_id)
