"""The admin site: whatever is registered stands behind the guard, and who changes something is named in its history."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponseBase
from django.urls import path
from django.utils.translation import gettext_lazy as _

from dispatch.backoffice.guard import guarded


class StandbySite(admin.AdminSite):
    site_header = _("Standby administration")
    site_title = _("Standby administration")

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        super().register(model_or_iterable, guarded(admin_class or admin.ModelAdmin), **options)

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        def named(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if request.method in ("GET", "HEAD", "OPTIONS"):
                return view(request, *args, **kwargs)  # type: ignore[no-any-return]
            with by(request.user.pk):
                return view(request, *args, **kwargs)  # type: ignore[no-any-return]

        return super().admin_view(_same(view, named), cacheable)

    def login(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """By the one page of the house, with its limits, its second factor and its single sign-on."""
        return secure_admin_login(super().login)(request, extra_context)

    def get_urls(self) -> list[Any]:
        from dispatch.backoffice import changes  # noqa: PLC0415  models are not loaded when the site is made

        # Before Django's own of each model, which has who and when, and not from what to what.
        history = path(
            "<slug:app_label>/<slug:model_name>/<str:object_id>/history/",
            self.admin_view(lambda request, **found: changes.history(self, request, **found)),
            name="history",
        )
        return [history, *super().get_urls()]


def _same(view: Any, wrapper: Any) -> Any:
    """What Django reads of a view."""
    for name in ("csrf_exempt", "model_admin", "admin_site"):
        if hasattr(view, name):
            setattr(wrapper, name, getattr(view, name))
    return wrapper


@contextmanager
def by(user_id: int | None) -> Iterator[None]:
    """Whatever this connection changes meanwhile is this account's doing (trigger dispatch_change_note).

    A setting of the connection and not of a transaction: services that the admin calls have transactions of their own.
    """
    _say(user_id)
    try:
        yield
    finally:
        if connection.connection is not None and not connection.needs_rollback:  # a new one has it not
            try:
                _say(None)
            except DatabaseError:
                connection.close()  # whoever comes next begins with a new one


def _say(user_id: int | None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('standby.by', %s, false)", [str(user_id or "")])
