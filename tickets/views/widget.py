"""The widget's first page, in a frame of another site: the customer's ticket if this browser has one, else the form."""

from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.templatetags.static import static
from django.urls import reverse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from tickets.views.door import private, tickets_here


@require_safe
@cache_control(public=True, max_age=3600)
def script(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """The script at an address that stays, for who writes it into a page."""
    return redirect(static("js/widget.js"))


@require_safe
def begin(request: HttpRequest) -> HttpResponse:
    """On to the newest open ticket of this browser, or to the form. `?lang=de`, `?topic=key`: as the site wishes."""
    language = request.GET.get("lang", "")
    mine = next((one.ticket for one in tickets_here(request) if one.ticket.is_open), None)
    if mine is not None:
        answer = redirect("ticket", mine.public_id)
    else:
        topic = request.GET.get("topic", "")
        answer = redirect(reverse("opening") + (f"?{urlencode({'topic': topic})}" if topic else ""))
    if language in dict(settings.LANGUAGES) and settings.LANGUAGE_COOKIE_NAME not in request.COOKIES:
        answer.set_cookie(settings.LANGUAGE_COOKIE_NAME, language)
    return private(answer)
