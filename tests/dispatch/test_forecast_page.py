"""The forecast's page, its file, what leads do from it, and the command."""

import csv
import io
import json
from datetime import time, timedelta
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import Permission
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from agents.models import CallWishes, PushDevice, User
from dispatch import calling, forecasting, leading
from dispatch.errors import MayNotIntervene, WhyMissing
from dispatch.models import LeadAction, NeededHour, Policy
from tests.cast import PASSWORD, World
from tests.console import text_of
from tests.dispatch.test_forecasting import Came, at, came, fresh, made, row_at, today, weeks
from tests.untouched import nothing_changed

__all__ = ["came", "fresh"]  # fixtures
pytestmark = pytest.mark.django_db


def lead_of(name: str, *rights: str) -> User:
    user = User.objects.create_user(f"{name}@team.example", PASSWORD, name=name)
    user.user_permissions.add(*Permission.objects.filter(codename__in=rights))
    return user


def signed_in(user: User) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def lea(world: World) -> User:
    return lead_of("lea", "view_forecast", "intervene", "add_simulation", "view_simulation")


@pytest.fixture
def client(lea: User) -> Client:
    return signed_in(lea)


@pytest.fixture
def foreseen(world: World, came: Came) -> None:
    world.agent("Anna")
    weeks(came, 6)
    forecasting.forecasts_make()


def test_the_page(world: World, foreseen: None, client: Client) -> None:
    page = client.get("/lead/forecast")
    text = text_of(page)
    assert page.status_code == 200
    assert "This forecast is by: seasonal average." in text
    assert "as the routes say; the log is short" in text
    assert page.content.decode().count("<polyline") == 4
    assert f"?pool={world.pool.pk}&amp;people=" in page.content.decode() or "Nowhere" not in text
    skill = client.get("/lead/forecast", {"pool": world.pool.pk, "skill": world.payments.pk})
    assert "Write needed hours" not in text_of(skill)
    assert "Nothing has come here yet" in text_of(client.get("/lead/forecast", {"skill": world.cards.pk}))
    assert "Nothing has come here yet" in text_of(client.get("/lead/forecast", {"pool": "99999999"}))


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"demand": "-95"}, "greater than or equal to -90"),
        ({"people": "many"}, "whole number"),
        ({"share": "100"}, "99"),
    ],
)
def test_a_case_that_makes_no_sense(
    foreseen: None, client: Client, query: dict[str, str], words: str
) -> None:
    page = client.get("/lead/forecast", query)
    assert page.status_code == 422
    assert words in page.content.decode()
    assert client.get("/lead/forecast.csv", query).status_code == 404


def test_the_file(world: World, foreseen: None, client: Client) -> None:
    answer = client.get("/lead/forecast.csv", {"demand": "50"})
    rows = list(csv.DictReader(io.StringIO(answer.content.decode())))
    assert len(rows) == 7 * 48
    ten = next(row for row in rows if row["begins"] == at(today() + timedelta(days=1), 10).isoformat())
    assert (ten["tickets"], ten["seasonal_average"], ten["booked"]) == ("9.00", "9.00", "0")


def test_to_the_simulator_with_the_case(foreseen: None, client: Client) -> None:
    page = client.get("/lead/forecast", {"handling": "20", "people": "4"}).content.decode()
    address = page.split('href="/lead/simulator?')[1].split('"')[0].replace("&amp;", "&")
    assert "people=4&handling_minutes=20.0&load=30&accept=80&answer_seconds=8" in address
    form = client.get(f"/lead/simulator?{address}").content.decode()
    assert 'name="handling_minutes" value="20.0"' in form
    assert 'name="people" value="4"' in form


def test_who_may(world: World, foreseen: None) -> None:
    sees = signed_in(lead_of("levent", "view_forecast"))
    nobody = signed_in(world.agents["Anna"].user)
    assert sees.get("/lead/forecast").status_code == 200
    with nothing_changed():
        assert sees.post("/lead/forecast/hours", {"why": "I want to"}).status_code == 403
        for path in ("forecast", "forecast.csv", "forecast/hours"):
            assert nobody.get(f"/lead/{path}").status_code == 403
            assert Client().get(f"/lead/{path}").status_code == 302


# --- Acts -------------------------------------------------------------------------------------------------------------


