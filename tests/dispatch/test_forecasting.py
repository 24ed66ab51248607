"""The forecast in the product: what is counted, made once a morning, held to account, and staffed."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone

from agents.models import Shift, ShiftState, Skill
from dispatch import forecasting, routes, staffing, tasks
from dispatch.forecasting import Key
from dispatch.models import Booking, Forecast, NeededHour, Requirement, Route
from dispatch.staffing import Case
from tests.cast import World
from tests.untouched import nothing_changed
from tickets import kept
from tickets.models import Calendar, Channel, ClosedDay, Customer, OpeningHours, Ticket, TicketEvent, Topic

pytestmark = pytest.mark.django_db
BERLIN = ZoneInfo("Europe/Berlin")
Came = Callable[..., None]


@pytest.fixture(autouse=True)
def fresh() -> None:
    kept.forget()


@pytest.fixture
def came(world: World) -> Came:
    """Tickets that were opened at these moments, with further steps of their timelines: (type, minutes later)."""
    customer = Customer.objects.create()

    def make(
        *moments: datetime,
        topic: Topic | None = world.refund,
        channel: str = Channel.FORM,
        assisted: bool = False,
        ended_as: str = "",
        steps: tuple[tuple[str, float], ...] = (),
        **more: Any,
    ) -> None:
        rows = Ticket.objects.bulk_create(
            Ticket(
                customer=customer,
                topic=topic,
                language="en",
                channel=channel,
                state="closed",
                ended_as=ended_as,
                access_expires_at=timezone.now(),
                created_at=at,
                **more,
            )
            for at in moments
        )
        told = [("opened", 0.0, {"assisted": True} if assisted else {}), *((*step, {}) for step in steps)]
        TicketEvent.objects.bulk_create(
            TicketEvent(
                ticket=row, seq=seq, type=f"ticket.{kind}", public=True, data=data,
                created_at=at + timedelta(minutes=after),
            )
            for row, at in zip(rows, moments, strict=True)
            for seq, (kind, after, data) in enumerate(told, start=1)
        )  # fmt: skip

    return make


def at(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime.combine(day, time(hour, minute), BERLIN)


def today() -> date:
    return timezone.localdate()


def weeks(came: Came, many: int, days: int = 22) -> None:
    """So many refunds at 10:15 of each day until yesterday, and two at 14:40."""
    for back in range(1, days + 1):
        day = today() - timedelta(days=back)
        came(*[at(day, 10, 15)] * many, *[at(day, 14, 40)] * 2)


# --- What came --------------------------------------------------------------------------------------------------------


def test_what_is_counted(world: World, came: Came) -> None:
    day = date(2026, 6, 1)
    came(at(day, 0, 0), at(day, 9, 29), at(day, 9, 30), at(day, 23, 59))
    came(at(day, 9, 0), assisted=True, steps=(("handed_over", 61),))  # wanted a person at 10:01
    came(at(day, 9, 0), assisted=True)  # settled by the machine
    came(at(day, 9, 0), channel=Channel.PRACTICE)
    for kind in ("spam", "abuse"):
        came(at(day, 9, 0), ended_as=kind)
    merged = Ticket.objects.order_by("pk")[:1].get()
    came(at(day, 9, 0), ended_as="merged", merged_into=merged)
    came(at(day, 12, 0), steps=(("held", 1), ("resolved", 5), ("reopened", 60)))  # once
    came(at(day - timedelta(days=1), 12, 0), steps=(("reopened", 24 * 60),))  # the day before
    came(at(day, 9, 0), topic=world.card)
    came(at(day, 9, 0), topic=None)
    found = forecasting.counts(day, day + timedelta(days=1))
    assert set(found) == {
        Key(world.pool.pk),
        Key(world.pool.pk, world.payments.pk),
        Key(world.pool.pk, world.cards.pk),
    }
    [refunds] = found[Key(world.pool.pk, world.payments.pk)]
    assert {slot: many for slot, many in enumerate(refunds.tolist()) if many} == {
        0: 1, 18: 1, 19: 1, 20: 1, 24: 1, 47: 1,
    }  # fmt: skip
    assert found[Key(world.pool.pk, world.cards.pk)].sum() == 1
    assert found[Key(world.pool.pk)].sum() == 8


def test_a_certificate_is_no_series(world: World) -> None:
    Requirement.objects.update(certificate=True)
    kept.forget()
    spec = routes.routes().of(world.refund.pk)
    assert spec is not None
    assert forecasting.keys_of(spec) == [Key(world.pool.pk), Key(world.pool.pk, world.payments.pk)]


def test_the_day_on_which_the_clock_goes_back(world: World, came: Came) -> None:
    day = date(2026, 10, 25)
    came(*(datetime(2026, 10, 25, 2, 10, tzinfo=BERLIN, fold=fold) for fold in (0, 1, 1)), at(day, 5))
    came(at(day - timedelta(days=1), 1))  # so that the day is whole
    history = forecasting.histories(date(2026, 10, 20), date(2026, 10, 26))[Key(world.pool.pk)]
    assert len(history) == 1
    assert history.rates[0, [4, 10]].tolist() == [1.5, 1.0]


def test_closed_days_are_of_their_own_kind(world: World) -> None:
    calendar = Calendar.objects.create(name="Office", time_zone="Europe/Berlin")
    for weekday in range(5):
        OpeningHours.objects.create(calendar=calendar, weekday=weekday, opens=time(9), closes=time(18))
    for day in (date(2026, 12, 25), date(2026, 12, 26)):  # a Friday, and a Saturday that is closed anyway
        ClosedDay.objects.create(calendar=calendar, day=day)
    Topic.objects.filter(pk=world.refund.pk).update(calendar=calendar)
    kept.forget()
    dates = [date(2026, 12, 24), date(2026, 12, 25), date(2026, 12, 26)]
    assert forecasting.kinds_of(Key(world.pool.pk, world.payments.pk), dates).tolist() == [3, 7, 5]
    assert forecasting.kinds_of(Key(world.pool.pk, world.cards.pk), dates).tolist() == [3, 4, 5]


# --- What will come ---------------------------------------------------------------------------------------------------


def test_made_once_a_morning_and_never_changed(world: World, came: Came) -> None:
    weeks(came, 6)
    came(*[at(today(), 0, 0)] * 40)  # today: not known in the morning
    tasks.forecast()
    assert Forecast.objects.count() == 2
    with nothing_changed():
        tasks.forecast()
    made = Forecast.objects.get(skill=world.payments)
    assert (made.day, made.history_days, len(made.means), made.model) == (
        today(),
        21,
        8 * 48,
        "seasonal average",
    )
    assert (made.error, made.baseline_error) == (0.0, 0.0)
    assert set(made.errors) >= {"seasonal average", "recent level", "level × weekday × time of day"}
    outlook = forecasting.outlooks(routes.routes())[Key(world.pool.pk, world.payments.pk)]
    tomorrow = today() + timedelta(days=1)
    assert outlook.at([at(tomorrow, 10), at(tomorrow, 10, 30), at(tomorrow, 14, 30)]).tolist() == [6, 0, 2]
    assert outlook.at([at(today() + timedelta(days=9), 10)]).tolist() == [0]
    with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
        Forecast.objects.update(error=0.5)
    Forecast.objects.all().delete()
    assert forecasting.forecasts_make(today() + timedelta(days=200)) == 0


def test_it_is_held_against_what_came_without_hindsight(world: World, came: Came) -> None:
    weeks(came, 6)
    yesterday = today() - timedelta(days=1)
    assert forecasting.forecasts_make(yesterday) == 2
    came(*[at(yesterday, 10, 20)] * 4)  # 10 in that half hour, where 6 were foreseen
    [kept_] = forecasting.record(Key(world.pool.pk, world.payments.pk))
    assert (kept_.day, kept_.came, kept_.said, kept_.usual) == (yesterday, 12.0, 8.0, 8.0)
    assert kept_.error == pytest.approx(4 / 12)
    assert forecasting.whole([kept_]) == (pytest.approx(1 / 3), pytest.approx(1 / 3))
    assert forecasting.record(Key(world.pool.pk, world.cards.pk)) == []


# --- People -----------------------------------------------------------------------------------------------------------


def made(world: World, case: Case = Case(), skill: Skill | None = None) -> staffing.Staffing:  # noqa: B008
    key = Key(world.pool.pk, skill.pk if skill else None)
    return staffing.staffing(key, forecasting.outlooks(routes.routes()), case)


def row_at(found: staffing.Staffing, moment: datetime) -> staffing.Row:
    return next(row for row in found.rows if row.begins == moment)


@pytest.mark.parametrize("noon", [date(2027, 3, 28), date(2026, 10, 25)])
def test_who_is_usually_online_when_the_clock_has_changed(
    world: World, monkeypatch: pytest.MonkeyPatch, noon: date
) -> None:
    """Anna was there on each of four Mondays at ten, by the clock of the house. It is Sunday; the clock has just changed."""
    anna, monday = world.agent("Anna"), noon + timedelta(days=1)
    for back in (1, 2, 3, 4):
        began = at(monday - timedelta(weeks=back), 10)
        Shift.objects.create(
            agent=anna, epoch=back, state=ShiftState.ENDED, units=100, started_at=began,
            ended_at=began + timedelta(minutes=30),
        )  # fmt: skip
    monkeypatch.setattr(staffing.timezone, "now", lambda: at(noon, 12).astimezone(UTC))
    mondays = [monday + timedelta(weeks=later) for later in (-1, 0, 1)]
    moments = [at(day, *when) for day in mondays for when in ((9, 30), (10,), (10, 30))]
    found = staffing.usually_online(Key(world.pool.pk), moments)
    assert found.tolist() == [0.0, 1.0, 0.0] * 3


@pytest.mark.parametrize(
    ("monday", "hour"),
    [(date(2027, 3, 29), 11), (date(2026, 10, 26), 12)],  # 28 days hold five of them, and three
)
def test_four_weeks_with_a_change_of_clocks_hold_an_hour_more_or_less(
    world: World, monkeypatch: pytest.MonkeyPatch, monday: date, hour: int
) -> None:
    anna = world.agent("Anna")
    for back in range(6):
        began = at(monday - timedelta(weeks=back), hour, 30)
        if began < at(monday, 12):
            Shift.objects.create(
                agent=anna, epoch=back + 1, state=ShiftState.ENDED, units=100, started_at=began,
                ended_at=began + timedelta(minutes=30),
            )  # fmt: skip
    now = at(monday, 12).astimezone(UTC)
    since = now - timedelta(days=staffing.DAYS)
    Shift.objects.create(  # somebody was there when they began
        agent=world.agent("Bernd"), epoch=1, state=ShiftState.ENDED, units=100,
        started_at=since - timedelta(minutes=5), ended_at=since + timedelta(minutes=5),
    )  # fmt: skip
    monkeypatch.setattr(staffing.timezone, "now", lambda: now)
    found = staffing.usually_online(Key(world.pool.pk), [at(monday + timedelta(weeks=1), hour, 30)])
    assert found.tolist() == [1.0]


def test_needed_beside_booked_and_usual(world: World, came: Came) -> None:
    Route.objects.update(expected_minutes=10, wrap_up_seconds=0, target_seconds=60, units=50)
    kept.forget()
    anna, bernd = world.agent("Anna"), world.agent("Bernd", payments=0)
    weeks(came, 6)
    forecasting.forecasts_make()
    tomorrow = today() + timedelta(days=1)
    for back in (6, 13, 20, 27):  # tomorrow's weekday, four times
        began = at(tomorrow - timedelta(days=back + 1), 10)
        Shift.objects.create(
            agent=anna, epoch=back, state=ShiftState.ENDED, units=100, started_at=began,
            ended_at=began + timedelta(minutes=45),
        )  # fmt: skip
    hour = NeededHour.objects.create(pool=world.pool, begins_at=at(tomorrow, 14), seats=2, taken=2)
    for agent in (anna, bernd):
        Booking.objects.create(hour=hour, agent=agent, begins_at=hour.begins_at)
    found = made(world)
    assert found.work == staffing.Work(handling=600, target=60, concurrency=2.0, lost=12.0)
    ten, half_past, afternoon = (row_at(found, at(tomorrow, *when)) for when in ((10,), (10, 30), (14, 30)))
    assert (ten.tickets, ten.needed, ten.least, ten.most) == (6.0, 2, 2, 2)
    assert (half_past.tickets, half_past.needed) == (0.0, 0)
    assert [one.online for one in (ten, half_past)] == [1.0, 0.5]
    assert (ten.present, ten.lacking) == (1, 1)
    assert (afternoon.booked, afternoon.present, afternoon.lacking) == (2, 2, 0)
    assert (
        row_at(made(world, skill=world.payments), at(tomorrow, 14, 30)).booked == 1
    )  # Bernd has not the skill
    # Nobody leaves, so one person is overrun by two people’s work.
    assert ten.expected.within == 0.0
    assert afternoon.expected.within > 0.8


def test_what_if(world: World, came: Came) -> None:
    world.agent("Anna")
    weeks(came, 6)
    forecasting.forecasts_make()
    ten = at(today() + timedelta(days=1), 10)
    plain = row_at(made(world), ten)
    twice = row_at(made(world, Case(demand_percent=100)), ten)
    assert (twice.tickets, twice.low, twice.high) == (12.0, 2 * plain.low, 2 * plain.high)
    longer = row_at(made(world, Case(handling_minutes=40)), ten)
    strict = row_at(made(world, Case(target_seconds=12, share_percent=95)), ten)
    for harder in (twice, longer, strict):
        assert harder.needed is not None
        assert plain.needed is not None
        assert harder.needed > plain.needed
    many = row_at(made(world, Case(people=30)), ten)
    assert (many.present, many.lacking, round(many.expected.within, 3)) == (30, 0, 1.0)
    assert row_at(made(world, Case(target_seconds=5)), ten).needed is None  # shorter than an answer takes


def test_what_a_ticket_takes_is_from_the_log(world: World, came: Came) -> None:
    now = timezone.now()
    came(*[now - timedelta(hours=5)] * 4)
    first, second, *_rest = Ticket.objects.order_by("pk")
    Ticket.objects.filter(pk=first.pk).update(first_held_at=now - timedelta(hours=5) + timedelta(seconds=200))
    Ticket.objects.exclude(pk=first.pk).update(closed_at=now - timedelta(hours=5) + timedelta(seconds=100))
    log = staffing._log(world.pool.pk)
    waited, left = log.waited[world.refund.pk]
    assert (round(waited), left) == (500, 3)
    work, measured = staffing.work_of(Key(world.pool.pk), log, Case())
    assert (round(work.patience), measured) == (167, 0)
    assert (log.accept, log.answer) == (0.8, 8.0)  # nobody was asked yet
    assert second.pk
