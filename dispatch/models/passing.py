"""Transfer and Escalation: where a ticket was passed on to, and what team leads were asked to look at."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from agents.models import Agent, Pool
from tickets.models import Ticket


class Transfer(models.Model):
    """Where a ticket was passed on to last; how it got there is in its timeline. Read by runs, while the ticket waits.

    With a pool the ticket is that pool's from then on, whatever its route's steps say. With an agent it waits for them for
    the first seconds (dispatch/rules/steps.py), as it would for somebody who knows the customer. So it does, once it is awake,
    for the agent with whom it fell asleep and who went before its time.
    """

    ticket = models.OneToOneField(
        Ticket, models.CASCADE, primary_key=True, related_name="transfer", verbose_name=_("ticket")
    )
    pool = models.ForeignKey(
        Pool, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("pool")
    )
    agent = models.ForeignKey(
        Agent, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("asked first")
    )
    made_at = models.DateTimeField(_("passed on"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("transfer")
        verbose_name_plural = _("transfers")
        constraints = [
            models.CheckConstraint(
                condition=Q(pool__isnull=False) | Q(agent__isnull=False), name="transfer_to_somebody"
            )
        ]

    def __str__(self) -> str:
        return f"S-{self.ticket_id} → {self.agent or self.pool}"


class Escalation(models.Model):
    """The holder asked the team leads to look at a ticket. At most one is open a ticket."""

    ticket = models.ForeignKey(Ticket, models.PROTECT, related_name="escalations", verbose_name=_("ticket"))
    agent = models.ForeignKey(Agent, models.PROTECT, related_name="+", verbose_name=_("asked by"))
    reason = models.TextField(_("reason"))
    opened_at = models.DateTimeField(_("opened"), db_default=Now(), editable=False)
    settled_at = models.DateTimeField(_("settled"), null=True, blank=True, editable=False)
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("settled by"),
    )
    answer = models.TextField(_("answer"), blank=True)

    class Meta:
        verbose_name = _("escalation")
        verbose_name_plural = _("escalations")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["ticket"], condition=Q(settled_at__isnull=True), name="escalation_one_open_a_ticket"
            ),
            models.CheckConstraint(
                condition=Q(settled_by__isnull=True) | Q(settled_at__isnull=False),
                name="escalation_settled_by_somebody",  # or by nobody, when the customer's data was deleted
            ),
        ]

    def __str__(self) -> str:
        return f"S-{self.ticket_id}"
