"""The Content-Security-Policy of each answer."""

from typing import Any

from csp.constants import HEADER
from csp.middleware import CheckableLazyObject, CSPMiddleware
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase


class Policy(CSPMiddleware):
    """django-csp puts the policy together anew for each answer, in 300 calls of Python. Where nobody wished for another one
    (config/embedding.py) it follows from the settings alone, and is put together once."""

    plain: tuple[Any, str] = (None, "")  # the settings, and what follows from them

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        asked: Any = request
        wished = any(name.startswith("_csp") for name in response.__dict__)
        if wished or settings.DEBUG or HEADER in response or getattr(asked, "_csp_nonce", None) is not None:
            return super().process_response(request, response)
        settled = settings.CONTENT_SECURITY_POLICY
        if self.plain[0] is not settled:
            self.plain = settled, super().process_response(request, HttpResponse())[HEADER]
        response[HEADER] = self.plain[1]
        asked.csp_nonce = CheckableLazyObject(self._csp_nonce_post_response)  # as theirs: too late for one
        return response
