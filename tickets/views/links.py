"""Who has lost the private link asks for it by e-mail. The answer is the same whether the address is known or not."""

from datetime import timedelta
from math import ceil

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from tickets import limits
from tickets.email_addresses import address_clean
from tickets.returning import links_ask
from tickets.views.door import SeeOther, private

INVALID, TOO_MANY = 422, 429


@require_http_methods(["GET", "HEAD", "POST"])
def links(request: HttpRequest) -> HttpResponse:
    """POST `email`: a row is written, the mail goes by itself. GET with `?asked`: that it does, if the address is known."""
    if request.method != "POST":
        return _page(request, asked="asked" in request.GET)
    email = request.POST.get("email", "").strip()
    try:
        address = address_clean(email)
    except ValidationError:
        return _page(request, INVALID, email=email, problem=_("Please check the e-mail address."))
    seconds = limits.seconds_left(request, "links") or limits.seconds_left(request, "links_address", address)
    if seconds:
        response = _page(request, TOO_MANY, email=email, problem=goes_on(seconds))
        response["Retry-After"] = str(ceil(seconds))
        return response
    links_ask(email=address, language=(get_language() or "en")[:5])
    return private(SeeOther(reverse("links") + "?asked"))


def goes_on(seconds: float) -> str:
    """That it was too often, and from when on it goes on: in the minute after these seconds."""
    at = timezone.localtime(timezone.now() + timedelta(seconds=seconds + 60))
    return _("That was too often within a short time. It goes on at %(time)s; what you wrote stays here.") % {
        "time": date_format(at, "TIME_FORMAT")
    }


def _page(request: HttpRequest, status: int = 200, **context: object) -> HttpResponse:
    return private(render(request, "tickets/links.html", context, status=status))
