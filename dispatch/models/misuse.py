"""Misuse: what an agent ended as spam or abuse, and what a team lead said to it."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from dispatch.models.offers import Offer
from tickets.models import MISUSE_CHOICES, Ticket


class Misuse(models.Model):
    """One ending of a ticket as spam or abuse. At most one is open a ticket; taken back, the ticket waits again."""

    ticket = models.ForeignKey(Ticket, models.PROTECT, related_name="misuses", verbose_name=_("ticket"))
    offer = models.ForeignKey(Offer, models.PROTECT, related_name="+", verbose_name=_("offer"))
    kind = models.CharField(_("kind"), max_length=10, choices=MISUSE_CHOICES)
    note = models.TextField(_("note"), blank=True)
    # Recorded, and nothing more: whoever writes a block list finds here what people have confirmed.
    address = models.EmailField(_("customer's address"), blank=True)
    made_at = models.DateTimeField(_("ended"), db_default=Now(), editable=False)
    settled_at = models.DateTimeField(_("settled"), null=True, blank=True, editable=False)
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("settled by"),
    )
    confirmed = models.BooleanField(_("confirmed"), null=True, blank=True, editable=False)
    answer = models.TextField(_("answer"), blank=True)

    class Meta:
        verbose_name = _("ending as spam or abuse")
        verbose_name_plural = _("endings as spam or abuse")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["ticket"], condition=Q(settled_at__isnull=True), name="misuse_one_open_a_ticket"
            ),
            models.CheckConstraint(
                condition=Q(settled_by__isnull=True, confirmed__isnull=True)
                | Q(settled_at__isnull=False, settled_by__isnull=False, confirmed__isnull=False),
                name="misuse_settled_by_somebody",  # or by nobody, when the customer's data was deleted
            ),
        ]

    def __str__(self) -> str:
        return f"S-{self.ticket_id} {self.kind}"
