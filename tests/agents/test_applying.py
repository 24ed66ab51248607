"""Applying: the form, the letter, the confirmed address. Nobody learns from it whose address is known."""

import re
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.utils import translation

from agents import letters, notices, onboarding, rights, tasks
from agents.errors import AddressTaken, ApplicationUnknown, KeyReused, NotAdmitted
from agents.forms import ApplyForm
from agents.models import Agent, AgentStatus, Application, Letter, NoticeKind, User
from config.throttles import Scoped
from dispatch import presence
from tests.cast import World
from tests.untouched import nothing_changed
from tickets.access import token_of as ticket_token

pytestmark = pytest.mark.django_db

NEW = "quite another horse 7"
SAID: dict[str, Any] = {
    "name": "Nina",
    "real_name": "Nina Neumann",
    "email": "Nina@Home.example",
    "languages": ["de", "en"],
    "can": ["payments"],
    "wishes": ["cards"],
    "hours": ["weekend_day"],
    "about": "I was with a bank.",
    "consent": "on",
    "device": '{"socket": true, "notifications": "default", "width": 390, "height": 844, "skew_seconds": -0.4, "x": "<b>"}',
    "key": "one",
}


def applied(client: Client, **other: Any) -> Any:
    return client.post("/work-with-us", SAID | other)


def link_of(letter: Any) -> str:
    found = re.search(r"http://[^\s]+(/work-with-us/confirm/\S+)", letter.body)
    assert found, letter.body
    return found[1]


def test_from_the_form_to_an_agent_who_may_not_go_online(world: World, client: Client) -> None:
    answer = applied(client)
    assert (answer.status_code, answer["Location"]) == (303, "/work-with-us/sent")
    assert "Nina@Home.example" in client.get("/work-with-us/sent").content.decode()
    application = Application.objects.get()
    assert (application.email, application.skills_claimed, application.skills_wished) == (
        "nina@home.example",
        ["payments"],
        ["cards"],
    )
    assert application.device == {
        "socket": True,
        "notifications": "default",
        "width": 390,
        "height": 844,
        "skew_seconds": -0.4,
    }
    assert not User.objects.exists()

    tasks.letters_due()
    tasks.letters_due()
    assert [letter.to for letter in mail.outbox] == [["nina@home.example"]]
    link = link_of(mail.outbox[0])
    with nothing_changed():
        assert client.get(link).status_code == 200  # mail programs open links too
    weak = client.post(link, {"password1": "12345678", "password2": "12345678"})
    assert weak.status_code == 422
    assert not User.objects.exists()
    answer = client.post(link, {"password1": NEW, "password2": NEW})
    assert (answer.status_code, answer["Location"]) == (303, "/learn/")
    agent = Agent.objects.select_related("user").get()
    assert (agent.name, agent.languages, agent.status) == ("Nina", ["de", "en"], AgentStatus.APPLIED)
    assert agent.user.check_password(NEW)
    assert not agent.skills.exists()  # what is claimed gives nothing
    page = client.get("/learn/").content.decode()
    assert "Address confirmed" in page
    with pytest.raises(NotAdmitted):
        presence.go_online(agent_id=agent.pk)
    assert client.get("/console/")["Location"] == "/learn/"
    assert client.post("/console/shift/online", follow=True).status_code == 200
    assert not agent.shifts.exists()
    # The link again, from anywhere: it opens nothing any more.
    stranger = Client().post(link, {"password1": "a fine password 9", "password2": "a fine password 9"})
    assert stranger.status_code == 200
    agent.user.refresh_from_db()
    assert agent.user.check_password(NEW)
    assert "_auth_user_id" not in stranger.client.session


