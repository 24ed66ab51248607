"""One entry for each process of an installation, for images and supervisors.

python -m config.roles web          Uvicorn on HOST:PORT (0.0.0.0:8000)
python -m config.roles matcher      Celery: matching runs and the tick; several share the pools
python -m config.roles worker       Celery: everything else
python -m config.roles simulator    Celery: simulations and training
python -m config.roles beat         Celery beat; exactly one
python -m config.roles migrate      apply migrations, and end
python -m config.roles manage …     any manage.py command
"""

import os
import socket
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from config import env, stack


def command(role: str, words: list[str]) -> list[str]:
    """The program of a role, with its arguments. Raises ValueError for none of ours."""
    programs: dict[str, Callable[[], stack.Program]] = {
        "matcher": stack.matcher,
        "worker": lambda: stack.worker(env.number("WORKER_THREADS", 2)),
        "simulator": stack.simulator,
        # The schedule is a mere memory of what was sent when: a beat that begins anew sends everything at once, which is safe.
        "beat": lambda: stack.beat(Path(tempfile.mkdtemp(prefix="standby-beat-"))),
        "migrate": lambda: stack.manage("migrate", "--no-input", *words),
        "manage": lambda: stack.manage(*words, name="manage"),
    }
    if role not in programs:
        raise ValueError(f"no role {role!r}: web, {', '.join(programs)}")
    return list(programs[role]().argv)


def main() -> None:
    role, *words = sys.argv[1:] or ["web"]
    try:
        if role == "web":
            from config import web  # noqa: PLC0415  Uvicorn, for who serves

            host = env.text("HOST", "0.0.0.0")  # noqa: S104  of a container
            port = env.number("PORT", 8000)
            web.serve(lambda: socket.create_server((host, port), backlog=2048))
            return
        program = command(role, words)
    except (ValueError, env.BadSetting, OSError) as error:
        sys.exit(f"standby: {error}")
    os.execv(program[0], program)  # noqa: S606  in our place, so that signals come to it


if __name__ == "__main__":
    main()
