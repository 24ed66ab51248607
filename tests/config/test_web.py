"""A web process that leaves in order, and the probe of a container."""

import asyncio
import signal
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import uvicorn
import uvloop

from config import health, probe, web
from config.stack import listen

LOOPS = [asyncio.new_event_loop, uvloop.new_event_loop]  # uvicorn takes the second where it is there


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> web.Server:
    async def application(*_: object) -> None: ...

    monkeypatch.setattr(health, "leaving", False)
    server = web.Server(uvicorn.Config(application), drain_seconds=8)
    server.server_state = SimpleNamespace(total_requests=0)  # type: ignore[assignment]
    return server


async def test_it_says_first_that_it_leaves_and_serves_on_for_the_drain(
    server: web.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    monkeypatch.setattr(web.time, "monotonic", lambda: now)
    assert await server.on_tick(1) is False
    server.handle_exit(signal.SIGTERM, None)
    assert health.leaving is True
    now = 107.9
    assert await server.on_tick(2) is False
    now = 108.0
    assert await server.on_tick(3) is True


async def test_a_second_signal_and_ctrl_c_spare_the_drain(server: web.Server) -> None:
    server.handle_exit(signal.SIGTERM, None)
    server.handle_exit(signal.SIGTERM, None)
    assert await server.on_tick(1) is True


async def test_without_a_drain_it_leaves_at_once(server: web.Server) -> None:
    server.drain_seconds = 0
    server.handle_exit(signal.SIGTERM, None)
    assert health.leaving is True
    assert await server.on_tick(1) is True


async def hello(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"hi"})


async def leaves(shutdown: Callable[[web.Server, list[socket.socket]], Awaitable[None]]) -> list[bytes]:
    """Two clients of a server that leaves: one was let in and says nothing yet, the other knocked a moment ago. What each gets
    for the request that it sends then; nothing when its connection was closed or reset.
    """
    listener = listen(0)
    server = web.Server(
        uvicorn.Config(health.Health(hello), lifespan="off", ws="none", log_config=None), drain_seconds=0.1
    )
    server.config.load()
    server.lifespan = server.config.lifespan_class(server.config)
    await server.startup(sockets=[listener])

    def knock() -> socket.socket:
        return socket.create_connection(listener.getsockname(), timeout=5)

    inside = knock()
    while not server.server_state.connections:
        await asyncio.sleep(0.01)
    server.handle_exit(signal.SIGTERM, None)
    outside = knock()  # nothing is awaited until it leaves: nobody has accepted it

    def ask(client: socket.socket) -> bytes:
        try:
            client.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
            return b"".join(iter(lambda: client.recv(1000), b""))
        except ConnectionError:
            return b""
        finally:
            client.close()

    async def sent_later(client: socket.socket) -> bytes:
        await asyncio.sleep(0.1)
        return await asyncio.to_thread(ask, client)

    # The first step of the shutdown runs before those of the clients.
    ended, *answers = await asyncio.gather(
        shutdown(server, [listener]), sent_later(inside), sent_later(outside)
    )
    assert ended is None
    assert not server.server_state.connections
    return answers


@pytest.mark.parametrize("loop", LOOPS)
def test_who_was_let_in_last_is_answered(
    monkeypatch: pytest.MonkeyPatch, loop: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    monkeypatch.setattr(health, "leaving", False)
    with asyncio.Runner(loop_factory=loop) as runner:
        answers = runner.run(leaves(web.Server.shutdown))
    for answer in answers:
        assert answer.startswith(b"HTTP/1.1 200")
        assert b"connection: close\r\n" in answer
        assert answer.endswith(b"hi")


@pytest.mark.parametrize("loop", LOOPS)
def test_control_by_uvicorns_own_shutdown_who_is_inside_gets_nothing(
    monkeypatch: pytest.MonkeyPatch, loop: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    monkeypatch.setattr(health, "leaving", False)
    with asyncio.Runner(loop_factory=loop) as runner:
        inside, outside = runner.run(leaves(uvicorn.Server.shutdown))
    assert inside == b""
    # uvloop closes the door late enough to find whoever knocks just then, asyncio does not.
    assert (outside == b"") == (loop is asyncio.new_event_loop)


def test_the_probe_looks_at_the_file_that_a_worker_touches(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("PULSE_FILE", raising=False)
    assert probe.worker() == "PULSE_FILE is not set"
    file = tmp_path / "pulse"
    monkeypatch.setenv("PULSE_FILE", str(file))
    assert probe.worker() == f"{file}: No such file or directory"
    file.touch()
    at = file.stat().st_mtime
    monkeypatch.setattr(probe.time, "time", lambda: at + 59)
    assert probe.worker() == ""
    monkeypatch.setattr(probe.time, "time", lambda: at + 61)
    assert probe.worker() == f"{file} was touched 61 s ago"
    assert probe.worker("1200") == ""


def test_the_probe_of_a_web_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    with listen(0) as listener:
        port = listener.getsockname()[1]
    monkeypatch.setenv("PORT", str(port))
    assert probe.web().startswith("no answer: ")
