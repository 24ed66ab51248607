"""Webhooks: where other systems want to be told, what they are told, and how that went. Written by dispatch/webhooks."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class StoppedBy(models.TextChoices):
    """Why nothing is sent to an endpoint. Empty: it is told."""

    PERSON = "person", _("by a person")
    GONE = "gone", _("it answered 410: it is gone")
    FAILED = "failed", _("nothing reached it for days")


class WebhookEndpoint(models.Model):
    """An address of another system, the events that it wants, and the secret that our calls are signed with."""

    url = models.CharField(_("address"), max_length=500)
    description = models.CharField(_("description"), max_length=120, blank=True)
    events = ArrayField(models.CharField(max_length=40), verbose_name=_("events"))
    # Sealed (agents/pay/sealing.py). After a change the old one signs beside it for a while.
    secret_sealed = models.TextField(editable=False)
    old_secret_sealed = models.TextField(blank=True, default="", db_default="", editable=False)
    old_secret_until = models.DateTimeField(_("old secret until"), null=True, blank=True, editable=False)
    made_at = models.DateTimeField(_("made"), db_default=Now(), editable=False)
    stopped_by = models.CharField(
        _("stopped"), max_length=10, choices=StoppedBy, blank=True, default="", db_default="", editable=False
    )
    stopped_at = models.DateTimeField(_("stopped at"), null=True, blank=True, editable=False)
    last_ok_at = models.DateTimeField(_("last taken"), null=True, blank=True, editable=False)
    # By whom it was made with which Idempotency-Key, and with what.
    key = models.CharField(max_length=100, null=True, blank=True, unique=True, editable=False)
    rotated_key = models.CharField(max_length=100, blank=True, default="", db_default="", editable=False)
    key_digest = models.CharField(max_length=64, blank=True, default="", db_default="", editable=False)

    class Meta:
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")
        ordering = ["-id"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(stopped_by="", stopped_at__isnull=True)
                | (~Q(stopped_by="") & Q(stopped_at__isnull=False)),
                name="webhook_stopped_at_iff_stopped",
            ),
        ]

    def __str__(self) -> str:
        return self.description or self.url


class DeliveryState(models.TextChoices):
    PENDING = "pending", _("to be sent")
    DELIVERED = "delivered", _("taken")  # the endpoint answered 2xx
    FAILED = "failed", _("given up")  # after the last try, or the endpoint is gone


class WebhookDelivery(models.Model):
    """One event for one endpoint. Recorded by a trigger in the transaction of the change itself (migration 0033)."""

    endpoint = models.ForeignKey(
        WebhookEndpoint, models.CASCADE, related_name="deliveries", verbose_name=_("webhook")
    )
    # The same for each endpoint and each try: what the receiver knows it by.
    message_id = models.CharField(_("message id"), max_length=80)
    type = models.CharField(_("event"), max_length=40)
    data = models.JSONField(_("data"))
    happened_at = models.DateTimeField(_("happened"), db_default=Now(), editable=False)
    state = models.CharField(
        _("state"), max_length=10, choices=DeliveryState, default=DeliveryState.PENDING, db_default="pending"
    )
    # When it is tried next. A sender that takes it moves this to when it is surely dead, and counts the try.
    due_at = models.DateTimeField(_("tried next"), db_default=Now())
    tries = models.PositiveSmallIntegerField(_("tries"), default=0, db_default=0)

    class Meta:
        verbose_name = _("delivery of a webhook")
        verbose_name_plural = _("deliveries of webhooks")
        ordering = ["-id"]
        indexes: ClassVar = [
            models.Index(
                fields=["endpoint", "due_at", "id"], name="webhook_due", condition=Q(state="pending")
            ),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["endpoint", "message_id"], name="webhook_told_once"),
            models.CheckConstraint(
                condition=Q(state__in=DeliveryState.values), name="webhook_delivery_state_known"
            ),
        ]

    def __str__(self) -> str:
        return self.message_id


class WebhookTry(models.Model):
    """One call of an endpoint, and what it answered."""

    delivery = models.ForeignKey(
        WebhookDelivery, models.CASCADE, related_name="attempts", verbose_name=_("delivery")
    )
    number = models.PositiveSmallIntegerField(_("try"))
    at = models.DateTimeField(_("at"), db_default=Now(), editable=False)
    status = models.PositiveSmallIntegerField(_("status"), null=True, blank=True)  # null: no answer
    milliseconds = models.PositiveIntegerField(_("milliseconds"))
    error = models.CharField(_("error"), max_length=40, blank=True)  # the kind of it
    answer = models.CharField(_("begin of the answer"), max_length=500, blank=True)

    class Meta:
        verbose_name = _("try of a delivery")
        verbose_name_plural = _("tries of deliveries")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.number}: {self.status or self.error}"
