"""The simulator's page for team leads: who may ask, what is refused, how it is played, cancelled and never left hanging."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models.functions import Now
from django.test import Client

from agents.models import User
from dispatch import simulations
from dispatch.errors import SimulationUnderWay
from dispatch.models import Simulation
from tests.cast import PASSWORD, World
from tests.untouched import nothing_changed
from tickets import kept

pytestmark = pytest.mark.django_db(transaction=True)

SMALL = {
    "source": "model", "people": "6", "load": "90", "hours": "0.25", "handling_minutes": "5", "accept": "80",
    "answer_seconds": "8", "patience_minutes": "10", "faster": "on", "seeds": "2",
    "policies": ["pool:first", "longest idle"],
}  # fmt: skip


@pytest.fixture(autouse=True)
def nothing_sent(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """What is asked of the worker, which the tests are themselves."""
    asked: list[int] = []
    monkeypatch.setattr("dispatch.tasks.simulate_ask", asked.append)
    return asked


def lead_of(name: str) -> User:
    user = User.objects.create_user(f"{name}@team.example", PASSWORD, name=name)
    user.user_permissions.add(*Permission.objects.filter(codename__in=("add_simulation", "view_simulation")))
    return user


def signed_in(user: User, language: str = "en") -> Client:
    client = Client(headers={"accept-language": language})
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def lea(world: World) -> Client:
    kept.forget()
    return signed_in(lead_of("Lea"))


def asked(client: Client, **changes: Any) -> Simulation:
    answer = client.post("/lead/simulator", {**SMALL, **changes})
    assert answer.status_code == 302, answer.content.decode()
    return Simulation.objects.get(pk=int(answer.url.rsplit("/", 1)[1]))  # type: ignore[attr-defined]


def test_from_the_form_to_the_report(lea: Client, nothing_sent: list[int]) -> None:
    simulation = asked(lea)
    assert nothing_sent == [simulation.pk]
    assert (simulation.state, simulation.plays, simulation.played) == ("waiting", 4, 0)
    page = lea.get(f"/lead/simulator/{simulation.pk}").content.decode()
    assert "0 of 4 plays" in page
    simulations.simulation_play(simulation_id=simulation.pk)
    simulation.refresh_from_db()
    assert (simulation.state, simulation.played, simulation.error) == ("done", 4, "")
    assert simulation.result is not None
    assert [one["policy"] for one in simulation.result["cases"][0]["policies"]] == [
        "First line, version 1",
        "longest idle",
    ]
    page = lea.get(f"/lead/simulator/{simulation.pk}").content.decode()
    assert "Who is idle longest" in page
    assert lea.get(f"/lead/simulator/{simulation.pk}/plot-0.svg").content.startswith(b"<svg ")
    assert lea.get(f"/lead/simulator/{simulation.pk}/plot-1.svg").status_code == 404
    report = lea.get(f"/lead/simulator/{simulation.pk}/report.html")
    assert report["Content-Disposition"] == f'attachment; filename="simulation-{simulation.pk}.html"'
    assert report.content.startswith(b"<!doctype html>")
    assert lea.get(f"/lead/simulator/{simulation.pk}/report.json").json() == simulation.result
    # A message that comes twice plays nothing again.
    with nothing_changed():
        simulations.simulation_play(simulation_id=simulation.pk)


def test_plots_speak_the_readers_language(lea: Client, nothing_sent: list[int]) -> None:
    User.objects.filter(email="lea@team.example").update(language="de")
    simulation = asked(lea)
    simulations.simulation_play(simulation_id=simulation.pk)
    plot = lea.get(f"/lead/simulator/{simulation.pk}/plot-0.svg").content.decode()
    for words in (
        "Anteil der Online-Zeit, der Arbeit ist",
        "Erste Reihe, Version 1",
        "Wer am längsten frei ist",
    ):
        assert words in plot


def test_the_same_inputs_give_the_same_figures(lea: Client) -> None:
    found = []
    for _ in range(2):
        simulation = asked(lea)
        simulations.simulation_play(simulation_id=simulation.pk)
        simulation.refresh_from_db()
        assert simulation.result is not None
        figures = [one["figures"] for one in simulation.result["cases"][0]["policies"]]
        found.append([{name: one for name, one in of.items() if name != "solve_ms"} for of in figures])
    assert found[0] == found[1]


def test_one_at_a_time_a_person(lea: Client) -> None:
    first = asked(lea)
    answer = lea.post("/lead/simulator", SMALL)
    assert answer.status_code == 422
    assert "still under way" in answer.content.decode()
    assert Simulation.objects.count() == 1
    with pytest.raises(SimulationUnderWay):
        simulations.simulation_start(user_id=first.asked_by_id, inputs=first.inputs)
    asked(signed_in(lead_of("Levent")))
    assert Simulation.objects.count() == 2


def test_cancelled_while_it_plays(lea: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    simulation = asked(lea)
    figures_of = simulations.study.__globals__["figures_of"]

    def cancelled(play: Any) -> Any:
        lea.post(f"/lead/simulator/{simulation.pk}/cancel")
        return figures_of(play)

    monkeypatch.setitem(simulations.study.__globals__, "figures_of", cancelled)
    simulations.simulation_play(simulation_id=simulation.pk)
    simulation.refresh_from_db()
    assert (simulation.state, simulation.played, simulation.result) == ("cancelled", 0, None)
    asked(lea)  # and the next may begin


def test_nobody_cancels_that_of_another(lea: Client) -> None:
    simulation = asked(lea)
    levent = signed_in(lead_of("Levent"))
    with nothing_changed():
        assert levent.post(f"/lead/simulator/{simulation.pk}/cancel").status_code == 302
    assert "Cancel" not in levent.get(f"/lead/simulator/{simulation.pk}").content.decode()


def test_who_may(world: World) -> None:
    anna = signed_in(world.agent("Anna").user)
    for path in ("simulator", "simulator/1", "simulator/1/plot-0.svg", "simulator/1/report.html"):
        assert anna.get(f"/lead/{path}").status_code == 403
        assert Client().get(f"/lead/{path}").status_code == 302
    with nothing_changed():
        assert anna.post("/lead/simulator", SMALL).status_code == 403
        assert anna.post("/lead/simulator/1/cancel").status_code == 403


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"people": "100000"}, "less than or equal to 300"),
        ({"people": "many"}, "whole number"),
        ({"seeds": "1"}, "greater than or equal to 2"),
        ({"policies": ["pool:nowhere"]}, "pool:nowhere"),
        ({"policies": []}, "required"),
        ({"source": "file"}, "Which file?"),
        ({"source": "day"}, "Which day?"),
        ({"source": "day", "day": "2999-01-01"}, "still to come"),
        ({"source": "file", "file": SimpleUploadedFile("a.csv", b"\xff\xfe\x00")}, "UTF-8"),
        ({"source": "file", "file": SimpleUploadedFile("a.csv", b"at\n" + b"1\n" * 1_100_000)}, "2 MB"),
    ],
)
def test_wrong_input_is_named_and_starts_nothing(lea: Client, changes: dict[str, Any], words: str) -> None:
    with nothing_changed():
        answer = lea.post("/lead/simulator", {**SMALL, **changes})
    assert answer.status_code == 422
    assert words in answer.content.decode()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"source": "file", "file": SimpleUploadedFile("a.csv", b"when\n1\n")}, "there is no column"),
        ({"source": "file", "file": SimpleUploadedFile("a.csv", b"at\nsoon\n")}, "line 2"),
        ({"source": "day", "day": "2026-01-01", "pool": "first"}, "nobody was online"),
        ({"people": "300", "hours": "8", "handling_minutes": "0.5"}, "can be played"),
    ],
)
def test_what_cannot_be_played_says_why(lea: Client, changes: dict[str, Any], words: str) -> None:
    simulation = asked(lea, **changes)
    simulations.simulation_play(simulation_id=simulation.pk)
    simulation.refresh_from_db()
    assert simulation.state == "failed"
    assert words in simulation.error
    assert words in lea.get(f"/lead/simulator/{simulation.pk}").content.decode()


def test_a_file_is_played(lea: Client) -> None:
    lines = "at,topic,handling\n" + "".join(f"{20 * n},{'ab'[n % 2]},60\n" for n in range(50))
    simulation = asked(lea, source="file", file=SimpleUploadedFile("tag.csv", lines.encode()))
    simulations.simulation_play(simulation_id=simulation.pk)
    simulation.refresh_from_db()
    assert (simulation.state, simulation.title) == ("done", "tag.csv")


def test_it_has_an_end(lea: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulations, "SECONDS", -1.0)
    simulation = asked(lea)
    simulations.simulation_play(simulation_id=simulation.pk)
    simulation.refresh_from_db()
    assert (simulation.state, simulation.played) == ("failed", 1)
    assert "longer than" in simulation.error


def test_a_dead_worker_leaves_nothing_hanging(lea: Client) -> None:
    simulation = asked(lea)
    assert simulations.waiting() == [simulation.pk]
    Simulation.objects.update(state="running", began_at=Now() - timedelta(seconds=simulations.SECONDS))
    assert (simulations.waiting(), simulations.stale_fail()) == ([], 0)
    Simulation.objects.update(began_at=Now() - timedelta(seconds=simulations.SECONDS + 61))
    assert (simulations.stale_fail(), simulations.stale_fail()) == (1, 0)
    simulation.refresh_from_db()
    assert simulation.state == "failed"
    asked(lea)
