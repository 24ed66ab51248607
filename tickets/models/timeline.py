"""TicketEvent: the numbered timeline. Written by tickets/timeline.py only, and never changed (a trigger refuses it)."""

from django.conf import settings
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from tickets.models.ticket import Ticket


class TicketEvent(models.Model):
    """What happened to a ticket, numbered from 1 without a gap. Its type is declared in an EventType."""

    # Without an index of its own, as in other tables to which much is written: a unique constraint begins with the column.
    ticket = models.ForeignKey(
        Ticket, models.CASCADE, related_name="events", verbose_name=_("ticket"), db_index=False
    )
    seq = models.PositiveIntegerField(_("number"))
    type = models.CharField(_("type"), max_length=40)
    data = models.JSONField(_("data"), default=dict)
    public = models.BooleanField(_("shown to the customer"))
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("by"),
    )
    # The command's Idempotency-Key: the event is its receipt, written in the same transaction as what it did.
    key = models.CharField(max_length=100, null=True, blank=True, editable=False)  # noqa: DJ001  null: no key was given
    digest = models.CharField(max_length=32, blank=True, editable=False)
    created_at = models.DateTimeField(_("at"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("timeline")
        ordering = ["ticket", "seq"]
        # What happened on a day, at the price of a few pages: events come in the order of their time.
        indexes = [BrinIndex(fields=["created_at"], name="ticket_event_by_day", autosummarize=True)]
        constraints = [
            models.UniqueConstraint(fields=["ticket", "seq"], name="ticket_event_seq_once"),
            models.UniqueConstraint(
                fields=["ticket", "key"], name="ticket_event_key_once", condition=models.Q(key__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.ticket_id}/{self.seq} {self.type}"
