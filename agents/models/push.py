"""Calls on a device: PushDevice, the browser's subscription with what it may be used for, and CallWishes."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from agents.models.people import Agent


class PushDevice(models.Model):
    """One browser that said yes. Three consents, each given by a click of its own; without any there is no row.

    An agent's are `offers` and `busy`; a team lead's is that there is a `user`. Who is both has both in one row, since a
    browser has one subscription: `owner_id` is one person's, whoever said yes there last (agents/push/devices.py).
    The endpoint is a secret between the browser, its maker's push service and us: it is shown nowhere.
    """

    agent = models.ForeignKey(
        Agent, models.CASCADE, null=True, related_name="push_devices", verbose_name=_("agent")
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        null=True,
        related_name="push_devices",
        verbose_name=_("is told about alerts"),
    )
    endpoint = models.TextField(_("address at the push service"), unique=True)
    p256dh = models.CharField(max_length=100)  # the browser's public key, base64url
    auth = models.CharField(max_length=40)  # the browser's secret of 16 bytes, base64url
    words = models.CharField(_("device"), max_length=60)
    offers = models.BooleanField(_("is told about offers"))
    busy = models.BooleanField(_("is called when it is busy"))
    created_at = models.DateTimeField(_("added"), db_default=Now(), editable=False)
    last_ok_at = models.DateTimeField(_("last reached"), null=True, blank=True, editable=False)
    failures = models.PositiveSmallIntegerField(_("failures in a row"), default=0, editable=False)
    retry_at = models.DateTimeField(_("not before"), null=True, blank=True, editable=False)
    stopped_at = models.DateTimeField(_("given up"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("device for calls")
        verbose_name_plural = _("devices for calls")
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(offers=True) | Q(busy=True) | Q(user__isnull=False),
                name="push_device_with_consent",
            ),
            models.CheckConstraint(
                condition=Q(agent__isnull=True, offers=False, busy=False)
                | (Q(agent__isnull=False) & (Q(offers=True) | Q(busy=True))),
                name="push_device_of_an_agent_who_agreed",
            ),
        ]

    def __str__(self) -> str:
        return self.words

    @property
    def owner_id(self) -> int | None:
        """The account whose browser it is."""
        return self.agent.user_id if self.agent else self.user_id


class CallWishes(models.Model):
    """When an agent is not to be called, and when they last were. Quiet hours are of their own time zone."""

    agent = models.OneToOneField(
        Agent, models.CASCADE, primary_key=True, related_name="call_wishes", verbose_name=_("agent")
    )
    quiet_from = models.TimeField(_("quiet from"), null=True, blank=True)
    quiet_until = models.TimeField(_("quiet until"), null=True, blank=True)
    called_at = models.DateTimeField(_("last called"), null=True, blank=True, editable=False)
    # While it is ahead, the call is claimed and not made yet (dispatch/calling.py).
    call_until = models.DateTimeField(_("to be called until"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("wishes about calls")
        verbose_name_plural = _("wishes about calls")
        constraints = [
            models.CheckConstraint(
                condition=Q(quiet_from__isnull=True, quiet_until__isnull=True)
                | Q(quiet_from__isnull=False, quiet_until__isnull=False),
                name="call_wishes_both_ends",
            ),
        ]

    def __str__(self) -> str:
        return str(self.agent_id)
