"""The agents' forms: they check shape; what is refused for its meaning, the services refuse."""

import uuid
from typing import Any, cast

from django import forms
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.http import QueryDict
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from agents.models import Hours, Skill, User
from agents.onboarding import device_clean

OWN_NAMES = {"en": "English", "de": "Deutsch"}
KEY_LENGTH = 100  # characters, as intake_key


def new_key() -> str:
    """An idempotency key for a form that is drawn anew."""
    return str(uuid.uuid4())


def _languages() -> list[tuple[str, str]]:
    return [(code, OWN_NAMES.get(code, code)) for code, _name in settings.LANGUAGES]


def _skills() -> list[tuple[str, str]]:
    return [(skill.key, skill.name) for skill in Skill.objects.all()]


class _Several(forms.MultipleChoiceField):
    widget = forms.CheckboxSelectMultiple


class ApplyForm(forms.Form):
    """The form at /work-with-us, its fields as they stand on the page: the list of what to check follows this order.

    `website` is a trap that people do not see.
    """

    real_name = forms.CharField(
        label=_("Your real name"),
        max_length=120,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
        error_messages={"required": _("Please enter your real name.")},
    )
    name = forms.CharField(
        label=_("Name that customers see"),
        max_length=60,
        widget=forms.TextInput(attrs={"autocomplete": "nickname"}),
        error_messages={"required": _("Please choose a name that customers see.")},
    )
    email = forms.EmailField(
        label=_("E-mail"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
        error_messages={"required": _("Please enter your e-mail address: we send a link to it.")},
    )
    languages = _Several(
        label=_("Languages that you write well"),
        choices=_languages,
        error_messages={"required": _("Please choose at least one language.")},
    )
    hours = _Several(label=_("When you usually have time"), choices=Hours.choices, required=False)
    can = _Several(label=_("What you know already"), choices=_skills, required=False)
    wishes = _Several(label=_("What you would like to learn"), choices=_skills, required=False)
    about = forms.CharField(
        label=_("Anything we should know?"),
        max_length=1000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    consent = forms.BooleanField(
        label=_(
            "I agree that what I enter here is stored and read by people of the team, to decide on my application."
        ),
        error_messages={"required": _("Without your consent we may not keep your application.")},
    )
    device = forms.CharField(required=False, widget=forms.HiddenInput)
    key = forms.CharField(required=False, widget=forms.HiddenInput)
    website = forms.CharField(required=False)

    HINTS = ("name", "real_name", "email", "can", "wishes", "hours")

    def clean_device(self) -> dict[str, Any]:
        return device_clean(self.cleaned_data["device"])

    def clean_key(self) -> str:
        """A missing or overlong one is no reason to refuse a person: they get a new one."""
        key = str(self.cleaned_data["key"])
        return key if 0 < len(key) <= KEY_LENGTH and key.isascii() and key.isprintable() else new_key()

    def said(self) -> dict[str, Any]:
        """The fields of an Application."""
        data = self.cleaned_data
        return {
            "name": data["name"],
            "real_name": data["real_name"],
            "email": data["email"],
            "language": (get_language() or "en")[:2],
            "languages": data["languages"],
            "skills_claimed": data["can"],
            "skills_wished": data["wishes"],
            "hours": data["hours"],
            "about": data["about"],
            "device": data["device"],
        }

    def described(self) -> "ApplyForm":
        """This form, its fields tied to their hints and errors for who does not see them: before it is shown."""
        for name, field in self.fields.items():
            parts = [f"hint-{name}"] if name in self.HINTS else []
            if self.is_bound and name in self.errors:
                parts.append(f"error-{name}")
            if parts and not isinstance(field.widget, forms.CheckboxSelectMultiple):
                field.widget.attrs["aria-describedby"] = " ".join(parts)
        return self

    def renewed(self) -> "ApplyForm":
        """The same input as a form that can be sent again: with a new key, and the trap emptied."""
        data = cast("QueryDict", self.data).copy()
        data["key"], data["website"] = new_key(), ""
        return ApplyForm(data)


class PasswordForm(forms.Form):
    """The password of the account that confirming makes."""

    password1 = forms.CharField(
        label=_("Choose a password"),
        strip=False,
        max_length=200,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    password2 = forms.CharField(
        label=_("The password again"),
        strip=False,
        max_length=200,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user  # not stored yet: a password must not be like its names

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("password1") and data.get("password2"):
            if data["password1"] != data["password2"]:
                self.add_error("password2", str(_("The two passwords are not the same.")))
            else:
                try:
                    validate_password(data["password1"], self.user)
                except forms.ValidationError as problem:
                    self.add_error("password1", problem)
        return data


class AppealForm(forms.Form):
    text = forms.CharField(
        label=_("Why the decision should not stand"),
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 6}),
        error_messages={"required": _("Please write why.")},
    )