def test_needed_hours_are_written_for_a_reason_and_take_no_seat_away(
    world: World, foreseen: None, lea: User, client: Client
) -> None:
    tomorrow = today() + timedelta(days=1)
    full = NeededHour.objects.create(pool=world.pool, begins_at=at(tomorrow, 10), seats=9, taken=9)
    more = NeededHour.objects.create(pool=world.pool, begins_at=at(tomorrow, 14), seats=8, taken=0)
    aside = NeededHour.objects.create(pool=world.pool, begins_at=at(tomorrow, 20), seats=1)
    with nothing_changed():
        assert "Seats in all" in text_of(client.get("/lead/forecast/hours"))
        refused = client.post("/lead/forecast/hours", {"why": "  "})
    assert refused.status_code == 422
    needed = row_at(made(world), at(tomorrow, 14, 30)).needed
    assert needed is not None
    assert client.post("/lead/forecast/hours", {"why": "As foreseen"}).status_code == 302
    for hour in (full, more, aside):
        hour.refresh_from_db()
    assert (full.seats, full.taken, more.seats, aside.seats) == (9, 9, needed, 1)
    act = LeadAction.objects.get()
    assert (act.kind, act.by, act.why, act.data["pool"]) == ("hours", lea, "As foreseen", "first")
    assert act.data["added"] == NeededHour.objects.count() - 3
    assert act.data["changed"] == 1
    noa = lead_of("noa")
    # The same again changes nothing but the log.
    assert leading.hours_write(lead=lea, pool_id=world.pool.pk, seats={more.begins_at: needed}, why="x") == (
        0,
        0,
    )
    with nothing_changed(), pytest.raises(ValueError, match="full hour"):
        leading.hours_write(lead=lea, pool_id=world.pool.pk, seats={at(tomorrow, 9, 30): 1}, why="x")
    with nothing_changed(), pytest.raises(MayNotIntervene):
        leading.hours_write(lead=noa, pool_id=world.pool.pk, seats={}, why="x")
    with nothing_changed(), pytest.raises(WhyMissing):
        leading.hours_write(lead=lea, pool_id=world.pool.pk, seats={}, why="")


def test_so_many_as_lack_are_called_in(
    world: World, lea: User, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    Policy.objects.create(pool=world.pool, version=1)
    told: list[int] = []
    monkeypatch.setattr(calling, "send", lambda device_id, call: told.append(device_id) or True)
    people = [world.agent(name) for name in ("Anna", "Bernd", "Cem")]
    people.append(world.agent("Dora", payments=0))
    for number, agent in enumerate(people):
        PushDevice.objects.create(
            agent=agent, endpoint=f"https://push.example/{number}", busy=True, offers=False
        )
    CallWishes.objects.create(agent=people[0], quiet_from=time(0), quiet_until=time(23, 59, 59))
    query = {"pool": world.pool.pk, "people": 5, "skill": world.payments.pk}
    page = client.get("/lead/call-in", query)
    assert "lacks 5 people with the skill Payments" in text_of(page)
    assert "2 people could be called" in text_of(page)
    assert client.post("/lead/call-in", {**query, "why": "A wave"}).status_code == 302
    calling.calls_make()
    assert len(told) == 2  # not Anna in her quiet hours, not Dora without the skill
    act = LeadAction.objects.get()
    assert act.data == {"pool": "first", "called": 2, "skill": "payments"}
    assert client.post("/lead/call-in", {**query, "why": "Again"}).status_code == 302
    assert calling.calls_make() == 0
    assert len(told) == 2  # nobody oftener than the policy says


def test_the_command(world: World, came: Came) -> None:
    def said(*args: str) -> str:
        out = io.StringIO()
        call_command("forecast", *args, stdout=out, stderr=io.StringIO())
        return out.getvalue()

    assert "nothing has come yet" in said()
    assert "no full day" in said("--backtest")
    weeks(came, 6, days=9)
    name = f"pool {world.pool.pk}, skill {world.payments.pk}"
    found: dict[str, Any] = json.loads(said("--backtest", "--json"))
    assert found[name]["history_days"] == 8
    made_ = json.loads(said("--make", "--json"))
    assert len(made_[name]["half_hours"]) == 7 * 48
    assert np.isclose(sum(half["tickets"] for half in made_[name]["half_hours"]), 7 * 8, atol=8)
    assert "seasonal average" in said()


def test_queries_of_the_page(foreseen: None, client: Client) -> None:
    client.get("/lead/forecast")
    with CaptureQueriesContext(
        connection,
    ) as asked:
        client.get("/lead/forecast")
    assert len(asked) <= 24
