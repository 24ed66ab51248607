"""Message and Attachment."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from tickets.masking import mask_file
from tickets.models.ticket import Ticket


class Author(models.TextChoices):
    CUSTOMER = "customer", _("customer")
    AGENT = "agent", _("agent")
    SYSTEM = "system", _("Standby")
    LEAD = "lead", _("team lead")  # notes only: customers hear from those who have their ticket


class Message(models.Model):
    """One message or, if internal, one note. Its number is that of its event in the ticket's timeline."""

    ticket = models.ForeignKey(
        Ticket, models.CASCADE, related_name="messages", verbose_name=_("ticket"), db_index=False
    )
    seq = models.PositiveIntegerField(_("number"), editable=False)
    author = models.CharField(_("author"), max_length=10, choices=Author)
    author_user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("account"),
    )
    author_name = models.CharField(_("name"), max_length=120, blank=True)
    body = models.TextField(_("text"))
    internal = models.BooleanField(_("internal note"), default=False)
    created_at = models.DateTimeField(_("sent"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        ordering = ["ticket", "seq"]
        constraints = [models.UniqueConstraint(fields=["ticket", "seq"], name="message_seq_once")]

    def __str__(self) -> str:
        return f"{self.ticket_id}/{self.seq}"


class Attachment(models.Model):
    """A file of a message, checked and written anew before it came here (tickets/attachments.py)."""

    message = models.ForeignKey(
        Message, models.CASCADE, related_name="attachments", verbose_name=_("message")
    )
    file = models.FileField(_("file"), upload_to="attachments/%Y/%m/")
    name = models.CharField(_("name"), max_length=120)
    content_type = models.CharField(_("type"), max_length=60)
    size = models.PositiveIntegerField(_("bytes"))
    sha256 = models.CharField(max_length=64)
    created_at = models.DateTimeField(_("sent"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("attachment")
        verbose_name_plural = _("attachments")

    def __str__(self) -> str:
        return mask_file(self.name).text
