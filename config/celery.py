"""The Celery application. Tasks live in each app's tasks.py; no result backend, no ETA, ids only."""

import gc
import os
from typing import Any

from celery import Celery
from celery.signals import task_postrun, task_prerun, worker_ready

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("standby")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


# Celery closes all connections before and after every task: a matching run would begin with a new PostgreSQL process that
# knows no catalog and no plan, which costs more than the run. So that is put off for ever, and connections live as those of
# requests do: CONN_MAX_AGE, checked before use.
app.conf["CELERY_DB_REUSE_MAX"] = 2**62


@task_prerun.connect
@task_postrun.connect
def connections_check(**_: Any) -> None:
    from django.db import close_old_connections  # noqa: PLC0415  Celery loads this before Django stands

    close_old_connections()


@worker_ready.connect
def imports_freeze(**_: Any) -> None:
    """What was imported lives as long as the process: the collector need not walk through it in the middle of a run."""
    gc.collect()
    gc.freeze()
