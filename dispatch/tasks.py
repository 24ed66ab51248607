"""Celery tasks: they fetch and call. Each can run twice, late, or on two workers at once.

`run_ask` is how a run is asked for: at most one waits a pool. If the broker is gone, whoever asks runs it.
"""

import logging
from collections.abc import Iterable
from contextlib import suppress

from celery import shared_task
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from dispatch import (
    alerts,
    asking,
    automatic,
    decisions,
    drafts,
    offers,
    paying,
    presence,
    queue,
    resolving,
    runs,
    silence,
    simulations,
    wrap_up,
)

logger = logging.getLogger(__name__)


@shared_task
def match(pool_id: int) -> None:
    """One matching run of a pool. Its message was taken before the run looks, so what comes later asks for the next one.

    While another matcher runs the pool, this one does not stand and wait, since other pools may want it: it leaves word, and
    the other one asks for one more run when it is through.
    """
    for word_left in (False, True):
        try:
            runs.match_pool(pool_id, wait=False)
        except runs.PoolBusy:
            if not word_left:
                asking.again_say(pool_id)  # before the second try: the other one may have just ended
        else:
            if asking.again_heard(pool_id):
                run_ask([pool_id])
            return


@shared_task
def tick() -> None:
    """Once a second: what is due by the clock of the database. Safe to run twice or late."""
    automatic.accept_due()
    for offer_id, shift_id in offers.due_offer_ids():
        offers.offer_expire(offer_id=offer_id, shift_id=shift_id)
    automatic.unanswered_release()
    presence.leases_end()
    presence.graces_end()
    wrap_up.end_due()
    silence.customers_look()
    resolving.look()
    for ticket_id in queue.closed_with_live_offers():
        offers.offers_cancel(ticket_id=ticket_id)
    run_ask(queue.pools_due())
    alerts.nobody_left_refresh()


@shared_task
def alerts_mail() -> None:
    """Every few seconds: tell leads what began and what is over; each mail is claimed first."""
    for alert_id in alerts.due():
        alerts.alert_mail(alert_id=alert_id)


@shared_task
def places() -> None:
    """Every few seconds: place and expected wait, written down to the waiting tickets."""
    queue.places_write()


@shared_task
def standings() -> None:
    """Once a minute: what the score knows of the recent past; and drafts that nobody comes back to are forgotten."""
    queue.standings_refresh()
    queue.pool_standings_refresh()
    drafts.tidy()


@shared_task
def simulate(simulation_id: int) -> None:
    """Minutes on one core: the worker of this queue does nothing else."""
    simulations.simulation_play(simulation_id=simulation_id)


@shared_task
def simulations_look() -> None:
    """Once a minute: those whose worker died have failed; those whose message was lost are asked for again."""
    simulations.stale_fail()
    for simulation_id in simulations.waiting():
        simulate_ask(simulation_id)


def simulate_ask(simulation_id: int) -> None:
    """Ask for it to be played. To be called after commit; without a broker it waits for simulations_look()."""
    with suppress(OperationalError):
        simulate.delay(simulation_id)


@shared_task
def snapshots() -> None:
    """Once an hour: what runs saw is forgotten when its time is over."""
    decisions.snapshots_drop()


@shared_task
def bonuses() -> None:
    """Once an hour: bonuses of ratings whose news was lost with its process."""
    if paid := paying.ratings_catch_up():
        logger.warning("%s bonuses paid late", paid)


def run_ask(pool_ids: Iterable[int]) -> None:
    """Ask for a run of each pool. To be called after commit. One command of Redis a pool."""
    for pool_id in sorted(pool_ids):
        try:
            asking.ask(match, pool_id)
        except (RedisError, OSError):
            logger.warning("the broker does not answer: pool %s is matched here", pool_id)
            runs.match_pool(pool_id)
