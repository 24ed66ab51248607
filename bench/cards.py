"""Open offers in great number for the accept row, made inside Django (bench/inside.py), and the SQL of one accept.

Offer, ticket, shift, agent and account of one card all have the same id, so that a script can reckon them from one number.
One card is made by the ORM; the others are copies of its rows made by PostgreSQL, whatever columns the tables have.
"""

import re
from datetime import date, timedelta
from typing import Any

from django.db import connection
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext

from agents.models import AccountToken, Agent, AgentStatus, Lease, Pool, Shift, User
from agents.tokens import digest_of
from dispatch import routes
from dispatch.models import Feed, Offer, Rate, Route, Run
from dispatch.offers import offer_accept
from tickets.models import Channel, Customer, Ticket, Topic

PATTERN = 7_777_777  # id of the card whose accept is captured; its digits occur nowhere else
FAR = timedelta(hours=2)

# Table → what differs from card to card, as SQL over n.
COPIES = {
    "agents_user": {"id": "n", "email": "'agent-' || n || '@agents.example'"},
    "agents_accounttoken": {
        "id": "n",
        "user_id": "n",
        "digest": "encode(sha256(convert_to(lpad(n::text, 40, '0'), 'UTF8')), 'hex')",
    },
    "agents_agent": {"id": "n", "user_id": "n"},
    "agents_shift": {"id": "n", "agent_id": "n"},
    "agents_lease": {"shift_id": "n"},
    "dispatch_feed": {"agent_id": "n"},
    "tickets_ticket": {"id": "n", "public_id": "'p' || n"},
    "dispatch_offer": {"id": "n", "ticket_id": "n", "shift_id": "n", "agent_id": "n"},
}


def main(count: int) -> dict[str, Any]:
    """Cards 1 … count, and one more whose accept is captured. Returns {"script": statements of one accept, `:n` for the id}."""
    _first()
    numbers = f"(SELECT generate_series(2, {int(count)}) AS n UNION ALL SELECT {PATTERN}) AS numbers"
    with connection.cursor() as cursor:
        for table, differs in COPIES.items():
            changes = ", ".join(f"'{column}', {value}" for column, value in differs.items())
            key = next(iter(differs))
            cursor.execute(
                f"INSERT INTO {table} SELECT (jsonb_populate_record(one, jsonb_build_object({changes}))).*"
                f" FROM {table} AS one CROSS JOIN {numbers} WHERE one.{key} = 1"
            )
        cursor.execute("ANALYZE")
    with CaptureQueriesContext(connection) as captured:
        offer_accept(offer_id=PATTERN, agent_id=PATTERN, epoch=1)
    return {"script": [re.sub(rf"\b(p?){PATTERN}\b", r"\1:n", query["sql"]) for query in captured]}


def _first() -> None:
    topic = Topic.objects.create(key="refund", name_en="Refund", name_de="Erstattung")
    pool = Pool.objects.create(key="first", name_en="First line", name_de="Erste Reihe")
    Route.objects.create(topic=topic, pool=pool)
    Rate.objects.create(topic=None, amount_cents=250, valid_from=date(2026, 1, 1))
    user = User.objects.create(pk=1, email="agent-1@agents.example", name="Anna", password="!")
    AccountToken.objects.create(pk=1, user=user, digest=digest_of("1".rjust(40, "0")))
    agent = Agent.objects.create(
        pk=1, user=user, name="Anna", status=AgentStatus.ADMITTED, languages=["en"], last_epoch=1
    )
    agent.pools.add(pool)
    shift = Shift.objects.create(pk=1, agent=agent, epoch=1, units=100, units_taken=30, online_since=Now())
    Lease.objects.create(shift=shift, expires_at=Now() + FAR)
    Feed.objects.create(agent=agent, last_seq=1)
    ticket = Ticket.objects.create(
        pk=1,
        public_id="p1",
        customer=Customer.objects.create(name="Carla"),
        topic=topic,
        summary="Where is my refund?",
        language="en",
        channel=Channel.FORM,
        access_expires_at=Now() + FAR,
        link_mailed_at=Now(),
        last_seq=3,
    )
    policy = routes.policy(pool.pk)
    run = Run.objects.create(
        pool=pool, policy_id=policy.id, tickets=1, agents=1, offers=1, solve_micros=0, snapshot=b""
    )
    Offer.objects.create(
        pk=1, ticket=ticket, agent=agent, shift=shift, run=run, units=30, pay_cents=250, currency="EUR",
        expires_at=Now() + FAR,
    )  # fmt: skip
