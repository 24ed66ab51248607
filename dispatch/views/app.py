"""What makes the agents' pages an app on a phone: its manifest, its service worker, the page it shows without a network."""

import hashlib
import json
from functools import cache
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles import finders
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import reverse
from django.utils import translation
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

WORKER = "js/worker.js"
# What the page without a network needs; nothing else is kept on the device, and no page of anybody's.
FILES = ("css/standby.css", "js/offline.js", "icon.svg", "img/icon-192.png", "img/badge-96.png")


@require_safe
def manifest(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """In the reader's language. Its colours are those of the light pages; a page's own tell the dark ones."""
    icons = [
        {
            "src": static(f"img/icon{kind}-{size}.png"),
            "sizes": f"{size}x{size}",
            "type": "image/png",
            **purpose,
        }
        for kind, purpose in (("", {}), ("-maskable", {"purpose": "maskable"}))
        for size in (192, 512)
    ]
    icons.append({"src": static("icon.svg"), "sizes": "any", "type": "image/svg+xml"})
    content = {
        "id": reverse("console"),
        "name": _("%(brand)s, for agents") % {"brand": settings.BRAND},
        "short_name": settings.BRAND,
        "lang": get_language(),
        "start_url": reverse("console"),
        "scope": "/",
        "display": "standalone",
        "background_color": "#f6f3ee",
        "theme_color": "#fffdfa",
        "icons": icons,
    }
    response = JsonResponse(content, content_type="application/manifest+json")
    response["Cache-Control"] = "no-cache"
    response["Vary"] = "Accept-Language, Cookie"
    return response


@require_safe
def worker(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """At the root, so that it may serve all pages. Browsers ask for it again and again, and take a new one at once."""
    response = HttpResponse(_worker(), content_type="text/javascript; charset=utf-8")
    response["Cache-Control"] = "no-cache"
    response["Service-Worker-Allowed"] = "/"
    return response


@require_safe
def offline(request: HttpRequest, language: str) -> HttpResponse:
    """What the worker shows when there is no network: the same for everybody who reads this language."""
    if language not in dict(settings.LANGUAGES):
        raise Http404
    with translation.override(language):
        response = render(request, "offline.html", {"console": reverse("console")})
    response["Content-Language"] = language
    response["Cache-Control"] = "no-cache"
    return response


@cache
def _worker() -> str:
    """The worker with what it keeps, named by the content of all of it: another file or text is another worker."""
    pages = {language: reverse("offline", args=[language]) for language, _name in settings.LANGUAGES}
    digest = hashlib.sha256()
    for name in (*FILES, WORKER):
        digest.update(_content(name))
    for language in pages:
        with translation.override(language):
            digest.update(render(None, "offline.html", {"console": "", "brand": settings.BRAND}).content)
    kept = {
        "version": digest.hexdigest()[:16],
        "files": [static(name) for name in FILES],
        "offline": pages,
        "icon": static("img/icon-192.png"),
        "badge": static("img/badge-96.png"),
    }
    return f"const KEPT = {json.dumps(kept)};\n{_content(WORKER).decode()}"


def _content(name: str) -> bytes:
    found = finders.find(name)
    assert isinstance(found, str), f"{name} is not among the static files"
    return Path(found).read_bytes()
