"""The Celery application. Tasks live in each app's tasks.py; no result backend, no ETA, ids only."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("standby")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