def test_a_known_address_gets_the_same_answer_and_another_letter(world: World, client: Client) -> None:
    world.agent("Anna")
    known = applied(client, email="anna@agents.example", key="a")
    unknown = applied(Client(), email="nobody@home.example", key="b")
    assert (known.status_code, known["Location"]) == (unknown.status_code, unknown["Location"])
    page, other_page = (one.get("/work-with-us/sent").content.decode() for one in (client, unknown.client))
    csrf = r'name="csrfmiddlewaretoken" value="\w+"'
    assert re.sub(csrf, "", page.replace("anna@agents.example", "nobody@home.example")) == re.sub(
        csrf, "", other_page
    )
    tasks.letters_due()
    to_anna, to_nobody = mail.outbox
    assert "/accounts/login/" in to_anna.body
    assert "/work-with-us/confirm/" not in to_anna.body
    assert "/work-with-us/confirm/" in to_nobody.body
    # Even the application's own link makes no second account of the address.
    token = onboarding.token_of(Application.objects.get(email="anna@agents.example"))
    with nothing_changed(), pytest.raises(AddressTaken):
        onboarding.confirm(token=token, password=NEW)


def test_twice_is_once_and_other_input_is_said(world: World, client: Client) -> None:
    applied(client)
    assert applied(client).status_code == 303
    assert (Application.objects.count(), Letter.objects.count()) == (1, 1)
    with nothing_changed():
        answer = applied(client, about="Something else")
    assert answer.status_code == 409
    assert "Something else" in answer.content.decode()
    with pytest.raises(KeyReused):
        onboarding.apply(key="one", email="x@home.example")


def test_wrong_input_is_named_and_nothing_is_lost(world: World, client: Client) -> None:
    with nothing_changed():
        answer = applied(client, email="not an address", consent="", languages=[])
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Not sent yet: 3 things to check" in page
    for kept in ("Nina Neumann", "I was with a bank.", 'value="weekend_day"'):
        assert kept in page
    assert re.search(r'value="cards"[^>]*checked', page)


def test_what_is_to_check_is_listed_in_the_order_of_the_page(world: World, client: Client) -> None:
    page = client.post("/work-with-us", {"key": "one"}).content.decode()
    listed = re.findall(r'<li><a href="#(?:group-|id_)(\w+)">', page)
    assert listed == ["real_name", "name", "email", "languages", "consent"]
    shown = re.findall(
        r'<(?:input|textarea|fieldset)[^>]* id="(?:group-|id_)([a-z_]+)"', page.split("</ul>", 1)[1]
    )
    fields = [field.name for field in ApplyForm().visible_fields() if field.name != "website"]
    assert list(dict.fromkeys(name for name in shown if name in fields)) == fields


@pytest.mark.parametrize(
    ("language", "steps"),
    [
        (
            "en",
            [
                "You apply.",
                "You confirm your address.",
                "You learn.",
                "You practise.",
                "A person admits you.",
            ],
        ),
        (
            "de",
            [
                "Sie bewerben sich.",
                "Sie bestätigen Ihre Adresse.",
                "Sie lernen.",
                "Sie üben.",
                "Ein Mensch lässt Sie zu.",
            ],
        ),
    ],
)
def test_the_page_says_how_it_goes_on(world: World, client: Client, language: str, steps: list[str]) -> None:
    page = client.get("/work-with-us", headers={"accept-language": language}).content.decode()
    assert re.findall(r"<li><strong>(.*?)</strong>", page.split('<ol class="steps">')[1]) == steps


def test_programs_and_floods_are_stopped(
    world: World, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    with nothing_changed():
        assert applied(client, website="http://spam.example").status_code == 422
    monkeypatch.setattr(Scoped, "allow_request", lambda self, request, view: False)
    with nothing_changed():
        answer = applied(client)
    assert answer.status_code == 429
    assert "Nina Neumann" in answer.content.decode()


def test_the_form_has_a_limit_of_its_own(world: World, client: Client) -> None:
    asked: list[str] = []

    def allow(self: Any, request: Any, view: Any) -> bool:
        asked.append(view.throttle_scope)
        return True

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Scoped, "allow_request", allow)
        applied(client)
    assert asked == ["apply"]


def test_an_address_gets_three_letters_a_day(world: World) -> None:
    for number in range(5):
        applied(Client(), key=f"k{number}")
    tasks.letters_due()
    assert len(mail.outbox) == 3


