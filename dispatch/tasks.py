"""Celery tasks: they fetch and call. Each can run twice, late, or on two workers at once.

`run_ask` is how a run is asked for: at most one waits a pool. If the broker is gone, whoever asks runs it.
"""

import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

from celery import shared_task
from django.db import close_old_connections
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from agents import rights
from dispatch import (
    alert_calls,
    alerts,
    answers,
    asking,
    automatic,
    calling,
    decisions,
    drafts,
    erasure,
    export,
    forecasting,
    hours,
    leaving,
    meanwhile,
    offers,
    paying,
    practice,
    presence,
    promise,
    pulse,
    quality,
    queue,
    resolving,
    reviews,
    runs,
    silence,
    simulations,
    snooze,
    wrap_up,
)
from dispatch.alone import PoolBusy
from dispatch.sight import Coming
from dispatch.wall import halves
from dispatch.webhooks import sending
from tickets.assistant import measures, turns
from tickets.models import Ticket
from tickets.redis import around

logger = logging.getLogger(__name__)


@shared_task
def match(pool_id: int, coming: Sequence[Any] | None = None) -> None:
    """One matching run of a pool. Its message was taken before the run looks, so what comes later asks for the next one.
    `coming`: the ticket that asks for it while it is written, a sight.Coming.

    While another matcher runs the pool, this one does not stand and wait, since other pools may want it: it leaves word, and
    the other one asks for one more run when it is through.
    """
    ticket = Coming(*coming) if coming else None
    for word_left in (False, True):
        try:
            runs.match_pool(pool_id, wait=False, store=False, coming=ticket)
        except PoolBusy:
            if not word_left:
                asking.again_say(pool_id)  # before the second try: the other one may have just ended
        else:
            if asking.again_heard(pool_id):
                run_ask([pool_id])
            break
    meanwhile.seen_store_soon()
    meanwhile.people_look_soon(pool_id)


PART_SECONDS = 0.05  # from one part of the tick to the next: all of them lie within the second


@shared_task
def tick() -> None:
    """Once a second: what is due by the clock of the database. Safe to run twice or late.

    What one part cannot do, another pool's data being wrong for instance, holds up none of the others; then it fails.
    A matcher's loop does one part after the other and hears of messages in between, so that a run waits for one of them at
    most; whose parts are still to come then, the last tick's, has too much to do for another one.
    """
    loop = meanwhile.loop()
    if loop is None:
        failed = [error for part in _TICK if (error := _failed(part))]
        if failed:
            raise failed[0]
    elif not _to_come:
        _to_come.extend(_TICK)
        _part_next(loop)


_to_come: deque[Callable[[], Any]] = deque()  # parts of this tick, in a matcher


def _part_next(loop: Any) -> None:
    part = _to_come.popleft()
    try:
        close_old_connections()  # as before a task
        _failed(part)
    finally:
        if _to_come:  # whatever it was: a tick whose parts stay would be this matcher's last one
            loop.call_later(PART_SECONDS, partial(_part_next, loop))


def _failed(part: Callable[[], Any]) -> Exception | None:
    """Do a part; returns what went wrong, if anything did, and has it written down."""
    try:
        part()
    except Exception as error:
        logger.error("a part of the tick failed: %s", part.__name__, exc_info=error)
        close_old_connections()
        return error
    return None


def _offers_expire() -> None:
    for offer_id, shift_id in offers.due_offer_ids():
        offers.offer_expire(offer_id=offer_id, shift_id=shift_id)


def _offers_cancel() -> None:
    for ticket_id in queue.closed_with_live_offers():
        offers.offers_cancel(ticket_id=ticket_id)


def _runs_ask() -> None:
    run_ask(queue.pools_due())


_TICK: tuple[Callable[[], Any], ...] = (
    automatic.accept_due,
    _offers_expire,
    automatic.unanswered_release,
    presence.leases_end,
    presence.graces_end,
    wrap_up.end_due,
    presence.finished_end,
    snooze.wake_due,
    silence.customers_look,
    resolving.look,
    practice.look,
    _offers_cancel,
    turns.due_look,
    _runs_ask,
    alerts.nobody_left_refresh,
)


@shared_task
def pulse_answer(kind: str) -> None:
    """Every ten seconds on each queue: whoever works on it is heard of."""
    pulse.pulse_beat(kind=kind)


@shared_task
def assistant_answer(ticket_id: int) -> None:
    """The assistant's turn in a ticket: within a second or so after the customer's word."""
    turns.answer(ticket_id=ticket_id)


def assistant_ask(ticket_id: int) -> None:
    """Ask for its turn. To be called after commit; without a broker it takes it here."""
    try:
        assistant_answer.delay(ticket_id)
    except OperationalError:
        logger.warning("the broker does not answer: the assistant answers ticket %s here", ticket_id)
        turns.answer(ticket_id=ticket_id, rephrase=False)


