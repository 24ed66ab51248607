"""`admin_*`: milliseconds in which the admin answers with a list of 100,000 tickets, by Django's test client.

Floor: the same page of the same code while there are 1,200 tickets, so that the ratio is what their number costs. Of the
rows that a page shows there are as many in both.
"""

import time
from statistics import median
from typing import Any

from bench import ground
from bench.ground import Plan, Row, row
from config import embedded

PAGES: dict[str, dict[str, str]] = {
    "all": {},
    "last": {},  # one of the last
    "waiting": {"state__exact": "waiting"},
    "resolved": {"state__exact": "resolved"},
    "topic": {"topic__id__exact": "1"},
    "number": {"q": "S-77"},
    "mail": {"q": "customer-77@customers.example"},
    "words": {"q": "refund seven"},
}
NOTES = "a page of the list in the admin; floor is the same page while there are 1,200 tickets"


def measure(plan: Plan, servers: embedded.Servers) -> list[Row]:  # noqa: ARG001  every row has this signature
    from tests.stack import drop_database, fresh_database

    name = "standby_bench_admin"
    fresh = fresh_database(name)
    try:
        wish = {"tickets": plan.size(100_000, 2_400), "asked": plan.size(15, 2), "rounds": plan.rounds}
        found = ground.child("backoffice", wish, {"DATABASE_URL": fresh}, seconds=1800.0)
    finally:
        drop_database(name)
    return [
        row(f"admin_{page}", "ms", each["ours"], each["floor"], notes=NOTES) for page, each in found.items()
    ]


def main(tickets: int, asked: int, rounds: int) -> dict[str, dict[str, list[float]]]:
    """In the child: page → side → a median a round."""
    from django.conf import settings
    from django.test import Client

    from agents.models import User

    settings.ALLOWED_HOSTS = ["testserver"]
    client = Client()
    client.force_login(User.objects.create_superuser("boss@standby.example", "secret"))
    sides = {"floor": 1_200, "ours": tickets}
    found: dict[str, dict[str, list[float]]] = {page: {side: [] for side in sides} for page in PAGES}
    for side, count in sides.items():  # not in turns: they are rows of one table
        _fill(count)
        for _ in range(rounds):
            for page, query in PAGES.items():
                last = {"p": str(count // 50 - 3)} if page == "last" else {}
                found[page][side].append(_median(client, query | last, asked))
    return found


def _median(client: Any, query: dict[str, str], asked: int) -> float:
    took = []
    for number in range(asked + 1):
        begun = time.perf_counter()
        answer = client.get("/admin/tickets/ticket/", query)
        took.append(time.perf_counter() - begun)
        assert answer.status_code == 200, answer.status_code
        if number == 0:
            took.clear()  # the first one reads what the process then keeps
    return median(took) * 1000


def _fill(count: int) -> None:
    """Up to so many tickets: of the first 1,200 one in twelve waits, the others are resolved; a customer has five."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO tickets_topic (key, name_en, name_de, position, active, priority)
            SELECT 'topic-' || n, 'Topic ' || n, 'Thema ' || n, n, true, 0 FROM generate_series(1, 12) AS n
            ON CONFLICT DO NOTHING
            """
        )
        cursor.execute("SELECT count(*) FROM tickets_ticket")
        (there,) = cursor.fetchone()
        cursor.execute(
            """
            INSERT INTO tickets_customer (id, name, email, language)
            SELECT n, 'Customer ' || n, 'customer-' || n || '@customers.example', 'en'
            FROM generate_series(%s / 5 + 1, %s / 5) AS n ON CONFLICT DO NOTHING
            """,
            [there, count],
        )
        cursor.execute(
            """
            INSERT INTO tickets_ticket (public_id, customer_id, topic_id, summary, language, channel, state, priority,
                served_by, access_version, access_expires_at, intake_digest, last_seq, handover)
            SELECT 'x' || lpad(n::text, 11, '0'), (n - 1) / 5 + 1,
                (SELECT min(id) FROM tickets_topic) + n %% 12, 'Where is my refund, number ' || n || '?', 'en', 'form',
                CASE WHEN n <= 1200 AND n %% 12 = 0 THEN 'waiting' ELSE 'resolved' END, 0, '', 1, now() + '30 days', '', 0, ''
            FROM generate_series(%s + 1, %s) AS n
            """,
            [there, count],
        )
        cursor.execute("ANALYZE")
