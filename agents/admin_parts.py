"""Parts of admin pages: decisions about people, which ask first; a secret that is shown once; a labelled date and time."""

from collections.abc import Callable, Iterable
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin import helpers
from django.contrib.admin.widgets import AdminSplitDateTime
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from agents.errors import Refusal
from agents.models import Agent, AgentStatus, Pool, User
from agents.permissions import everywhere


class LabelledDateTime(AdminSplitDateTime):
    """The stock widget writes “Date:” and “Time:” beside its two fields, and labels neither."""

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        for part, label in zip(
            context["widget"]["subwidgets"], (context["date_label"], context["time_label"]), strict=True
        ):
            part["attrs"]["aria-label"] = str(label).rstrip(":")
        return context


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label=_("Reason"),
        help_text=_("The person reads it, in the mail and on their page."),
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 5, "cols": 70}),
    )


class AdmitForm(ReasonForm):
    pools = forms.ModelMultipleChoiceField(
        label=_("Pools"), queryset=Pool.objects.all(), required=False, widget=forms.CheckboxSelectMultiple
    )


class AgentForm(forms.ModelForm[Agent]):
    def clean(self) -> dict[str, Any]:
        """As everywhere else that makes members: only who is admitted becomes one. The page has the row locked."""
        data = super().clean() or {}
        has = set(self.instance.pools.all()) if self.instance.pk else set()
        if set(data.get("pools") or ()) - has and self.instance.status != AgentStatus.ADMITTED:
            self.add_error("pools", _("Who is not admitted can be in no pool."))
        return data


class AnswerForm(forms.Form):
    upheld = forms.TypedChoiceField(
        label=_("The appeal is"),
        choices=[
            ("yes", _("granted: the decision is undone")),
            ("no", _("not granted: the decision stands")),
        ],
        coerce=lambda value: value == "yes",
        widget=forms.RadioSelect,
    )
    reason = forms.CharField(
        label=_("Answer"),
        help_text=_("The person reads it, in the mail and on their page."),
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 5, "cols": 70}),
    )


class Deciding:
    """Actions of an admin list that ask for a reason first, and then call a service for each chosen one."""

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return everywhere(request.user, "agents.decide")

    def ask(
        self,
        request: HttpRequest,
        chosen: Iterable[Any],
        act: Callable[[Any, dict[str, Any]], object],
        *,
        action: str,
        title: str,
        form_class: type[forms.Form] = ReasonForm,
        button: str = "",
        told: Callable[[int], str] | None = None,
        refusals: tuple[type[Exception], ...] = (Refusal,),
    ) -> TemplateResponse | None:
        """The page that asks; or, once it is answered, `act(one, what was entered)` for each, and the list again.

        `button` and `told(how many)` are the words of what is no decision about a person; `refusals` have a `detail`.
        """
        rows = list(chosen)
        form = form_class(request.POST if "decided" in request.POST else None)
        if not form.is_valid():
            context = {
                "title": title,
                "rows": rows,
                "form": form,
                "action": action,
                "button": button,
                "opts": self.model._meta,  # type: ignore[attr-defined]
                "action_checkbox_name": helpers.ACTION_CHECKBOX_NAME,
                **self.admin_site.each_context(request),  # type: ignore[attr-defined]
            }
            return TemplateResponse(request, "admin/agents/decide.html", context)
        done = 0
        for row in rows:
            try:
                act(row, form.cleaned_data)
                done += 1
            except refusals as refusal:
                messages.warning(request, f"{row}: {getattr(refusal, 'detail', refusal)}")
        if done:
            text = ngettext(
                "Decided on %d person, who is told by mail.",
                "Decided on %d people, who are told by mail.",
                done,
            )
            messages.success(request, told(done) if told else text % done)
        return None


def agent_or_refuse(agent: Agent | None) -> Agent:
    """Of an application. Raises Refusal while its address is not confirmed: there is nobody to decide on yet."""
    if agent is None:
        raise Refusal(_("The address is not confirmed yet."))
    return agent


def decider(request: HttpRequest) -> User:
    """Who is logged in to the admin."""
    assert isinstance(request.user, User)  # the admin lets nobody else in
    return request.user


def secret_page(page: Any, request: HttpRequest, *, title: str, secret: str) -> TemplateResponse:
    """What an admin page has just made and will never show again."""
    context = {
        **page.admin_site.each_context(request),
        "title": title,
        "secret": secret,
        "opts": page.model._meta,
    }
    return TemplateResponse(request, "admin/agents/secret.html", context)
