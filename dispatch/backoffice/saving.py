"""How the admin's forms and lists write a row: what somebody changed there, and nothing else of it (put behind by guard.py)."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest


class Saving(admin.ModelAdmin[Any]):
    """Behind the class that a model was registered with: the save that its `super().save_model()` comes to.

    Django's own writes back every column as it was read. What a service has written meanwhile would be undone: the suspension
    of an agent, the pause of a topic's assistant, the count of a block's hits.
    """

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not change:
            super().save_model(request, obj, form, change)
            return
        changed = {
            *form.changed_data,
            *getattr(self, "saved_along", ()),
        }  # what the form works out of its fields
        obj.save(update_fields=[one.name for one in obj._meta.concrete_fields if one.name in changed])
