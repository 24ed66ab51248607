"""A browser that said yes, with its push service: a small HTTP server that opens what is sent to it, by the browser's keys."""

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import http_ece
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from py_vapid import Vapid02

SECRET = b"sixteen bytes, ok"[:16]


@dataclass
class Received:
    call: dict[str, Any]
    headers: dict[str, str]


class PushedTo:
    """`endpoint`, `p256dh` and `auth` are what a page tells; `received` what came; `answer` the status of the next answers."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.received: list[Received] = []
        self.connections = 0
        self.answer = 201
        browser = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                browser.take(self.rfile.read(int(self.headers["Content-Length"])), dict(self.headers))
                self.send_response(browser.answer)
                if browser.answer == 302:
                    self.send_header("Location", browser.endpoint + "/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_args: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            def verify_request(self, *_args: Any) -> bool:
                browser.connections += 1
                return True

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.endpoint = f"http://127.0.0.1:{self.port}/push/one-of-many"

    @property
    def p256dh(self) -> str:
        return text(self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))

    @property
    def auth(self) -> str:
        return text(SECRET)

    @property
    def said(self) -> dict[str, str]:
        return {"endpoint": self.endpoint, "p256dh": self.p256dh, "auth": self.auth}

    def take(self, body: bytes, headers: dict[str, str]) -> None:
        opened = http_ece.decrypt(body, private_key=self.key, auth_secret=SECRET, version="aes128gcm")
        self.received.append(Received(json.loads(opened), headers))

    @property
    def calls(self) -> list[dict[str, Any]]:
        return [one.call for one in self.received]


def text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


@contextmanager
def pushed_to() -> Iterator[PushedTo]:
    browser = PushedTo()
    thread = threading.Thread(target=browser.server.serve_forever, args=(0.05,))
    thread.start()
    yield browser
    browser.server.shutdown()
    browser.server.server_close()
    thread.join()


def signed_by(header: str, public_key: str) -> bool:
    """Whether an Authorization header of VAPID (RFC 8292) names this key and was signed with its private one."""
    parts = dict(part.split("=", 1) for part in header.removeprefix("vapid ").replace(" ", "").split(","))
    return parts["k"] == public_key and bool(Vapid02.verify(header))
