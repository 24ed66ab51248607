"""The customer's forms. They check shape; what is refused for its meaning, the services refuse."""

import uuid
from collections.abc import Sequence
from copy import deepcopy
from typing import Any, cast

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.http import QueryDict
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from tickets.attachments import MAX_BYTES, FileRefused, Inspected, check_count, inspect
from tickets.conversation import body_clean
from tickets.email_addresses import address_clean
from tickets.errors import EmptyMessage, Refusal
from tickets.topics import active, find

LANGUAGES = [("", _("Detect it from my text")), ("en", "English"), ("de", "Deutsch")]
KEY_LENGTH = 100  # characters, as intake_key


def new_key() -> str:
    """An idempotency key for a form that is drawn anew."""
    return str(uuid.uuid4())


class FilesInput(forms.ClearableFileInput):
    allow_multiple_selected = True


class FilesField(forms.FileField):
    """Any number of files, each inspected; cleans to a list of Inspected."""

    widget = FilesInput

    def clean(self, data: Any, initial: Any = None) -> list[Inspected]:  # noqa: ARG002  Django's signature
        return files_inspected(data or [])


def files_inspected(uploads: Sequence[UploadedFile[bytes]]) -> list[Inspected]:
    """What is to be stored of the uploaded files. Raises forms.ValidationError that names the file."""
    try:
        return files_read(uploads)
    except FileRefused as refusal:
        raise forms.ValidationError(str(refusal.detail), code=refusal.code) from refusal


def files_read(uploads: Sequence[UploadedFile[bytes]]) -> list[Inspected]:
    """The same for who speaks refusals. Raises TooManyFiles, or a FileRefused whose words name the file."""
    uploads = [upload for upload in uploads if upload]
    check_count(len(uploads))
    inspected = []
    for upload in uploads:
        try:
            # One byte more than allowed tells that it is too large; the rest is not read into memory.
            content = upload.read(MAX_BYTES + 1)
            inspected.append(inspect(upload.name or "", content, upload.content_type))
        except FileRefused as refusal:
            text = _("“%(name)s”: %(detail)s") % {"name": upload.name, "detail": refusal.detail}
            raise type(refusal)(text) from refusal
    return inspected


class MessageField(forms.CharField):
    """Text of a message: the same checks as in the services, said at the field."""

    def clean(self, value: Any) -> str:
        try:
            return body_clean(value or "", required=self.required)
        except Refusal as refusal:
            raise forms.ValidationError(str(refusal.detail), code=refusal.code) from refusal


class AddressField(forms.EmailField):
    """An e-mail address as it is stored: the same checks as in the services, said at the field."""

    def clean(self, value: Any) -> str:
        email = super().clean(value)
        return address_clean(email) if email else ""


class KeyField(forms.CharField):
    """The hidden idempotency key. A missing or overlong one is no reason to refuse a person: they get a new one."""

    widget = forms.HiddenInput

    def clean(self, value: Any) -> str:
        key = str(value or "")
        return key if 0 < len(key) <= KEY_LENGTH and key.isascii() and key.isprintable() else new_key()


def topic_choices() -> list[tuple[str, str]]:
    """What the form offers, in the reader's language. No query while the topics are kept."""
    return [("", gettext("I am not sure")), *((topic.key, topic.name) for topic in active())]


class TopicField(forms.ChoiceField):
    """The key of an active topic, or nothing."""

    def valid_value(self, value: Any) -> bool:
        # Not by the choices, which may be some seconds older than a new topic, and whose names nobody needs here.
        return find(value) is not None


class Shared(dict[str, Any]):
    """Fields that are the same objects in all forms of a class."""

    def __deepcopy__(self, memo: Any) -> dict[str, Any]:
        return dict(self)


class OpenForm(forms.Form):
    """The form at /. `website` is a trap that people do not see."""

    text = MessageField(
        label=_("How can we help?"),
        # Not autocomplete="off": with it a browser that goes back to the form has forgotten the text.
        widget=forms.Textarea(attrs={"rows": 6}),
        error_messages={"required": EmptyMessage.default_detail},
    )
    topic = TopicField(
        label=_("Topic"),
        choices=topic_choices,
        required=False,
        error_messages={"invalid_choice": _("We do not know this topic. Please choose again.")},
    )
    name = forms.CharField(
        label=_("Your name"),
        max_length=120,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    email = AddressField(
        label=_("E-mail"),
        max_length=254,
        required=False,
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
    language = forms.ChoiceField(label=_("Language of the answer"), choices=LANGUAGES, required=False)
    files = FilesField(label=_("Files"), required=False)  # type: ignore[assignment]  # Django takes fields off the class
    key = KeyField()
    website = forms.CharField(required=False)

    def described(self) -> "OpenForm":
        """This form, its fields tied to their hints and errors for who does not see them: before it is shown."""
        for name, shared in self.fields.items():
            field = deepcopy(shared)  # to be changed here
            self.fields[name] = self[name].field = field
            described = [part for part in (f"hint-{name}", f"error-{name}") if self._describes(name, part)]
            if described:
                field.widget.attrs["aria-describedby"] = " ".join(described)
        return self

    HINTS = ("text", "email", "files")

    def _describes(self, name: str, part: str) -> bool:
        return name in self.HINTS if part.startswith("hint-") else self.is_bound and name in self.errors

    def renewed(self) -> "OpenForm":
        """The same input as a form that can be sent again: with a new key, and the trap emptied."""
        data = cast("QueryDict", self.data).copy()
        data["key"], data["website"] = new_key(), ""
        return OpenForm(data)


# Django copies all fields for each form, lest one be changed: a tenth of the work of a post, which only reads them.
OpenForm.base_fields = Shared(OpenForm.base_fields)


class ReplyForm(forms.Form):
    """A message in the chat. Empty text is fine when a file comes with it."""

    body = MessageField(required=False)
    files = FilesField(required=False)  # type: ignore[assignment]
    key = KeyField()

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if "body" in data and "files" in data and not data["body"] and not data["files"]:
            self.add_error("body", str(EmptyMessage.default_detail))
        return data


class ReopenForm(forms.Form):
    """Opens the ticket again; a message is welcome, but not needed."""

    body = MessageField(required=False)
    key = KeyField()


class RatingForm(forms.Form):
    """What the customer says of the resolution. Nothing is chosen beforehand."""

    score = forms.TypedChoiceField(
        choices=[(str(score), score) for score in range(1, 6)],
        coerce=int,
        error_messages={"required": _("Please choose a number from 1 to 5.")},
    )
    solved = forms.TypedChoiceField(
        choices=[("yes", _("Yes")), ("no", _("No"))],
        coerce=lambda value: value == "yes",
        error_messages={"required": _("Please say whether your question is settled.")},
    )
    comment = MessageField(required=False)
    key = KeyField()
