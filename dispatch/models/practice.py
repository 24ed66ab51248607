"""Practice: scripted customers as admins write them, and who practised with them."""

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from agents.models import Agent, Shift
from dispatch.rules.practice import words_of
from tickets.models import Ticket, Topic


class PracticeScript(models.Model):
    """A customer who is played: what they open with, and what they say to which words."""

    key = models.SlugField(_("key"), unique=True)
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    topic = models.ForeignKey(
        Topic, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("topic")
    )
    name_en = models.CharField(_("name in English"), max_length=80)
    name_de = models.CharField(_("name in German"), max_length=80)
    customer = models.CharField(_("name of the customer"), max_length=80)
    opening_en = models.TextField(_("first message in English"))
    opening_de = models.TextField(_("first message in German"))
    unclear_en = models.TextField(
        _("when nothing was understood, in English"), help_text=_("Said to a message that meets no point.")
    )
    unclear_de = models.TextField(_("when nothing was understood, in German"))
    thanks_en = models.TextField(_("thanks in English"), help_text=_("Said when all points are met."))
    thanks_de = models.TextField(_("thanks in German"))
    active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("scripted customer")
        verbose_name_plural = _("scripted customers")
        ordering = ["position", "key"]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        return self.said("name", get_language() or "en")

    def said(self, field: str, language: str) -> str:
        """One of its texts in this language."""
        return str(getattr(self, f"{field}_{'de' if language.startswith('de') else 'en'}"))


class PracticePoint(models.Model):
    """What the agent should say, or must never say, and what the customer says to it."""

    script = models.ForeignKey(
        PracticeScript, models.CASCADE, related_name="points", verbose_name=_("scripted customer")
    )
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    avoid = models.BooleanField(
        _("must not be said"), default=False, help_text=_("Then it is met by never saying it: name it so.")
    )
    name_en = models.CharField(_("point in English"), max_length=160)
    name_de = models.CharField(_("point in German"), max_length=160)
    words_en = models.TextField(
        _("words in English"),
        help_text=_(
            "A line is one way to say it: all of its words must be in one message; beginnings of words will do."
        ),
    )
    words_de = models.TextField(_("words in German"))
    answer_en = models.TextField(_("the customer's answer in English"), blank=True)
    answer_de = models.TextField(_("the customer's answer in German"), blank=True)
    advice_en = models.TextField(
        _("advice in English"), blank=True, help_text=_("Shown when it was not met.")
    )
    advice_de = models.TextField(_("advice in German"), blank=True)

    class Meta:
        verbose_name = _("point of practice")
        verbose_name_plural = _("points of practice")
        ordering = ["script", "position", "id"]

    def __str__(self) -> str:
        return self.name_en

    def clean(self) -> None:
        if not (words_of(self.words_en) and words_of(self.words_de)):
            raise ValidationError(_("Words are needed in both languages, or nobody can meet the point."))


class Practice(models.Model):
    """One go with a scripted customer: its ticket and shift while it is under way, then what was met."""

    agent = models.ForeignKey(Agent, models.PROTECT, related_name="practices", verbose_name=_("agent"))
    script = models.ForeignKey(
        PracticeScript, models.PROTECT, related_name="practices", verbose_name=_("scripted customer")
    )
    ticket = models.OneToOneField(
        Ticket, models.PROTECT, related_name="practice", verbose_name=_("ticket"), editable=False
    )
    shift = models.OneToOneField(
        Shift, models.PROTECT, related_name="practice_of", verbose_name=_("shift"), editable=False
    )
    started_at = models.DateTimeField(_("started"), db_default=Now(), editable=False)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True, editable=False)
    # As they were said then: [{"en", "de", "advice_en", "advice_de", "met"}], beside the two that every script has.
    points = models.JSONField(_("points"), default=list, editable=False)
    replied = models.BooleanField(_("replied"), default=False)
    resolved = models.BooleanField(_("resolved"), default=False)
    passed = models.BooleanField(_("passed"), null=True, blank=True)

    class Meta:
        verbose_name = _("practice")
        verbose_name_plural = _("practices")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["agent"], condition=Q(finished_at__isnull=True), name="practice_one_open_an_agent"
            ),
            models.CheckConstraint(
                condition=Q(finished_at__isnull=True, passed__isnull=True)
                | Q(finished_at__isnull=False, passed__isnull=False),
                name="practice_passed_iff_finished",
            ),
        ]
        indexes = [
            models.Index(
                fields=["id"], name="practice_under_way", condition=Q(finished_at__isnull=True)
            )  # of the tick
        ]

    def __str__(self) -> str:
        return f"{self.agent}: {self.script}"
