"""What agents learn and show: LearningUnit, Quiz, Question, Choice, Attempt, Answer. Made by admins, answered by agents."""

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from agents.models.people import Agent, Skill


def _german() -> bool:
    return (get_language() or "en").startswith("de")


class LearningUnit(models.Model):
    """A text to read for a skill. Plain: a blank line begins a new paragraph."""

    skill = models.ForeignKey(Skill, models.CASCADE, related_name="units", verbose_name=_("skill"))
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    title_en = models.CharField(_("title in English"), max_length=120)
    title_de = models.CharField(_("title in German"), max_length=120)
    text_en = models.TextField(_("text in English"), help_text=_("A blank line begins a new paragraph."))
    text_de = models.TextField(_("text in German"))
    active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("learning unit")
        verbose_name_plural = _("learning units")
        ordering = ["skill__key", "position", "id"]

    def __str__(self) -> str:
        return self.title

    @property
    def title(self) -> str:
        return self.title_de if _german() else self.title_en

    @property
    def text(self) -> str:
        return self.text_de if _german() else self.text_en


class Quiz(models.Model):
    """How a skill is shown: so many questions of its bank, and what passing gives."""

    skill = models.OneToOneField(Skill, models.CASCADE, related_name="quiz", verbose_name=_("skill"))
    draw = models.PositiveSmallIntegerField(
        _("questions drawn"), default=5, validators=[MinValueValidator(1), MaxValueValidator(50)]
    )
    pass_percent = models.PositiveSmallIntegerField(
        _("percent to pass"), default=80, validators=[MinValueValidator(1), MaxValueValidator(100)]
    )
    attempts_a_day = models.PositiveSmallIntegerField(
        _("attempts in 24 hours"), default=3, validators=[MinValueValidator(1)]
    )
    minutes = models.PositiveSmallIntegerField(
        _("minutes"), default=0, validators=[MaxValueValidator(240)], help_text=_("0: no limit.")
    )
    level = models.PositiveSmallIntegerField(
        _("level"),
        default=2,
        validators=[MinValueValidator(1), MaxValueValidator(5)],
        help_text=_("Whoever passes has at least this level; a higher one stays."),
    )
    valid_days = models.PositiveSmallIntegerField(
        _("days that the certificate is valid"), default=365, validators=[MinValueValidator(1)]
    )
    active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("quiz")
        verbose_name_plural = _("quizzes")
        ordering = ["skill__key"]
        constraints = [
            models.CheckConstraint(
                condition=Q(pass_percent__gte=1, pass_percent__lte=100), name="quiz_percent_1_to_100"
            ),
            models.CheckConstraint(condition=Q(level__gte=1, level__lte=5), name="quiz_level_1_to_5"),
        ]

    def __str__(self) -> str:
        return str(self.skill)


class Question(models.Model):
    """One of a quiz's bank. Single choice when exactly one choice is right and `several` is not set."""

    quiz = models.ForeignKey(Quiz, models.CASCADE, related_name="questions", verbose_name=_("quiz"))
    several = models.BooleanField(
        _("several may be right"),
        default=False,
        help_text=_("Then all right ones, and no other, must be chosen."),
    )
    text_en = models.TextField(_("question in English"))
    text_de = models.TextField(_("question in German"))
    explanation_en = models.TextField(_("explanation in English"), blank=True)
    explanation_de = models.TextField(_("explanation in German"), blank=True)
    active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("question")
        verbose_name_plural = _("questions")
        ordering = ["quiz", "id"]

    def __str__(self) -> str:
        return self.text[:80]

    @property
    def text(self) -> str:
        return self.text_de if _german() else self.text_en

    @property
    def explanation(self) -> str:
        return self.explanation_de if _german() else self.explanation_en


class Choice(models.Model):
    question = models.ForeignKey(Question, models.CASCADE, related_name="choices", verbose_name=_("question"))
    text_en = models.CharField(_("in English"), max_length=300)
    text_de = models.CharField(_("in German"), max_length=300)
    right = models.BooleanField(_("right"), default=False)

    class Meta:
        verbose_name = _("choice")
        verbose_name_plural = _("choices")
        ordering = ["id"]

    def __str__(self) -> str:
        return self.text

    @property
    def text(self) -> str:
        return self.text_de if _german() else self.text_en


class Attempt(models.Model):
    """One go at a quiz. All of its state is here, so reloading, a second tab and the back button do no harm."""

    agent = models.ForeignKey(Agent, models.CASCADE, related_name="attempts", verbose_name=_("agent"))
    quiz = models.ForeignKey(Quiz, models.PROTECT, related_name="attempts", verbose_name=_("quiz"))
    # As they were when it began: what an admin changes holds from the next attempt on.
    pass_percent = models.PositiveSmallIntegerField(_("percent to pass"))
    started_at = models.DateTimeField(_("started"), db_default=Now(), editable=False)
    ends_at = models.DateTimeField(_("time is up"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    asked = models.PositiveSmallIntegerField(_("questions"))
    right = models.PositiveSmallIntegerField(_("right answers"), default=0)
    passed = models.BooleanField(_("passed"), null=True, blank=True)

    class Meta:
        verbose_name = _("attempt")
        verbose_name_plural = _("attempts")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["agent", "quiz"], condition=Q(finished_at__isnull=True), name="attempt_one_open"
            ),
            models.CheckConstraint(condition=Q(right__lte=F("asked")), name="attempt_right_of_asked"),
            models.CheckConstraint(
                condition=Q(finished_at__isnull=True, passed__isnull=True)
                | Q(finished_at__isnull=False, passed__isnull=False),
                name="attempt_passed_iff_finished",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.agent}: {self.quiz}"


class Answer(models.Model):
    """A question of an attempt: the order of its choices, and what was chosen, once."""

    attempt = models.ForeignKey(Attempt, models.CASCADE, related_name="answers", verbose_name=_("attempt"))
    position = models.PositiveSmallIntegerField(_("place"))
    question = models.ForeignKey(Question, models.PROTECT, related_name="answers", verbose_name=_("question"))
    order = ArrayField(models.BigIntegerField(), verbose_name=_("order of the choices"))
    chosen = ArrayField(models.BigIntegerField(), null=True, blank=True, verbose_name=_("chosen"))
    right = models.BooleanField(_("right"), null=True, blank=True)

    class Meta:
        verbose_name = _("answer")
        verbose_name_plural = _("answers")
        ordering = ["attempt", "position"]
        constraints = [
            models.UniqueConstraint(fields=["attempt", "position"], name="answer_place_once"),
            models.UniqueConstraint(fields=["attempt", "question"], name="answer_question_once"),
            models.CheckConstraint(
                condition=Q(chosen__isnull=True, right__isnull=True)
                | Q(chosen__isnull=False, right__isnull=False),
                name="answer_judged_iff_chosen",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.position}"
