"""The queue as others see it: which pools want a run, place and expected wait on the ticket, figures of the recent past."""

from datetime import timedelta

from django.db import connection
from django.db.models import (
    Case,
    Count,
    Exists,
    F,
    OuterRef,
    Q,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Coalesce, Now

from agents.models import Shift, ShiftState
from dispatch import routes
from dispatch.models import Offer, OfferState, Policy, PoolStanding, Standing
from dispatch.rules.parallel import parallel_next
from dispatch.sight import queue_of
from tickets import events, kept, timeline
from tickets.models import Ticket, TicketState
from tickets.reading import wholly_open

PLACES_MOST = 200  # places told a pool; further back nobody counts along
FRESH = timedelta(minutes=30)  # an observed wait that is older says nothing about now
LOOKED_AT = 20  # tickets that came to a person; those from the night before are passed over
STEP_SECONDS = 15  # a change of the expected wait below this is not worth telling
WINDOW = timedelta(days=7)  # of the sliding window of standings
USUALLY_YES = 0.8  # of offers, before anybody has answered any
DRAWN_ANSWERS = 5.0  # so many answers like the usual are added to one's own
LEAST_HOURS = 0.001  # in a mean by hours, of those who have just come online
OF_LATE = timedelta(minutes=10)  # in which a pool's offers are counted; steering by more would come too late


def pools_due() -> set[int]:
    """Pools with a waiting ticket that has no open offer. One query a pool."""
    plan = routes.routes()
    pending = Offer.objects.filter(ticket=OuterRef("pk"), state=OfferState.PENDING)
    return {pool_id for pool_id in plan.pools() if queue_of(pool_id, plan).exclude(Exists(pending)).exists()}


def anybody_online() -> bool:
    """Whether anybody is there who is asked about new tickets. One query when not kept."""
    here = Shift.objects.filter(
        ended_at__isnull=True, lost_at__isnull=True, practice=False, state=ShiftState.ONLINE
    )
    return kept.keep("anybody_online", here.exists)


def closed_with_live_offers(limit: int = 100) -> list[int]:
    """Tickets that the customer closed while an offer of theirs was live, and whose ending was lost on the way.

    Also those that were reopened since, while somebody's offer still says that they hold it.
    """
    closed, reopened = Q(ticket__state=TicketState.CLOSED), Q(ticket__state=TicketState.WAITING)
    return list(
        Offer.objects.filter(closed & Q(state__in=Offer.LIVE) | reopened & Q(state=OfferState.ACCEPTED))
        .values_list("ticket_id", flat=True)
        .distinct()[:limit]
    )


def places_write() -> int:
    """Write place and expected wait down to the waiting tickets, and tell those whose figures changed.

    The expected wait is the wait of the last ticket of the pool that came to a person (last-to-enter-service delay,
    Ibrahim and Whitt 2009), or null when none did of late: no figure is better than a wrong one. Returns tickets told.
    """
    plan = routes.routes()
    return sum(_places_of(pool_id) for pool_id in sorted(plan.pools()))


def _places_of(pool_id: int) -> int:
    plan = routes.routes()
    waiting = list(
        queue_of(pool_id, plan, home=True)
        .order_by(F("front_since").asc(nulls_last=True), "waiting_since", "id")
        .values_list("id", "place", "expected_seconds")[:PLACES_MOST]
    )
    if not waiting:
        return 0
    expected = _last_wait(pool_id)
    places: dict[int, int] = {}
    for place, (ticket_id, before, told) in enumerate(waiting, start=1):
        if place != before or _differs(expected, told):
            places[ticket_id] = place
    if not places:
        return 0
    with timeline.command():
        # What somebody changes just now is told next time: this holds many rows, and must not wait for one more.
        free = Ticket.objects.select_for_update(skip_locked=True, no_key=True).filter(pk__in=list(places))
        ids = list(free.values_list("pk", flat=True))
        return len(
            timeline.advance(
                Ticket.objects.filter(pk__in=ids, state=TicketState.WAITING),
                events.PLACED,
                {
                    ticket_id: {"place": place, "expected_seconds": expected}
                    for ticket_id, place in places.items()
                },
                place=Case(*[When(pk=ticket_id, then=Value(place)) for ticket_id, place in places.items()]),
                expected_seconds=expected,
            )
        )


def _differs(expected: int | None, told: int | None) -> bool:
    if expected is None or told is None:
        return expected is not told
    return abs(expected - told) >= STEP_SECONDS


def _last_wait(pool_id: int) -> int | None:
    """Seconds that the ticket waited which came to a person of this pool last, of those that waited in open hours only.

    Accepts of tickets that a person had before (opened again, handed back, woken) say nothing about the wait of a new one.
    """
    recent = (
        Offer.objects.filter(run__pool_id=pool_id, state__in=(OfferState.ACCEPTED, OfferState.COMPLETED))
        # Within one transaction the offer is answered first, and then the ticket held.
        .filter(answered_at__gt=Now() - FRESH, ticket__first_held_at__gte=F("answered_at"))
        .order_by("-pk")
        .values_list(
            "ticket__topic_id",
            Coalesce("ticket__handed_over_at", "ticket__created_at"),
            "ticket__first_held_at",
        )[:LOOKED_AT]
    )
    for topic_id, created, held in recent:
        if held is not None and wholly_open(topic_id, created, held):
            return int(max(round((held - created).total_seconds()), 0))
    return None


def standings_refresh() -> int:
    """Refresh the figures of agents who are online: share of offers accepted, in all and by topic, offers answered, earnings
    per online hour over the window.

    Answers are a yes and a no. An offer that ran out is none: it pauses, so that the next one goes to who is there, and that is
    all. By topic is by what the ticket's topic is now, 0 for none, and only where there were answers. Shares are drawn towards
    the usual while there is little to go by: that of a topic towards the agent's in all, that towards 4 of 5, each as by five
    answers; earnings by one hour at the mean. A share of 1 is the mean of all online; `earned` and `hours` are kept for that of
    a pool (members.members). Earnings are counted in lines of the usual amount of their currency, so that those of two
    currencies can be added. Hours are those online: no pause, not finishing, not while the connection was lost; of a shift that
    was open when the window began no more than lies in it. Practice counts nowhere. Returns agents refreshed. One query.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH here AS (SELECT DISTINCT agent_id FROM agents_shift WHERE ended_at IS NULL AND NOT practice),
            by_topic AS (
                SELECT o.agent_id, coalesce(t.topic_id, 0) AS topic,
                       count(*) FILTER (WHERE o.state <> 'declined') AS yes, count(*) AS answered
                FROM dispatch_offer o JOIN here USING (agent_id) JOIN tickets_ticket t ON t.id = o.ticket_id
                WHERE o.made_at > statement_timestamp() - %(window)s::interval AND o.run_id IS NOT NULL
                      AND o.state IN ('accepted', 'completed', 'released', 'declined')
                GROUP BY o.agent_id, coalesce(t.topic_id, 0)),
            in_all AS (
                SELECT here.agent_id, coalesce(sum(answered), 0) AS answered,
                       (coalesce(sum(yes), 0) + %(drawn)s * %(usual)s) / (coalesce(sum(answered), 0) + %(drawn)s) AS rate
                FROM here LEFT JOIN by_topic USING (agent_id) GROUP BY here.agent_id),
            topics AS (
                SELECT agent_id, jsonb_object_agg(
                           topic, round(((yes + %(drawn)s * rate) / (by_topic.answered + %(drawn)s))::numeric, 4)) AS rates
                FROM by_topic JOIN in_all USING (agent_id) GROUP BY agent_id),
            hours AS (
                SELECT s.agent_id, sum(least(
                           s.online_seconds + coalesce(extract(epoch FROM statement_timestamp() - s.online_since), 0),
                           extract(epoch FROM coalesce(s.ended_at, statement_timestamp())
                                   - greatest(s.started_at, statement_timestamp() - %(window)s::interval)))) / 3600.0 AS online
                FROM agents_shift s JOIN here USING (agent_id)
                WHERE NOT s.practice
                      AND coalesce(s.ended_at, statement_timestamp()) > statement_timestamp() - %(window)s::interval
                GROUP BY s.agent_id),
            lines AS (
                SELECT l.agent_id, l.amount_cents / avg(abs(l.amount_cents)) OVER (PARTITION BY l.currency) AS worth
                FROM agents_ledgerentry l JOIN here USING (agent_id)
                WHERE l.created_at > statement_timestamp() - %(window)s::interval
                      AND l.kind NOT IN ('adjustment', 'payout', 'returned')),
            earned AS (SELECT agent_id, sum(worth)::float AS worth FROM lines GROUP BY agent_id),
            mean AS (
                SELECT coalesce(sum(worth), 0) / greatest(sum(online), 0.001) AS hourly
                FROM hours LEFT JOIN earned USING (agent_id)),
            figures AS (
                SELECT in_all.agent_id, answered, rate, coalesce(rates, '{}') AS rates,
                       coalesce(worth, 0) AS earned, coalesce(online, 0) AS hours,
                       CASE WHEN mean.hourly > 0
                            THEN (coalesce(worth, 0) + mean.hourly) / (coalesce(online, 0) + 1) / mean.hourly
                            ELSE 1 END AS share
                FROM in_all CROSS JOIN mean LEFT JOIN topics USING (agent_id) LEFT JOIN hours USING (agent_id)
                     LEFT JOIN earned USING (agent_id))
            INSERT INTO dispatch_standing (agent_id, accept_rate, accept_by_topic, answered, share, earned, hours, refreshed_at)
            SELECT agent_id, rate, rates, answered, share, earned, hours, statement_timestamp() FROM figures ORDER BY agent_id
            ON CONFLICT (agent_id) DO UPDATE SET accept_rate = excluded.accept_rate,
                accept_by_topic = excluded.accept_by_topic, answered = excluded.answered, share = excluded.share,
                earned = excluded.earned, hours = excluded.hours, refreshed_at = excluded.refreshed_at
            """,
            {"window": f"{WINDOW.total_seconds()} seconds", "usual": USUALLY_YES, "drawn": DRAWN_ANSWERS},
        )
        return int(cursor.rowcount)


