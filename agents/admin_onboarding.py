"""Applications, decisions and appeals in Django admin. Each decision asks for its reason first."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.translation import gettext as text
from django.utils.translation import gettext_lazy as _

from agents import learning, onboarding
from agents.admin_parts import AdmitForm, AnswerForm, Deciding, agent_or_refuse, decider
from agents.admin_readonly import ReadOnly
from agents.models import AgentSkill, AgentStatus, Appeal, Application, Decision, Letter


class StepFilter(admin.SimpleListFilter):
    """Where applicants stand. “to admit”: confirmed, and with a certificate at least."""

    title = _("step")
    parameter_name = "step"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:  # noqa: ARG002
        return [
            ("confirm", _("address not confirmed")),
            ("learning", _("learning")),
            ("practice", _("to practise")),
            ("admit", _("to admit")),
            ("decided", _("decided")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Application]) -> QuerySet[Application]:  # noqa: ARG002
        steps = {
            "confirm": Q(agent__isnull=True),
            "learning": Q(agent__status=AgentStatus.APPLIED, certificates=0),
            "practice": Q(
                agent__status=AgentStatus.APPLIED, certificates__gt=0, agent__practised_at__isnull=True
            ),
            "admit": Q(agent__status=AgentStatus.APPLIED, certificates__gt=0),
            "decided": Q(agent__isnull=False) & ~Q(agent__status=AgentStatus.APPLIED),
        }
        return queryset.filter(steps.get(self.value() or "", Q()))


@admin.register(Application)
class ApplicationAdmin(Deciding, ReadOnly, admin.ModelAdmin[Application]):
    list_display = (
        "real_name",
        "status",
        "learned",
        "practised",
        "email",
        "languages",
        "created_at",
        "confirmed_at",
        "known_by",
    )
    list_filter = (StepFilter, "agent__status")
    search_fields = ("real_name", "name", "email")
    list_select_related = ("agent",)
    date_hierarchy = "created_at"
    readonly_fields: ClassVar[tuple[str, ...]] = ("learned", "practised", "status", "decisions")
    actions = ("admit", "reject")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Application]:
        valid = Q(agent__agent_skills__certified_until__gte=learning.today())
        return super().get_queryset(request).annotate(certificates=Count("agent__agent_skills", filter=valid))

    @admin.display(description=_("valid certificates"), ordering="certificates")
    def learned(self, application: Any) -> int:
        return int(application.certificates)

    @admin.display(description=_("practice passed"), ordering="agent__practised_at")
    def practised(self, application: Application) -> Any:
        return application.agent.practised_at if application.agent else None

    @admin.display(description=_("status"), ordering="agent__status")
    def status(self, application: Application) -> str:
        agent = application.agent
        return str(agent.get_status_display()) if agent else text("address not confirmed")

    @admin.display(description=_("skills and decisions"))
    def decisions(self, application: Application) -> str:
        if application.agent is None:
            return "–"
        has = AgentSkill.objects.filter(agent=application.agent).select_related("skill")
        made = Decision.objects.filter(agent=application.agent).select_related("agent")
        lines = [f"{one} ({one.certified_until or '–'})" for one in has]
        return "; ".join([*lines, *(f"{one}: {one.reason}" for one in made)]) or "–"

    @admin.action(description=_("Admit the chosen applicants…"), permissions=["decide"])
    def admit(self, request: HttpRequest, queryset: QuerySet[Application]) -> TemplateResponse | None:
        def act(application: Application, said: dict[str, Any]) -> None:
            onboarding.admit(
                agent_id=agent_or_refuse(application.agent).pk,
                by=decider(request),
                reason=said["reason"],
                pool_ids=[pool.pk for pool in said["pools"]],
            )

        title = text("Admit these applicants?")
        return self.ask(request, queryset, act, action="admit", title=title, form_class=AdmitForm)

    @admin.action(description=_("Do not admit the chosen applicants…"), permissions=["decide"])
    def reject(self, request: HttpRequest, queryset: QuerySet[Application]) -> TemplateResponse | None:
        def act(application: Application, said: dict[str, Any]) -> None:
            agent = agent_or_refuse(application.agent)
            onboarding.reject(agent_id=agent.pk, by=decider(request), reason=said["reason"])

        return self.ask(request, queryset, act, action="reject", title=text("Do not admit these applicants?"))


@admin.register(Decision)
class DecisionAdmin(ReadOnly, admin.ModelAdmin[Decision]):
    list_display = ("agent", "kind", "reason", "decided_by", "role", "decided_at")
    list_filter = ("kind",)
    search_fields = ("agent__name", "agent__user__email", "reason")
    list_select_related = ("agent", "decided_by")
    date_hierarchy = "decided_at"


class DecisionInline(ReadOnly, admin.TabularInline[Decision, Any]):
    model = Decision
    fields = ("kind", "reason", "decided_by", "role", "decided_at")
    readonly_fields = fields
    extra = 0

    def get_queryset(self, request: HttpRequest) -> QuerySet[Decision]:
        return super().get_queryset(request).select_related("agent", "decided_by")


@admin.register(Appeal)
class AppealAdmin(Deciding, ReadOnly, admin.ModelAdmin[Appeal]):
    list_display = ("agent", "against", "text", "decided_by", "written_at", "answered_at", "upheld")
    list_filter: ClassVar = [("answered_at", admin.EmptyFieldListFilter), "upheld"]
    search_fields = ("decision__agent__name", "text")
    list_select_related = ("decision__agent", "decided_by")
    actions = ("answer",)

    @admin.display(description=_("agent"))
    def agent(self, appeal: Appeal) -> str:
        return str(appeal.decision.agent)

    @admin.display(description=_("decision"))
    def against(self, appeal: Appeal) -> str:
        return str(appeal.decision.get_kind_display())

    @admin.action(description=_("Answer the chosen appeals…"), permissions=["decide"])
    def answer(self, request: HttpRequest, queryset: QuerySet[Appeal]) -> TemplateResponse | None:
        def act(appeal: Appeal, said: dict[str, Any]) -> None:
            onboarding.appeal_answer(
                appeal_id=appeal.pk, by=decider(request), upheld=said["upheld"], answer=said["reason"]
            )

        title = text("Answer these appeals?")
        return self.ask(request, queryset, act, action="answer", title=title, form_class=AnswerForm)


@admin.register(Letter)
class LetterAdmin(ReadOnly, admin.ModelAdmin[Letter]):
    list_display = ("kind", "application", "decision", "created_at", "sent_at")
    list_filter = ("kind", ("sent_at", admin.EmptyFieldListFilter))
    list_select_related = ("application", "decision__agent")
