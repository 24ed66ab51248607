"""Mails that were refused: tried again, ever more seldom and behind those that were not tried yet. One stops no other."""

import logging
import smtplib
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from django.db.models import F, Q
from django.db.models.expressions import CombinedExpression, OrderBy
from django.db.models.functions import Now
from django.utils import timezone

logger = logging.getLogger(__name__)

# What sending raises: the server's no, no server, or an address for which no mail can be made.
REFUSED = (smtplib.SMTPException, OSError, ValueError)
SOONEST, LATEST = timedelta(minutes=1), timedelta(hours=1)


def next_try(since: datetime) -> CombinedExpression:
    """When what was due at `since` is tried again: after as long as it has waited, a minute at least and an hour at most."""
    return Now() + min(max(timezone.now() - since, SOONEST), LATEST)


def is_due(field: str) -> Q:
    """Rows that were not tried yet, or are to be tried again by now."""
    return Q(**{f"{field}__isnull": True}) | Q(**{f"{field}__lte": Now()})


def untried_first(field: str) -> OrderBy:
    """A few that are refused all day long, be they the oldest, then keep nobody waiting."""
    return F(field).asc(nulls_first=True)


def each(what: str, ids: Iterable[int], act: Callable[[int], object]) -> None:
    """Do it for each of them. What one fails at is logged under the name of `what` they are, and the others go on."""
    for one in ids:
        try:
            act(one)
        except Exception:
            logger.exception("%s %s failed; the others go on", what, one)
