"""Simulation: policies played against each other at a team lead's wish, and what came out."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _


class SimulationState(models.TextChoices):
    """waiting → running → done | failed | cancelled; waiting → cancelled."""

    WAITING = "waiting", _("waits for its turn")
    RUNNING = "running", _("is being played")
    DONE = "done", _("done")
    FAILED = "failed", _("failed")  # `error` says why
    CANCELLED = "cancelled", _("cancelled")


class Simulation(models.Model):
    """One study of the simulator (dispatch/simulator). Written by dispatch/simulations.py alone."""

    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("asked by")
    )
    inputs = models.JSONField(_("inputs"))  # as SimulationForm cleans them, without the file
    arrivals = models.TextField(_("file of arrivals"), blank=True)
    state = models.CharField(
        _("state"), max_length=10, choices=SimulationState, default=SimulationState.WAITING
    )
    plays = models.PositiveIntegerField(_("plays"))  # worlds × policies
    played = models.PositiveIntegerField(_("played"), default=0)
    error = models.CharField(_("why it failed"), max_length=300, blank=True)
    result = models.JSONField(_("figures"), null=True, blank=True)  # as dispatch.simulator.study.as_json
    plots = models.JSONField(_("plots"), default=list, blank=True)  # SVG texts, one a case
    report = models.TextField(_("report"), blank=True)  # HTML
    asked_at = models.DateTimeField(_("asked"), db_default=Now(), editable=False)
    began_at = models.DateTimeField(_("began"), null=True, blank=True, editable=False)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True, editable=False)

    LIVE: ClassVar = (SimulationState.WAITING, SimulationState.RUNNING)

    class Meta:
        verbose_name = _("simulation")
        verbose_name_plural = _("simulations")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["asked_by"],
                condition=Q(state__in=["waiting", "running"]),
                name="simulation_one_live_a_person",
            ),
            models.CheckConstraint(condition=Q(played__lte=F("plays")), name="simulation_played_of_plays"),
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "running"], ended_at__isnull=True)
                | (~Q(state__in=["waiting", "running"]) & Q(ended_at__isnull=False)),
                name="simulation_ended_at_iff_ended",
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.state}"

    @property
    def live(self) -> bool:
        return self.state in self.LIVE

    @property
    def title(self) -> str:
        """What it is about, in one line."""
        source = self.inputs["source"]
        if source == "file":
            return str(self.inputs["file_name"])
        if source == "day":
            return str(self.inputs["day"])
        words: str = gettext("%(people)s people, load %(load)s %%") % self.inputs
        return words
