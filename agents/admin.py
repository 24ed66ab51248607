"""People and shifts in Django admin; pay is in agents/admin_pay.py."""

from collections.abc import Sequence
from typing import Any, ClassVar

from allauth.account.models import EmailAddress
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import AdminUserCreationForm
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.translation import gettext as text
from django.utils.translation import gettext_lazy as _

from agents import admin_learning, admin_log_in, admin_pay, admin_rights, admin_tokens, membership, onboarding
from agents.admin_onboarding import DecisionInline
from agents.admin_parts import AdmitForm, AgentForm, Deciding, decider
from agents.admin_readonly import ReadOnly
from agents.models import Agent, AgentSkill, Lease, Pool, Shift, Skill, User
from agents.permissions import rights_beyond, rights_of

assert admin_learning  # importing them registers their pages
assert admin_log_in
assert admin_pay
assert admin_rights
assert admin_tokens


class AccountCreationForm(AdminUserCreationForm[User]):
    class Meta:
        model = User
        fields = ("email",)

    def clean_email(self) -> str:
        """Log-in looks for lower case."""
        return str(self.cleaned_data["email"]).lower()


@admin.register(User)
class AccountAdmin(UserAdmin[User]):
    add_form = AccountCreationForm
    ordering = ("email",)
    list_display = ("email", "name", "is_staff", "is_active", "last_login")
    list_filter = ("is_staff", "is_superuser", "is_active", "groups")
    search_fields = ("email", "name")
    fieldsets = (
        (None, {"fields": ("email", "password")}),
        (_("Person"), {"fields": ("name", "language")}),
        (_("Rights"), {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")}),
        (_("Dates"), {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = (
        (None, {"classes": ("wide",), "fields": ("email", "usable_password", "password1", "password2")}),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        """Nobody but a superuser makes superusers, and who may not change groups gives no role. Nor to themselves."""
        found: tuple[str, ...] = ("last_login", "date_joined")
        if request.user.is_superuser:
            return found
        found = (*found, "is_superuser", "user_permissions")
        if not request.user.has_perm("auth.change_group") or obj == request.user:
            found = (*found, "is_active", "is_staff", "groups")
        return found

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_change_permission(request, obj) and self._theirs(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:  # noqa: ARG002
        """An account is switched off (“active”): what it has done stays its own. Agents leave and are erased (ADR 21)."""
        return False

    def _theirs(self, request: HttpRequest, obj: User | None) -> bool:
        """A superuser's account, its password and address, are other superusers' matter only; an account with more rights than
        one's own too, as whoever sets its password has them. While it is switched off it has them as well."""
        if obj is None or request.user.is_superuser or obj == request.user:
            return True
        beyond = rights_beyond(decider(request)).values("pk")
        return not obj.is_superuser and not rights_of(obj).filter(pk__in=beyond).exists()

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Nobody gives a group that may do more than they."""
        field: Any = super().formfield_for_manytomany(db_field, request, **kwargs)
        if db_field.name == "groups" and field is not None:
            field.queryset = field.queryset.exclude(permissions__in=rights_beyond(decider(request)))
        return field

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Who is given another address has it alone: by the old one nobody logs in or has a password sent any more."""
        super().save_model(request, obj, form, change)
        if change and "email" in form.changed_data:
            EmailAddress.objects.filter(user=obj).exclude(email=obj.email).delete()


@admin.register(Skill)
class SkillAdmin(admin.ModelAdmin[Skill]):
    list_display = ("name", "key", "people")
    search_fields = ("key", "name_en", "name_de")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Skill]:
        return super().get_queryset(request).annotate(people=Count("agent_skills"))

    @admin.display(description=_("agents"), ordering="people")
    def people(self, skill: Any) -> int:
        return int(skill.people)


@admin.register(Pool)
class PoolAdmin(admin.ModelAdmin[Pool]):
    """Members are in the list of agents, filtered by pool; dispatch/admin.py adds how they come and go."""

    list_display = ("name", "key", "people")
    search_fields = ("key", "name_en", "name_de")
    autocomplete_fields = ("admins",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Pool]:
        return super().get_queryset(request).annotate(people=Count("members"))

    def get_readonly_fields(self, request: HttpRequest, obj: Pool | None = None) -> tuple[str, ...]:  # noqa: ARG002
        """Who administers a pool is said by those who may change accounts."""
        return () if request.user.has_perm("agents.change_user") else ("admins",)

    @admin.display(description=_("members"), ordering="people")
    def people(self, pool: Any) -> int:
        return int(pool.people)


class AgentSkillInline(admin.TabularInline[AgentSkill, Agent]):
    model = AgentSkill
    autocomplete_fields = ("skill",)
    extra = 0


@admin.register(Agent)
class AgentAdmin(Deciding, admin.ModelAdmin[Agent]):
    """The status is changed by decisions only; dispatch/admin_lower.py adds the one that also ends shifts.

    Who saves the page has the agent's row locked before it is read, as every service that needs it: decisions, shifts and
    certificates come before or after, and the parts of the page (skills) are saved as they stand then.
    """

    form = AgentForm
    list_display = ("name", "email", "status", "languages", "units", "auto_accept")
    list_filter = ("status", "auto_accept", "pools", "skills")
    search_fields = ("name", "user__email")
    list_select_related = ("user",)
    autocomplete_fields = ("user",)
    filter_horizontal = ("pools",)
    readonly_fields: ClassVar[tuple[str, ...]] = (
        "status",
        "auto_accept",
        "last_epoch",
        "profile_version",
    )  # the second: their own choice
    inlines: ClassVar = [AgentSkillInline, DecisionInline]
    actions: Sequence[str] = ("admit", "readmit")

    def get_readonly_fields(self, request: HttpRequest, obj: Agent | None = None) -> tuple[str, ...]:  # noqa: ARG002
        """An agent stays the person they are."""
        return (*self.readonly_fields, "user") if obj else self.readonly_fields

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Agent | None:
        found = super().get_object(request, object_id, from_field)
        if found is None or request.method != "POST" or not self.has_change_permission(request, found):
            return found
        membership.agent_locked(found.pk)
        return super().get_object(request, object_id, from_field)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Pools by the service instead of Django's own way."""
        if "pools" in form.changed_data:
            pools = frozenset(pool.pk for pool in form.cleaned_data.pop("pools"))
            membership.profile_set(agent_id=form.instance.pk, wanted=membership.Wanted(pools=pools))
        form.cleaned_data.pop("pools", None)
        super().save_related(request, form, formsets, change)

    def has_delete_permission(self, request: HttpRequest, obj: Agent | None = None) -> bool:  # noqa: ARG002
        """Agents leave and are erased, in steps (ADR 21)."""
        return False

    @admin.display(description=_("e-mail"), ordering="user__email")
    def email(self, agent: Agent) -> str:
        return agent.user.email

    @admin.action(description=_("Admit the chosen agents…"), permissions=["decide"])
    def admit(self, request: HttpRequest, agents: QuerySet[Agent]) -> TemplateResponse | None:
        def act(agent: Agent, said: dict[str, Any]) -> None:
            pool_ids = [pool.pk for pool in said["pools"]]
            onboarding.admit(agent_id=agent.pk, by=decider(request), reason=said["reason"], pool_ids=pool_ids)

        title = text("Admit these agents?")
        return self.ask(request, agents, act, action="admit", title=title, form_class=AdmitForm)

    @admin.action(description=_("End the suspension of the chosen agents…"), permissions=["decide"])
    def readmit(self, request: HttpRequest, agents: QuerySet[Agent]) -> TemplateResponse | None:
        def act(agent: Agent, said: dict[str, Any]) -> None:
            onboarding.readmit(agent_id=agent.pk, by=decider(request), reason=said["reason"])

        title = text("End the suspension of these agents?")
        return self.ask(request, agents, act, action="readmit", title=title)


@admin.register(Shift)
class ShiftAdmin(ReadOnly, admin.ModelAdmin[Shift]):
    """dispatch/admin.py adds the action that ends a shift: ending one also ends offers, which this room knows nothing of."""

    list_display = (
        "agent",
        "epoch",
        "state",
        "reason",
        "taken",
        "started_at",
        "lost_at",
        "ended_at",
        "end_reason",
    )
    list_filter = ("state", "end_reason", ("started_at", admin.DateFieldListFilter))
    search_fields = ("agent__name", "agent__user__email")
    list_select_related = ("agent",)

    @admin.display(description=_("units taken"), ordering="units_taken")
    def taken(self, shift: Shift) -> str:
        return f"{shift.units_taken} / {shift.units}"


@admin.register(Lease)
class LeaseAdmin(ReadOnly, admin.ModelAdmin[Lease]):
    list_display = ("shift", "beat_at", "expires_at")
    list_select_related = ("shift",)
