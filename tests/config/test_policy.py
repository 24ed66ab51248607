"""The policy that is put together once is the one that django-csp puts together each time."""

import pytest
from csp.exceptions import CSPNonceError
from csp.middleware import CSPMiddleware
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory, override_settings

from config.policy import Policy

HEADER = "Content-Security-Policy"


def answer(
    kind: type[CSPMiddleware], *, replaced: bool = False, nonce: bool = False
) -> tuple[HttpRequest, HttpResponse]:
    def view(request: HttpRequest) -> HttpResponse:
        response = HttpResponse("ok")
        if replaced:
            response._csp_replace = {"frame-ancestors": ["https://shop.example"]}  # type: ignore[attr-defined]
        if nonce:
            request._csp_nonce = "n"  # type: ignore[attr-defined]
        return response

    request = RequestFactory().get("/")
    return request, kind(view)(request)  # type: ignore[arg-type, return-value]


@pytest.mark.parametrize("replaced", [False, True])
@pytest.mark.parametrize("nonce", [False, True])
def test_it_is_the_same(replaced: bool, nonce: bool) -> None:
    ours = answer(Policy, replaced=replaced, nonce=nonce)[1][HEADER].split("; ")
    theirs = answer(CSPMiddleware, replaced=replaced, nonce=nonce)[1][HEADER].split("; ")
    assert sorted(ours) == sorted(theirs)
    assert ("frame-ancestors https://shop.example" in ours) is replaced


def test_one_answers_wish_is_not_the_next_ones() -> None:
    policy = Policy(lambda _request: HttpResponse("ok"))
    plain = policy(RequestFactory().get("/"))[HEADER]
    assert "frame-ancestors 'none'" in plain
    wished = HttpResponse("ok")
    wished._csp_replace = {"frame-ancestors": ["'self'"]}  # type: ignore[attr-defined]
    assert "frame-ancestors 'self'" in policy.process_response(RequestFactory().get("/"), wished)[HEADER]
    assert policy(RequestFactory().get("/"))[HEADER] == plain


def test_it_follows_the_settings() -> None:
    policy = Policy(lambda _request: HttpResponse("ok"))
    before = policy(RequestFactory().get("/"))[HEADER]
    with override_settings(CONTENT_SECURITY_POLICY={"DIRECTIVES": {"default-src": ["'none'"]}}):
        assert "default-src 'none'" in policy(RequestFactory().get("/"))[HEADER]
    assert policy(RequestFactory().get("/"))[HEADER] == before


def test_a_nonce_is_refused_afterwards() -> None:
    request, _response = answer(Policy)
    with pytest.raises(CSPNonceError):
        str(request.csp_nonce)  # type: ignore[attr-defined]
