"""Forecast: what was said of the days to come, on the morning of a day. Never changed: it is held against what came."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from agents.models import Pool, Skill


class Forecast(models.Model):
    """Tickets a half hour of one pool, or of those that need a skill there. Written by dispatch/forecasting.py alone.

    `means` and `baseline` hold 48 half hours of the clock for each day, from `day` on. Errors are WAPE of the backtest.
    """

    pool = models.ForeignKey(Pool, models.CASCADE, related_name="forecasts", verbose_name=_("pool"))
    skill = models.ForeignKey(
        Skill, models.CASCADE, null=True, blank=True, related_name="forecasts", verbose_name=_("skill")
    )  # null: all tickets of the pool
    day = models.DateField(_("first day"))
    made_at = models.DateTimeField(_("made"), db_default=Now(), editable=False)
    model = models.CharField(_("model"), max_length=60)
    error = models.FloatField(_("its error"), null=True)  # null: nothing to hold it against yet
    baseline_error = models.FloatField(_("error of the seasonal average"), null=True)
    errors = models.JSONField(_("errors of all models"), default=dict)
    dispersion = models.FloatField(_("dispersion"))  # φ of a variance μ + φμ²
    history_days = models.PositiveSmallIntegerField(_("days of history"))
    means = ArrayField(models.FloatField(), verbose_name=_("tickets a half hour"))
    baseline = ArrayField(models.FloatField(), verbose_name=_("seasonal average"))

    class Meta:
        verbose_name = _("forecast")
        verbose_name_plural = _("forecasts")
        ordering = ["-day", "pool", "skill"]
        constraints = [
            models.UniqueConstraint(
                fields=["pool", "skill", "day"], name="forecast_once_a_day", nulls_distinct=False
            ),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.pool_id} {self.skill_id or '*'}"
