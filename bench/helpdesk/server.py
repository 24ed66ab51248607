"""django-helpdesk's tables and one public queue, or its web process; in its own environment.

python -m bench.helpdesk.server prepare | DESCRIPTOR
"""

import os
import socket
import sys

os.environ["DJANGO_SETTINGS_MODULE"] = "bench.helpdesk.settings"

import uvicorn
from a2wsgi import WSGIMiddleware
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application

THREADS = int(os.environ.get("WEB_THREADS", "8"))  # as config/asgi.py


def prepare() -> None:
    from helpdesk.models import Queue

    call_command("migrate", verbosity=0)
    Queue.objects.create(
        title="First line", slug="first", email_address="help@later.example", allow_public_submission=True
    )


def main() -> None:
    application = get_wsgi_application()
    if sys.argv[1] == "prepare":
        prepare()
        return
    config = uvicorn.Config(
        WSGIMiddleware(application, workers=THREADS),
        lifespan="off",
        access_log=False,
        timeout_graceful_shutdown=3,
    )
    uvicorn.Server(config).run(sockets=[socket.socket(fileno=int(sys.argv[1]))])


if __name__ == "__main__":
    main()