def test_a_link_is_signed_and_ends(world: World, client: Client) -> None:
    applied(client)
    application = Application.objects.get()
    token = onboarding.token_of(application)
    for wrong in (token[:-1] + ("A" if token[-1] != "A" else "B"), f"{application.public_id}:x", "x"):
        with pytest.raises(ApplicationUnknown):
            onboarding.application_by_token(wrong)
    assert onboarding.application_by_token(token) == application
    Application.objects.update(created_at="2026-01-01T00:00Z")
    answer = client.get(f"/work-with-us/confirm/{token}")
    assert answer.status_code == 410
    with nothing_changed(), pytest.raises(ApplicationUnknown):
        onboarding.confirm(token=token, password=NEW)
    onboarding.applications_forget()
    assert not Application.objects.exists()
    assert not Letter.objects.exists()


def test_what_is_confirmed_is_not_forgotten(world: World, client: Client) -> None:
    application = onboarding.apply(
        key="k", email="n@home.example", name="N", real_name="N", language="de", languages=["de"]
    )
    onboarding.confirm(token=onboarding.token_of(application), password=NEW)
    Application.objects.update(created_at="2026-01-01T00:00Z")
    assert onboarding.applications_forget() == 0
    assert Agent.objects.get().user.language == "de"


def test_a_server_that_refuses_is_asked_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    applied(Client())
    (letter_id,) = letters.due_ids()

    def refuse(self: Any, **_: Any) -> int:
        raise ConnectionRefusedError

    with monkeypatch.context() as patch:
        patch.setattr("django.core.mail.EmailMessage.send", refuse)
        assert letters.send(letter_id=letter_id) is False
    assert letters.due_ids() == [letter_id]
    assert letters.send(letter_id=letter_id) is True
    assert letters.send(letter_id=letter_id) is False
    assert len(mail.outbox) == 1


def test_an_address_for_which_no_mail_can_be_made_stops_no_other_letter_and_no_notice(world: World) -> None:
    poison, good = f"x@{'ä' * 63}.example", "nina@home.example"
    for email in (poison, good):
        onboarding.apply(key=email, email=email, name="N", real_name="N", language="en", languages=["en"])
    for name, email in (("Anna", poison), ("Bernd", "bernd@agents.example")):
        agent = world.agent(name)
        User.objects.filter(pk=agent.user_id).update(email=email)
        rights.tell(agent.pk, NoticeKind.KEPT)
    tasks.letters_due()
    assert sorted(letter.to[0] for letter in mail.outbox) == ["bernd@agents.example", good]
    assert (letters.due_ids(), notices.due_ids()) == ([], [])  # it can never be sent


def test_what_is_refused_all_day_long_keeps_nothing_else_waiting(world: World) -> None:
    agent = world.agent("Anna")
    for number in range(3):
        onboarding.apply(
            key=str(number),
            email=f"{number}@home.example",
            name="N",
            real_name="N",
            language="en",
            languages=["en"],
        )
        rights.tell(agent.pk, NoticeKind.KEPT)
    for due in (letters.due_ids, notices.due_ids):
        assert len(due(limit=1)) == 1
        assert {one for _ in range(60) for one in due(limit=1)} == set(due())
        assert len(due()) == 3


def test_letters_speak_the_applicants_language(world: World) -> None:
    with translation.override("de"):
        Client().post("/work-with-us", SAID, headers={"accept-language": "de"})
    tasks.letters_due()
    assert "Bewerbung" in mail.outbox[0].subject


def test_you_know_us_already(world: World, client: Client) -> None:
    ticket = world.ticket()
    here = f"/work-with-us/from/{ticket.public_id}"
    assert client.get(here).status_code == 404  # without the private link
    client.cookies[f"t-{ticket.public_id}"] = ticket_token(ticket)
    page = client.get(here).content.decode()
    assert 'value="carla@customers.example"' in page
    assert ticket.number in page
    assert client.post(here, SAID).status_code == 303
    assert Application.objects.get().known_by == ticket.number


@pytest.mark.parametrize(
    "raw", ["", "[]", "nonsense", '{"socket": 3}', '{"width": 1e400, "skew_seconds": NaN}']
)
def test_a_device_check_that_says_nothing_usable(raw: str) -> None:
    assert onboarding.device_clean(raw) == {}
