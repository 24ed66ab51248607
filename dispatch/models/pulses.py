"""Pulse: when a kind of process was last heard of."""

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class ProcessKind(models.TextChoices):
    MATCHER = "matcher", _("matcher")  # has answered a beat on the queue of matching runs
    WORKER = "worker", _("worker")  # the same, on the default queue
    SIMULATOR = "simulator", _("simulator")  # the same, on the queue of long computations
    BEAT = "beat", _("beat")  # has sent a beat that Redis took


class Pulse(models.Model):
    """One row a kind, written over and over (dispatch/pulse.py)."""

    kind = models.CharField(_("kind of process"), max_length=10, choices=ProcessKind, primary_key=True)
    heard_at = models.DateTimeField(_("last heard of"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("pulse")
        verbose_name_plural = _("pulses")

    def __str__(self) -> str:
        return self.kind
