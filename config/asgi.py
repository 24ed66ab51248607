"""The one door: sockets go to Channels, plain HTTP to Django's WSGI handler in a fixed thread pool.

Why WSGI inside ASGI: Django's own ASGI handler makes a new thread a request, and with it a new database connection;
persistent ones leak there. A fixed pool keeps one connection a thread and is faster (docs/adr/0003-http-in-a-thread-pool.md).
"""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from a2wsgi import WSGIMiddleware
from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.core.wsgi import get_wsgi_application

django_http = get_wsgi_application()

from config import env
from dispatch.routing import websocket_urlpatterns

application = ProtocolTypeRouter(
    {
        # Django types its answer as an HttpResponse; that it can be iterated, as WSGI wants, is true all the same.
        "http": WSGIMiddleware(django_http, workers=env.number("WEB_THREADS", 4)),  # type: ignore[arg-type]
        "websocket": AllowedHostsOriginValidator(AuthMiddlewareStack(URLRouter(websocket_urlpatterns))),
    }
)
