"""Lists stay quick: no query a row, no count to the end, no walk through all tickets."""

import re
from datetime import date

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from agents.models import Pool, Skill, User
from dispatch.backoffice import counting
from dispatch.models import Rate
from tests.cast import World
from tests.dispatch.backoffice.scene import live_through
from tests.dispatch.backoffice.test_roles import address
from tickets import admin_finding, kept
from tickets.models import Block, Calendar, CannedReply, Ticket, Topic

pytestmark = pytest.mark.django_db


@pytest.fixture
def boss(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("boss@standby.example", "secret"))
    return client


def grow(world: World, boss: User, names: list[str]) -> None:
    """One more of nearly everything for each name."""
    for number, name in enumerate(names):
        live_through(world, world.agent(name), world.pool, world.refund)
        key = name.lower()
        Pool.objects.create(key=key, name_en=name, name_de=name)
        Skill.objects.create(key=key, name_en=name, name_de=name)
        topic = Topic.objects.create(key=key, name_en=name, name_de=name)
        CannedReply.objects.create(title=name, body=name, language="en", topic=topic)
        Calendar.objects.create(name=name)
        Rate.objects.create(topic=topic, amount_cents=100, valid_from=date(2026, 2, 1 + number))
        Block.objects.create(kind="email", value=f"{key}@spam.example", digest=key, made_by=boss)


def test_no_list_asks_a_query_a_row(world: World, boss: Client) -> None:
    user = User.objects.get(email="boss@standby.example")
    grow(world, user, ["Anna"])

    def asked() -> dict[str, int]:
        found = {}
        for model in admin.site._registry:
            kept.forget()  # after two seconds it is: whoever is slow would be asked more
            with CaptureQueriesContext(connection) as queries:
                assert boss.get(address(model, "changelist")).status_code == 200
            found[model._meta.label_lower] = len(queries)
        return found

    asked()  # content types are read once
    few = asked()
    grow(world, user, ["Bernd", "Cem", "Dana", "Emil"])
    assert asked() == few


# Of most tickets there are: a walk by number finds a page of them, and one from anywhere the bound of the count.
MANY: list[dict[str, str]] = [{}, {"p": "2"}, {"language": "en"}, {"channel__exact": "form"}]
TICKETS: list[dict[str, str]] = [
    *MANY,
    {"state__exact": "waiting"},
    {"state__exact": "held"},
    {"topic__id__exact": "1"},
    {"flagged_at__isempty": "0"},
    {"created_at__gte": "2026-01-01 00:00:00+00:00", "created_at__lt": "2036-01-02 00:00:00+00:00"},
    {"q": "S-1"},
    {"q": "abcdefghjkmn"},
    {"q": "carla@customers.example"},
    {"q": "my refund"},
]


@pytest.mark.parametrize("asked", TICKETS, ids=lambda asked: " ".join(asked.values()) or "all")
def test_tickets_are_found_by_indexes(world: World, boss: Client, asked: dict[str, str]) -> None:
    """Each statement over tickets is bounded, and has a plan without a walk through the whole table."""
    world.ticket()
    with CaptureQueriesContext(connection) as queries:
        assert boss.get(address(Ticket, "changelist"), asked).status_code in (200, 302)
    over = [one["sql"] for one in queries if 'FROM "tickets_ticket"' in one["sql"]]
    assert over
    for sql in over:
        assert re.search(r"LIMIT \d+", sql) or '"tickets_ticket"."id" =' in sql or "public_id" in sql, sql
        assert not re.search(r"\b(MIN|MAX|DISTINCT|DATE_TRUNC)\b", sql), sql
        if asked in MANY and f"LIMIT {counting.COUNTED + 1}" in sql:
            continue
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute(f"EXPLAIN {sql}")
            plan = "\n".join(line for (line,) in cursor.fetchall())
            cursor.execute("SET LOCAL enable_seqscan = on")
        assert "Seq Scan on tickets_ticket" not in plan, plan
        assert "Seq Scan on tickets_customer" not in plan, plan


def test_what_a_search_finds(world: World, boss: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = world.ticket("Where is my refund?"), world.ticket("The card was declined")

    def found(term: str) -> list[Ticket]:
        return list(boss.get(address(Ticket, "changelist"), {"q": term}).context["cl"].result_list)

    assert found(one.number) == found(f" s-{one.pk} ") == found(str(one.pk)) == [one]
    assert found(two.public_id) == found(two.public_id.upper()) == [two]
    assert found("CARLA@customers.example") == [two, one]
    assert found("carla@") == found("customers.example") == []
    assert found("refund WHERE") == [one]
    assert found("my REFUND?") == [one]
    for part in (
        "refun",
        "efund",
        "refund?x",
    ):  # with parts, what is masked could be guessed letter by letter
        assert found(part) == [], part
    assert found("S-999999999999") == []
    monkeypatch.setattr(admin_finding, "NEWEST", 1)
    assert (found("refund"), found("declined")) == ([], [two])


def test_long_lists_are_counted_to_a_bound(
    world: World, boss: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(4):
        world.ticket()
    page = boss.get(address(Ticket, "changelist")).content.decode()
    assert re.search(r'<p class="paginator">\s*4 tickets', page)
    monkeypatch.setattr(counting, "COUNTED", 2)
    monkeypatch.setattr(counting.BoundedPaginator, "_estimate", lambda paginator: 9_000)
    assert "about 9000 tickets" in boss.get(address(Ticket, "changelist")).content.decode()
    page = boss.get(address(Ticket, "changelist"), {"state__exact": "waiting"})
    assert "more than 2 tickets" in page.content.decode()
    assert page.context["cl"].result_count == 3
    # A deep page is the same as one that is not.
    last = boss.get(address(Ticket, "changelist")).context["cl"].result_list[3]
    monkeypatch.setattr(counting, "DEEP", 1)
    rows = counting.BoundedPaginator(Ticket.objects.select_related("topic").order_by("-id"), 1)
    monkeypatch.setattr(counting, "COUNTED", 10)
    assert (list(rows.page(4)), list(rows.page(1))) == ([last], [Ticket.objects.latest("pk")])


def test_the_estimate_is_the_tables(world: World, boss: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    world.ticket()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE pg_class SET reltuples = 123 WHERE oid = 'tickets_ticket'::regclass")
    monkeypatch.setattr(counting, "COUNTED", 0)
    assert boss.get(address(Ticket, "changelist")).context["cl"].result_count == 123
