"""Commands over HTTP as a careful client gives them: with a key, and again with the same key when no answer came, or one
that says when to come back."""

import asyncio
import random
import time
import uuid
from types import TracebackType
from typing import Any, Self

import httpx

TIMEOUT = 30.0  # seconds for one answer; asking again sooner would only add to what a busy server has to do
CONNECTIONS = 32  # at once; who comes on top waits here, for httpx's own queue gets slow when it is long
AGAIN = {429, 502, 503, 504}  # nothing was done, and trying again is right
OVERLOADED = 503
FIRST_PAUSE, LONGEST_PAUSE = 0.25, 5.0  # seconds


class Refused(Exception):
    """The server understood and said no: `status`, and `code` of the problem."""

    def __init__(self, status: int, code: str, detail: str = "") -> None:
        self.status, self.code = status, code
        super().__init__(f"{status} {code} {detail}".strip())


class Unreachable(Exception):
    """No answer in all the time that was given."""


class Api:
    """/api/v1/ at one address, for any number of people."""

    def __init__(self, base_url: str, *, patience: float = 60.0) -> None:
        """`patience`: seconds after which a command without an answer is given up."""
        self.base_url = base_url.rstrip("/")
        self.patience = patience
        self._free = asyncio.Semaphore(CONNECTIONS)
        self._client = httpx.AsyncClient(
            base_url=f"{self.base_url}/api/v1/",
            timeout=TIMEOUT,
            limits=httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS),
            trust_env=False,  # no proxy between us and our own installation
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def get(self, path: str, auth: str = "") -> Any:
        """The answer's JSON. Raises as post."""
        _status, data = await self._call("GET", path, None, auth, None)
        return data

    async def post(self, path: str, data: dict[str, Any] | None = None, auth: str = "", key: str = "") -> Any:
        """Give a command once, however often it has to be sent. Raises Refused, Unreachable."""
        _status, answer = await self.command(path, data, auth, key)
        return answer

    async def command(
        self, path: str, data: dict[str, Any] | None = None, auth: str = "", key: str = ""
    ) -> tuple[int, Any]:
        """The same; returns (status, JSON)."""
        return await self._call("POST", path, data or {}, auth, key or new_key())

    async def _call(
        self, method: str, path: str, data: dict[str, Any] | None, auth: str, key: str | None
    ) -> tuple[int, Any]:
        headers = {"Accept": "application/json"}
        if auth:
            headers["Authorization"] = auth
        if key:
            headers["Idempotency-Key"] = key
        deadline = time.monotonic() + self.patience
        pause = FIRST_PAUSE
        while True:
            told = 0.0
            try:
                async with self._free:
                    answer = await self._client.request(method, path, json=data, headers=headers)
            except httpx.TransportError as error:
                why = type(error).__name__
            else:
                if answer.status_code not in AGAIN:
                    return _read(answer)
                why = f"status {answer.status_code}"
                told = _retry_after(answer) if answer.status_code == OVERLOADED else 0.0
            # Jitter: after a restart of the server all would otherwise come back at the same moment.
            pause = min(pause * 2, LONGEST_PAUSE)
            wait = max(told * (1 + random.random() / 2), pause * (0.5 + random.random()))  # noqa: S311
            if time.monotonic() + wait > deadline:
                raise Unreachable(f"{method} {path}: {why}")
            await asyncio.sleep(wait)


def _retry_after(answer: httpx.Response) -> float:
    """Seconds after which the server wants to be asked again; 0 when it does not say, or by a date."""
    text = answer.headers.get("Retry-After", "")
    return float(text) if text.isascii() and text.isdigit() else 0.0


def _read(answer: httpx.Response) -> tuple[int, Any]:
    try:
        data = answer.json() if answer.content else {}
    except ValueError:
        raise Refused(answer.status_code, "no_json") from None
    if answer.is_success:
        return answer.status_code, data
    if not isinstance(data, dict):
        data = {}
    raise Refused(answer.status_code, str(data.get("code", "")), str(data.get("detail", "")))


def new_key() -> str:
    """An Idempotency-Key that nobody has used."""
    return uuid.uuid4().hex
