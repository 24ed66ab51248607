"""Topic, Customer, Ticket."""

import secrets
from typing import ClassVar

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from tickets.models.calendars import Calendar


class Topic(models.Model):
    """What a ticket is about. Which skills and pool it needs is dispatch's matter (Route, Requirement)."""

    key = models.SlugField(_("key"), unique=True)
    name_en = models.CharField(_("name in English"), max_length=80)
    name_de = models.CharField(_("name in German"), max_length=80)
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    active = models.BooleanField(_("active"), default=True, help_text=_("Offered in the form."))
    priority = models.SmallIntegerField(
        _("priority"), default=0, help_text=_("Added to the score of its tickets; 0 is normal, 1 is urgent.")
    )

    calendar = models.ForeignKey(
        Calendar,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="topics",
        verbose_name=_("calendar"),
        help_text=_("When its tickets are promised an answer, and age. Empty: always open."),
    )

    class Meta:
        verbose_name = _("topic")
        verbose_name_plural = _("topics")
        ordering = ["position", "key"]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """The name in the reader's language."""
        return self.name_in(get_language() or "en")

    def name_in(self, language: str) -> str:
        return self.name_de if language.startswith("de") else self.name_en


class Customer(models.Model):
    """Whoever opened a ticket. Without an account: two tickets are one customer's only when that was confirmed."""

    name = models.CharField(_("name"), max_length=120, blank=True)
    email = models.EmailField(_("e-mail"), blank=True)
    language = models.CharField(_("language"), max_length=5, default="en")
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("customer")
        verbose_name_plural = _("customers")

    def __str__(self) -> str:
        return self.name or self.email or _("Customer %(id)s") % {"id": self.pk}


class TicketState(models.TextChoices):
    """Exactly one at any time. Later rooms add: assisted (the assistant tries first), snoozed, spam."""

    WAITING = "waiting", _("waiting")  # for a human; open offers do not change it
    HELD = "held", _("held")  # an agent's offer was accepted and has not ended
    RESOLVED = "resolved", _("resolved")  # answered; the customer may reopen and rate
    CLOSED = "closed", _("closed")  # the customer withdrew it


class Channel(models.TextChoices):
    FORM = "form", _("web form")
    API = "api", _("API")


def new_public_id() -> str:
    """12 letters and digits that name a ticket in addresses. It opens nothing: the link's token does (tickets/access.py)."""
    return "".join(secrets.choice("abcdefghjkmnpqrstuvwxyz23456789") for _ in range(12))


class Ticket(models.Model):
    """One customer's matter. It has no agent column: its holder is its accepted offer."""

    public_id = models.CharField(
        _("public id"), max_length=12, unique=True, default=new_public_id, editable=False
    )
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="tickets", verbose_name=_("customer"))
    topic = models.ForeignKey(
        Topic, models.PROTECT, null=True, blank=True, related_name="tickets", verbose_name=_("topic")
    )
    summary = models.CharField(_("summary"), max_length=160)
    language = models.CharField(_("language"), max_length=5)
    channel = models.CharField(_("channel"), max_length=10, choices=Channel)
    state = models.CharField(_("state"), max_length=10, choices=TicketState, default=TicketState.WAITING)
    priority = models.SmallIntegerField(_("priority"), default=0)
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)
    # Age counts from here. A ticket that comes back (declined, handed back, dropped) keeps it; a reopened one starts anew.
    waiting_since = models.DateTimeField(_("waiting since"), db_default=Now(), editable=False)
    held_at = models.DateTimeField(_("held since"), null=True, blank=True, editable=False)
    first_held_at = models.DateTimeField(_("first human at"), null=True, blank=True, editable=False)
    resolved_at = models.DateTimeField(_("resolved"), null=True, blank=True, editable=False)
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True, editable=False)
    human_requested_at = models.DateTimeField(_("asked for a person"), null=True, blank=True, editable=False)
    flagged_at = models.DateTimeField(_("nobody to offer it to since"), null=True, blank=True, editable=False)
    # Written down to the ticket by dispatch, so that the customer's page needs nothing of it.
    place = models.PositiveIntegerField(_("place in the queue"), null=True, blank=True, editable=False)
    expected_seconds = models.PositiveIntegerField(_("expected wait"), null=True, blank=True, editable=False)
    served_by = models.CharField(_("served by"), max_length=60, blank=True, editable=False)
    last_seq = models.PositiveIntegerField(_("last event"), default=0, editable=False)
    # Up to which number each side has seen it (tickets/signs.py).
    read_by_customer = models.PositiveIntegerField(
        _("read by the customer"), default=0, db_default=0, editable=False
    )
    read_by_agent = models.PositiveIntegerField(
        _("read by an agent"), default=0, db_default=0, editable=False
    )
    access_version = models.PositiveSmallIntegerField(
        _("version of the private link"), default=1, editable=False
    )
    access_expires_at = models.DateTimeField(_("private link ends"), editable=False)
    link_mailed_at = models.DateTimeField(_("link mailed"), null=True, blank=True, editable=False)
    intake_key = models.CharField(max_length=100, null=True, blank=True, unique=True, editable=False)
    intake_digest = models.CharField(max_length=32, blank=True, editable=False)

    OPEN: ClassVar = (TicketState.WAITING, TicketState.HELD)

    class Meta:
        verbose_name = _("ticket")
        verbose_name_plural = _("tickets")
        ordering = ["-id"]
        indexes = [
            # The queue of the matcher: only live rows are in it, so it stays small however many tickets there are.
            models.Index(
                fields=["waiting_since", "id"],
                name="ticket_waiting",
                condition=models.Q(state=TicketState.WAITING),
            ),
            models.Index(
                fields=["id"], name="ticket_link_unmailed", condition=models.Q(link_mailed_at__isnull=True)
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=TicketState.values), name="ticket_state_known"
            ),
            models.CheckConstraint(
                condition=models.Q(state=TicketState.HELD, held_at__isnull=False)
                | (~models.Q(state=TicketState.HELD) & models.Q(held_at__isnull=True)),
                name="ticket_held_at_iff_held",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.summary}"

    @property
    def number(self) -> str:
        """The number that people say to each other, e.g. S-1042."""
        return f"S-{self.pk}"

    @property
    def is_open(self) -> bool:
        return self.state in self.OPEN

    @property
    def stream(self) -> str:
        """Name of its stream in frames."""
        return f"ticket:{self.public_id}"
