"""A company's sign-on: a small OpenID Connect provider over real HTTP, with discovery, code, PKCE, RS256; it can be wrong."""

import base64
import hashlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT, SECRET = "standby", "the client's secret"


class Provider:
    """`person`: the claims of who is signed in there. `wrong`: claims that the next identity tokens have instead.

    `asks`: it shows a page on which they go on; else it sends them back at once.
    """

    def __init__(self) -> None:
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.other_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.person: dict[str, Any] = {}
        self.wrong: dict[str, Any] = {}
        self.forged = False  # signed with a key that is not the provider's
        self.algorithm = "RS256"
        self.asks = False
        self.codes: dict[str, dict[str, str]] = {}
        self.refused: list[str] = []
        self.issuer = ""

    def discovery(self) -> dict[str, Any]:
        here = self.issuer
        return {
            "issuer": here,
            "authorization_endpoint": f"{here}/authorize",
            "token_endpoint": f"{here}/token",
            "jwks_uri": f"{here}/keys",
            "userinfo_endpoint": f"{here}/userinfo",
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
        }

    def keys(self) -> dict[str, Any]:
        public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key()))
        return {"keys": [{**public, "kid": "one", "alg": "RS256", "use": "sig"}]}

    def authorize(self, query: dict[str, str]) -> str:
        """Where the browser goes next: back, with a code. This provider knows who it is, and asks nothing."""
        code = f"code-{len(self.codes)}"
        self.codes[code] = query
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}"

    def token(self, form: dict[str, str]) -> dict[str, Any] | None:
        asked = self.codes.pop(form.get("code", ""), None)
        proof = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        if (
            asked is None
            or (form.get("client_id"), form.get("client_secret")) != (CLIENT, SECRET)
            or asked.get("code_challenge_method") != "S256"
            or asked.get("code_challenge") != proof.rstrip(b"=").decode()
            or asked["redirect_uri"] != form.get("redirect_uri")
        ):
            self.refused.append(json.dumps(form))
            return None
        now = int(time.time())
        claims = {
            "iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": asked.get("nonce"), **self.person,
        } | self.wrong  # fmt: skip
        key: Any = self.other_key if self.forged else self.key
        if self.algorithm == "none":
            key = None
        signed = jwt.encode(claims, key, algorithm=self.algorithm, headers={"kid": "one"})
        return {"access_token": "at", "token_type": "Bearer", "expires_in": 300, "id_token": signed}


@contextmanager
def provider() -> Iterator[Provider]:
    here = Provider()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            if parts.path == "/.well-known/openid-configuration":
                self.answer(here.discovery())
            elif parts.path == "/keys":
                self.answer(here.keys())
            elif parts.path == "/authorize":
                there = here.authorize({k: v[0] for k, v in parse_qs(parts.query).items()})
                if here.asks:
                    self.show(f'<a href="{escape(there)}">Go on as {escape(here.person["name"])}</a>')
                else:
                    self.send_response(302)
                    self.send_header("Location", there)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
            else:
                self.answer({"error": "unknown"}, 404)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            told = here.token({k: v[0] for k, v in parse_qs(body).items()})
            self.answer(told or {"error": "invalid_grant"}, 200 if told else 400)

        def answer(self, data: dict[str, Any], status: int = 200) -> None:
            self.send(json.dumps(data).encode(), "application/json", status)

        def show(self, body: str) -> None:
            page = f"<!doctype html><html lang=en><link rel=icon href=data:,><title>Provider</title>{body}"
            self.send(page.encode(), "text/html; charset=utf-8")

        def send(self, body: bytes, kind: str, status: int = 200) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    here.issuer = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield here
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
