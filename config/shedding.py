"""When more requests wait than can be answered soon, the next ones are told so at once, and when to come back.

Without it they queue without bound: everybody's answer gets later and later, and the threads work for people who have
given up. Nothing of a shed request was read or done, so with its Idempotency-Key it can be sent again as it is.
"""

import json
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from functools import cache
from typing import Any

from django.http import HttpRequest
from django.http.cookie import parse_cookie
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

from config.problems import PROBLEM_JSON, RETRY_SECONDS, problem_body

logger = logging.getLogger(__name__)

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

OVERLOADED = 503


class Shedding:
    """ASGI: lets `served + waiting` plain HTTP requests into `app` at a time, and answers the others 503.

    `served`: how many `app` works on at once. `told` is called for each that is shed.
    Not for several event loops. Sockets do not come here (config/asgi.py).
    """

    def __init__(
        self, app: App, *, served: int, waiting: int, told: Callable[[], None] = lambda: None
    ) -> None:
        self.app = app
        self.served = served
        self.most = served + max(waiting, 0)
        self.inside = 0
        self.shed = 0  # since it began
        self.told = told

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
        elif self.inside >= self.most:
            if not self.shed:
                logger.warning("overloaded: %s requests wait, further ones are shed", self.most - self.served)
            self.shed += 1
            self.told()
            await refuse(scope, send)
        else:
            self.inside += 1
            try:
                await self.app(scope, receive, send)
            finally:
                self.inside -= 1
                if self.shed and self.inside <= self.served:
                    logger.warning("overloaded no more: %s requests were shed", self.shed)
                    self.shed = 0


async def refuse(scope: Message, send: Send) -> None:
    """Answer 503: JSON to the API and to scripts, else a page; in the reader's language."""
    headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
    wants_json = headers.get(b"accept", "").startswith("application/json")
    as_json = wants_json or scope["path"].startswith("/api/")
    language = _language(headers)
    body = _answer(language, as_json)
    answer = {
        "content-type": PROBLEM_JSON if as_json else "text/html; charset=utf-8",
        "content-length": str(len(body)),
        "content-language": language,
        "content-security-policy": "default-src 'none'",
        "x-content-type-options": "nosniff",
        "cache-control": "no-store",
        "retry-after": str(RETRY_SECONDS),
    }
    coded = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.items()]
    await send({"type": "http.response.start", "status": OVERLOADED, "headers": coded})
    await send({"type": "http.response.body", "body": body})


def _language(headers: dict[bytes, str]) -> str:
    """As LocaleMiddleware chooses: what the reader has clicked, else what the browser asks for."""
    request = HttpRequest()
    request.META["HTTP_ACCEPT_LANGUAGE"] = headers.get(b"accept-language", "")
    request.COOKIES = parse_cookie(headers.get(b"cookie", ""))
    return translation.get_language_from_request(request)


@cache  # it is needed when there is no time to draw it
def _answer(language: str, as_json: bool) -> bytes:
    with translation.override(language):
        detail = _("A lot is going on right now. Please try again in a moment.")
        if as_json:
            return json.dumps(problem_body(OVERLOADED, "overloaded", detail)).encode()
        return render_to_string("overloaded.html", {"language": language, "detail": detail}).encode()
