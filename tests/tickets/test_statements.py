"""Rows of several models in one statement: keys between them, database defaults, all or none."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import IntegrityError, connection, transaction
from django.db.models import Model
from django.db.models.expressions import DatabaseDefault
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext

from tests.untouched import nothing_changed
from tickets.models import Author, Customer, Message, Ticket, TicketEvent, Topic
from tickets.statements import blank, insert, insert_linked

pytestmark = pytest.mark.django_db


def ticket_of(customer: Customer, **more: Any) -> Ticket:
    values = {"summary": "Hello", "language": "en", "access_expires_at": Now() + timedelta(days=1)}
    return Ticket(customer=customer, **values | more)


def family(**more: Any) -> tuple[Customer, Ticket, TicketEvent, TicketEvent, Message]:
    customer = Customer(name="Carla", email="carla@customers.example", language="de")
    ticket = ticket_of(customer, **more)
    return (
        customer,
        ticket,
        TicketEvent(ticket=ticket, seq=1, type="ticket.opened", data={"topic": "100 %s"}, public=True),
        TicketEvent(ticket=ticket, seq=2, type="message.posted", public=False),
        Message(ticket=ticket, seq=2, author=Author.CUSTOMER, body="Grüße, 100 %s"),
    )


def test_keys_between_the_rows_are_set_in_the_database_and_on_the_objects() -> None:
    customer, ticket, first, second, message = family()
    with CaptureQueriesContext(connection) as queries:
        insert_linked([customer, ticket, first, second, message])
        assert (message.ticket, ticket.customer) == (ticket, customer)
    assert len(queries) == 1
    assert None not in {row.pk for row in (customer, ticket, first, second, message)}
    assert ticket.customer_id == customer.pk
    assert {row.ticket_id for row in (first, second, message)} == {ticket.pk}
    assert Ticket.objects.get().customer == Customer.objects.get() == customer
    assert list(TicketEvent.objects.order_by("seq").values_list("pk", "ticket", "seq", "data", "public")) == [
        (first.pk, ticket.pk, 1, {"topic": "100 %s"}, True),
        (second.pk, ticket.pk, 2, {}, False),
    ]
    assert Message.objects.get().body == "Grüße, 100 %s"


def test_values_are_the_same_without_plans_that_are_kept(settings: Any) -> None:
    settings.DATABASE_PREPARE = False
    customer, ticket, *rest = family()
    insert_linked([customer, ticket, *rest])
    assert TicketEvent.objects.get(seq=1).data == {"topic": "100 %s"}
    assert Message.objects.get().body == "Grüße, 100 %s"
    assert Ticket.objects.get().access_expires_at == ticket.created_at + timedelta(days=1)


def test_database_defaults_come_back_and_expressions_are_the_databases() -> None:
    customer, ticket, *rest = family()
    insert_linked([customer, ticket, *rest])
    stored = Ticket.objects.get()
    assert (ticket.created_at, ticket.waiting_since) == (stored.created_at, stored.waiting_since)
    assert abs(datetime.now(UTC) - ticket.created_at) < timedelta(minutes=1)
    assert stored.access_expires_at == stored.created_at + timedelta(days=1)
    assert [row.created_at for row in (customer, *rest)] == [stored.created_at] * 4
    assert not any(row._state.adding for row in (customer, ticket, *rest))


def test_what_is_empty_is_not_sent_and_what_is_not_is() -> None:
    customer, ticket, first, _second, message = family(unread_since=datetime(2026, 1, 2, tzinfo=UTC))
    assert first.actor_id is None
    with CaptureQueriesContext(connection) as queries:
        insert_linked([customer, ticket, first, message])
    (sql,) = [query["sql"] for query in queries]
    sent = sql if "INSERT" in sql else _prepared(sql)
    assert '"unread_since"' in sent
    for column in ("resolved_at", "merged_into_id", "actor_id", "author_user_id", "confirmed_at"):
        assert f'"{column}"' not in sent
    stored = Ticket.objects.get()
    assert (stored.unread_since, stored.resolved_at) == (datetime(2026, 1, 2, tzinfo=UTC), None)
    assert (ticket.resolved_at, ticket.merged_into, first.actor) == (None, None, None)


def test_an_empty_key_that_refers_to_a_row_before_it_is_set() -> None:
    """A nullable foreign key has no number yet either, when its row is as new."""
    customer, ticket, first, *_ = family()
    actor = get_user_model()(email="lea@agents.example", password="!")
    first.actor = actor
    insert_linked([customer, ticket, actor, first])
    assert TicketEvent.objects.get().actor_id == first.actor_id == actor.pk


def _prepared(sql: str) -> str:
    """What the statement stands for that is executed by its name."""
    name = sql.removeprefix("EXECUTE ").split()[0]
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement FROM pg_prepared_statements WHERE name = %s", [name])
        return str(cursor.fetchone()[0])


def test_the_objects_can_be_saved_and_read_on() -> None:
    customer, ticket, *_ = rows = family()
    insert_linked(rows)
    customer.name = "Carla Nova"
    customer.save()
    assert Customer.objects.get().name == "Carla Nova"
    assert ticket.events.count() == 2
    ticket.refresh_from_db()
    assert ticket.last_seq == 0


def test_a_row_may_refer_to_saved_ones_and_to_none() -> None:
    customer = Customer.objects.create(name="Carla")
    early = Customer(name="Dora")
    later = ticket_of(early)  # refers to an object that has no key yet
    early.save()
    mine = ticket_of(customer)
    insert_linked([mine, later])
    assert list(Ticket.objects.order_by("pk").values_list("customer__name", "topic")) == [
        ("Carla", None),
        ("Dora", None),
    ]
    assert later.customer_id == early.pk


def test_a_failure_inserts_nothing() -> None:
    insert_linked(family(intake_key="k"))
    with nothing_changed():
        customer, *rest = family(intake_key="k")
        with pytest.raises(IntegrityError, match="intake_key"), transaction.atomic():
            insert_linked([customer, *rest])
    assert (customer.pk, customer._state.adding) == (None, True)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("broken", [2, 4])
def test_a_failure_inserts_nothing_without_a_transaction(broken: int) -> None:
    """A row in the middle, and the last one: that there is no transaction around makes no half."""
    rows = list(family())
    row = rows[broken]
    assert isinstance(row, TicketEvent | Message)
    row.seq = -1
    with pytest.raises(IntegrityError):
        insert_linked(rows)
    assert not any(model.objects.exists() for model in (Customer, Ticket, TicketEvent, Message))


@pytest.mark.parametrize("order", [(1, 0), (1,)])
def test_who_is_referred_to_must_stand_before(order: tuple[int, ...]) -> None:
    rows = family()
    with nothing_changed(), pytest.raises(ValueError, match="does not stand before it"):
        insert_linked([rows[place] for place in order])


def test_insert_takes_rows_whose_key_is_given() -> None:
    insert([Customer(pk=7_000_001, name="Carla", created_at=datetime(2026, 1, 1, tzinfo=UTC))])
    assert Customer.objects.get().pk == 7_000_001


@pytest.mark.parametrize("model", [Customer, Ticket, TicketEvent, Message, Topic])
def test_a_blank_row_is_as_django_makes_it(model: type[Model]) -> None:
    ours, theirs = blank(model), model()
    made = {"public_id"} & ours.__dict__.keys()
    for name in made:
        assert ours.__dict__[name] != blank(model).__dict__[name]
    for row in (ours, theirs):
        assert row._state.adding
        assert row._state.db is None
        assert row._state.fields_cache == {}
    assert _plain(ours, made) == _plain(theirs, made)


def _plain(row: Model, but: set[str]) -> dict[str, Any]:
    return {
        name: type(value) if isinstance(value, DatabaseDefault) else value
        for name, value in row.__dict__.items()
        if name not in {"_state", *but}
    }


def test_a_blank_row_takes_values_by_fields_and_columns() -> None:
    saved = Customer.objects.create(name="Carla", language="de")
    ours = blank(Ticket, customer=saved, topic_id=7, public_id="abc", summary="Hello")
    theirs = Ticket(customer=saved, topic_id=7, public_id="abc", summary="Hello")
    assert _plain(ours, set()) == _plain(theirs, set())
    assert ours.customer is saved
    assert blank(TicketEvent).data is not blank(TicketEvent).data
    with pytest.raises(TypeError, match="has no field topics"):
        blank(Ticket, topics=1)


def test_blank_rows_are_written_as_others() -> None:
    customer = blank(Customer, name="Carla", email="carla@customers.example", language="de")
    ticket = blank(
        Ticket, customer=customer, summary="Hello", language="en", access_expires_at=Now() + timedelta(days=1)
    )
    event = blank(TicketEvent, ticket=ticket, seq=1, type="ticket.opened", data={"topic": None}, public=True)
    insert_linked([customer, ticket, event])
    other = family()
    insert_linked(other)
    ours, theirs = Ticket.objects.filter(pk__in=[ticket.pk, other[1].pk]).order_by("pk").values()
    own = {"id", "public_id", "customer_id", "created_at", "waiting_since", "access_expires_at"}
    assert {name: value for name, value in ours.items() if name not in own} == {
        name: value for name, value in theirs.items() if name not in own
    }
    assert TicketEvent.objects.get(ticket=ticket).data == {"topic": None}
