"""Suggestion: what the desk put beside a chat for its agent. Without the agent: what is measured is the suggestions."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from tickets.models import Article, CannedReply, Ticket


class SuggestionKind(models.TextChoices):
    ARTICLE = "article", _("article")
    CANNED = "canned", _("canned reply")


class Suggestion(models.Model):
    """One text that was suggested for one message of a customer, and whether it was put into the answer."""

    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="suggestions", verbose_name=_("ticket"))
    seq = models.PositiveIntegerField(_("number of the customer's message"))
    kind = models.CharField(_("kind"), max_length=10, choices=SuggestionKind)
    article = models.ForeignKey(
        Article, models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("article")
    )
    canned = models.ForeignKey(
        CannedReply, models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("canned reply")
    )
    shown_at = models.DateTimeField(_("shown"), db_default=Now(), editable=False)
    used_at = models.DateTimeField(_("put into the answer"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("suggestion")
        verbose_name_plural = _("suggestions")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["ticket", "seq", "kind"], name="suggestion_once_a_message"),
            models.CheckConstraint(
                condition=Q(kind="article", article__isnull=False, canned__isnull=True)
                | Q(kind="canned", canned__isnull=False, article__isnull=True),
                name="suggestion_of_its_kind",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.ticket_id}/{self.seq} {self.kind}"
