"""Change: what was changed in the configuration, from what to what. Written by triggers, by nothing else."""

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class ChangeKind(models.TextChoices):
    INSERT = "INSERT", _("added")
    UPDATE = "UPDATE", _("changed")
    DELETE = "DELETE", _("deleted")


class Change(models.Model):
    """One row of a configuration table was added, changed or deleted (ADR 38). Only grows (trigger).

    `old` and `new` have the columns that differ and are tracked, by name. `about` names the row itself and those that it is
    a part of, as "table:id": a step of a route is found with its route.
    """

    table = models.CharField(_("table"), max_length=63)
    row = models.BigIntegerField(_("number"))
    kind = models.CharField(_("kind"), max_length=6, choices=ChangeKind)
    old = models.JSONField(_("before"), default=dict)
    new = models.JSONField(_("after"), default=dict)
    about = ArrayField(models.CharField(max_length=90), verbose_name=_("about"))
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("by"),
        help_text=_("Empty: not in the admin, but by a service or a command."),
    )
    at = models.DateTimeField(_("at"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("change of configuration")
        verbose_name_plural = _("changes of configuration")
        ordering = ["-id"]
        indexes: ClassVar = [
            GinIndex(fields=["about"], name="change_about"),
            models.Index(fields=["table", "-id"], name="change_by_table"),
        ]

    def __str__(self) -> str:
        return f"{self.table} {self.row}"
