"""Addresses."""

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest
from django.urls import include, path
from django.views.generic import RedirectView
from django.views.i18n import set_language
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from dispatch.views.how import how_offers_are_made
from dispatch.views.work import work as work_as_customer

urlpatterns = [
    # Pages name their icon; the stock admin does not, and browsers then look here.
    path("favicon.ico", RedirectView.as_view(url=f"{settings.STATIC_URL}icon.svg")),
    path("admin/", admin.site.urls),
    path("language/", set_language, name="set_language"),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs/", SpectacularSwaggerSplitView.as_view(), name="api-docs"),
    path("api/v1/", include("tickets.api")),
    path("api/v1/", include("agents.api")),
    path("api/v1/", include("agents.api_pay")),
    path("api/v1/", include("dispatch.api")),
    path("api/v1/", include("dispatch.api_desk")),
    path("api/v1/", include("dispatch.api_decisions")),
    path("accounts/", include("allauth.urls")),
    path("console/", include("dispatch.urls")),
    path("lead/", include("dispatch.urls_lead")),
    path("how-offers-are-made", how_offers_are_made, name="how"),
    path("work-with-us/from/<slug:public_id>", work_as_customer, name="work_as_customer"),
    path("", include("agents.urls")),
    path("", include("tickets.urls")),
]

handler400 = "config.problems.bad_request"
handler403 = "config.problems.permission_denied"
handler404 = "config.problems.not_found"
handler500 = "config.problems.server_error"


def brand(request: HttpRequest) -> dict[str, str]:  # noqa: ARG001  a context processor
    """The brand's name for all templates."""
    return {"brand": settings.BRAND}
