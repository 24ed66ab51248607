"""Drafts on the server, canned replies at the desk, and the agent's own keys."""

import pytest

from dispatch import desk, drafts, keys
from dispatch.errors import BadKeys, NotHolder
from dispatch.models import Draft, DraftKind
from tests.callers import agent_of, customer_of, problem
from tests.cast import World
from tests.console import Person, text_of
from tests.untouched import nothing_changed
from tickets.errors import VariableLeft
from tickets.models import CannedReply, Ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def anna(world: World) -> Person:
    return Person(world, "Anna").online()


@pytest.fixture
def ticket(anna: Person) -> Ticket:
    return anna.holding()


def keep(anna: Person, ticket: Ticket, body: str, kind: DraftKind = DraftKind.MESSAGE) -> int:
    return drafts.keep(agent=anna.agent, ticket_id=ticket.pk, kind=kind, body=body)


class TestDrafts:
    def test_the_last_writer_wins_and_has_the_highest_number(self, anna: Person, ticket: Ticket) -> None:
        assert [keep(anna, ticket, text) for text in ("Hel", "Hello", "")] == [1, 2, 3]
        assert keep(anna, ticket, "Strange", DraftKind.NOTE) == 1
        assert drafts.of(anna.agent) == {
            ticket.public_id: {"message": {"body": "", "number": 3}, "note": {"body": "Strange", "number": 1}}
        }

    def test_nobody_else_sees_it_and_card_numbers_are_not_kept(
        self, world: World, anna: Person, ticket: Ticket
    ) -> None:
        keep(anna, ticket, "My card is 4111 1111 1111 1111")
        assert "4111" not in Draft.objects.get().body
        bernd = Person(world, "Bernd").online()
        assert drafts.of(bernd.agent) == {}
        with nothing_changed(), pytest.raises(NotHolder):
            keep(bernd, ticket, "Mine")
        answer = customer_of(ticket).ask(f"tickets/{ticket.public_id}")
        assert b"My card is" not in answer.content

    def test_it_is_gone_with_the_ticket(self, anna: Person, ticket: Ticket) -> None:
        keep(anna, ticket, "Hello")
        assert drafts.tidy() == 0
        desk.hand_back(agent=anna.agent, epoch=anna.epoch, ticket_id=ticket.pk)
        assert drafts.of(anna.agent) == {}
        assert drafts.tidy() == 1
        assert anna.fetch(f"tickets/{ticket.public_id}/draft", body="Late").json() == {"number": None}
        assert Draft.objects.count() == 0

    def test_over_http_and_in_the_page(self, anna: Person, ticket: Ticket) -> None:
        saved = anna.fetch(f"tickets/{ticket.public_id}/draft", kind="note", body="Half a note")
        assert saved.json() == {"number": 1}
        assert anna.get("/console/drafts").json()["drafts"][ticket.public_id]["note"]["number"] == 1  # type: ignore[attr-defined]
        assert "Half a note" in text_of(anna.get())
        assert agent_of(anna.agent).ask(f"desk/{ticket.public_id}/draft").json() == {
            "message": None,
            "note": {"body": "Half a note", "number": 1},
        }


class TestCanned:
    def test_the_desk_lists_them_with_variables_put_in(self, anna: Person, ticket: Ticket) -> None:
        CannedReply.objects.create(title="Hi", body="Hello {customer}, {agent} here", language="en")
        expected = {"replies": [{"title": "Hi", "text": "Hello Carla, Anna here"}]}
        assert anna.get(f"/console/tickets/{ticket.public_id}/canned-replies").json() == expected  # type: ignore[attr-defined]
        assert agent_of(anna.agent).ask(f"desk/{ticket.public_id}/canned-replies").json() == expected

    def test_a_variable_is_never_sent(self, anna: Person, ticket: Ticket) -> None:
        caller = agent_of(anna.agent)
        with nothing_changed():
            with pytest.raises(VariableLeft):
                desk.reply(agent=anna.agent, epoch=1, ticket_id=ticket.pk, body="Hello {agent}")
            problem(
                caller.tell(f"desk/{ticket.public_id}/reply", {"epoch": 1, "body": "{topic}"}),
                422,
                "variable_left",
            )
        desk.reply(agent=anna.agent, epoch=1, ticket_id=ticket.pk, body="Use {x} in the form")
        desk.note(agent=anna.agent, epoch=1, ticket_id=ticket.pk, body="The {customer} template is wrong")


class TestKeys:
    def test_they_are_the_accounts(self, anna: Person) -> None:
        assert keys.of(anna.agent)["accept"] == "a"
        keys.choose(agent=anna.agent, keys={"accept": " Y ", "help": ""})
        assert (keys.of(anna.agent)["accept"], keys.of(anna.agent)["help"]) == ("y", "")
        assert '"key": "y"' in text_of(anna.get())

    @pytest.mark.parametrize("wrong", [{"accept": "d"}, {"accept": "ab"}, {"fly": "f"}, {"accept": "\x07"}])
    def test_one_sign_does_one_thing(self, anna: Person, wrong: dict[str, str]) -> None:
        with nothing_changed(), pytest.raises(BadKeys):
            keys.choose(agent=anna.agent, keys=wrong)

    def test_the_form(self, anna: Person) -> None:
        assert "<h1" in text_of(anna.get("/console/keys"))
        refused = anna.post("keys", key_accept="d")
        assert refused.status_code == 422
        assert "does one thing" in text_of(refused)
        anna.post("keys", key_accept="y")
        assert keys.of(anna.agent)["accept"] == "y"
