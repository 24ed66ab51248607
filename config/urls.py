"""Addresses."""

from django.conf import settings
from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import include, path
from django.views.generic import RedirectView
from django.views.i18n import set_language
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from dispatch.views import app, hours
from dispatch.views.how import how_offers_are_made
from dispatch.views.promise import the_promise
from dispatch.views.work import work as work_as_customer


def closed(request: HttpRequest) -> HttpResponse:  # noqa: ARG001  a view
    """allauth's page of one's addresses. On it an account could call any address its own: also that of a colleague who has none
    yet. Another address is written by an admin."""
    raise Http404


urlpatterns = [
    path("", include("tickets.urls")),  # first: what comes for every ticket is found at once
    # Pages name their icon; the stock admin does not, and browsers then look here.
    path("favicon.ico", RedirectView.as_view(url=f"{settings.STATIC_URL}icon.svg")),
    path("manifest.webmanifest", app.manifest, name="manifest"),
    path("sw.js", app.worker, name="worker"),
    path("offline/<slug:language>", app.offline, name="offline"),
    path("admin/", admin.site.urls),
    path("language/", set_language, name="set_language"),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs/", SpectacularSwaggerSplitView.as_view(), name="api-docs"),
    path("api/v1/", include("tickets.api")),
    path("api/v1/", include("tickets.api_mail")),
    path("api/v1/", include("tickets.api_own")),
    path("api/v1/", include("agents.api")),
    path("api/v1/", include("agents.api_pay")),
    path("api/v1/", include("agents.api_staff")),
    path("api/v1/", include("dispatch.api_staff")),
    path("api/v1/", include("dispatch.api_tokens")),
    path("api/v1/", include("dispatch.api_webhooks")),
    path("api/v1/", include("dispatch.api")),
    path("api/v1/", include("dispatch.api_desk")),
    path("api/v1/", include("dispatch.api_aside")),
    path("api/v1/", include("dispatch.api_merge")),
    path("api/v1/", include("dispatch.api_decisions")),
    path("api/v1/", include("dispatch.api_promise")),
    path("accounts/email/", closed, name="account_email"),
    path("accounts/", include("allauth.urls")),
    path("console/", include("dispatch.urls")),
    path("lead/", include("dispatch.urls_lead")),
    path("rights/", include("dispatch.urls_rights")),
    path("hours/", hours.hours, name="hours"),
    path("hours/<int:hour_id>/book", hours.book, name="hours_book"),
    path("hours/<int:hour_id>/drop", hours.drop, name="hours_drop"),
    path("how-offers-are-made", how_offers_are_made, name="how"),
    path("promise", the_promise, name="promise"),
    path("work-with-us/from/<slug:public_id>", work_as_customer, name="work_as_customer"),
    path("learn/practice/", include("dispatch.urls_practice")),
    path("", include("agents.urls")),
]

handler400 = "config.problems.bad_request"
handler403 = "config.problems.permission_denied"
handler404 = "config.problems.not_found"
handler500 = "config.problems.server_error"


def brand(request: HttpRequest) -> dict[str, str]:  # noqa: ARG001  a context processor
    """The brand's name for all templates."""
    return {"brand": settings.BRAND}
