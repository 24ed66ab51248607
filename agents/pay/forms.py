"""Payout details, as a form."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from agents.errors import Refusal
from agents.pay.accounts import iban_clean


class PayoutDetailsForm(forms.Form):
    """The number is never filled in again: what is kept is shown masked only."""

    holder = forms.CharField(
        label=_("Account holder"),
        min_length=2,
        max_length=70,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    iban = forms.CharField(
        label=_("IBAN"),
        max_length=42,  # with spaces
        help_text=_("For example DE89 3704 0044 0532 0130 00. Spaces do not matter."),
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}
        ),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in self.errors if self.is_bound else ():
            self.fields[name].widget.attrs["aria-invalid"] = "true"

    def clean_holder(self) -> str:
        return " ".join(str(self.cleaned_data["holder"]).split())

    def clean_iban(self) -> str:
        try:
            return iban_clean(str(self.cleaned_data["iban"]))
        except Refusal as refusal:
            raise forms.ValidationError(str(refusal.detail)) from None
