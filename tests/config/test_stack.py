"""Processes started together: watched, started again, stopped in order, never left behind."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.stack import PortTaken, Program, Stack, StackFailed, listen, web
from tests.config.owners import gone, other
from tests.waiting import until

SLEEPER = "import signal; signal.pause()"
STUBBORN = (
    "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); signal.pause()"
)
OWNER = f"""
import sys
from pathlib import Path
from config.stack import Program, Stack, listen
stack = Stack([Program("one", [sys.executable, "-c", {SLEEPER!r}])], {{}}, Path(LOGS), listen(0))
stack.start()
print(*stack.pids.values())
sys.stdin.read()
"""


def python(name: str, code: str, grace: float = 5.0) -> Program:
    return Program(name, [sys.executable, "-c", code], grace=grace)


@pytest.fixture
def stacks(tmp_path: Path) -> Iterator[list[Stack]]:
    made: list[Stack] = []
    yield made
    for stack in made:
        stack.stop()
        stack.listener.close()


def test_a_taken_port_is_known_before_anything_starts() -> None:
    with listen(0) as first:
        port = first.getsockname()[1]
        with pytest.raises(PortTaken, match=f"^Port {port} cannot be used .*: set PORT to a free one$"):
            listen(port)
    listen(port).close()


def test_stops_all_and_the_deaf_too(stacks: list[Stack], tmp_path: Path) -> None:
    stack = Stack([python("one", SLEEPER), python("deaf", STUBBORN, grace=0.2)], {}, tmp_path, listen(0))
    stacks.append(stack)
    stack.start()
    pids = stack.pids
    until(lambda: "deaf" in (tmp_path / "deaf.log").read_text(), "the deaf one is deaf")
    stack.stop()
    assert all(gone(pid) for pid in pids.values())
    assert stack.pids == {}


def test_what_dies_is_told_and_started_again(stacks: list[Stack], tmp_path: Path) -> None:
    stack = Stack([python("one", SLEEPER), python("two", SLEEPER)], {}, tmp_path, listen(0))
    stacks.append(stack)
    stack.start()
    before = stack.pids
    stack.kill("two")
    assert stack.watch() == [f"two ended (signal SIGKILL); starting it again in 1 s, see {tmp_path}/two.log"]
    until(lambda: stack.watch() == [] and "two" in stack.pids, "two is back")
    assert stack.pids["one"] == before["one"]
    assert stack.pids["two"] != before["two"]


def test_a_web_that_cannot_start_is_told_with_the_end_of_its_log(stacks: list[Stack], tmp_path: Path) -> None:
    listener = listen(0)
    settings = {"DJANGO_SETTINGS_MODULE": "config.settings", "SECRET_KEY": "x", "DATABASE_URL": "mysql://x"}
    stack = Stack([web(listener)], settings, tmp_path, listener)
    stacks.append(stack)
    stack.start()
    with pytest.raises(StackFailed, match=r"(?s)web ended with code 1, .*DATABASE_URL wants postgres"):
        stack.wait()


def test_processes_die_with_their_killed_owner(tmp_path: Path) -> None:
    with other(tmp_path, OWNER.replace("LOGS", repr(str(tmp_path)))) as owner:
        pid = int(owner.line())
        os.kill(owner.process.pid, signal.SIGKILL)
        until(lambda: gone(pid), "the child ends with its owner")


def test_a_web_that_answers_with_errors_is_not_waited_for(stacks: list[Stack], tmp_path: Path) -> None:
    listener = listen(0)
    broken = f"""
import socket
listener = socket.socket(fileno={listener.fileno()})
while True:
    visitor, _ = listener.accept()
    visitor.recv(4096)
    visitor.sendall(b"HTTP/1.1 500 Broken\\r\\nContent-Length: 0\\r\\n\\r\\n")
    visitor.close()
"""
    program = Program("web", [sys.executable, "-c", broken], listens=True)
    stack = Stack([program], {}, tmp_path, listener)
    stacks.append(stack)
    stack.start()
    with pytest.raises(
        StackFailed, match=r"^the web does not answer well on http://127.0.0.1:\d+ \(status 500\)"
    ):
        stack.wait(seconds=300)
