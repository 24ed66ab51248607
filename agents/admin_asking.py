"""Forms and pages of pay in Django admin that ask before money moves."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from agents.models import Agent
from agents.models.payouts import EURO
from agents.pay.ledger import MOST_CENTS
from agents.pay.statements import decimal, money


class MoneyField(forms.DecimalField):
    """With two decimals; gives whole cents."""

    def __init__(self, **more: Any) -> None:
        super().__init__(max_digits=9, decimal_places=2, **more)

    def clean(self, value: Any) -> Any:
        found = super().clean(value)
        return None if found is None else int(found * 100)


class AdjustmentForm(forms.Form):
    agent = forms.ModelChoiceField(Agent.objects.select_related("user"), label=_("Agent"))
    amount = MoneyField(label=_("Amount"), help_text=_("Below 0 takes away."))
    currency = forms.RegexField("^[A-Z]{3}$", label=_("Currency"), initial="EUR", max_length=3)
    reason = forms.CharField(label=_("Reason"), max_length=160, help_text=_("The agent reads it."))
    key = forms.UUIDField(widget=forms.HiddenInput)

    def clean_amount(self) -> int:
        cents = int(self.cleaned_data["amount"])
        if not 0 < abs(cents) <= MOST_CENTS:
            raise forms.ValidationError(_("Not 0, and at most %(most)s.") % {"most": decimal(MOST_CENTS)})
        return cents


class RunForm(forms.Form):
    """`owed`: currency → cents of what is not paid out yet; these can be chosen, and euros."""

    # Browsers take no other format as a value, whatever the language.
    up_to = forms.DateField(
        label=_("Up to and including"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    currency = forms.ChoiceField(
        label=_("Currency"), help_text=_("Another one than euros is paid by hand, by a list.")
    )
    minimum = MoneyField(
        label=_("Least amount"), min_value=0, help_text=_("Whoever is owed less waits for the next run.")
    )

    def __init__(self, *args: Any, owed: dict[str, int], **more: Any) -> None:
        super().__init__(*args, **more)
        field = self.fields["currency"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [
            (
                one,
                _("%(currency)s: %(sum)s not paid out yet") % {"currency": one, "sum": money(cents, one)},
            )
            for one, cents in ({EURO: 0} | owed).items()
        ]


class FailForm(forms.Form):
    reason = forms.CharField(
        label=_("Why it was returned"), max_length=140, help_text=_("The agent reads it.")
    )


def asked(
    request: HttpRequest,
    site: admin.AdminSite,
    *,
    title: str,
    back: str,
    form: forms.Form | None = None,
    says: list[str] | None = None,
    button: str = "",
) -> HttpResponse:
    """The page that asks: with `says` for the last time, what was filled in kept hidden."""
    context = site.each_context(request) | {
        "title": title,
        "back": back,
        "form": form,
        "says": says,
        "button": button or title,
    }
    return render(request, "admin/agents/asked.html", context, status=400 if form and form.errors else 200)


def user_id(request: HttpRequest) -> int:
    assert request.user.pk is not None  # admin_view
    return int(request.user.pk)
