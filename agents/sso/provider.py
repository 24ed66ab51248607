"""allauth's OpenID Connect with the checks that it leaves out where TLS is trusted: signature, issuer and nonce of the identity
token. Authorization code with PKCE."""

import secrets
from typing import Any

import jwt
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.http import HttpRequest, HttpResponse

ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "ES256", "ES384"]  # never one with a shared key, never none
LEEWAY = 60  # seconds by which clocks may differ


class Adapter(OpenIDConnectOAuth2Adapter):
    def complete_login(self, request: HttpRequest, app: Any, token: Any, **more: Any) -> Any:
        """What the identity token proves; of the rest the provider's userinfo may tell, about the same person."""
        proved = self._decode_id_token(app, more["response"].get("id_token") or "")
        claims = dict(proved)
        if "email" not in claims and "userinfo_endpoint" in self.openid_config:
            told = self._fetch_user_info(token.token)
            if told.get("sub") != proved["sub"]:
                raise OAuth2Error("userinfo is about somebody else")
            claims = {**told, **proved}
        return self.get_provider().sociallogin_from_response(request, {"id_token": claims})

    def _decode_id_token(self, app: Any, id_token: str) -> dict[str, Any]:
        """Raises OAuth2Error unless it is signed by the provider, for us, in time."""
        issuer = app.settings["server_url"]
        if self.openid_config.get("issuer", "").rstrip("/") != issuer.rstrip("/"):
            raise OAuth2Error("the discovery document is another issuer's")
        with get_adapter().get_requests_session() as http:
            answer = http.get(self.openid_config["jwks_uri"])
            answer.raise_for_status()
        try:
            keys = jwt.PyJWKSet.from_dict(answer.json()).keys
            kid = jwt.get_unverified_header(id_token).get("kid")
            fitting = [key for key in keys if kid is None or key.key_id == kid]
            if len(fitting) != 1:
                raise OAuth2Error("no key of the provider has signed this")
            claims: dict[str, Any] = jwt.decode(
                id_token,
                key=fitting[0],
                algorithms=ALGORITHMS,
                audience=app.client_id,
                issuer=self.openid_config["issuer"],
                leeway=LEEWAY,
                options={"require": ["exp", "iat", "iss", "aud", "sub"]},
            )
        except (jwt.PyJWTError, ValueError) as error:
            raise OAuth2Error("the identity token is not right") from error
        if claims.get("azp", app.client_id) != app.client_id:
            raise OAuth2Error("the identity token is for another client")
        return claims


class Provider(OpenIDConnectProvider):
    oauth2_adapter_class = Adapter

    def get_auth_params_from_request(self, request: HttpRequest, action: Any) -> dict[str, Any]:  # noqa: ARG002
        return dict(self.get_auth_params())  # allauth would take more from the address

    def get_scope_from_request(self, request: HttpRequest) -> list[str]:  # noqa: ARG002  likewise
        return list(self.get_scope())

    def redirect(
        self, request: HttpRequest, process: Any, next_url: Any = None, data: Any = None, **more: Any
    ) -> HttpResponse:
        """With a nonce: an identity token of another log-in is none of this one (linking.py compares)."""
        nonce = secrets.token_urlsafe(24)
        params = {**(more.pop("auth_params", None) or {}), "nonce": nonce}
        answer: HttpResponse = super().redirect(
            request, process, next_url, data, auth_params=params, nonce=nonce, **more
        )
        return answer


provider_classes = [Provider]
