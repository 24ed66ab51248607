"""What belongs to an agent's desk and to nobody else's: drafts, keys."""

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from agents.models import Agent
from tickets.models import Ticket


class DraftKind(models.TextChoices):
    MESSAGE = "message", _("to the customer")
    NOTE = "note", _("internal note")


class Draft(models.Model):
    """What an agent has typed into a ticket and not sent. Never shown to the customer; gone when the ticket leaves the desk.

    The last writer wins: each save has the next number, by which a page knows whether what it has is older.
    """

    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="+", verbose_name=_("ticket"))
    agent = models.ForeignKey(Agent, models.CASCADE, related_name="+", verbose_name=_("agent"))
    kind = models.CharField(_("kind"), max_length=10, choices=DraftKind)
    body = models.TextField(_("text"), blank=True)
    number = models.PositiveIntegerField(_("number"), default=1)
    saved_at = models.DateTimeField(_("saved"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("draft")
        verbose_name_plural = _("drafts")
        constraints = [models.UniqueConstraint(fields=["ticket", "agent", "kind"], name="draft_once")]

    def __str__(self) -> str:
        return f"{self.ticket_id}/{self.agent_id} {self.kind} #{self.number}"


class DeskKeys(models.Model):
    """The keys that an agent has chosen for the console (dispatch/keys.py)."""

    agent = models.OneToOneField(
        Agent, models.CASCADE, primary_key=True, related_name="+", verbose_name=_("agent")
    )
    keys = models.JSONField(_("keys"), default=dict)

    class Meta:
        verbose_name = _("keys of the console")
        verbose_name_plural = _("keys of the console")

    def __str__(self) -> str:
        return str(self.agent_id)
