"""No place that points at a person is forgotten: each is exported and erased, or stands here with the reason why not."""

import csv
import io
import json
import zipfile

import pytest
from django.apps import apps
from django.test import Client

from agents import rights
from agents.errors import TooManyExports
from agents.models import Agent, DataExport, Notice, User
from agents.pay.accounts import account_save
from dispatch import export, tasks
from dispatch.erasure import STEPS
from dispatch.export import SECTIONS
from dispatch.personal import PLACES
from tests.agents.conftest import IBAN
from tests.cast import World
from tests.console import Person
from tests.dispatch.scenes import earlier, rated

pytestmark = pytest.mark.django_db


def pointers() -> set[str]:
    """app.Model.field of every foreign key to an agent or an account, tables between included."""
    return {
        f"{model._meta.app_label}.{model.__name__}.{field.name}"
        for model in apps.get_models(include_auto_created=True)
        for field in model._meta.get_fields()
        if not model._meta.proxy
        and field.concrete
        and field.is_relation
        and field.related_model in (Agent, User)
        and field.column
        if not field.many_to_many
    }


class TestPlaces:
    def test_every_place_is_named_and_no_other(self) -> None:
        assert pointers() == set(PLACES)

    def test_each_is_in_a_file_or_says_why_not(self) -> None:
        files = {section.name for section in SECTIONS}
        told = {place.export for place in PLACES.values() if not place.export.startswith("(")}
        assert told <= files
        assert all(place.export.endswith(")") for place in PLACES.values() if place.export not in files)
        assert all(place.erase for place in PLACES.values())
        assert list(STEPS) == ["desk", "tickets", "judged", "pay", "account"]


def contents(data: bytes) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name).decode("utf-8-sig") for name in archive.namelist()}


@pytest.fixture
def anna(world: World) -> Person:
    anna = Person(world, "Anna").online()
    account_save(agent_id=anna.agent.pk, holder="Anna Asmussen", iban=IBAN)
    rated(anna, 4, "Thank you, Anna")
    return anna


class TestTheFile:
    def test_it_has_what_is_stored_and_nothing_of_others(self, anna: Person) -> None:
        found = contents(export.pack(anna.agent, "en"))
        assert set(found) == {f"{one.name}.{end}" for one in SECTIONS for end in ("json", "csv")} | {
            "README.txt"
        }
        [profile] = json.loads(found["profile.json"])
        assert (profile["email"], profile["name"]) == ("anna@agents.example", "Anna")
        [message] = json.loads(found["messages.json"])
        assert (message["body"], message["author_name"]) == ("On its way.", "Anna")
        [offer] = json.loads(found["offers.json"])
        assert "You have the skill Payments at level 3, 2 was needed." in offer["reasons"]
        assert [one["score"] for one in json.loads(found["ratings.json"])] == [4]
        assert [one["amount_cents"] for one in json.loads(found["ledger.json"])] == [400]
        [details] = json.loads(found["payout-details.json"])
        assert details["hint"] == "DE89 •••• 3000"
        everything = "\n".join(found.values())
        for secret in ("Carla", "carla@", IBAN.replace(" ", ""), "iban_sealed", anna.agent.user.password):
            assert secret not in everything

    def test_names_of_columns_are_the_readers(self, anna: Person) -> None:
        english, german = (contents(export.pack(anna.agent, language)) for language in ("en", "de"))
        assert next(csv.reader(io.StringIO(english["ratings.csv"])))[:2] == [
            "ticket",
            "number of the resolution in the timeline",
        ]
        assert "Ticket" in next(csv.reader(io.StringIO(german["ratings.csv"])))[0]
        assert "Everything that" in english["README.txt"]
        assert "Everything that" not in german["README.txt"]
        assert json.loads(english["ratings.json"]) == json.loads(
            german["ratings.json"]
        )  # for programs: the same keys

    def test_no_cell_is_a_formula(self) -> None:
        assert [export._cell(text) for text in ("=1+1", "@x", "-3", -3, "fine", "", [], ["x;=1"])] == [
            "'=1+1",
            "'@x",
            "'-3",
            "-3",
            "fine",
            "",
            "",
            "x;'=1",
        ]


class TestAskingForIt:
    def test_one_click_a_task_a_notice_and_the_file(
        self, anna: Person, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked: list[int] = []
        monkeypatch.setattr(tasks, "export_make_ask", asked.append)
        assert anna.client.post("/rights/data").status_code == 303
        assert anna.client.post("/rights/data").status_code == 303  # under way already: nothing new
        [made] = DataExport.objects.all()
        assert asked == [made.pk]
        assert anna.client.get(f"/rights/data/{made.token}.zip").status_code == 404
        tasks.export_make(made.pk)
        tasks.export_make(made.pk)
        assert [one.kind for one in Notice.objects.filter(agent=anna.agent)] == ["export"]
        response = anna.client.get(f"/rights/data/{made.token}.zip")
        assert (response.status_code, response["Content-Type"]) == (200, "application/zip")
        assert "no-store" in response["Cache-Control"]
        assert "README.txt" in contents(response.content)
        made.refresh_from_db()
        assert made.downloaded_at is not None
        assert made.token in anna.get("/rights/").content.decode()

    def test_only_for_that_person_and_not_for_ever(self, anna: Person, world: World) -> None:
        made, _new = rights.export_ask(agent_id=anna.agent.pk, language="en")
        tasks.export_make(made.pk)
        assert len(made.token) * 5.95 >= 250  # bits
        bernd, nobody = Person(world, "Bernd"), Client()
        assert bernd.client.get(f"/rights/data/{made.token}.zip").status_code == 404
        assert nobody.get(f"/rights/data/{made.token}.zip").status_code == 302
        made.refresh_from_db()
        assert made.downloaded_at is None
        earlier(DataExport, "expires_at", rights.EXPORT_KEPT)
        assert anna.client.get(f"/rights/data/{made.token}.zip").status_code == 404
        assert rights.exports_forget() == 1
        assert not DataExport.objects.exists()

    def test_three_a_day(self, anna: Person) -> None:
        for _ in range(rights.EXPORTS_A_DAY):
            made, new = rights.export_ask(agent_id=anna.agent.pk, language="en")
            assert new
            rights.export_keep(export_id=made.pk, content=b"x")
        with pytest.raises(TooManyExports):
            rights.export_ask(agent_id=anna.agent.pk, language="en")
        assert DataExport.objects.count() == rights.EXPORTS_A_DAY
