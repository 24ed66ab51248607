"""How somebody becomes an agent: Application, Decision, Appeal, and the Letters that tell them. Decisions only grow."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from agents.models.people import Agent


class Hours(models.TextChoices):
    """When an applicant usually has time. A wish, and no promise."""

    WEEKDAY_MORNING = "weekday_morning", _("Weekdays, mornings")
    WEEKDAY_AFTERNOON = "weekday_afternoon", _("Weekdays, afternoons")
    WEEKDAY_EVENING = "weekday_evening", _("Weekdays, evenings")
    NIGHT = "night", _("At night")
    WEEKEND_DAY = "weekend_day", _("Weekends, by day")
    WEEKEND_EVENING = "weekend_evening", _("Weekends, evenings")


class Application(models.Model):
    """What somebody said of themselves in the form. There is no account before the address is confirmed.

    What is claimed here gives no skill: skills come by quizzes (learning.py) or from an admin.
    """

    # 12 letters and digits that name it in links. They open nothing alone: the link is signed.
    public_id = models.CharField(max_length=12, unique=True, editable=False)
    agent = models.OneToOneField(
        Agent, models.CASCADE, null=True, blank=True, related_name="application", verbose_name=_("agent")
    )
    email = models.EmailField(_("e-mail"))
    name = models.CharField(_("name shown to customers"), max_length=60)
    real_name = models.CharField(_("real name"), max_length=120)
    language = models.CharField(_("language of letters"), max_length=5, choices=settings.LANGUAGES)
    languages = ArrayField(models.CharField(max_length=5), verbose_name=_("languages"))
    # Keys, not rows: what somebody said stays as it was said.
    skills_claimed = ArrayField(models.CharField(max_length=50), default=list, verbose_name=_("can already"))
    skills_wished = ArrayField(
        models.CharField(max_length=50), default=list, verbose_name=_("wants to learn")
    )
    hours = ArrayField(
        models.CharField(max_length=20, choices=Hours), default=list, verbose_name=_("usually has time")
    )
    device = models.JSONField(_("device check"), default=dict)
    about = models.TextField(_("in their own words"), blank=True, max_length=1000)
    known_by = models.CharField(
        _("customer with ticket"),
        max_length=20,
        blank=True,
        help_text=_("Applied from the ticket's private link."),
    )
    consented_at = models.DateTimeField(_("consented"), db_default=Now(), editable=False)
    created_at = models.DateTimeField(_("applied"), db_default=Now(), editable=False)
    confirmed_at = models.DateTimeField(_("e-mail confirmed"), null=True, blank=True, editable=False)
    intake_key = models.CharField(max_length=100, unique=True, editable=False)
    intake_digest = models.CharField(max_length=64, editable=False)

    class Meta:
        verbose_name = _("application")
        verbose_name_plural = _("applications")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(agent__isnull=True, confirmed_at__isnull=True)
                | Q(agent__isnull=False, confirmed_at__isnull=False),
                name="application_agent_iff_confirmed",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.real_name} <{self.email}>"


class DecisionKind(models.TextChoices):
    """What a person may decide on somebody. Nothing else changes an agent's status, and no program does."""

    ADMITTED = "admitted", _("admitted")
    REJECTED = "rejected", _("not admitted")
    SUSPENDED = "suspended", _("suspended")
    READMITTED = "readmitted", _("admitted again")
    REOPENED = "reopened", _("rejection lifted")


class Decision(models.Model):
    """Who decided what on whom, and why. Only grows (a trigger refuses changes)."""

    agent = models.ForeignKey(Agent, models.PROTECT, related_name="decisions", verbose_name=_("agent"))
    kind = models.CharField(_("decision"), max_length=12, choices=DecisionKind)
    reason = models.TextField(_("reason"))
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("decided by")
    )
    role = models.CharField(_("as"), max_length=80, help_text=_("What the agent is told of who decided."))
    decided_at = models.DateTimeField(_("at"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("decision")
        verbose_name_plural = _("decisions")
        ordering = ["-id"]
        permissions = [("decide", _("Admits, rejects, suspends, and answers appeals"))]
        constraints = [
            models.CheckConstraint(condition=~Q(reason=""), name="decision_has_a_reason"),
            models.CheckConstraint(condition=Q(kind__in=DecisionKind.values), name="decision_kind_known"),
        ]

    def __str__(self) -> str:
        return f"{self.agent} {self.get_kind_display()}"

    @property
    def against_the_agent(self) -> bool:
        return self.kind in (DecisionKind.REJECTED, DecisionKind.SUSPENDED)


class Appeal(models.Model):
    """What the person says against a decision, and what somebody else answers: once (a trigger)."""

    decision = models.OneToOneField(
        Decision, models.PROTECT, related_name="appeal", verbose_name=_("decision")
    )
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("decided by")
    )
    text = models.TextField(_("appeal"))
    written_at = models.DateTimeField(_("written"), db_default=Now(), editable=False)
    upheld = models.BooleanField(_("granted"), null=True, blank=True)
    answer = models.TextField(_("answer"), blank=True)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("answered by"),
    )
    answered_at = models.DateTimeField(_("answered"), null=True, blank=True)

    class Meta:
        verbose_name = _("appeal")
        verbose_name_plural = _("appeals")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(answered_by__isnull=True) | ~Q(answered_by=F("decided_by")),
                name="appeal_answered_by_another",
            ),
            models.CheckConstraint(
                condition=Q(
                    answered_at__isnull=True, answered_by__isnull=True, upheld__isnull=True, answer=""
                )
                | Q(answered_at__isnull=False, answered_by__isnull=False, upheld__isnull=False)
                & ~Q(answer=""),
                name="appeal_answered_whole",
            ),
        ]

    def __str__(self) -> str:
        return str(self.decision)


class LetterKind(models.TextChoices):
    CONFIRM = "confirm", _("confirm the address")  # or: you have an account already
    DECISION = "decision", _("decision")
    APPEAL = "appeal", _("answer to an appeal")


class Letter(models.Model):
    """A mail that is due, written in the transaction of what it tells. It survives a broker or mail server that is away."""

    kind = models.CharField(_("kind"), max_length=10, choices=LetterKind)
    application = models.ForeignKey(
        Application, models.CASCADE, null=True, related_name="letters", verbose_name=_("application")
    )
    decision = models.ForeignKey(
        Decision, models.PROTECT, null=True, related_name="letters", verbose_name=_("decision")
    )
    created_at = models.DateTimeField(_("due"), db_default=Now(), editable=False)
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("letter")
        verbose_name_plural = _("letters")
        ordering = ["-id"]
        indexes = [models.Index(fields=["id"], name="letter_due", condition=Q(sent_at__isnull=True))]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind=LetterKind.CONFIRM, application__isnull=False, decision__isnull=True)
                | ~Q(kind=LetterKind.CONFIRM) & Q(application__isnull=True, decision__isnull=False),
                name="letter_about_one_thing",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.pk}"
