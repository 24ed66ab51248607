"""CannedReply: a text that agents may begin with. Approved articles come beside it."""

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from tickets.models.ticket import Topic
from tickets.variables import KNOWN, unknown


class CannedReply(models.Model):
    """Inserted into the composer with its variables put in, and edited there; never sent by itself."""

    title = models.CharField(_("title"), max_length=80, help_text=_("What agents look for."))
    body = models.TextField(
        _("text"),
        max_length=4000,
        help_text=_("Variables: {customer}, {number}, {agent}, {topic}. Anything else in braces is refused."),
    )
    language = models.CharField(_("language"), max_length=5, choices=settings.LANGUAGES)
    topic = models.ForeignKey(
        Topic,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="canned_replies",
        verbose_name=_("topic"),
        help_text=_("Empty: for all topics."),
    )
    active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("canned reply")
        verbose_name_plural = _("canned replies")
        ordering = ["title"]

    def __str__(self) -> str:
        return self.title

    def clean(self) -> None:
        """Raises ValidationError for a variable that nothing would be put in for."""
        if strange := unknown(self.body):
            raise ValidationError(
                {
                    "body": _("There is no variable %(strange)s. There are: %(known)s.")
                    % {
                        "strange": ", ".join(f"{{{name}}}" for name in strange),
                        "known": ", ".join(f"{{{name}}}" for name in KNOWN),
                    }
                }
            )
