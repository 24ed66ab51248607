"""Celery tasks of agents: letters, forgotten applications. They fetch and call."""

import logging

from celery import shared_task

from agents import letters, notices, onboarding, rights

logger = logging.getLogger(__name__)


@shared_task
def letters_due() -> None:
    """Send what is due; each letter is claimed first, so that two workers never send one twice."""
    for letter_id in letters.due_ids():
        letters.send(letter_id=letter_id)
    for notice_id in notices.due_ids():
        notices.mail(notice_id=notice_id)


@shared_task
def applications_forget() -> None:
    """Once an hour: what was never confirmed is not kept, and no export longer than promised."""
    rights.exports_forget()
    if forgotten := onboarding.applications_forget():
        logger.info("%s unconfirmed applications forgotten", forgotten)
