"""AwayMail: one mail with what agents have written to a customer who was away. MailIn: one mail that came."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from tickets.masking import mask_email
from tickets.models.ticket import Ticket


class AwayMail(models.Model):
    """The agents' messages above one number of the ticket, up to another. Due in the database, tried until `failed_at`."""

    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="away_mails", verbose_name=_("ticket"))
    after = models.PositiveIntegerField(_("messages above"), editable=False)
    up_to = models.PositiveIntegerField(_("messages up to"), editable=False)
    made_at = models.DateTimeField(_("made"), db_default=Now(), editable=False)
    next_at = models.DateTimeField(_("tried next"), null=True, blank=True, db_default=Now(), editable=False)
    tries = models.PositiveSmallIntegerField(_("tries"), default=0, editable=False)
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True, editable=False)
    failed_at = models.DateTimeField(_("given up"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("mail to a customer")
        verbose_name_plural = _("mails to customers")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["next_at"], name="away_mail_due", condition=Q(next_at__isnull=False)),
            models.Index(fields=["ticket", "made_at"], name="away_mail_of_ticket"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["ticket", "up_to"], name="away_mail_up_to_once"),
            models.CheckConstraint(
                condition=Q(sent_at__isnull=True) | Q(failed_at__isnull=True), name="away_mail_one_end"
            ),
            models.CheckConstraint(
                condition=Q(next_at__isnull=True) | Q(sent_at__isnull=True, failed_at__isnull=True),
                name="away_mail_over_is_not_due",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.ticket_id}/{self.after + 1}–{self.up_to}"


class Outcome(models.TextChoices):
    """What became of a mail that came."""

    TAKING = "taking", _("being taken in")  # until the rest is done; a worker may have died over it
    OPENED = "opened", _("opened a ticket")
    REPLIED = "replied", _("went into its ticket")
    BOUNCED = "bounced", _("told that a mail of ours was not delivered")
    IGNORED = "ignored", _("ignored: written by a program")
    HELD = "held", _("held: too many of one sender")  # kept as it came; a person lets it in
    FAILED = "failed", _("failed")  # an error of ours


class MailIn(models.Model):
    """One mail that came. Its key is made of Message-ID and sender, so that what is fetched twice is taken in once."""

    key = models.CharField(max_length=64, unique=True, editable=False)  # SHA-256 in hexadecimal digits
    sender = models.EmailField(pgettext_lazy("mail", "from"), max_length=254, blank=True, editable=False)
    subject = models.CharField(_("subject"), max_length=200, blank=True, editable=False)
    message_id = models.CharField(max_length=300, blank=True, editable=False)
    received_at = models.DateTimeField(_("received"), db_default=Now(), editable=False)
    outcome = models.CharField(_("outcome"), max_length=10, choices=Outcome, default=Outcome.TAKING)
    reason = models.CharField(_("why"), max_length=80, blank=True)
    ticket = models.ForeignKey(
        Ticket, models.CASCADE, null=True, blank=True, related_name="mails_in", verbose_name=_("ticket")
    )
    # What was left out of it, as [name, why] in the customer's language; told in the answer.
    left_out = models.JSONField(_("left out"), default=list, blank=True)
    left_out_mailed_at = models.DateTimeField(null=True, blank=True, editable=False)
    left_out_next_at = models.DateTimeField(null=True, blank=True, editable=False)
    raw = models.BinaryField(null=True, blank=True, editable=False)  # of what is held, until somebody decides
    settled_at = models.DateTimeField(_("settled"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("mail of a customer")
        verbose_name_plural = _("mails of customers")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["sender", "received_at"], name="mail_in_of_sender"),
            models.Index(
                fields=["id"],
                name="mail_in_unsettled",
                condition=Q(outcome__in=("held", "failed"), settled_at__isnull=True),
            ),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(outcome__in=Outcome.values), name="mail_in_outcome_known")
        ]

    def __str__(self) -> str:
        # Masked (ADR 23): it is in titles, messages and questions of the admin.
        return f"{mask_email(self.sender).text or '–'}: {self.get_outcome_display()}"