@shared_task
def answers_look() -> None:
    """Every few seconds: answers by mail, promised to those for whom nobody is online, and whether they were given."""
    answers.look()


@shared_task
def promise_days() -> None:
    """Once a minute: how the promise of a person is kept, and whether the assistant is still good enough."""
    promise.days_write()
    if paused := measures.pause_look():
        logger.warning("the assistant has paused itself in %s", ", ".join(paused))


@shared_task
def halves_count() -> None:
    """Every few seconds: how the half hours went, for the wallboard. Most of it is counted once."""
    halves.halves_write()


@shared_task
def alerts_mail() -> None:
    """Every few seconds: tell leads what began, what waits for them and what is over; each mail is claimed first."""
    alerts.waiting_refresh()
    alerts.conditions_refresh()
    for alert_id in alerts.due():
        alerts.alert_mail(alert_id=alert_id)


@shared_task
def alert_call(event: str, alert_id: int) -> None:
    """Tell team leads' devices that an alert began, lasts or is over."""
    alert_calls.call(event=event, alert_id=alert_id)


@shared_task
def offers_call(offer_ids: list[int]) -> None:
    """Tell agents of fresh offers on their devices. What cannot be answered any more is left out."""
    calling.offers_call(offer_ids)


@shared_task
def calls_look() -> None:
    """Every half minute: call people who are offline and want to be, where many wait and nobody is free."""
    calling.look()
    calling.calls_make()


@shared_task
def busy_call(agent_id: int) -> None:
    """Tell an agent's devices that it is busy."""
    calling.busy_call(agent_id=agent_id)


@shared_task
def hours_release() -> None:
    """Every half minute: seats of booked hours whose people are not online are free again."""
    hours.missed_release()


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
    leaving.leavings_complete()
    for export_id in rights.exports_under_way():  # those whose message was lost, too
        export_make_ask(export_id)


@shared_task
def qualities() -> None:
    """Every few minutes: draw what is reviewed, and what matching knows of ratings and reviews."""
    reviews.draw()
    quality.standings_refresh()


@shared_task
def export_make(export_id: int) -> None:
    """All that is stored about an agent, as a file for them."""
    export.export_make(export_id=export_id)


def export_make_ask(export_id: int) -> None:
    """Ask for it to be made. To be called after commit; without a broker it waits for standings()."""
    with suppress(OperationalError):
        export_make.delay(export_id)


@shared_task
def erase_due() -> None:
    """Once an hour: erase who has asked for it and thought it over; records that need not be kept any more go too."""
    for agent_id in erasure.due_ids():
        erasure.erase(agent_id=agent_id)
    erasure.records_expire()


@shared_task
def simulate(simulation_id: int) -> None:
    """Minutes on one core: the worker of this queue does nothing else."""
    simulations.simulation_play(simulation_id=simulation_id)


@shared_task
def forecast() -> None:
    """Once an hour: this morning's forecast, if it is not made yet."""
    forecasting.forecasts_make()


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


@shared_task
def webhooks_send() -> None:
    """Every two seconds: tell other systems what is due. One at a time; others return at once."""
    sending.send_due()


@shared_task
def webhooks_forget() -> None:
    """Once an hour: the log of deliveries is kept for some weeks."""
    sending.log_forget()


def run_ask(pool_ids: Iterable[int]) -> None:
    """Ask for a run of each pool. To be called after commit. One command of Redis a pool."""
    for pool_id in sorted(pool_ids):
        try:
            asking.ask(match, pool_id)
        except (RedisError, OSError):
            _match_here(pool_id)


def _match_here(pool_id: int) -> None:
    logger.warning("the broker does not answer: pool %s is matched here", pool_id)
    runs.match_pool(pool_id)


@contextmanager
def run_ask_ahead(pool_ids: Iterable[int], writer: int, ticket: Ticket) -> Iterator[None]:
    """run_ask() around the writing of a new ticket and its commit, which the block does: the messages, which are sent before
    it, tell of the ticket, and for which transaction to wait. Where one waits already, which may be heard before the commit,
    and where that takes long, a run is asked for after it. What is asked after the block fails only as that does.
    """
    pools = sorted(pool_ids)
    coming = Coming.of(ticket, writer)
    with around([asking.command(match, pool_id, coming) for pool_id in pools]) as asked:
        yield
    try:
        if asked.answers is None:
            for pool_id in pools:
                _match_here(pool_id)
        else:
            sent = zip(pools, asked.answers, strict=True)
            run_ask(pool_id for pool_id, ours in sent if asked.late or not ours)
    except Exception:
        logger.exception("no run could be asked for; the tick finds what waits")
