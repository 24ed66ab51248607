"""A bare Django form: one model, one ModelForm, one view with CSRF, on our server program with as many threads.

    python -m bench.floors.form prepare | DESCRIPTOR

Nothing but what Django itself does for a form that writes one row: no redaction, timeline, idempotency or private link.
"""

import os
import socket
import sys
from urllib.parse import parse_qs, unquote, urlsplit

import django
import uvicorn
from a2wsgi import WSGIMiddleware
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path

address = urlsplit(os.environ["DATABASE_URL"])
settings.configure(
    SECRET_KEY="for measuring",
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    MIDDLEWARE=[
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
    ],
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": unquote(address.path.lstrip("/")),
            "USER": unquote(address.username or ""),
            "HOST": parse_qs(address.query)["host"][0],
            "CONN_MAX_AGE": 600,
            "CONN_HEALTH_CHECKS": True,
        }
    },
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    USE_TZ=True,
    LOGGING_CONFIG=None,
)
django.setup()

from django import forms
from django.db import connection, models
from django.template import engines


class Ticket(models.Model):
    text = models.TextField(max_length=8000)
    name = models.CharField(max_length=120, blank=True)
    email = models.EmailField(blank=True)
    topic = models.SlugField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        app_label = "floor"

    def __str__(self) -> str:
        return str(self.pk)


class TicketForm(forms.ModelForm):
    class Meta:
        model = Ticket
        fields = ("text", "name", "email", "topic")


PAGE = engines["django"].from_string(
    "<form method=post>{% csrf_token %}{{ form }}<button>Send</button></form>"
)


def opening(request: HttpRequest) -> HttpResponse:
    form = TicketForm(request.POST or None)
    if form.is_valid():
        return HttpResponseRedirect(f"/?{form.save().pk}")
    return HttpResponse(PAGE.render({"form": form}, request), status=422 if form.is_bound else 200)


urlpatterns = [path("", opening)]


def main() -> None:
    if sys.argv[1] == "prepare":
        with connection.schema_editor() as editor:
            editor.create_model(Ticket)
        return
    application = WSGIMiddleware(get_wsgi_application(), workers=int(os.environ.get("WEB_THREADS", "8")))
    config = uvicorn.Config(application, lifespan="off", access_log=False, timeout_graceful_shutdown=3)
    uvicorn.Server(config).run(sockets=[socket.socket(fileno=int(sys.argv[1]))])


if __name__ == "__main__":
    main()
