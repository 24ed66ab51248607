"""Celery tasks of tickets: mail, abandoned files, triage. They fetch and call."""

import logging
from contextlib import suppress

from celery import shared_task
from django.conf import settings
from kombu.exceptions import OperationalError

from tickets import away, erasing, files, mail, returning
from tickets.inbox import fetching, taking
from tickets.patience import each

logger = logging.getLogger(__name__)


@shared_task
def mail_due() -> None:
    """Send what is due; each mail is claimed first, so that two workers never send one twice."""
    each("link of ticket", mail.due_ticket_ids(), lambda one: mail.link_send(ticket_id=one))
    each("answer to mail", mail.left_out_due(), lambda one: mail.left_out_send(mail_id=one))
    each("request for links", returning.links_due(), lambda one: returning.links_send(request_id=one))


@shared_task
def mail_away() -> None:
    """Every few seconds: mail what agents have written to customers who are away."""
    away.look()


@shared_task
def mail_fetch() -> None:
    """Every half minute, with MAIL_IN_URL: take in what customers have mailed."""
    if not settings.MAIL_IN_URL:
        return
    try:
        fetching.mail_fetch()
    except (OSError, fetching.IMAPClientError) as error:
        logger.warning("the mail server does not answer (%s); it is asked again", type(error).__name__)


@shared_task
def files_sweep() -> None:
    """Once an hour: files whose writer died before its commit; mails that were held for long."""
    taking.tidy()
    if deleted := files.sweep():
        logger.warning("%s abandoned files deleted", deleted)


@shared_task
def retention() -> None:
    """Once an hour: what customers said is deleted when it has been kept for long enough."""
    for ticket in erasing.kept_long_enough():
        erasing.ticket_erase(ticket=ticket, by_customer=False)


@shared_task
def triage_train(anew: bool = False) -> None:
    """Once a night, and when an admin asks: learn from what agents have corrected. Less than a minute on one core, on the
    queue for that.
    """
    from tickets.triage import versions  # noqa: PLC0415  scikit-learn, which the other workers need not know

    try:
        trained = versions.retrain(anew=anew)
    except versions.TrainingUnderWay:
        logger.info("a triage model is being trained already")
        return
    if trained is not None:
        logger.info("triage model %s, live: %s", trained.version.version, trained.version.live)


def triage_train_ask() -> None:
    """Ask for a training, whether or not there is anything new. To be called after commit; without a broker the night does
    it.
    """
    with suppress(OperationalError):
        triage_train.delay(anew=True)
