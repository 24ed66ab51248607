"""Learning units, quizzes and their banks in Django admin; attempts are only looked at."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Count, Q, QuerySet
from django.forms import BaseInlineFormSet
from django.http import HttpRequest
from django.utils.translation import gettext as text
from django.utils.translation import gettext_lazy as _

from agents.admin_readonly import ReadOnly
from agents.models import Answer, Attempt, Choice, LearningUnit, Question, Quiz


@admin.register(LearningUnit)
class LearningUnitAdmin(admin.ModelAdmin[LearningUnit]):
    list_display = ("__str__", "skill", "position", "active")
    list_filter = ("skill", "active")
    search_fields = ("title_en", "title_de", "text_en", "text_de")
    list_select_related = ("skill",)


@admin.register(Quiz)
class QuizAdmin(admin.ModelAdmin[Quiz]):
    list_display = (
        "skill",
        "draw",
        "bank",
        "pass_percent",
        "attempts_a_day",
        "level",
        "valid_days",
        "active",
    )
    list_filter = ("active",)
    search_fields = ("skill__key", "skill__name_en", "skill__name_de")
    list_select_related = ("skill",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Quiz]:
        active = Count("questions", filter=Q(questions__active=True))
        return super().get_queryset(request).annotate(bank=active)

    @admin.display(description=_("questions in the bank"), ordering="bank")
    def bank(self, quiz: Any) -> str:
        few = text("too few: the quiz is not open")
        return str(quiz.bank) if quiz.bank >= quiz.draw else f"{quiz.bank} ({few})"


class ChoiceFormSet(BaseInlineFormSet[Choice, Question, Any]):
    def clean(self) -> None:
        """As many right choices as the question's kind wants."""
        super().clean()
        kept = [
            form.cleaned_data
            for form in self.forms
            if getattr(form, "cleaned_data", None) and not form.cleaned_data.get("DELETE")
        ]
        rights = sum(bool(data.get("right")) for data in kept)
        if len(kept) < 2:
            raise ValidationError(text("A question needs two choices at least."))
        if rights < 1 or (rights > 1 and not self.instance.several):
            raise ValidationError(
                text("Exactly one choice must be right; or mark that several may be right.")
            )


class ChoiceInline(admin.TabularInline[Choice, Question]):
    model = Choice
    formset = ChoiceFormSet
    extra = 4


@admin.register(Question)
class QuestionAdmin(admin.ModelAdmin[Question]):
    list_display = ("__str__", "quiz", "several", "active")
    list_filter = ("quiz", "active")
    search_fields = ("text_en", "text_de")
    list_select_related = ("quiz__skill",)
    inlines = (ChoiceInline,)


class AnswerInline(ReadOnly, admin.TabularInline[Answer, Attempt]):
    model = Answer
    fields = ("position", "question", "right")
    readonly_fields = fields
    extra = 0

    def get_queryset(self, request: HttpRequest) -> QuerySet[Answer]:
        return super().get_queryset(request).select_related("question")


@admin.register(Attempt)
class AttemptAdmin(ReadOnly, admin.ModelAdmin[Attempt]):
    list_display = ("agent", "quiz", "started_at", "finished_at", "right", "asked", "passed")
    list_filter = ("passed", "quiz")
    search_fields = ("agent__name", "agent__user__email")
    list_select_related = ("agent", "quiz__skill")
    date_hierarchy = "started_at"
    inlines = (AnswerInline,)
