"""/api/v1/offers: whose they are, accept, decline, deadlines, keys and bad input."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from agents.models import Shift
from dispatch import presence
from dispatch.models import FeedEvent, Offer
from dispatch.runs import match_pool
from tests.callers import Caller, agent_of, customer_of, problem
from tests.cast import World
from tests.untouched import nothing_changed
from tickets.lifecycle import ticket_close
from tickets.models import Ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def offer(world: World) -> Offer:
    """Open, of Anna, who is online in her first shift."""
    presence.go_online(agent_id=world.agent("Anna").pk)
    world.ticket()
    match_pool(world.pool.pk)
    return Offer.objects.select_related("ticket").get()


@pytest.fixture
def anna(world: World, offer: Offer) -> Caller:
    return agent_of(world.agents["Anna"])


def late(offer: Offer) -> None:
    """Its deadline has just passed; the tick has not come by yet."""
    Offer.objects.filter(pk=offer.pk).update(expires_at=timezone.now() - timedelta(seconds=1))


class TestReading:
    def test_the_card(self, world: World, offer: Offer, anna: Caller) -> None:
        [card] = anna.ask("offers").json()["offers"]
        assert 0 < card.pop("seconds_left") <= 20
        assert card.pop("why")
        assert card == {
            "offer": offer.pk,
            "expires_at": offer.expires_at.isoformat(),
            "pay_cents": 400,
            "surge_cents": 0,
            "bonus_cents": 0,
            "bonus_score": 5,
            "waiting_cents": 0,
            "waiting_minutes": 30,
            "release_percent": 0,
            "currency": "EUR",
            "topic": "refund",
            "topic_name": "Refund",
            "skills": [{"name": "Payments", "level": 2, "certificate": False}],
            "language": "en",
            "expected_minutes": 6,
            "waiting_since": Ticket.objects.get().waiting_since.isoformat(),
            "summary": "Where is my refund?",
            "handover": "",
            "next_up": False,
        }
        one = anna.ask(f"offers/{offer.pk}").json()
        assert (one["state"], one["summary"]) == ("pending", card["summary"])

    def test_says_nothing_of_who_asks(self, offer: Offer, anna: Caller) -> None:
        for path in ("offers", f"offers/{offer.pk}", "shift", "desk"):
            assert b"arla" not in anna.ask(path).content

    def test_in_the_language_asked_for_or_else_the_accounts(
        self, world: World, offer: Offer, anna: Caller
    ) -> None:
        def topic(**headers: str) -> str:
            answer = anna.get("/api/v1/offers", headers=headers).json()
            return str(answer["offers"][0]["topic_name"])

        assert topic() == "Refund"
        assert topic(**{"Accept-Language": "de"}) == "Erstattung"
        user = world.agents["Anna"].user
        user.language = "de"
        user.save()
        assert topic() == "Erstattung"
        assert topic(**{"Accept-Language": "en"}) == "Refund"

    def test_what_is_late_is_not_open(self, offer: Offer, anna: Caller) -> None:
        late(offer)
        assert anna.ask("offers").json() == {"offers": []}
        assert anna.ask(f"offers/{offer.pk}").json()["seconds_left"] < 0


class TestSomebodyElses:
    def test_is_not_found(self, world: World, offer: Offer) -> None:
        bernd_agent = world.agent("Bernd")
        epoch = presence.go_online(agent_id=bernd_agent.pk).epoch
        bernd = agent_of(bernd_agent)
        assert bernd.ask("offers").json() == {"offers": []}
        with nothing_changed():
            for number in (offer.pk, offer.pk + 1, 0, 10**30):
                problem(bernd.ask(f"offers/{number}"), 404, "offer_not_found")
                problem(bernd.tell(f"offers/{number}/accept", {"epoch": epoch}), 404, "offer_not_found")
                problem(bernd.tell(f"offers/{number}/decline", {"epoch": epoch}), 404, "offer_not_found")

    @pytest.mark.parametrize("number", ["x", "-1", "1.5", "%00", "1 OR 1=1"])
    def test_nonsense_is_no_address(self, anna: Caller, number: str) -> None:
        problem(anna.ask(f"offers/{number}"), 404, "not_found")


class TestAccept:
    def test_once(self, offer: Offer, anna: Caller) -> None:
        answer = anna.tell(f"offers/{offer.pk}/accept", {"epoch": 1})
        assert answer.json() == {"offer": offer.pk, "state": "accepted", "ticket": offer.ticket.public_id}
        assert Ticket.objects.get().state == "held"
        with nothing_changed():
            assert anna.tell(f"offers/{offer.pk}/accept", {"epoch": 1}).json() == answer.json()

    def test_one_of_two(self, world: World) -> None:
        world.ticket()
        for name in ("Anna", "Bernd"):
            presence.go_online(agent_id=world.agent(name).pk)
        match_pool(world.pool.pk)
        first, second = Offer.objects.select_related("agent__user").order_by("pk")
        faster, slower = agent_of(first.agent), agent_of(second.agent)
        assert faster.tell(f"offers/{first.pk}/accept", {"epoch": 1}).status_code == 200
        with nothing_changed():
            problem(slower.tell(f"offers/{second.pk}/accept", {"epoch": 1}), 409, "offer_gone")

    def test_after_the_deadline(self, offer: Offer, anna: Caller) -> None:
        late(offer)
        with nothing_changed():
            problem(anna.tell(f"offers/{offer.pk}/accept", {"epoch": 1}), 410, "offer_expired")
            problem(anna.tell(f"offers/{offer.pk}/decline", {"epoch": 1}), 410, "offer_expired")

    def test_after_the_customer_left(self, offer: Offer, anna: Caller) -> None:
        ticket_close(ticket=offer.ticket)  # the offer itself is cancelled after commit, a moment later
        with nothing_changed():
            problem(anna.tell(f"offers/{offer.pk}/accept", {"epoch": 1}), 409, "offer_gone")

    def test_after_declining(self, offer: Offer, anna: Caller) -> None:
        anna.tell(f"offers/{offer.pk}/decline", {"epoch": 1})
        with nothing_changed():
            problem(anna.tell(f"offers/{offer.pk}/accept", {"epoch": 1}), 409, "offer_gone")

    def test_with_an_old_epoch(self, world: World, offer: Offer, anna: Caller) -> None:
        presence.go_offline(agent_id=world.agents["Anna"].pk, epoch=1)
        with nothing_changed():
            problem(anna.tell(f"offers/{offer.pk}/accept", {"epoch": 1}), 409, "shift_ended")
        presence.go_online(agent_id=world.agents["Anna"].pk)
        with nothing_changed():
            problem(anna.tell(f"offers/{offer.pk}/accept", {"epoch": 1}), 409, "shift_ended")
            problem(anna.tell(f"offers/{offer.pk}/accept", {"epoch": 2}), 409, "offer_gone")

    @pytest.mark.parametrize("body", [{}, {"epoch": "1"}, {"epoch": None}, {"epoch": 2**31}, []])
    def test_with_a_wrong_epoch(self, offer: Offer, anna: Caller, body: object) -> None:
        with nothing_changed():
            problem(anna.tell(f"offers/{offer.pk}/accept", body), 400, "invalid")
            problem(anna.tell(f"offers/{offer.pk}/decline", body), 400, "invalid")


class TestDecline:
    def test_once(self, offer: Offer, anna: Caller) -> None:
        answer = anna.tell(f"offers/{offer.pk}/decline", {"epoch": 1, "reason": "r" * 50})
        assert answer.json() == {"offer": offer.pk, "state": "declined"}
        offer.refresh_from_db()
        assert (offer.state, offer.reason) == ("declined", "r" * 40)
        assert Shift.objects.get().units_taken == 0
        assert anna.ask(f"offers/{offer.pk}").json()["state"] == "declined"
        with nothing_changed():
            assert anna.tell(f"offers/{offer.pk}/decline", {"epoch": 1}).json() == answer.json()

    def test_after_accepting(self, offer: Offer, anna: Caller) -> None:
        anna.tell(f"offers/{offer.pk}/accept", {"epoch": 1})
        with nothing_changed():
            problem(anna.tell(f"offers/{offer.pk}/decline", {"epoch": 1}), 409, "offer_gone")

    @pytest.mark.parametrize(
        ("reason", "status", "code"),
        [(5, 400, "invalid"), ("\x00", 422, "bad_text"), ("\udfff", 422, "bad_text")],
    )
    def test_with_a_wrong_reason(
        self, offer: Offer, anna: Caller, reason: object, status: int, code: str
    ) -> None:
        with nothing_changed():
            body = json.dumps({"epoch": 1, "reason": reason}).encode()
            problem(anna.send(f"offers/{offer.pk}/decline", body), status, code)


class TestTheSameKey:
    @pytest.mark.parametrize("command", ["accept", "decline"])
    def test_is_done_once_and_answers_the_same(self, offer: Offer, anna: Caller, command: str) -> None:
        first = anna.tell(f"offers/{offer.pk}/{command}", {"epoch": 1}, key="a-key")
        assert first.status_code == 200
        with nothing_changed():
            again = anna.tell(f"offers/{offer.pk}/{command}", {"epoch": 1}, key="a-key")
        assert again.json() == first.json()
        assert FeedEvent.objects.filter(key="a-key").count() == 1
        with nothing_changed():
            other = {"accept": "decline", "decline": "accept"}[command]
            answer = anna.tell(f"offers/{offer.pk}/{other}", {"epoch": 1}, key="a-key")
            problem(answer, 422, "idempotency_key_reused")
            problem(anna.tell("shift/offline", {"epoch": 1}, key="a-key"), 422, "idempotency_key_reused")
            answer = anna.tell(f"offers/{offer.pk}/{command}", {"epoch": 1}, key="k" * 101)
            problem(answer, 400, "idempotency_key_invalid")

    def test_answers_the_same_when_the_work_is_done(self, offer: Offer, anna: Caller) -> None:
        first = anna.tell(f"offers/{offer.pk}/accept", {"epoch": 1}, key="a-key")
        anna.tell(f"desk/{offer.ticket.public_id}/resolve", {"epoch": 1})
        anna.tell("shift/offline", {"epoch": 1})
        assert anna.tell(f"offers/{offer.pk}/accept", {"epoch": 1}, key="a-key").json() == first.json()


def test_a_customer_has_no_offers(offer: Offer) -> None:
    carla = customer_of(offer.ticket)
    with nothing_changed():
        problem(carla.ask("offers"), 401, "not_authenticated")
        problem(carla.tell(f"offers/{offer.pk}/accept", {"epoch": 1}), 401, "not_authenticated")
