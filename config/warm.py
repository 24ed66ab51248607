"""What the first customer would otherwise wait for: done when the web process builds its handler, before it answers anybody.

Django makes middleware when a handler is made, which management commands and Celery's processes never do. So this is one that
does its work and steps aside.
"""

from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest, HttpResponseBase
from django.template.loader import get_template
from django.urls import reverse

from dispatch import drawing
from tickets import language


def warm(get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:  # noqa: ARG001  Django's signature
    """Load the model of the languages (0.8 s), import all views, parse the form's page and the offer's card.

    Raises MiddlewareNotUsed, always, which tells Django to go on without it.
    """
    language.load()
    reverse("opening")  # reads all addresses, and so imports all views
    get_template("tickets/opening.html")
    for code, _name in settings.LANGUAGES:
        drawing.template("of_a_look", code)
    raise MiddlewareNotUsed
