"""Topic, Customer, Ticket."""

import secrets
from typing import ClassVar

from django.contrib.postgres.indexes import BrinIndex
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Now, Upper
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from tickets.masking import mask_email, mask_name
from tickets.models.calendars import Calendar


class AssistantUse(models.TextChoices):
    OFF = "off", _("off: people only")
    ON = "on", _("on: tries first, within its limits")
    NEVER = "never", _("never: people only, nor is an article of it quoted elsewhere")


_SHARE = [MinValueValidator(50), MaxValueValidator(100)]


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

    assistant = models.CharField(
        _("assistant"),
        max_length=5,
        choices=AssistantUse,
        default=AssistantUse.OFF,
        db_default=AssistantUse.OFF,
    )
    assistant_target = models.PositiveSmallIntegerField(
        _("target precision in percent"),
        default=95,
        db_default=95,
        validators=_SHARE,
        help_text=_(
            "Of its answers, so many are to be the right article. Below that it leaves it to a person."
        ),
    )
    assistant_confirmed = models.PositiveSmallIntegerField(
        _("least share confirmed by customers in percent"),
        default=70,
        db_default=70,
        validators=_SHARE,
        help_text=_("When it is below that for sure enough, the assistant pauses and team leads are told."),
    )
    assistant_answers = models.PositiveSmallIntegerField(
        _("answers that may fail"),
        default=2,
        db_default=2,
        validators=[MinValueValidator(1), MaxValueValidator(5)],
        help_text=_("After so many that did not help, a person takes over."),
    )
    assistant_chars = models.PositiveSmallIntegerField(
        _("longest text in characters"),
        default=1000,
        db_default=1000,
        help_text=_("A longer one is for a person."),
    )
    assistant_minutes = models.PositiveSmallIntegerField(
        _("longest conversation in minutes"),
        default=20,
        db_default=20,
        help_text=_("Whoever writes to the assistant after that gets a person."),
    )
    assistant_since = models.DateTimeField(_("assistant judged since"), null=True, blank=True, editable=False)
    assistant_paused_at = models.DateTimeField(_("assistant paused"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("topic")
        verbose_name_plural = _("topics")
        ordering = ["position", "key"]

    def __str__(self) -> str:
        return self.name

    @property
    def assisted(self) -> bool:
        """Whether the assistant tries first."""
        return self.assistant == AssistantUse.ON and self.assistant_paused_at is None

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
    # Somebody came by a link that was mailed to the address (tickets/returning.py).
    confirmed_at = models.DateTimeField(_("e-mail confirmed"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("customer")
        verbose_name_plural = _("customers")
        indexes: ClassVar = [models.Index(Upper("email"), name="customer_email")]  # asked for without case

    def __str__(self) -> str:
        # As agents and staff see it, wherever it is shown.
        shown = mask_name(self.name).text or mask_email(self.email).text
        return shown or _("Customer %(id)s") % {"id": self.pk}


class TicketState(models.TextChoices):
    """Exactly one at any time."""

    ASSISTED = "assisted", _("with the assistant")  # a machine tries first; it is in no queue
    WAITING = "waiting", _("waiting")  # for a human; open offers do not change it
    HELD = "held", _("held")  # an agent's offer was accepted and has not ended
    ASLEEP = (
        "asleep",
        _("put aside"),
    )  # nobody's, and offered to nobody before it wakes; a held one may sleep too
    RESOLVED = "resolved", _("resolved")  # answered; the customer may reopen and rate
    CLOSED = "closed", _("closed")  # the customer withdrew it, or an agent ended it (EndedAs)


class EndedAs(models.TextChoices):
    """How a ticket was ended other than by being settled. Spam and abuse, no matter of a customer, a team lead opens again."""

    SPAM = "spam", _("spam")
    ABUSE = "abuse", _("abuse")
    MERGED = "merged", _("merged")  # with another ticket of the same customer, where it goes on


MISUSES = (EndedAs.SPAM, EndedAs.ABUSE)
MISUSE_CHOICES = [(kind.value, kind.label) for kind in MISUSES]


class Channel(models.TextChoices):
    FORM = "form", _("web form")
    API = "api", _("API")
    WIDGET = "widget", _("widget")  # the form, in a frame of another site's page
    MAIL = "mail", _("e-mail")
    PRACTICE = "practice", _("practice")  # no customer: a script, for somebody who learns (ADR 19)


def new_public_id() -> str:
    """12 letters and digits that name a ticket in addresses. It opens nothing: the link's token does (tickets/access.py)."""
    number, letters = secrets.randbelow(len(_LETTERS) ** 12), ""
    while len(letters) < 12:
        number, place = divmod(number, len(_LETTERS))
        letters += _LETTERS[place]
    return letters


_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


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
    erased_at = models.DateTimeField(_("data deleted"), null=True, blank=True, editable=False)
    # Put aside until then (tickets/sleep.py); held meanwhile, or asleep.
    wakes_at = models.DateTimeField(_("put aside until"), null=True, blank=True, editable=False)
    # Before all others, whatever its wait: it woke in the queue, or a team lead put it back there.
    front_since = models.DateTimeField(
        _("in front of the queue since"), null=True, blank=True, editable=False
    )
    ended_as = models.CharField(
        _("ended as"), max_length=10, choices=EndedAs, blank=True, default="", db_default="", editable=False
    )
    merged_into = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="merged",
        verbose_name=_("merged into"),
        editable=False,
    )
    human_requested_at = models.DateTimeField(_("asked for a person"), null=True, blank=True, editable=False)
    flagged_at = models.DateTimeField(_("nobody to offer it to since"), null=True, blank=True, editable=False)
    # Written down to the ticket by dispatch, so that the customer's page needs nothing of it.
    place = models.PositiveIntegerField(_("place in the queue"), null=True, blank=True, editable=False)
    expected_seconds = models.PositiveIntegerField(_("expected wait"), null=True, blank=True, editable=False)
    answer_due_at = models.DateTimeField(
        _("answer by mail promised until"), null=True, blank=True, editable=False
    )
    # While assisted: until when the assistant has to have answered, or, after its answer, the customer (tickets/assistant).
    assist_due_at = models.DateTimeField(_("assistant's next step"), null=True, blank=True, editable=False)
    handed_over_at = models.DateTimeField(_("handed over"), null=True, blank=True, editable=False)
    handover = models.CharField(
        _("why the assistant handed over"), max_length=12, blank=True, db_default="", editable=False
    )
    served_by = models.CharField(_("served by"), max_length=60, blank=True, editable=False)
    last_seq = models.PositiveIntegerField(_("last event"), default=0, editable=False)
    # Up to which number each side has seen it (tickets/signs.py).
    read_by_customer = models.PositiveIntegerField(
        _("read by the customer"), default=0, db_default=0, editable=False
    )
    read_by_agent = models.PositiveIntegerField(
        _("read by an agent"), default=0, db_default=0, editable=False
    )
    # The last message of an agent, and since when one stands unread; up to which one mails have told (tickets/away.py).
    agent_seq = models.PositiveIntegerField(
        _("last message of an agent"), default=0, db_default=0, editable=False
    )
    unread_since = models.DateTimeField(_("unread since"), null=True, blank=True, editable=False)
    mailed_seq = models.PositiveIntegerField(_("mailed up to"), default=0, db_default=0, editable=False)
    mails_stopped_at = models.DateTimeField(_("mails stopped"), null=True, blank=True, editable=False)
    access_version = models.PositiveSmallIntegerField(
        _("version of the private link"), default=1, editable=False
    )
    # The one that ended when the address was confirmed: what was mailed under it goes on (tickets/access.py).
    version_before = models.PositiveSmallIntegerField(
        _("version before the address was confirmed"), null=True, blank=True, editable=False
    )
    access_expires_at = models.DateTimeField(_("private link ends"), editable=False)
    link_mailed_at = models.DateTimeField(_("link mailed"), null=True, blank=True, editable=False)
    link_next_at = models.DateTimeField(_("link tried next"), null=True, blank=True, editable=False)
    intake_key = models.CharField(max_length=100, null=True, blank=True, unique=True, editable=False)
    intake_digest = models.CharField(max_length=32, blank=True, editable=False)

    OPEN: ClassVar = (TicketState.ASSISTED, TicketState.WAITING, TicketState.HELD, TicketState.ASLEEP)
    REAL: ClassVar = ~models.Q(channel=Channel.PRACTICE)  # for all that counts or lists tickets of customers

    class Meta:
        verbose_name = _("ticket")
        verbose_name_plural = _("tickets")
        ordering = ["-id"]
        indexes = [
            # Tickets come in the order of their time, so that a few pages of an index tell where a day begins.
            BrinIndex(fields=["created_at"], name="ticket_by_day", autosummarize=True),
            # The queue of the matcher: only live rows are in it, so it stays small however many tickets there are.
            models.Index(
                fields=["waiting_since", "id"],
                name="ticket_waiting",
                condition=models.Q(state=TicketState.WAITING),
            ),
            # What the admin's list filters by; of tickets that are done there are so many that the list finds them anyway.
            models.Index(
                fields=["state", "id"],
                name="ticket_live",
                condition=models.Q(state__in=["assisted", "waiting", "held", "asleep"]),
            ),
            models.Index(fields=["id"], name="ticket_flagged", condition=models.Q(flagged_at__isnull=False)),
            # What may have to be mailed: agents' words that were neither read nor mailed.
            models.Index(
                fields=["unread_since"],
                name="ticket_unread",
                condition=models.Q(agent_seq__gt=models.F("read_by_customer"), mails_stopped_at__isnull=True)
                & models.Q(agent_seq__gt=models.F("mailed_seq")),
            ),
            models.Index(
                fields=["assist_due_at"],
                name="ticket_assisted",
                condition=models.Q(state=TicketState.ASSISTED),
            ),
            models.Index(
                fields=["id"], name="ticket_link_unmailed", condition=models.Q(link_mailed_at__isnull=True)
            ),
            models.Index(
                fields=["wakes_at"], name="ticket_wakes", condition=models.Q(wakes_at__isnull=False)
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
            models.CheckConstraint(
                condition=models.Q(state=TicketState.HELD)
                | models.Q(state=TicketState.ASLEEP, wakes_at__isnull=False)
                | (~models.Q(state=TicketState.ASLEEP) & models.Q(wakes_at__isnull=True)),
                name="ticket_sleeps_until_a_time",
            ),
            models.CheckConstraint(
                condition=models.Q(ended_as="") | models.Q(state=TicketState.CLOSED),
                name="ticket_ended_as_is_closed",
            ),
            models.CheckConstraint(
                condition=models.Q(state=TicketState.ASSISTED, assist_due_at__isnull=False)
                | (~models.Q(state=TicketState.ASSISTED) & models.Q(assist_due_at__isnull=True)),
                name="ticket_assist_due_iff_assisted",
            ),
            models.CheckConstraint(
                condition=models.Q(ended_as=EndedAs.MERGED, merged_into__isnull=False)
                | (~models.Q(ended_as=EndedAs.MERGED) & models.Q(merged_into__isnull=True)),
                name="ticket_merged_into_one",
            ),
            models.CheckConstraint(
                condition=models.Q(erased_at__isnull=True)
                | models.Q(state__in=(TicketState.RESOLVED, TicketState.CLOSED)),
                name="ticket_erased_has_ended",
            ),
            # What the queue, the matcher, places and alerts look at are tickets that wait.
            models.CheckConstraint(
                condition=~models.Q(
                    channel=Channel.PRACTICE, state__in=[TicketState.WAITING, TicketState.ASLEEP]
                ),
                name="ticket_practice_never_waits",
            ),
        ]

    def __str__(self) -> str:
        return self.number  # the summary is the customer's own words

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
