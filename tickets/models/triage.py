"""TriageModel and TriageLabel: what tells a ticket's topic from its text, and what it learned that from."""

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from tickets.models.ticket import Ticket


class LabelSource(models.TextChoices):
    FILE = "file", _("file")  # manage.py train_triage
    AGENT = "agent", _("agent")  # who held the ticket chose another topic


class TriageLabel(models.Model):
    """A text and the topic that it is about, by people. That of a ticket has no text of its own: it is read from the ticket's
    first message when a model is trained, so that erasing the message takes it from here, too.
    """

    source = models.CharField(_("from"), max_length=10, choices=LabelSource)
    ticket = models.OneToOneField(
        Ticket,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="triage_label",
        verbose_name=_("ticket"),
    )
    text = models.TextField(_("text"), blank=True)
    label = models.CharField(_("topic's key"), max_length=80)
    created_at = models.DateTimeField(_("labelled"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("triage label")
        verbose_name_plural = _("triage labels")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(source=LabelSource.AGENT, ticket__isnull=False, text="")
                | models.Q(source=LabelSource.FILE, ticket__isnull=True),
                name="triage_label_text_or_ticket",
            )
        ]

    def __str__(self) -> str:
        return self.label


class TriageModel(models.Model):
    """A version, trained on this machine: bytes without anything that runs (tickets/triage/model.py), and why it is live or
    not.
    """

    version = models.PositiveIntegerField(_("version"), unique=True)
    live = models.BooleanField(_("live"), default=False)
    content = models.BinaryField(editable=False)
    held_out = models.BinaryField(
        editable=False
    )  # what was said of each text unseen, for the comparison with the next one
    sha256 = models.CharField(_("checksum"), max_length=64)
    held_out_sha256 = models.CharField(max_length=64, editable=False)
    texts = models.PositiveIntegerField(_("texts"))
    labels = models.PositiveIntegerField(_("topics"))
    last_label = models.BigIntegerField(_("last label"), editable=False)
    precision = models.FloatField(_("wanted precision"))
    threshold = models.FloatField(_("threshold"))
    accuracy = models.FloatField(_("accuracy"))
    coverage = models.FloatField(_("coverage"))
    report = models.JSONField(_("report"))
    verdict = models.JSONField(_("verdict"))
    created_at = models.DateTimeField(_("trained"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("triage model")
        verbose_name_plural = _("triage models")
        ordering = ["-version"]
        constraints = [
            models.UniqueConstraint(
                fields=["live"], condition=models.Q(live=True), name="triage_model_one_live"
            )
        ]

    def __str__(self) -> str:
        return f"{self.version}"