def pool_standings_refresh() -> int:
    """Count how many offers of each pool ended of late, and how many of them in vain, and steer how many are asked at once;
    and what an hour of its people who are online brought on average, by their standings (so these are refreshed before).

    Returns pools refreshed. Two queries a pool, and one.
    """
    policies = Policy.objects.filter(current=True).order_by("pool_id")
    here = Standing.objects.filter(agent__shifts__ended_at__isnull=True, agent__shifts__practice=False)
    sums = here.values_list("agent__pools").annotate(Sum("earned"), Sum("hours"))
    hourly = {pool_id: earned / max(hours, LEAST_HOURS) for pool_id, earned, hours in sums}
    for policy in policies:
        of_late = Offer.objects.filter(run__pool_id=policy.pool_id, answered_at__gt=Now() - OF_LATE)
        counts = of_late.aggregate(
            ended=Count("pk"), rescinded=Count("pk", filter=Q(state=OfferState.RESCINDED))
        )
        standing = PoolStanding.objects.filter(pool_id=policy.pool_id).first()
        parallel = parallel_next(
            standing.parallel if standing else policy.max_parallel,
            policy.max_parallel,
            **counts,
            bound=policy.rescinded_percent / 100,
        )
        PoolStanding.objects.update_or_create(
            pool_id=policy.pool_id,
            defaults={
                **counts,
                "parallel": parallel,
                "hourly": hourly.get(policy.pool_id, 0.0),
                "refreshed_at": Now(),
            },
        )
    return len(policies)
