"""Rating."""

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from tickets.models.ticket import Ticket


class Rating(models.Model):
    """What the customer says of one resolution; a reopened and again resolved ticket can be rated again."""

    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="ratings", verbose_name=_("ticket"))
    resolution_seq = models.PositiveIntegerField(_("number of the resolution in the timeline"))
    score = models.PositiveSmallIntegerField(_("score, 1–5"))
    solved = models.BooleanField(_("solved"))
    comment = models.TextField(_("comment"), blank=True, max_length=2000)
    created_at = models.DateTimeField(_("given"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("rating")
        verbose_name_plural = _("ratings")
        constraints = [
            models.UniqueConstraint(fields=["ticket", "resolution_seq"], name="rating_once_a_resolution"),
            models.CheckConstraint(
                condition=models.Q(score__gte=1, score__lte=5), name="rating_score_1_to_5"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.ticket_id}: {self.score}"
