"""Celery tasks of tickets: mail, abandoned files. They fetch and call."""

import logging

from celery import shared_task

from tickets import files, mail

logger = logging.getLogger(__name__)


@shared_task
def mail_due() -> None:
    """Send what is due; each mail is claimed first, so that two workers never send one twice."""
    for ticket_id in mail.due_ticket_ids():
        mail.link_send(ticket_id=ticket_id)


@shared_task
def files_sweep() -> None:
    """Once an hour: files whose writer died before its commit."""
    if deleted := files.sweep():
        logger.warning("%s abandoned files deleted", deleted)
