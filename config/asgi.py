"""The one door: sockets go to Channels, plain HTTP to Django's WSGI handler in a fixed thread pool.

Why WSGI inside ASGI: Django's own ASGI handler makes a new thread a request, and with it a new database connection;
persistent ones leak there. A fixed pool keeps one connection a thread and is faster (docs/adr/0003-http-in-a-thread-pool.md).
Its queue is bounded (config/shedding.py).
"""

import os
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from config import tracing

tracing.start("web")  # before Django builds its handler

from channels.sessions import SessionMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
import django

django.setup(set_prefix=False)  # as get_wsgi_application does

from config import env
from config.health import Health
from config.metrics import HTTP_SHED, Metrics
from config.posted import Handler
from config.shedding import Shedding
from config.threads import InThreads
from dispatch.routing import websocket_urlpatterns
from tickets.wire import MAX_BODY_WITH_FILES

THREADS = env.number("WEB_THREADS", 4)
WAITING = env.number(
    "WEB_WAITING", 64
)  # requests that may wait for a thread; further ones are answered 503 at once

# Django types its answer as an HttpResponse; that it can be iterated, as WSGI wants, is true all the same.
handler: Any = Handler()
plain_http: Any = InThreads(handler, threads=THREADS, longest=MAX_BODY_WITH_FILES)

application = ProtocolTypeRouter(
    {
        # Who asks how it is, is answered also when there is no room for anybody else.
        "http": Health(Metrics(Shedding(plain_http, served=THREADS, waiting=WAITING, told=HTTP_SHED.inc))),
        # Sessions only: who it is, the consumer asks itself, and once.
        "websocket": AllowedHostsOriginValidator(SessionMiddlewareStack(URLRouter(websocket_urlpatterns))),
    }
)
