"""The one door: sockets go to Channels, plain HTTP to Django's WSGI handler in a fixed thread pool.

Why WSGI inside ASGI: Django's own ASGI handler makes a new thread a request, and with it a new database connection;
persistent ones leak there. A fixed pool keeps one connection a thread and is faster (docs/adr/0003-http-in-a-thread-pool.md).
Its queue is bounded (config/shedding.py).
"""

import os
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from a2wsgi import WSGIMiddleware
from channels.sessions import SessionMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.core.wsgi import get_wsgi_application

django_http = get_wsgi_application()

from config import env
from config.shedding import Shedding
from dispatch.routing import websocket_urlpatterns

THREADS = env.number("WEB_THREADS", 4)
WAITING = env.number(
    "WEB_WAITING", 64
)  # requests that may wait for a thread; further ones are answered 503 at once

# Django types its answer as an HttpResponse; that it can be iterated, as WSGI wants, is true all the same.
plain_http: Any = WSGIMiddleware(django_http, workers=THREADS)  # type: ignore[arg-type]

application = ProtocolTypeRouter(
    {
        "http": Shedding(plain_http, served=THREADS, waiting=WAITING),
        # Sessions only: who it is, the consumer asks itself, and once.
        "websocket": AllowedHostsOriginValidator(SessionMiddlewareStack(URLRouter(websocket_urlpatterns))),
    }
)
