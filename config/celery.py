"""The Celery application. Tasks live in each app's tasks.py; no result backend, no ETA, ids only."""

import gc
import logging
import os
import threading
from pathlib import Path
from typing import Any

from celery import Celery, bootsteps
from celery.signals import after_task_publish, beat_init, task_postrun, task_prerun, worker_init, worker_ready
from kombu.transport import redis

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")


class QoS(redis.QoS):
    """Acknowledges only what is to be acknowledged.

    Kombu does so for every message, also of a queue that is consumed with no_ack, of which it has kept no record: a Redis
    client of its own and a transaction that deletes nothing, before the task begins (half of all calls of a run's message).
    """

    def ack(self, delivery_tag: str) -> None:
        if delivery_tag in (self._delivered or ()):
            super().ack(delivery_tag)


redis.Channel.QoS = QoS

app = Celery("standby")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


# Celery closes all connections before and after every task: a matching run would begin with a new PostgreSQL process that
# knows no catalog and no plan, which costs more than the run. So that is put off for ever, and connections live as those of
# requests do: CONN_MAX_AGE, checked before use.
app.conf["CELERY_DB_REUSE_MAX"] = 2**62


class Touching(bootsteps.StartStopStep):
    """Touches PULSE_FILE each few seconds while the worker's loop turns, for its container's probe (config/probe.py).

    Which kinds of processes answer at all is another matter: dispatch/pulse.py.
    """

    requires = ("celery.worker.components:Timer",)

    def __init__(self, worker: Any, **more: Any) -> None:
        self.file = os.environ.get("PULSE_FILE", "")
        super().__init__(worker, **more)

    def start(self, worker: Any) -> None:
        if self.file:
            Path(self.file).touch()
            worker.timer.call_repeatedly(5.0, Path(self.file).touch, priority=10)


app.steps["worker"].add(Touching)


class Watching(bootsteps.StartStopStep):
    """In a matcher, a thread that looks whether beat and the workers live, and says so by mail where nobody else could.

    A thread, because a mail server that hangs must not hold up matching.
    """

    FIRST = 60.0  # seconds: whoever is started with us had no time to say anything before
    EACH = 15.0  # seconds

    def __init__(self, worker: Any, **more: Any) -> None:
        self.over = threading.Event()
        super().__init__(worker, **more)

    def start(self, worker: Any) -> None:
        if "match" in worker.app.amqp.queues.consume_from:
            threading.Thread(target=self.watch, name="watching", daemon=True).start()

    def stop(self, worker: Any) -> None:  # noqa: ARG002  as Celery calls it
        self.over.set()

    def watch(self) -> None:
        patience = self.FIRST
        while not self.over.wait(patience):
            patience = self.EACH
            self.look()

    def look(self) -> None:
        """Once. Whatever is wrong is wrong for the others as well, and must not end the watch."""
        from django.db import close_old_connections  # noqa: PLC0415  as below

        from dispatch import alerts  # noqa: PLC0415  as below

        try:
            alerts.stand_in()
        except Exception:
            logging.getLogger(__name__).exception("cannot look whether beat and the workers live")
        finally:
            close_old_connections()


app.steps["worker"].add(Watching)


@worker_init.connect
@beat_init.connect
def traces_start(**_: Any) -> None:
    from config import tracing  # noqa: PLC0415  as below

    tracing.start("worker")


# What the first argument of a task is, for its lines in the log.
ABOUT = {"dispatch.tasks.match": "pool", "dispatch.tasks.assistant_answer": "ticket"}


@task_prerun.connect
def lines_know(task_id: str = "", task: Any = None, args: Any = (), **_: Any) -> None:
    from config import logs  # noqa: PLC0415  as below

    name = getattr(task, "name", "")
    facts = {ABOUT[name]: args[0]} if name in ABOUT and args else {}
    logs.about_set(task=task_id, task_name=name, **facts)


@task_postrun.connect
def lines_forget(**_: Any) -> None:
    from config import logs  # noqa: PLC0415  as below

    logs.forget()


@task_prerun.connect
@task_postrun.connect
def connections_check(**_: Any) -> None:
    from django.db import close_old_connections  # noqa: PLC0415  Celery loads this before Django stands

    close_old_connections()


@beat_init.connect
def beat_is_heard(**_: Any) -> None:
    """Beat writes its own pulse, in its own process: the tasks that it sends prove nothing while no worker takes them."""
    after_task_publish.connect(beat_has_sent, sender="dispatch.tasks.pulse_answer")


def beat_has_sent(**_: Any) -> None:
    """Redis has taken a beat. A database that is away must not end beat: it is needed all the more afterwards."""
    from django.db import Error, close_old_connections  # noqa: PLC0415  as above

    from dispatch import pulse  # noqa: PLC0415  as above

    if file := os.environ.get("PULSE_FILE"):
        Path(file).touch()  # for its container's probe
    try:
        pulse.pulse_beat(kind="beat")
    except Error as error:
        logging.getLogger(__name__).warning("beat cannot write its pulse (%s)", type(error).__name__)
    close_old_connections()  # one that broke is not kept


@worker_ready.connect
def imports_freeze(**_: Any) -> None:
    """What a matcher needs is imported before it is asked for.

    What was imported lives as long as the process: the collector need not walk through it in the middle of a run.
    """
    if "match" in app.amqp.queues.consume_from:
        from dispatch.matching.solve import warm  # noqa: PLC0415  as above

        warm()
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)  # as the web process (config/web.py)
