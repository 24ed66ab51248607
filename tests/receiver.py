"""Another system that takes webhooks: a small HTTP server that keeps what came, and answers as a test wants."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Taken:
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """`answers`: statuses of the next calls, 200 when they run out. `hold`: calls of /slow wait for it."""

    port: int = 0
    taken: list[Taken] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    said: bytes = b"thank you"
    hold: threading.Event = field(default_factory=threading.Event)

    def url(self, path: str = "/hooks") -> str:
        return f"http://127.0.0.1:{self.port}{path}"


@contextmanager
def receiver() -> Iterator[Receiver]:
    here = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            here.taken.append(Taken(self.path, {k.lower(): v for k, v in self.headers.items()}, body))
            if self.path == "/slow":
                here.hold.wait(20)
            if self.path == "/drip":  # a byte now and then, within every time-out of a socket
                while not here.hold.wait(0.05):
                    try:
                        self.wfile.write(b"x")
                    except OSError:
                        return
            status = here.answers.pop(0) if here.answers else 200
            self.send_response(status)
            if status in (301, 302, 307):
                self.send_header("Location", here.url("/elsewhere"))
            if status == 503:
                self.send_header("Retry-After", "3600")
            self.send_header("Content-Length", str(len(here.said)))
            self.end_headers()
            self.wfile.write(here.said)

        def log_message(self, *_args: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_args: Any) -> None:  # who hung up
            pass

    server = Server(("127.0.0.1", 0), Handler)
    here.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield here
    finally:
        here.hold.set()
        server.shutdown()
        server.server_close()
        thread.join()
