"""Feed and FeedEvent: an agent's numbered events, the source of their socket. Written by dispatch/feed.py only."""

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from agents.models import Agent


class Feed(models.Model):
    """The counter of an agent's events. A row of its own, so that numbering locks neither agent nor shift."""

    agent = models.OneToOneField(
        Agent, models.CASCADE, primary_key=True, related_name="feed", verbose_name=_("agent")
    )
    last_seq = models.PositiveIntegerField(_("last event"), default=0)

    class Meta:
        verbose_name = _("feed")
        verbose_name_plural = _("feeds")

    def __str__(self) -> str:
        return f"agent:{self.agent_id}@{self.last_seq}"


class FeedEvent(models.Model):
    """What happened to an agent, numbered from 1 without a gap."""

    agent = models.ForeignKey(
        Agent, models.CASCADE, related_name="feed_events", verbose_name=_("agent"), db_index=False
    )
    seq = models.PositiveIntegerField(_("number"))
    type = models.CharField(_("type"), max_length=40)
    data = models.JSONField(_("data"), default=dict)
    key = models.CharField(max_length=100, null=True, blank=True, editable=False)  # noqa: DJ001  null: no key was given
    digest = models.CharField(max_length=32, blank=True, editable=False)
    created_at = models.DateTimeField(_("at"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("event of an agent")
        verbose_name_plural = _("events of agents")
        ordering = ["agent", "seq"]
        constraints = [
            models.UniqueConstraint(fields=["agent", "seq"], name="feed_event_seq_once"),
            models.UniqueConstraint(
                fields=["agent", "key"], name="feed_event_key_once", condition=models.Q(key__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"agent:{self.agent_id}/{self.seq} {self.type}"
