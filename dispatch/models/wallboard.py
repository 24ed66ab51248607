"""HalfHour: how half an hour went, counted. LeadAction: what a team lead did to a ticket or a person, and why."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from agents.models import Agent
from tickets.models import Ticket, Topic


class HalfHour(models.Model):
    """What began in half an hour, by topic, as it stands now (dispatch/wall/halves.py). Made anew while any of it lasts.

    Waits, as PromiseDay; offers, by what became of them; what else happened, by its own time.
    """

    begins_at = models.DateTimeField(_("begins"))
    topic = models.ForeignKey(
        Topic, models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("topic")
    )
    counted_at = models.DateTimeField(_("counted"), db_default=Now(), editable=False)
    # Waits that began in it
    asked = models.PositiveIntegerField(_("wanted a person"), default=0)
    kept = models.PositiveIntegerField(_("a person came in time"), default=0)
    missed = models.PositiveIntegerField(_("not in time"), default=0)
    left = models.PositiveIntegerField(_("left before"), default=0)
    pending = models.PositiveIntegerField(_("still in time"), default=0)
    abandoned = models.PositiveIntegerField(_("closed by the customer before a person came"), default=0)
    unended = models.PositiveIntegerField(_("still waiting"), default=0)
    longest = models.FloatField(_("longest wait in seconds"), default=0)
    estimates = models.PositiveIntegerField(_("estimates"), default=0)
    early = models.FloatField(_("seconds longer than told, in all"), default=0)
    off = models.FloatField(_("seconds between told and true, in all"), default=0)
    # Offers that were made in it
    offers = models.PositiveIntegerField(_("offers"), default=0)
    accepted = models.PositiveIntegerField(_("accepted"), default=0)
    declined = models.PositiveIntegerField(_("declined"), default=0)
    expired = models.PositiveIntegerField(_("expired"), default=0)
    rescinded = models.PositiveIntegerField(_("taken by another"), default=0)
    withdrawn = models.PositiveIntegerField(_("revoked or no longer needed"), default=0)
    # Events of it
    opened = models.PositiveIntegerField(_("opened"), default=0)
    reopened = models.PositiveIntegerField(_("reopened"), default=0)
    resolved = models.PositiveIntegerField(_("resolved by people"), default=0)
    assisted = models.PositiveIntegerField(_("resolved by the assistant alone"), default=0)
    ratings = models.PositiveIntegerField(_("ratings"), default=0)
    stars = models.PositiveIntegerField(_("sum of the ratings"), default=0)

    class Meta:
        verbose_name = _("half hour")
        verbose_name_plural = _("half hours")
        ordering = ["-begins_at", "topic"]
        constraints = [
            models.UniqueConstraint(
                fields=["begins_at", "topic"], name="half_hour_once", nulls_distinct=False
            )
        ]

    def __str__(self) -> str:
        return f"{self.begins_at:%Y-%m-%d %H:%M}"


class LeadActionKind(models.TextChoices):
    WHISPER = "whisper", _("whispered")  # a note that the customer never sees
    REASSIGN = "reassign", _("reassigned")
    CALL_IN = "call_in", _("called in")
    FORCE_OFFLINE = "force_offline", _("took offline")
    ACKNOWLEDGE = "acknowledge", _("saw to an alert")
    HOURS = "hours", _("wrote needed hours")


class LeadAction(models.Model):
    """One act of a team lead: who, when, what about, and why. Only ever added (trigger), by dispatch/leading.py.

    `why` of an act on a ticket goes with the ticket's words when its customer has them deleted.
    """

    kind = models.CharField(_("kind"), max_length=20, choices=LeadActionKind)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("by"))
    at = models.DateTimeField(_("at"), db_default=Now(), editable=False)
    ticket = models.ForeignKey(
        Ticket, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("ticket")
    )
    agent = models.ForeignKey(
        Agent, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("agent")
    )
    why = models.CharField(_("why"), max_length=400, blank=True)  # a whisper's stand in its note
    data = models.JSONField(_("more"), default=dict)
    # The command's Idempotency-Key and its content, by whoever acts; acts on a ticket have theirs in its timeline.
    key = models.CharField(max_length=100, null=True, blank=True, editable=False)  # noqa: DJ001  null: no key was given
    digest = models.CharField(max_length=32, blank=True, default="", db_default="", editable=False)

    class Meta:
        verbose_name = _("act of a team lead")
        verbose_name_plural = _("acts of team leads")
        ordering = ["-id"]
        permissions = [("intervene", "Whispers, reassigns, calls in, takes offline, acknowledges alerts")]
        constraints = [
            models.UniqueConstraint(
                fields=["by", "key"], name="lead_action_key_once", condition=Q(key__isnull=False)
            ),
            models.CheckConstraint(
                condition=Q(kind__in=LeadActionKind.values), name="lead_action_kind_known"
            ),
            models.CheckConstraint(
                condition=~Q(kind__in=["whisper", "reassign"]) | Q(ticket__isnull=False),
                name="lead_action_on_a_ticket",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.at:%Y-%m-%d %H:%M}"
