"""The assistant in Django admin: articles with their approval, limits, calibrations, answers."""

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db import models, transaction
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from tickets import articles, kept
from tickets.admin_readonly import ReadOnly
from tickets.errors import ArticleChanged
from tickets.models import Article, ArticleVersion, AssistantAnswer, AssistantRule, Calibration


class ArticleVersionInline(ReadOnly, admin.TabularInline[ArticleVersion, Article]):
    model = ArticleVersion
    fields = ("version", "title", "body", "saved_by", "saved_at", "approved_by", "approved_at")
    readonly_fields = fields
    extra = 0

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[ArticleVersion]:
        return super().get_queryset(request).select_related("saved_by", "approved_by")


@admin.register(Article)
class ArticleAdmin(admin.ModelAdmin[Article]):
    """Only approved ones are quoted and public. A change of the text makes a draft of it again."""

    list_display = ("title", "language", "topic", "state", "version", "valid_until", "approved_by")
    list_filter = ("state", "language", "topic")
    list_select_related = ("topic", "approved_by")
    search_fields = ("title", "wordings", "body", "slug")
    prepopulated_fields: ClassVar = {"slug": ("title",)}
    exclude = ("search",)
    readonly_fields = ("state", "version", "approved_by", "approved_at")
    inlines: ClassVar = [ArticleVersionInline]
    actions = ("approve", "withdraw")

    def save_model(self, request: HttpRequest, obj: Article, form: ModelForm[Any], change: bool) -> None:  # noqa: ARG002  Django's
        articles.article_save(obj, user_id=request.user.pk)

    def has_approve_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("tickets.approve_article")

    @admin.action(description=_("Approve: the assistant may quote them"), permissions=["approve"])
    def approve(self, request: HttpRequest, chosen: models.QuerySet[Article]) -> None:
        done = 0
        for article in chosen:
            try:
                with transaction.atomic():
                    articles.article_approve(
                        article_id=article.pk, version=article.version, user_id=request.user.pk
                    )
                done += 1
            except ArticleChanged as refusal:
                self.message_user(request, f"{article}: {refusal.detail}", messages.ERROR)
        self.message_user(
            request,
            ngettext("%(count)d article is approved.", "%(count)d articles are approved.", done)
            % {"count": done},
        )

    @admin.action(description=_("Withdraw: they are drafts again"), permissions=["approve"])
    def withdraw(self, request: HttpRequest, chosen: models.QuerySet[Article]) -> None:
        with transaction.atomic():
            for article in chosen:
                articles.article_withdraw(article_id=article.pk)
        self.message_user(request, gettext("They are drafts again, and quoted no longer."))


@admin.register(AssistantRule)
class AssistantRuleAdmin(admin.ModelAdmin[AssistantRule]):
    list_display = ("kind", "language", "active")
    list_filter = ("kind", "language", "active")
    search_fields = ("phrases",)

    def save_model(
        self, request: HttpRequest, obj: AssistantRule, form: ModelForm[Any], change: bool
    ) -> None:
        super().save_model(request, obj, form, change)
        kept.forget("assistant_rules")


@admin.register(Calibration)
class CalibrationAdmin(ReadOnly, admin.ModelAdmin[Calibration]):
    list_display = ("language", "questions", "made_at")
    list_filter = ("language",)


@admin.register(AssistantAnswer)
class AssistantAnswerAdmin(ReadOnly, admin.ModelAdmin[AssistantAnswer]):
    list_display = ("ticket", "article", "version", "score", "target", "phrasing", "helped", "created_at")
    list_filter = ("helped", "phrasing", "article__topic")
    list_select_related = ("ticket", "article")
    search_fields = ("=ticket__id", "article__title")
