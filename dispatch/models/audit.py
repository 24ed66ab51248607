"""AuditLink: what only grows is hung into a chain of hashes, so that a change by whoever can switch triggers off is found."""

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class AuditAct(models.TextChoices):
    ADDED = "added"
    WORDS = "words"  # its words went, with those of the ticket or the person that it is about
    DELETED = "deleted"  # it went whole, in the transaction that erased somebody


class AuditLink(models.Model):
    """One thing that became of one audited row (Change, LeadAction), in the order in which they were committed (ADR 41).

    Written by triggers at the commit, and by nothing else. `digest`: SHA-256 of `salt` and the row as it is after it; empty
    for one that is deleted. `hash`: SHA-256 of the link and of the hash of the link before. A row's own newest digest is
    the one that counts; salts of older ones are emptied, so that nobody can guess from a digest which words went.
    """

    number = models.BigIntegerField(_("number"), primary_key=True)  # 1, 2, 3 … without a gap
    table = models.CharField(_("table"), max_length=63)
    row = models.BigIntegerField(_("number"))
    act = models.CharField(_("kind"), max_length=7, choices=AuditAct)
    salt = models.CharField(max_length=36, blank=True, editable=False)
    digest = models.CharField(max_length=64, blank=True, editable=False)
    hash = models.CharField(max_length=64, editable=False)
    at = models.DateTimeField(_("at"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("link of the audit chain")
        verbose_name_plural = _("links of the audit chain")
        ordering = ["-number"]
        indexes: ClassVar = [models.Index(fields=["table", "row", "-number"], name="audit_link_by_row")]

    def __str__(self) -> str:
        return f"{self.number}: {self.table} {self.row}"
