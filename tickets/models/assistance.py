"""What the assistant knows of its limits, what its score means, and what it has answered."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from tickets.assistant.limits import KINDS
from tickets.models.articles import Article
from tickets.models.ticket import Ticket


class HandoverReason(models.TextChoices):
    """Why a ticket went from the assistant to a person. Those of tickets.assistant.limits.KINDS have an AssistantRule."""

    PERSON = "person", _("asked for a person")
    FRAUD = "fraud", _("fraud")
    DISPUTE = "dispute", _("a dispute about a payment")
    HARDSHIP = "hardship", _("trouble with money")
    COMPLAINT = "complaint", _("a complaint")
    LEGAL = "legal", _("a matter of law")
    PRIVACY = "privacy", _("data protection")
    EMOTION = "emotion", _("strong emotion")
    VULNERABLE = "vulnerable", _("a vulnerable customer")
    TRICK = "trick", _("tries to steer the machine")
    TOPIC = "topic", _("a topic for people only")
    UNSURE = "unsure", _("no article that surely fits")
    REPEATS = "repeats", _("says the same again")
    NOT_HELPED = "not_helped", _("answers that did not help")
    LONG = "long", _("a long text")
    LASTING = "lasting", _("took too long")
    LANGUAGE = "language", _("unknown language")
    FILE = "file", _("came with a file")
    LATE = "late", _("no answer in time")
    SWITCHED_OFF = "off", _("assistant switched off")


class Phrasing(models.TextChoices):
    """Who put an answer into words: the article itself, a language model, or the article because of the model."""

    QUOTED = "quoted", _("the article, no model set")
    REPHRASED = "rephrased", _("a language model, beside the article")
    # The article, since the model …
    SLOW = "slow", _("the model was too slow")
    UNREACHABLE = "unreachable", _("the model could not be reached")
    STATUS = "status", _("the model refused")
    GARBAGE = "garbage", _("the model's answer could not be read")
    RESTING = "resting", _("the model had just failed, and was left alone")
    BUSY = "busy", _("the model was busy with another answer")
    LATE = "late", _("no time was left for the model")
    # … or since what it said …
    LENGTH = "length", _("the model said too much or too little")
    MARKUP = "markup", _("the model's text had markup or hidden signs")
    LINK = "link", _("the model named a link or address of its own")
    FIGURE = "figure", _("the model named a figure of its own")
    CLAIM = "claim", _("the model claimed or promised something")
    LANGUAGE = "language", _("the model wrote in another language")
    WORDS = "words", _("the model said what the article does not")


class AssistantRule(models.Model):
    """Words at which the assistant hands over at once. Seeded by a migration; an admin adds, changes and switches off."""

    kind = models.CharField(
        _("kind"), max_length=12, choices=[(kind, HandoverReason(kind).label) for kind in KINDS]
    )
    language = models.CharField(_("language"), max_length=5, choices=settings.LANGUAGES)
    phrases = models.TextField(
        _("words"),
        max_length=20000,
        help_text=_(
            "One wording a line. A * at the end of a word stands for any ending, … for up to three words."
        ),
    )
    active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("limit of the assistant")
        verbose_name_plural = _("limits of the assistant")
        ordering = ["kind", "language"]
        constraints = [
            models.UniqueConstraint(fields=["kind", "language"], name="assistant_rule_once"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} ({self.language})"


class Calibration(models.Model):
    """What a raw score of the search is worth in one language: a new version instead of an edit, the newest one counts."""

    language = models.CharField(_("language"), max_length=5, choices=settings.LANGUAGES)
    # [[raw score, precision of all answers from there on], …], both rising
    curve = models.JSONField(_("curve"))
    questions = models.PositiveIntegerField(_("labelled questions"))
    report = models.JSONField(_("report"), default=dict)
    made_at = models.DateTimeField(_("made"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("calibration of the assistant")
        verbose_name_plural = _("calibrations of the assistant")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.language} {self.pk}"


class AssistantAnswer(models.Model):
    """One answer: which version of which article was quoted in which message, how sure it was, and whether it helped."""

    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="answers", verbose_name=_("ticket"))
    seq = models.PositiveIntegerField(_("number of the message"))
    article = models.ForeignKey(Article, models.PROTECT, related_name="answers", verbose_name=_("article"))
    version = models.PositiveIntegerField(_("version"))
    score = models.FloatField(_("score"))  # 0 to 1
    target = models.FloatField(_("target precision"))  # 0 to 1, as it was set then
    phrasing = models.CharField(
        _("put into words by"),
        max_length=12,
        choices=Phrasing,
        default=Phrasing.QUOTED,
        db_default=Phrasing.QUOTED,
    )
    model = models.CharField(_("language model"), max_length=80, blank=True, default="", db_default="")
    helped = models.BooleanField(_("helped"), null=True)
    judged_at = models.DateTimeField(_("judged"), null=True)
    created_at = models.DateTimeField(_("answered"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("answer of the assistant")
        verbose_name_plural = _("answers of the assistant")
        ordering = ["ticket", "seq"]
        indexes = [models.Index(fields=["created_at"], name="assistant_answer_at")]
        constraints = [
            models.UniqueConstraint(fields=["ticket", "seq"], name="assistant_answer_seq_once"),
            models.UniqueConstraint(fields=["ticket", "article"], name="assistant_answer_article_once"),
            # At most one is open: a new one is given only when the one before did not help.
            models.UniqueConstraint(
                fields=["ticket"], condition=Q(helped__isnull=True), name="assistant_answer_one_open"
            ),
            models.CheckConstraint(
                condition=Q(score__gte=0, score__lte=1, target__gte=0, target__lte=1),
                name="assistant_answer_shares",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.ticket_id}/{self.seq}"
