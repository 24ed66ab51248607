"""The demo: everything that Standby is, on one machine, until Ctrl-C.

python -m config.demo                  start it; PORT (8000), STANDBY_HOME (.standby), DEMO_TRAFFIC=0 for silence
python -m config.demo --with-parent    also end when the parent process ends, whatever ends it (make demo)
python -m config.demo reset            empty the data; refuses while a demo runs
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import FrameType

from config import embedded, env
from config.catalogues import compile_catalogues
from config.embedded.command import standby_home
from config.embedded.processes import die_with_parent, spawn, stop
from config.stack import PROJECT, Program, Stack, StackFailed, listen, manage, usual

SETUP_LIMIT = 600.0  # seconds for one command of the preparation


class Stopped(Exception):
    """Ctrl-C, SIGTERM or SIGHUP came."""

    def __init__(self, number: int) -> None:
        self.number = number
        super().__init__(signal.Signals(number).name)


def main() -> int:
    """Returns the exit code: 0 after Ctrl-C or SIGTERM, 1 when it could not start."""
    try:
        if sys.argv[1:] == ["reset"]:
            embedded.reset(standby_home())
            say(f"{standby_home()} is empty")
            return 0
        if sys.argv[1:] == ["--with-parent"]:
            die_with_parent(signal.SIGTERM, os.getppid())
        elif sys.argv[1:]:
            print(__doc__, file=sys.stderr)
            return 2
        demo()
    except (embedded.ServersFailed, StackFailed, env.BadSetting) as failure:
        print(f"standby: {failure}", file=sys.stderr)
        return 1
    except Stopped:
        say("stopped, nothing is left running")
    return 0


def demo() -> None:
    """Start everything, say where it is, keep it alive. Ends by Stopped, or when something cannot be had."""
    port = env.number("PORT", 8000)
    traffic = env.flag("DEMO_TRAFFIC", True)
    home = embedded.Home(standby_home())
    with stopped_by_signals(), listen(port) as listener, servers(home) as addresses:
        logs = home.logs
        settings = {"BASE_URL": f"http://127.0.0.1:{port}", **addresses}
        compile_catalogues()
        say("preparing the database …")
        run(manage("migrate", "--verbosity", "0"), settings, logs)
        logins = run(manage("seed_demo"), settings, logs)
        programs = usual(listener, home.folder)
        stack = Stack(programs, settings, logs, listener)
        people = Stack([manage("demo_traffic", name="traffic")], settings, logs, listener)
        try:
            stack.start()
            stack.wait()
            if traffic:
                people.start()
            say(f"logs of each process: {logs}")
            if "MAIL_FOLDER" in addresses:
                say(f"mails that would go out: {home.mail}")
            if logins:
                say(logins)
            say(f"ready: {stack.base_url}")
            while True:
                for sentence in (*stack.watch(), *people.watch()):
                    say(f"standby: {sentence}")
                time.sleep(0.5)
        finally:
            people.stop()
            stack.stop()


def say(line: str) -> None:
    # Whoever reads us may have gone (a closed terminal, `make demo | head`); that is no reason to leave the rest undone.
    with contextlib.suppress(OSError):
        print(line, flush=True)


@contextlib.contextmanager
def servers(home: embedded.Home) -> Iterator[dict[str, str]]:
    """The settings of the servers to use: those given in the environment, else our own, started here."""
    home.prepare()
    if embedded.given():
        say("using DATABASE_URL and REDIS_URL as set")
        env.text("SECRET_KEY")  # asked for now, with its name, not by each child
        yield {}
        return
    with embedded.running(home.folder, attach=False) as ours:
        say(f"standby: {ours.describe()}")
        yield ours.environment()


def run(program: Program, settings: Mapping[str, str], logs: Path) -> str:
    """Run one command to its end; returns what it printed. Raises StackFailed with the end of its log."""
    log = logs / f"{program.name}.log"
    child = spawn(
        program.argv,
        log=log,
        environment=os.environ | settings,
        folder=PROJECT,
        output=subprocess.PIPE,
    )
    try:
        printed = child.communicate(timeout=SETUP_LIMIT)[0].decode(errors="replace").strip()
    finally:
        stop(child, (signal.SIGTERM, 5.0))
    if child.returncode != 0:
        end = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
        raise StackFailed(f"`manage.py {program.name}` failed, see {log}:\n{end}")
    return printed


@contextlib.contextmanager
def stopped_by_signals() -> Iterator[None]:
    """Turn the first SIGINT, SIGTERM or SIGHUP into Stopped; later ones are ignored, for all that follows is bounded."""

    def leave(number: int, _frame: FrameType | None) -> None:
        for each in numbers:
            signal.signal(each, signal.SIG_IGN)
        if number == signal.SIGINT:
            say("")  # the terminal has written ^C on this line
        say("stopping …")
        raise Stopped(number)

    numbers = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # else nohup wants us to stay
        numbers.append(signal.SIGHUP)
    for each in numbers:
        signal.signal(each, leave)
    yield


if __name__ == "__main__":
    sys.exit(main())
