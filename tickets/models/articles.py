"""Article: what the assistant may quote and anybody may read at /help/; written by tickets/articles.py only."""

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.db import models
from django.db.models import Case, Q, When
from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from tickets.models.ticket import Topic


def _searched(config: str) -> CombinedExpression:
    """Titles and wordings weigh A, the text D."""
    head = SearchVector("title", config=config, weight="A") + SearchVector(
        "wordings", config=config, weight="A"
    )
    return head + SearchVector("body", config=config, weight="D")


class ArticleState(models.TextChoices):
    DRAFT = "draft", _("draft")  # nobody but admins sees it
    APPROVED = "approved", _("approved")  # quoted and public, until valid_until


class Article(models.Model):
    """One answer to one question. A change of its text is a new version, and a draft until somebody approves it."""

    slug = models.SlugField(
        _("address"), max_length=80, unique=True, help_text=_("Its page is /help/<address>.")
    )
    topic = models.ForeignKey(
        Topic, models.PROTECT, null=True, blank=True, related_name="articles", verbose_name=_("topic")
    )
    language = models.CharField(_("language"), max_length=5, choices=settings.LANGUAGES)
    title = models.CharField(_("title"), max_length=120)
    wordings = models.TextField(
        _("how customers ask it"),
        max_length=4000,
        blank=True,
        help_text=_("One wording a line. They are searched, and never shown."),
    )
    body = models.TextField(
        _("text"),
        max_length=8000,
        help_text=_("Paragraphs with an empty line between them. Quoted as it stands."),
    )
    state = models.CharField(_("state"), max_length=10, choices=ArticleState, default=ArticleState.DRAFT)
    version = models.PositiveIntegerField(_("version"), default=1, editable=False)
    valid_until = models.DateField(
        _("valid until"),
        null=True,
        blank=True,
        help_text=_("The last day on which it is quoted. Empty: for good."),
    )
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
        verbose_name=_("approved by"),
    )
    approved_at = models.DateTimeField(_("approved"), null=True, blank=True, editable=False)
    search = models.GeneratedField(
        expression=Case(When(language="de", then=_searched("german")), default=_searched("english")),
        output_field=SearchVectorField(),
        db_persist=True,
    )

    class Meta:
        verbose_name = _("article")
        verbose_name_plural = _("articles")
        ordering = ["language", "title"]
        permissions = [("approve_article", "Approves articles that the assistant quotes")]
        indexes = [
            GinIndex(fields=["search"], name="article_search"),
            GinIndex(fields=["wordings"], opclasses=["gin_trgm_ops"], name="article_wordings"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=ArticleState.values), name="article_state_known"),
            models.CheckConstraint(
                condition=Q(state=ArticleState.APPROVED, approved_at__isnull=False)
                | Q(state=ArticleState.DRAFT, approved_at__isnull=True),
                name="article_approved_at_iff_approved",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("article", args=[self.slug])


class ArticleVersion(models.Model):
    """An article as it was saved or approved: what a customer was told can be read again."""

    article = models.ForeignKey(Article, models.CASCADE, related_name="versions", verbose_name=_("article"))
    version = models.PositiveIntegerField(_("version"))
    title = models.CharField(_("title"), max_length=120)
    body = models.TextField(_("text"))
    saved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("saved by")
    )
    saved_at = models.DateTimeField(_("saved"), db_default=Now(), editable=False)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("approved by")
    )
    approved_at = models.DateTimeField(_("approved"), null=True)

    class Meta:
        verbose_name = _("version of an article")
        verbose_name_plural = _("versions of articles")
        ordering = ["article", "-version"]
        constraints = [models.UniqueConstraint(fields=["article", "version"], name="article_version_once")]

    def __str__(self) -> str:
        return f"{self.title} ({self.version})"
