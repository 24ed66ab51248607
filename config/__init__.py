"""Wiring: settings, addresses, servers. No logic of the product lives here."""

# Here, so that every process that uses Django has it: a @shared_task called without it would look for another broker.
# Importing it reads no settings yet.
from config.celery import app as celery_app

__all__ = ["celery_app"]
