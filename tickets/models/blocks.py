"""Block: from whom no new tickets are taken."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class BlockKind(models.TextChoices):
    EMAIL = "email", _("e-mail address")
    DOMAIN = "domain", _("domain of e-mail addresses")  # and those below it
    NETWORK = "network", _("network")  # of client addresses, as 203.0.113.0/24 or 2001:db8::/48


class Block(models.Model):
    """Made by people, for a time or until it is deleted. It is asked for when a ticket is opened or gets an address."""

    kind = models.CharField(_("kind"), max_length=10, choices=BlockKind)
    # Empty when it was an address whose owner had their data deleted; `digest` goes on telling it.
    value = models.CharField(_("value"), max_length=254, blank=True)
    digest = models.CharField(max_length=64, editable=False, db_index=True)
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="+",
        verbose_name=_("made by"),
        editable=False,
    )
    made_at = models.DateTimeField(_("made"), db_default=Now(), editable=False)
    until = models.DateTimeField(
        _("until"), null=True, blank=True, help_text=_("Empty: until it is deleted.")
    )
    hits = models.PositiveIntegerField(_("times it refused"), default=0, db_default=0, editable=False)
    hit_at = models.DateTimeField(_("last refused"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("block")
        verbose_name_plural = _("block list")
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(
                fields=["kind", "digest"],
                name="block_once",
                violation_error_message=_("This is blocked already."),
            ),
        )

    def __str__(self) -> str:
        return self.value or f"#{self.pk}"
