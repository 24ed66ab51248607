"""`wall`, `wall_counting`: a look at the wallboard, and counting a half hour, after a day of 100,000 tickets.

Each ticket was opened, placed, offered to two people, held and resolved, spread over 24 hours; 500 wait; 500 people are
online. Ours: board(), as a process does it once a second for all who look; and halves_write(), as a task does it every five
seconds. Floor: figures of the day grouped from its events and offers at each look, as is done where nothing is counted before.
"""

import time
from collections.abc import Callable
from typing import Any

from bench import ground
from bench.ground import Plan, Row, middle, row
from config import embedded
from tests.stack import run_manage


def measure(plan: Plan, servers: embedded.Servers) -> list[Row]:  # noqa: ARG001  every row has this signature
    with ground.empty_database("standby_bench_wall") as url:
        environment = {"DATABASE_URL": url}
        run_manage(environment, "migrate", "--verbosity", "0")
        ground.say("  a day is written")
        wish = {"tickets": plan.size(100_000, 2_000), "rounds": plan.rounds}
        found = ground.child("wallboard", wish, environment, seconds=1800.0)
    return [
        row("wall", "ms", found["look"], found["floor"], notes="a look; floor groups the day's events"),
        row(
            "wall_counting",
            "ms",
            found["counting"],
            found["floor"],
            notes="the half hours of which something lasts",
            first=round(found["first"]),
        ),
    ]


def main(tickets: int, rounds: int) -> dict[str, Any]:
    """In the child. Milliseconds, each round the median of several."""
    from dispatch.wall import figures, halves

    _write(tickets)
    first = _timed(halves.halves_write)
    found: dict[str, Any] = {"look": [], "floor": [], "counting": [], "first": first}
    for _round in range(rounds):
        found["floor"].append(middle([_timed(_grouped) for _ in range(3)]))
        found["look"].append(middle([_timed(figures.board) for _ in range(15)]))
        found["counting"].append(middle([_timed(halves.halves_write) for _ in range(5)]))
    return found


def _timed(act: Callable[[], object]) -> float:
    begun = time.perf_counter()
    act()
    return 1000 * (time.perf_counter() - begun)


def _write(tickets: int) -> None:
    from django.db import connection
    from django.test.utils import override_settings

    from dispatch import presence
    from dispatch.models import Policy, Run
    from tests.cast import make_world
    from tickets.models import Customer

    world = make_world()
    policy = Policy.objects.create(pool=world.pool, version=2)
    with override_settings(
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]
    ):  # nobody logs in
        agents = [world.agent(f"Agent{number}").pk for number in range(min(500, tickets // 20))]
    for agent_id in agents:
        presence.go_online(agent_id=agent_id)
    run = Run.objects.create(
        pool=world.pool, policy=policy, tickets=0, agents=0, offers=0, solve_micros=0, snapshot=b""
    )
    customer = Customer.objects.create()
    values = {
        "n": tickets,
        "waiting": tickets // 200,
        "customer": customer.pk,
        "topic": world.refund.pk,
        "run": run.pk,
    }
    with connection.cursor() as cursor:
        for statement in _DAY.split(";"):
            if statement.strip():
                cursor.execute(statement, values)


# A ticket's number is in its public id, so that events and offers find it.
_DAY = """
CREATE TEMP TABLE day AS SELECT n, n > %(n)s - %(waiting)s AS waits,
    CASE WHEN n > %(n)s - %(waiting)s THEN now() - (%(n)s - n) * interval '0.1 s'
         ELSE now() - interval '24 h' + n * (interval '23.9 h' / %(n)s) END AS at
FROM generate_series(1, %(n)s) AS n;
INSERT INTO tickets_ticket (public_id, customer_id, topic_id, summary, language, channel, state, priority, created_at,
    waiting_since, resolved_at, first_held_at, last_seq, served_by, access_version, access_expires_at, intake_digest)
SELECT lpad(n::text, 12, '0'), %(customer)s, %(topic)s, 'A day', 'en', 'form',
    CASE WHEN waits THEN 'waiting' ELSE 'resolved' END,
    0, at, at, CASE WHEN NOT waits THEN at + interval '300 s' END, CASE WHEN NOT waits THEN at + interval '20 s' END,
    6, '', 1, now(), ''
FROM day ORDER BY n;
INSERT INTO tickets_ticketevent (ticket_id, seq, type, data, public, digest, created_at, actor_id)
SELECT t.id, e.seq, e.type, e.data::jsonb, true, '', at + e.after * interval '1 s', NULL
FROM day JOIN tickets_ticket t ON t.public_id = lpad(n::text, 12, '0'),
    (VALUES (1, 'ticket.opened', '{"assisted": false}', 0), (2, 'message.posted', '{}', 0),
            (3, 'ticket.placed', '{"place": 1, "expected_seconds": 30}', 2), (4, 'ticket.offered', '{"agents": [1, 2]}', 3),
            (5, 'ticket.held', '{}', 20), (6, 'ticket.resolved', '{}', 300)) AS e (seq, type, data, after)
WHERE NOT day.waits OR e.seq <= 3 ORDER BY at;
INSERT INTO dispatch_offer (ticket_id, agent_id, shift_id, run_id, state, reason, units, pay_cents, currency, why, made_at,
    expires_at, answered_at, ended_at)
SELECT t.id, s.agent_id, s.id, %(run)s, o.state, '', 30, 400, 'EUR', '{}', at, at + interval '20 s',
    at + interval '10 s', at + interval '300 s'
FROM day JOIN tickets_ticket t ON t.public_id = lpad(n::text, 12, '0'),
    (VALUES ('completed', 0), ('rescinded', 1)) AS o (state, shift)
JOIN agents_shift s ON true
WHERE NOT day.waits AND s.id = (SELECT min(id) FROM agents_shift) + o.shift ORDER BY at;
ANALYZE
"""


def _grouped() -> None:
    """What a look costs that counts the day itself: waits, offers and resolutions by half hour."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT date_bin('30 min', o.at, 'epoch'), count(*), count(h.at),
                   count(*) FILTER (WHERE h.at - o.at < interval '60 s')
            FROM (SELECT ticket_id, min(created_at) AS at FROM tickets_ticketevent
                  WHERE created_at > now() - interval '24 h' AND type = 'ticket.opened' GROUP BY 1) o
            LEFT JOIN (SELECT ticket_id, min(created_at) AS at FROM tickets_ticketevent
                       WHERE created_at > now() - interval '24 h' AND type = 'ticket.held' GROUP BY 1) h USING (ticket_id)
            GROUP BY 1
            """
        )
        cursor.fetchall()
        cursor.execute(
            "SELECT date_bin('30 min', made_at, 'epoch'), state, count(*) FROM dispatch_offer"
            " WHERE made_at > now() - interval '24 h' GROUP BY 1, 2"
        )
        cursor.fetchall()
