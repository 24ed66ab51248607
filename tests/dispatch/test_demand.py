"""What the next hours will be like, by skill: the forecast that team leads see, and who is needed and booked."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from agents.models import Skill
from dispatch import demand
from dispatch.forecasting import DAYS, house
from dispatch.models import Forecast, NeededHour, Route
from tests.cast import World
from tests.console import Person, text_of
from tickets import kept

pytestmark = pytest.mark.django_db


def hour() -> datetime:
    return timezone.now().replace(minute=0, second=0, microsecond=0)


def foreseen(world: World, skill: Skill | None, *hourly: float) -> None:
    """A stored forecast of yesterday: so many tickets in this hour and the next ones."""
    day = timezone.localdate() - timedelta(days=1)
    means = [0.0] * (DAYS * 48)
    for number, many in enumerate(hourly):
        there = (hour() + timedelta(hours=number)).astimezone(house())
        slot = (there.date() - day).days * 48 + there.hour * 2
        means[slot] = means[slot + 1] = many / 2
    Forecast.objects.create(
        pool=world.pool, skill=skill, day=day, model="seasonal average", dispersion=0.0, history_days=9,
        means=means, baseline=means,
    )  # fmt: skip
    kept.forget()


def test_it_is_the_forecast(world: World) -> None:
    anna = world.agent("Anna", cards=0)
    Route.objects.update(expected_minutes=30)
    foreseen(world, world.payments, 2, 0.5, 6, 99)
    foreseen(world, world.cards, 7, 7, 7)  # not her skill
    foreseen(world, None, 9, 9, 9)  # of the pool
    columns, [(skill, cells)], recent = demand.next_hours(anna, "de")
    assert not recent
    assert skill == "Zahlungen"
    assert [one.begins for one in columns] == [hour() + timedelta(hours=number) for number in range(3)]
    assert [cell.tickets for cell in cells] == [2, 0.5, 6]
    assert [cell.work for cell in cells] == [1, 0.25, 3]
    assert [str(cell.word) for cell in cells] == ["some", "a little", "a lot"]
    assert [cell.percent for cell in cells] == [33, 8, 100]


@pytest.mark.parametrize(
    ("work", "said"),
    [(0, "hardly any"), (0.09, "hardly any"), (0.1, "a little"), (0.75, "some"), (9, "a lot")],
)
def test_the_words(work: float, said: str) -> None:
    assert str(demand.word(work)) == said


def test_needed_and_booked_of_the_agents_pools(world: World) -> None:
    anna = world.agent("Anna")
    NeededHour.objects.create(pool=world.pool, begins_at=hour(), seats=3, taken=1)
    NeededHour.objects.create(pool=world.pool, begins_at=hour() + timedelta(hours=3), seats=9)
    columns, rows, _recent = demand.next_hours(anna, "en")
    assert [(one.seats, one.booked) for one in columns] == [(3, 1), (0, 0), (0, 0)]
    assert rows == []
    world.pool.members.clear()
    assert demand.next_hours(anna, "en").columns[0].seats == 0


def test_the_home_page_says_it(world: World) -> None:
    anna = Person(world, "Anna")
    assert "Nothing is known about this time of the day yet." in text_of(anna.get())
    NeededHour.objects.create(pool=world.pool, begins_at=hour(), seats=3, taken=1)
    foreseen(world, world.payments, 1)
    page = text_of(anna.get())
    assert "1 of 3 booked" in page
    assert "a little" in page


def test_without_a_history_the_last_hour_stands_for_all(world: World) -> None:
    anna = Person(world, "Anna")
    Route.objects.update(expected_minutes=60)
    for _ in range(3):
        world.ticket()
    _columns, [(_skill, cells)], recent = demand.next_hours(anna.agent, "en")
    assert recent
    assert [(cell.tickets, str(cell.word), cell.percent) for cell in cells] == [(3.0, "a lot", 100)] * 3
    assert "as long as there is no history" in text_of(anna.get())
