"""One question to a language model behind an address that speaks OpenAI's chat completions, answered in time or not at all.

The seconds are a wall: they hold for names, connecting, headers and body together, also where bytes dribble in one by one.
The call runs in a thread of its own, and what is late has its connection cut. No redirect is followed, no proxy and no password
file of the machine is used, nothing above LARGEST is read. Neither what is sent nor what comes is logged.
"""

import json
import logging
import socket
import threading
from collections.abc import Sequence
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError
from urllib3.exceptions import TimeoutError as Late

logger = logging.getLogger(__name__)

LARGEST = 64 * 1024  # bytes of an answer; one of ours has some thousand
MOST_TOKENS = 500  # that we ask for


class Unanswered(Exception):
    """The model gave nothing that could be read. `why`: slow, unreachable, status or garbage."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def ask(messages: Sequence[dict[str, str]], *, url: str, model: str, key: str, seconds: float) -> str:
    """The text of the model's answer. `url`: the base, to which /chat/completions is added. Raises Unanswered."""
    call = _Call(f"{url.rstrip('/')}/chat/completions", key, _asked(model, messages), seconds)
    thread = threading.Thread(target=call.run, name="language model", daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        call.cut()
        raise Unanswered("slow")
    if call.why:
        raise Unanswered(call.why)
    return content_of(call.body)


def _asked(model: str, messages: Sequence[dict[str, str]]) -> bytes:
    asked = {
        "model": model,
        "messages": list(messages),
        "temperature": 0,
        "max_tokens": MOST_TOKENS,
        "stream": False,
    }
    return json.dumps(asked, ensure_ascii=False).encode()


def content_of(body: bytes) -> str:
    """The text in an answer's bytes. Raises Unanswered unless they are a whole answer in JSON."""
    try:
        choice = json.loads(body)["choices"][0]
        content, ended = choice["message"]["content"], choice.get("finish_reason", "stop")
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise Unanswered("garbage") from None
    if not isinstance(content, str) or not content.strip() or ended not in ("stop", None):
        raise Unanswered("garbage")  # "length": it was cut off; "tool_calls": it wants to do something
    return content.strip()


class _Call:
    """One request. `run` fills `body` or `why`; `cut`, from another thread, ends it wherever it is."""

    def __init__(self, url: str, key: str, asked: bytes, seconds: float) -> None:
        self.url, self.key, self.asked, self.seconds = url, key, asked, seconds
        self.body, self.why = b"", ""
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._over = False

    def run(self) -> None:
        headers = {"Content-Type": "application/json", "Accept-Encoding": "identity", "Connection": "close"}
        if self.key:
            headers["Authorization"] = f"Bearer {self.key}"
        try:
            with (
                self._session() as session,
                session.post(
                    self.url,
                    data=self.asked,
                    headers=headers,
                    timeout=self.seconds,
                    stream=True,
                    allow_redirects=False,
                ) as response,
            ):
                if response.status_code != 200:
                    self.why = "status"
                    return
                body = response.raw.read(LARGEST + 1, decode_content=False)
                self.body, self.why = body, "garbage" if len(body) > LARGEST else ""
        except (requests.Timeout, Late, TimeoutError):
            self.why = "slow"
        except (requests.RequestException, HTTPError, OSError, ValueError):
            self.why = "unreachable"
        except BaseException:
            self.why = "unreachable"
            raise

    def opened(self, found: socket.socket) -> socket.socket:
        """A connection was opened for it."""
        with self._lock:
            self._socket = found
        if self._over:
            self.cut()
        return found

    def cut(self) -> None:
        """End its connection, now or when there is one."""
        with self._lock:
            self._over = True
            if self._socket is not None:
                try:
                    self._socket.shutdown(socket.SHUT_RDWR)
                except OSError:
                    logger.debug("it has ended by itself")

    def _session(self) -> requests.Session:
        session = requests.Session()
        session.trust_env = False
        session.adapters.clear()
        session.mount("https://", _Watched(self))
        session.mount("http://", _Watched(self))
        return session


class _Watched(HTTPAdapter):
    """Tells the call of each connection that it opens."""

    def __init__(self, call: _Call) -> None:
        self._call = call
        super().__init__()

    def init_poolmanager(self, *args: Any, **more: Any) -> None:
        super().init_poolmanager(*args, **more)
        call = self._call

        class Plain(HTTPConnection):
            def _new_conn(self) -> socket.socket:
                return call.opened(super()._new_conn())

        class Sealed(HTTPSConnection):
            def _new_conn(self) -> socket.socket:
                return call.opened(super()._new_conn())

        class PlainPool(HTTPConnectionPool):
            ConnectionCls = Plain

        class SealedPool(HTTPSConnectionPool):
            ConnectionCls = Sealed

        self.poolmanager.pool_classes_by_scheme = {"http": PlainPool, "https": SealedPool}
