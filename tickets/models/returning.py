"""LinkRequest: somebody who has lost a private link asks for it by e-mail."""

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class LinkRequest(models.Model):
    """A wish for the links of an address. Without the address once it was dealt with, and deleted after a day."""

    email = models.EmailField(_("e-mail"), blank=True)
    language = models.CharField(_("language"), max_length=5)
    asked_at = models.DateTimeField(_("asked"), db_default=Now(), editable=False)
    sent_at = models.DateTimeField(_("dealt with"), null=True, blank=True, editable=False)
    next_at = models.DateTimeField(_("tried next"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("request for links")
        verbose_name_plural = _("requests for links")
        indexes = (models.Index(fields=["id"], name="links_due", condition=models.Q(sent_at__isnull=True)),)

    def __str__(self) -> str:
        return f"#{self.pk}"
