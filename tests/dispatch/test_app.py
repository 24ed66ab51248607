"""The agents' pages as an app: what its manifest, worker and page without a network say; the switches' addresses."""

import json
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.test import Client
from PIL import Image

from agents.models import Agent, CallWishes, PushDevice
from agents.push import public_key
from tests.cast import World
from tests.console import Person, text_of
from tests.push import PushedTo

pytestmark = pytest.mark.django_db


def test_the_manifest_names_icons_that_are_there() -> None:
    answer = Client(headers={"accept-language": "de"}).get("/manifest.webmanifest")
    assert answer["Content-Type"] == "application/manifest+json"
    said = json.loads(answer.content)
    assert (said["name"], said["lang"]) == ("Later & Co, für Agenten", "de")
    assert (said["start_url"], said["scope"], said["display"]) == ("/console/", "/", "standalone")
    assert {(one["sizes"], one.get("purpose", "any")) for one in said["icons"]} == {
        ("192x192", "any"), ("512x512", "any"), ("192x192", "maskable"), ("512x512", "maskable"), ("any", "any")
    }  # fmt: skip
    for one in said["icons"]:
        file = finders.find(one["src"].removeprefix("/static/"))
        assert isinstance(file, str)
        if one["type"] == "image/png":
            assert "x".join(map(str, Image.open(file).size)) == one["sizes"]


def test_the_worker_serves_all_pages_and_is_never_kept() -> None:
    answer = Client().get("/sw.js")
    assert answer["Content-Type"] == "text/javascript; charset=utf-8"
    assert answer["Cache-Control"] == "no-cache"
    assert answer["Service-Worker-Allowed"] == "/"
    kept = json.loads(text_of(answer).split("\n", 1)[0].removeprefix("const KEPT = ").removesuffix(";"))
    assert kept["offline"] == {"en": "/offline/en", "de": "/offline/de"}
    assert len(kept["version"]) == 16
    for path in kept["files"]:
        assert finders.find(path.removeprefix("/static/"))


@pytest.mark.parametrize(("language", "words"), [("en", "You are offline"), ("de", "Sie sind offline")])
def test_the_page_without_a_network_is_the_same_for_everybody(
    world: World, language: str, words: str
) -> None:
    stranger = Client(headers={"accept-language": "fr"}).get(f"/offline/{language}")
    anna = Person(world, "Anna").get(f"/offline/{language}")
    assert words in text_of(stranger)
    assert stranger.content == anna.content
    assert stranger["Content-Language"] == language
    assert not stranger.cookies
    assert Client().get("/offline/fr").status_code == 404


def test_only_agents_pages_have_the_worker(world: World) -> None:
    anna = Person(world, "Anna")
    for path in ("/console/", "/learn/", "/calls/", "/console/earnings/"):
        assert "js/app.js" in text_of(anna.get(path)), path
    for path in ("/", "/work-with-us", "/how-offers-are-made"):
        assert "js/app.js" not in text_of(anna.get(path)), path


def test_the_switches_keep_and_tell(world: World, settings: Any) -> None:
    settings.PUSH_ANYWHERE = True
    anna, bernd, browser = Person(world, "Anna"), Person(world, "Bernd"), PushedTo()
    try:
        page = text_of(anna.get("/console/"))
        assert f'data-push-key="{public_key()}"' in page
        said = browser.said | {"offers": "1", "busy": "0"}
        assert anna.client.post("/calls/device", said).json() == {
            "offers": True,
            "busy": False,
            "kept": True,
        }
        state = {"endpoint": browser.endpoint}
        assert anna.client.post("/calls/state", state).json() == {"offers": True, "busy": False}
        assert bernd.client.post("/calls/state", state).json() == {"offers": False, "busy": False}
        listed = text_of(anna.get("/calls/"))
        assert "Browser" in listed
        assert browser.endpoint not in listed
        device = PushDevice.objects.get()
        bernd.client.post(f"/calls/devices/{device.pk}/remove")
        assert PushDevice.objects.exists()
        assert "Nothing comes to that device" in text_of(
            anna.client.post(f"/calls/devices/{device.pk}/remove", follow=True)  # type: ignore[arg-type]
        )
        assert not PushDevice.objects.exists()
    finally:
        browser.server.server_close()


def test_a_refused_device_is_said_and_not_kept(world: World) -> None:
    anna = Person(world, "Anna")
    answer = anna.client.post("/calls/device", {"endpoint": "https://10.0.0.1/", "offers": "1"})
    assert (answer.status_code, answer.json()["code"]) == (400, "not_a_device")
    assert not PushDevice.objects.exists()
    assert Client().post("/calls/device", {"offers": "1"}).status_code == 302  # to the log-in
    assert anna.client.get("/calls/device").status_code == 405


def test_without_a_key_there_are_no_switches(world: World, settings: Any) -> None:
    settings.PUSH_KEY = ""
    anna = Person(world, "Anna")
    assert "data-calls" not in text_of(anna.get("/console/"))
    assert "not set up here yet" in text_of(anna.get("/calls/"))


def test_quiet_hours(world: World) -> None:
    anna = Person(world, "Anna")
    said = {"quiet_from": "22:00", "quiet_until": "08:00", "time_zone": "Europe/Lisbon"}
    assert "Your quiet hours are kept." in text_of(anna.client.post("/calls/wishes", said, follow=True))  # type: ignore[arg-type]
    wishes = CallWishes.objects.get()
    assert (str(wishes.quiet_from), str(wishes.quiet_until)) == ("22:00:00", "08:00:00")
    assert Agent.objects.get().zone.key == "Europe/Lisbon"
    assert 'value="22:00"' in text_of(anna.get("/calls/"))
    for wrong in (
        {"quiet_until": ""},
        {"quiet_from": "8"},
        {"quiet_from": "25:00"},
        {"quiet_from": "08:00"},
        {"time_zone": "Europe/Atlantis"},
        {"time_zone": "../etc/passwd"},
    ):
        answer = anna.client.post("/calls/wishes", said | wrong)
        assert answer.status_code == 400, wrong
        assert 'role="alert"' in text_of(answer)  # type: ignore[arg-type]
    assert Agent.objects.get().time_zone == "Europe/Lisbon"
    assert str(CallWishes.objects.get().quiet_from) == "22:00:00"
    anna.client.post("/calls/wishes", {})
    assert CallWishes.objects.get().quiet_from is None
