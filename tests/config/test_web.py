"""A web process that leaves in order, and the probe of a container."""

import signal
from pathlib import Path
from types import SimpleNamespace

import pytest
import uvicorn

from config import health, probe, web
from config.stack import listen


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
