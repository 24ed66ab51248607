"""A language model as the assistant sees one: a small HTTP server here that speaks chat completions, well or badly."""

import json
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any


@dataclass
class Asked:
    """One request as it came: first line, headers in small letters, body."""

    line: str
    headers: dict[str, str]
    raw: bytes

    @property
    def body(self) -> dict[str, Any]:
        return dict(json.loads(self.raw))


class FakeModel:
    """`behave` writes the answer of the next requests; `asked` are those that came. `gone` is set at its end."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.gone = threading.Event()
        self.behave: Callable[[Callable[[bytes], Any]], None] = lambda write: None
        model = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                line = self.rfile.readline().decode().strip()
                headers = {}
                while field := self.rfile.readline().decode().strip():
                    name, _, value = field.partition(":")
                    headers[name.lower()] = value.strip()
                model.asked.append(Asked(line, headers, self.rfile.read(int(headers["content-length"]))))
                with suppress(OSError):  # who asked has gone
                    model.behave(self.wfile.write)

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
            block_on_close = True

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/v1"

    def says(self, text: Any, **more: Any) -> None:
        """It answers with this text, as the protocol wants it."""
        choice = {
            "index": 0,
            "message": {"role": "assistant", "content": text},
            "finish_reason": "stop",
        } | more
        self.sends(json.dumps({"id": "x", "object": "chat.completion", "choices": [choice]}).encode())

    def sends(
        self, body: bytes, status: str = "200 OK", *, length: int | None = None, head: str = ""
    ) -> None:
        """It answers with these bytes; `length` where it says another one than the true."""
        size = len(body) if length is None else length
        first = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\n{head}Content-Length: {size}\r\n\r\n"
        self.behave = lambda write: write(first.encode() + body)

    def hangs(self) -> None:
        """It takes the question and says nothing, until the other side has gone."""
        self.behave = lambda write: self.gone.wait()  # type: ignore[assignment]

    def dribbles(self, begin: bytes) -> None:
        """After `begin` one byte at a time, each well within any time-out between two bytes."""

        def drip(write: Callable[[bytes], Any]) -> None:
            write(begin)
            while not self.gone.wait(0.05):
                write(b" ")

        self.behave = drip


@contextmanager
def language_model() -> Iterator[FakeModel]:
    """One that listens, until the block ends."""
    model = FakeModel()
    thread = threading.Thread(target=model.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield model
    finally:
        model.gone.set()
        model.server.shutdown()
        model.server.server_close()
        thread.join()
