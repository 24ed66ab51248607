"""What a help desk has behind it that has been open for some days, as rows: made inside Django (bench/world.py).

Without it the tables that grow while it is measured are empty when PostgreSQL looks at them last: it plans to read all of them,
of what are hundreds of rows by then. No desk that is in use has such plans, since autovacuum looks each minute.
"""

from django.db import connection

from dispatch import routes

DAYS = 3.0

# Each ticket had a customer of its own, two people were asked, one of them answered, it was closed and paid. Its number counts
# from the first ticket's, and so do its customer's and its run's.
_FIRST = "(SELECT min(id) FROM {}) + n - 1"
_TICKET, _CUSTOMER, _RUN = (
    _FIRST.format(one) for one in ("tickets_ticket", "tickets_customer", "dispatch_run")
)
_ANY_AGENT = "(SELECT min(id) FROM agents_agent) + (n * 7919 + {}) %% (SELECT count(*) FROM agents_agent)"
_ROWS = (
    f"""
    CREATE TEMPORARY TABLE past AS
    SELECT n, {_ANY_AGENT.format(0)} AS agent_id, {_ANY_AGENT.format(1)} AS other_id,
           now() - make_interval(secs => 3600 + (%(count)s - n) * 86400.0 * %(days)s / %(count)s) AS at
    FROM generate_series(1, %(count)s) AS n
    """,
    """
    INSERT INTO tickets_customer (name, email, language, created_at)
    SELECT 'Customer ' || n, 'customer-' || n || '@customers.example', 'en', at FROM past ORDER BY n
    """,
    f"""
    INSERT INTO tickets_ticket (
        public_id, summary, language, channel, state, priority, created_at, waiting_since, first_held_at, resolved_at,
        closed_at, served_by, last_seq, access_version, access_expires_at, link_mailed_at, intake_key, intake_digest,
        customer_id, topic_id)
    SELECT substr(md5('ticket ' || n), 1, 12), 'I have not received my refund for parcel ' || n, 'en', 'form', 'closed', 0,
        at, at, at + interval '9 s', at + interval '5 min', at + interval '5 min', 'Agent ' || agent_id, 6, 1,
        now() + interval '90 days', at, md5('key ' || n), md5('digest ' || n),
        {_CUSTOMER}, (SELECT min(id) FROM tickets_topic) + n %% (SELECT count(*) FROM tickets_topic)
    FROM past ORDER BY n
    """,
    f"""
    INSERT INTO tickets_ticketevent (ticket_id, seq, type, data, public, digest, created_at)
    SELECT {_TICKET}, seq, type, '{{}}', type <> 'ticket.offered', '', at + make_interval(secs => seq)
    FROM past, (VALUES (1, 'ticket.opened'), (2, 'message.posted'), (3, 'ticket.offered'), (4, 'ticket.held'),
                       (5, 'message.posted'), (6, 'ticket.closed')) AS happened (seq, type)
    ORDER BY n, seq
    """,
    f"""
    INSERT INTO tickets_message (ticket_id, seq, author, author_name, body, internal, created_at)
    SELECT {_TICKET}, seq, author, '', repeat('I sent the parcel back two weeks ago. ', 3), false, at
    FROM past, (VALUES (2, 'customer'), (5, 'agent')) AS said (seq, author) ORDER BY n, seq
    """,
    """
    INSERT INTO dispatch_run (started_at, tickets, agents, offers, solve_micros, snapshot, policy_id, pool_id)
    SELECT at, 1, 400, 2, 900, decode(repeat(md5(n::text), 60), 'hex'), %(policy)s, %(pool)s FROM past ORDER BY n
    """,
    f"""
    INSERT INTO dispatch_offer (
        state, reason, units, pay_cents, currency, why, made_at, expires_at, answered_at, ended_at,
        agent_id, shift_id, ticket_id, run_id)
    SELECT asked.state, '', 25, 250, 'EUR', '{{}}', at, at + interval '20 s', at + interval '9 s', at + interval '5 min',
        asked.agent_id, shift.id, {_TICKET}, {_RUN}
    FROM past, LATERAL (VALUES ('completed', agent_id), ('rescinded', other_id)) AS asked (state, agent_id)
        JOIN agents_shift shift ON shift.agent_id = asked.agent_id
    ORDER BY n
    """,
    """
    INSERT INTO dispatch_feedevent (agent_id, seq, type, data, digest, created_at)
    SELECT agent_id, row_number() OVER (PARTITION BY agent_id ORDER BY id, nth), told[nth], jsonb_build_object('offer', id),
        '', made_at
    FROM (SELECT *, ARRAY['offer.made', 'offer.' || state] AS told FROM dispatch_offer) AS offer, generate_series(1, 2) AS nth
    """,
    """
    UPDATE dispatch_feed feed SET last_seq = last.seq
    FROM (SELECT agent_id, max(seq) AS seq FROM dispatch_feedevent GROUP BY agent_id) AS last
    WHERE last.agent_id = feed.agent_id
    """,
    """
    INSERT INTO agents_ledgerentry (kind, amount_cents, currency, reference, memo, created_at, agent_id)
    SELECT 'ticket', 250, 'EUR', 'offer:' || id, '', ended_at, agent_id
    FROM dispatch_offer WHERE state = 'completed' ORDER BY id
    """,
    "DROP TABLE past",
)


def make(pool_id: int, tickets: int) -> None:
    """That many tickets of the last days, all closed, of one pool, shared between all agents there are."""
    given = {"count": tickets, "days": DAYS, "pool": pool_id, "policy": routes.policy(pool_id).id}
    with connection.cursor() as cursor:
        for sql in _ROWS:
            cursor.execute(sql, given)
        cursor.execute("VACUUM (ANALYZE)")  # as autovacuum has done long since where people work
