"""Addresses."""

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest
from django.urls import include, path
from django.views.i18n import set_language

urlpatterns = [
    path("admin/", admin.site.urls),
    path("language/", set_language, name="set_language"),
    path("", include("tickets.urls")),
]

handler400 = "config.problems.bad_request"
handler403 = "config.problems.permission_denied"
handler404 = "config.problems.not_found"
handler500 = "config.problems.server_error"


def brand(request: HttpRequest) -> dict[str, str]:  # noqa: ARG001  a context processor
    """The brand's name for all templates."""
    return {"brand": settings.BRAND}
