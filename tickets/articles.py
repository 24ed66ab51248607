"""Articles are written and approved here. Approved ones are public, and the only ones that the assistant quotes."""

from typing import Any

from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from tickets.errors import ArticleChanged
from tickets.models import Article, ArticleState, ArticleVersion

TEXT = ("title", "wordings", "body", "language")  # what a change of makes it a draft again


def live() -> QuerySet[Article]:
    """Approved, and not past their last day."""
    return Article.objects.filter(
        Q(valid_until__isnull=True) | Q(valid_until__gte=timezone.localdate()), state=ArticleState.APPROVED
    )


def article_save(article: Article, *, user_id: int | None) -> Article:
    """Store a new article, or what was changed of one; a change of its text is a new version and a draft. Inner."""
    before = Article.objects.select_for_update().filter(pk=article.pk).first() if article.pk else None
    if before is None:
        article.state, article.version, article.approved_by, article.approved_at = (
            ArticleState.DRAFT,
            1,
            None,
            None,
        )
    elif any(getattr(before, name) != getattr(article, name) for name in TEXT):
        article.state, article.version = ArticleState.DRAFT, before.version + 1
        article.approved_by, article.approved_at = None, None
    else:
        article.state, article.version = before.state, before.version
        article.approved_by_id, article.approved_at = before.approved_by_id, before.approved_at
    article.save()
    if before is None or article.version != before.version:
        _version(article, saved_by_id=user_id)
    return article


def _version(article: Article, **more: Any) -> None:
    ArticleVersion.objects.create(
        article=article, version=article.version, title=article.title, body=article.body, **more
    )


def article_approve(*, article_id: int, version: int, user_id: int | None) -> None:
    """Somebody stands for this version: it may be quoted. Inner. Approving again changes nothing.

    Raises ArticleChanged when the text is another one by now.
    """
    article = Article.objects.filter(pk=article_id, version=version)
    if article.filter(state=ArticleState.DRAFT).update(
        state=ArticleState.APPROVED, approved_by_id=user_id, approved_at=Now()
    ):
        ArticleVersion.objects.filter(article_id=article_id, version=version).update(
            approved_by_id=user_id, approved_at=Now()
        )
    elif not article.exists():
        raise ArticleChanged


def article_withdraw(*, article_id: int) -> None:
    """It is quoted no longer, from now on. Inner."""
    Article.objects.filter(pk=article_id).update(state=ArticleState.DRAFT, approved_by=None, approved_at=None)
