"""Run: one pass of the matcher over one pool, with what it saw. Standing: what a run knows of an agent's past."""

from django.db import models
from django.db.models import Value
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from agents.models import Agent, Pool
from dispatch.models.routing import Policy


class Run(models.Model):
    """One pass of the matcher. Stored only when it made offers."""

    pool = models.ForeignKey(Pool, models.PROTECT, related_name="runs", verbose_name=_("pool"))
    policy = models.ForeignKey(Policy, models.PROTECT, related_name="runs", verbose_name=_("policy"))
    started_at = models.DateTimeField(_("started"), db_default=Now(), editable=False)
    tickets = models.PositiveIntegerField(_("tickets waiting"))
    agents = models.PositiveIntegerField(_("agents free"))
    offers = models.PositiveIntegerField(_("offers made"))
    solve_micros = models.PositiveIntegerField(_("solver, µs"))
    # dispatch/matching/snapshot.py: numbers only, no customer text. Empty until the offers are on their way.
    snapshot = models.BinaryField(_("what it saw"))

    class Meta:
        verbose_name = _("run")
        verbose_name_plural = _("runs")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"#{self.pk} {self.pool}"


class Standing(models.Model):
    """Figures of an agent's recent past that the score uses, refreshed by the tick over a sliding window."""

    agent = models.OneToOneField(
        Agent, models.CASCADE, primary_key=True, related_name="standing", verbose_name=_("agent")
    )
    accept_rate = models.FloatField(_("share of offers accepted"), default=1.0)
    # Topic id (0: none) → the share of offers of such tickets; only topics of which they answered any.
    accept_by_topic = models.JSONField(
        _("share of offers accepted, by topic"), default=dict, db_default=Value({}, models.JSONField())
    )
    answered = models.PositiveIntegerField(_("offers answered"), default=0, db_default=0)
    share = models.FloatField(_("earnings per online hour, 1 = the mean of all online"), default=1.0)
    # What the share in a pool is made of, with that pool's mean; in usual lines of the ledger and hours.
    earned = models.FloatField(_("earned, in usual tickets"), default=0.0, db_default=0.0)
    hours = models.FloatField(_("hours online"), default=0.0, db_default=0.0)
    # Ratings and reviews against the usual, −1–1, and how many there are (dispatch/rules/quality.py).
    quality = models.FloatField(_("quality, 0 = the usual"), default=0.0, db_default=0.0)
    judged = models.PositiveIntegerField(_("ratings and reviews"), default=0, db_default=0)
    refreshed_at = models.DateTimeField(_("refreshed"), db_default=Now())

    class Meta:
        verbose_name = _("standing")
        verbose_name_plural = _("standings")

    def __str__(self) -> str:
        return str(self.agent_id)


class PoolStanding(models.Model):
    """How a pool's offers went of late, refreshed each minute, how many may be asked at once (rules/parallel.py), and what its
    people earn."""

    pool = models.OneToOneField(
        Pool, models.CASCADE, primary_key=True, related_name="standing", verbose_name=_("pool")
    )
    ended = models.PositiveIntegerField(_("offers that ended of late"), default=0)
    rescinded = models.PositiveIntegerField(_("of these, somebody else was faster"), default=0)
    parallel = models.PositiveSmallIntegerField(_("asked at once"), default=3)
    hourly = models.FloatField(
        _("earned in an hour on average, in usual tickets"), default=0.0, db_default=0.0
    )
    refreshed_at = models.DateTimeField(_("refreshed"), db_default=Now())

    class Meta:
        verbose_name = _("standing of a pool")
        verbose_name_plural = _("standings of pools")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(parallel__gte=1, parallel__lte=3), name="pool_parallel_1_to_3"
            ),
        ]

    def __str__(self) -> str:
        return str(self.pool_id)
