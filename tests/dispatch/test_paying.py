"""What a ticket pays: what the card showed, the minutes of waiting, work handed over, surge and bonus; each once."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db.models import F
from hypothesis import given
from hypothesis import strategies as st

from agents.errors import AlreadyAnswered
from agents.models import LedgerEntry
from agents.pay import credit
from dispatch import cards, contests, desk, paying, presence, tasks
from dispatch.models import Contest, FeedEvent, Offer, Policy, Rate
from dispatch.offers import offer_accept, offers_cancel
from dispatch.pricing import Terms, percent_of, surge, waited_seconds, waiting_pay
from dispatch.runs import match_pool
from tests.agents.conftest import Office, office
from tests.cast import World
from tests.console import Person, text_of
from tests.dispatch.scenes import rated
from tests.untouched import nothing_changed
from tickets import kept
from tickets.conversation import customer_reply
from tickets.lifecycle import ticket_close, ticket_rate
from tickets.models import Message, Rating, Ticket

assert office
BEGIN = datetime(2026, 11, 22, tzinfo=UTC)

# --- Pure -------------------------------------------------------------------------------------------------------------


@given(st.integers(0, 10**9), st.integers(0, 300))
def test_percents_are_rounded_half_up(cents: int, percent: int) -> None:
    assert 0 <= percent_of(cents, percent) * 100 - cents * percent + 50 <= 100


@given(st.integers(0, 10**6), st.integers(0, 300), st.integers(0, 500), st.integers(0, 500), st.floats(0, 50))
def test_surge_is_paid_above_the_bound_only(
    cents: int, percent: int, waiting: int, free: int, bound: float
) -> None:
    found = surge(cents, percent, waiting=waiting, free=free, bound=bound)
    assert found == (percent_of(cents, percent) if free and waiting / free > bound else 0)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 600)), max_size=30))
def test_waiting_is_never_longer_than_the_talk(said: list[tuple[bool, int]]) -> None:
    at, talk = BEGIN, []
    for by_agent, gap in said:
        at += timedelta(seconds=gap)
        talk.append((by_agent, at))
    assert 0 <= waited_seconds(talk) <= (at - BEGIN).total_seconds()


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("", 0),
        ("a0 c60", 60),
        ("a0 a40 c60", 20),  # from the last word of theirs: before it they did not wait
        ("a0 c60 c90", 60),
        ("c0 a10 c30 a40", 20),  # what is not answered yet does not count
        ("a0 c60 a100 c130", 90),
    ],
)
def test_waiting_is_from_the_agents_last_word_to_the_customers_next(said: str, seconds: int) -> None:
    talk = [(one[0] == "a", BEGIN + timedelta(seconds=int(one[1:]))) for one in said.split()]
    assert waited_seconds(talk) == seconds


@pytest.mark.parametrize(
    ("said", "seconds", "aside"),
    [
        ("", 0, 0),
        ("c0", 0, 0),
        ("a0", 100, 90),
        ("a0 c60", 60, 60),
        ("a0 c60 a70", 90, 80),
        ("a0 a40", 60, 50),
    ],
)
def test_closing_the_ticket_is_an_answer(said: str, seconds: int, aside: int) -> None:
    """`aside`: when the ticket was put aside for the last ten seconds of it, in which nobody waited."""
    talk = [(one[0] == "a", BEGIN + timedelta(seconds=int(one[1:]))) for one in said.split()]
    closed_at = BEGIN + timedelta(seconds=100)
    asleep = [(BEGIN + timedelta(seconds=90), BEGIN + timedelta(seconds=300))]
    assert waited_seconds(talk, closed_at=closed_at) == seconds
    assert waited_seconds(talk, asleep, closed_at) == aside


@pytest.mark.parametrize(
    ("seconds", "cents"), [(0, 0), (11, 0), (12, 1), (60, 5), (89.9, 7), (1800, 150), (9999, 150)]
)
def test_minutes_of_waiting_are_paid_up_to_a_bound(seconds: float, cents: int) -> None:
    assert waiting_pay(seconds, Terms(waiting_cents=5, waiting_minutes=30)) == cents


# --- With the services ------------------------------------------------------------------------------------------------

pytestmark = pytest.mark.django_db


def rate(**values: int) -> None:
    Rate.objects.filter(topic__key="refund").update(**values)
    kept.forget()


def lines(person: Person) -> list[tuple[str, int]]:
    return list(
        LedgerEntry.objects.filter(agent=person.agent).order_by("pk").values_list("kind", "amount_cents")
    )


@pytest.fixture
def anna(world: World) -> Person:
    return Person(world, "Anna").online()


def talked(person: Person, ticket: Ticket, seconds: int) -> None:
    """They write, and the customer answers so much later."""
    desk.reply(agent=person.agent, epoch=person.epoch, ticket_id=ticket.pk, body="Which order is it?")
    customer_reply(ticket=ticket, body="The blue one")
    past = timedelta(seconds=seconds)
    Offer.objects.filter(ticket=ticket).update(
        answered_at=F("answered_at") - past, expires_at=F("expires_at")
    )
    Message.objects.filter(ticket=ticket, author="agent").update(created_at=F("created_at") - past)


def test_a_ticket_pays_what_the_card_showed(world: World, anna: Person) -> None:
    rate(waiting_cents_per_minute=5, bonus_cents=50, bonus_score=4, release_percent=50)
    Policy.objects.create(pool=world.pool, version=1, surge_percent=25, surge_from=0.5)
    offer = anna.offered()
    card = cards.offer_cards([offer.pk], "en")[offer.pk]
    shown = ("pay_cents", "surge_cents", "bonus_cents", "bonus_score", "waiting_cents", "release_percent")
    assert [card[name] for name in shown] == [400, 100, 50, 4, 5, 50]
    rate(amount_cents=1, waiting_cents_per_minute=0, bonus_cents=0)  # what is offered stays as it was shown
    offer_accept(offer_id=offer.pk, agent_id=anna.agent.pk, epoch=anna.epoch)
    talked(anna, offer.ticket, 150)
    desk.resolve(agent=anna.agent, epoch=anna.epoch, ticket_id=offer.ticket_id)
    assert lines(anna) == [("ticket", 400), ("surge", 100), ("waiting", 12)]
    told = (
        FeedEvent.objects.filter(type="ledger.credited").order_by("seq").values_list("data__kind", flat=True)
    )
    assert list(told) == ["ticket", "surge", "waiting"]
    ticket_rate(ticket=offer.ticket, score=4, solved=True)
    rating = Rating.objects.get()
    assert paying.rated(rating_id=rating.pk)
    assert not paying.rated(rating_id=rating.pk)
    assert paying.ratings_catch_up() == 0
    assert lines(anna)[3:] == [("bonus", 50)]


@pytest.mark.parametrize(("waiting", "expected"), [(2, 0), (3, 100)])
def test_surge_when_more_wait_than_the_bound(world: World, anna: Person, waiting: int, expected: int) -> None:
    Policy.objects.create(pool=world.pool, version=1, surge_percent=25, surge_from=2.0)
    for _ in range(waiting):
        world.ticket()
    match_pool(world.pool.pk)
    assert Offer.objects.get().surge_cents == expected


def test_a_rating_below_the_bound_brings_nothing(world: World, anna: Person) -> None:
    rate(bonus_cents=50, bonus_score=5)
    ticket = anna.holding()
    desk.resolve(agent=anna.agent, epoch=anna.epoch, ticket_id=ticket.pk)
    ticket_rate(ticket=ticket, score=4, solved=True)
    assert not paying.rated(rating_id=Rating.objects.get().pk)
    assert paying.ratings_catch_up() == 0
    assert lines(anna) == [("ticket", 400)]


@pytest.mark.django_db(transaction=True)
def test_the_bonus_comes_by_the_signal_or_else_within_the_hour(
    world: World, anna: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    rate(bonus_cents=50)
    for turn in range(2):
        ticket = anna.holding()
        desk.resolve(agent=anna.agent, epoch=anna.epoch, ticket_id=ticket.pk)
        if turn:
            monkeypatch.setattr(paying, "rated", lambda **_: 1 / 0)  # its process dies before it is done
        ticket_rate(ticket=ticket, score=5, solved=True)
        assert lines(anna).count(("bonus", 50)) == 1
    monkeypatch.undo()
    tasks.bonuses()
    tasks.bonuses()
    assert lines(anna).count(("bonus", 50)) == 2


@pytest.mark.parametrize(("by_customer", "cents"), [(True, 15), (False, 0)])
def test_the_last_wait_is_paid_if_the_customer_ends_it(
    world: World, anna: Person, by_customer: bool, cents: int
) -> None:
    """And not if the agent does: late resolving would be paid."""
    rate(waiting_cents_per_minute=5)
    ticket = anna.holding()
    desk.reply(agent=anna.agent, epoch=anna.epoch, ticket_id=ticket.pk, body="Is it there?")
    past = timedelta(seconds=180)
    Offer.objects.update(answered_at=F("answered_at") - past)
    Message.objects.filter(author="agent").update(created_at=F("created_at") - past)
    if by_customer:
        ticket_close(ticket=Ticket.objects.get())
        offers_cancel(ticket_id=ticket.pk)
        offers_cancel(ticket_id=ticket.pk)
    else:
        desk.resolve(agent=anna.agent, epoch=anna.epoch, ticket_id=ticket.pk)
    assert lines(anna) == [("ticket", 400)] + [("waiting", cents)] * bool(cents)


def test_the_card_says_the_cap(world: World, anna: Person) -> None:
    rate(waiting_cents_per_minute=5, waiting_minutes=20)
    offer = anna.offered()
    rate(waiting_minutes=1)  # what is offered stays as it was shown
    assert cards.offer_cards([offer.pk], "en")[offer.pk]["waiting_minutes"] == 20
    assert "Each minute until the customer&#39;s answer, if one comes, up to 20 minutes" in text_of(
        anna.get()
    )


class TestARatingThatIsCorrected:
    @pytest.fixture
    def contested(self, world: World, anna: Person) -> Contest:
        """A 3 where a 4 would have earned the bonus."""
        rate(bonus_cents=50, bonus_score=4)
        anna.agent.user.language = "de"
        anna.agent.user.save()
        rating = rated(anna, 3)
        assert lines(anna) == [("ticket", 400)]
        return contests.contest_rating(agent_id=anna.agent.pk, rating_id=rating.pk, text="It was a 5.")

    def answered(self, contest: Contest, office: Office, outcome: str, score: int | None = None) -> None:
        contests.answer(
            contest_id=contest.pk, by=office.olga, outcome=outcome, answer="So it was.", score=score
        )

    def test_brings_the_bonus_once_with_its_reason(
        self, anna: Person, contested: Contest, office: Office
    ) -> None:
        self.answered(contested, office, "corrected", 4)
        assert lines(anna) == [("ticket", 400), ("bonus", 50)]
        line = LedgerEntry.objects.get(kind="bonus")
        assert line.memo == f"{contested.rating.ticket.number} · Erstattung · Bewertung berichtigt"
        told = FeedEvent.objects.filter(type="ledger.credited").latest("seq").data
        assert (told["kind"], told["amount_cents"], told["memo"]) == ("bonus", 50, line.memo)
        with nothing_changed():
            with pytest.raises(AlreadyAnswered):
                self.answered(contested, office, "corrected", 5)
            assert not paying.rating_corrected(rating_id=contested.rating_id, score=5)
            assert not paying.rated(rating_id=contested.rating_id)
            assert paying.ratings_catch_up() == 0

    @pytest.mark.parametrize(("outcome", "score"), [("corrected", 3), ("stands", None), ("struck", None)])
    def test_else_it_brings_nothing(
        self, anna: Person, contested: Contest, office: Office, outcome: str, score: int | None
    ) -> None:
        self.answered(contested, office, outcome, score)
        assert lines(anna) == [("ticket", 400)]

    @pytest.mark.parametrize("score", [1, 5])
    def test_what_was_paid_stays_paid(self, world: World, anna: Person, office: Office, score: int) -> None:
        rate(bonus_cents=50, bonus_score=4)
        rating = rated(anna, 4)
        assert paying.rated(rating_id=rating.pk)
        contest = contests.contest_rating(agent_id=anna.agent.pk, rating_id=rating.pk, text="It was a 5.")
        self.answered(contest, office, "corrected", score)
        assert lines(anna) == [("ticket", 400), ("bonus", 50)]


def test_work_handed_back_is_paid_once_if_there_was_any(world: World, anna: Person) -> None:
    rate(release_percent=50, waiting_cents_per_minute=6)
    idle = anna.holding()
    desk.hand_back(agent=anna.agent, epoch=anna.epoch, ticket_id=idle.pk)
    assert lines(anna) == []
    Ticket.objects.filter(pk=idle.pk).update(state="closed", closed_at=F("created_at"))
    ticket = anna.holding()
    talked(anna, ticket, 60)
    desk.hand_back(agent=anna.agent, epoch=anna.epoch, ticket_id=ticket.pk)
    assert lines(anna) == [("release", 200), ("waiting", 6)]
    # Again, and again some words: the part is not paid twice.
    Offer.objects.filter(ticket=ticket).update(ended_at=F("ended_at") - timedelta(days=1))
    match_pool(world.pool.pk)
    again = Offer.objects.get(ticket=ticket, state="pending")
    offer_accept(offer_id=again.pk, agent_id=anna.agent.pk, epoch=anna.epoch)
    desk.reply(agent=anna.agent, epoch=anna.epoch, ticket_id=ticket.pk, body="Still here")
    desk.hand_back(agent=anna.agent, epoch=anna.epoch, ticket_id=ticket.pk)
    assert lines(anna) == [("release", 200), ("waiting", 6)]


def test_work_is_paid_when_the_agent_goes_or_is_dropped(world: World, anna: Person) -> None:
    rate(release_percent=25)
    ticket = anna.holding()
    desk.reply(agent=anna.agent, epoch=anna.epoch, ticket_id=ticket.pk, body="Let me look")
    presence.go_offline(agent_id=anna.agent.pk, epoch=anna.epoch)
    assert lines(anna) == [("release", 100)]


def test_earnings_are_what_was_earned_not_what_was_paid_out(world: World, anna: Person) -> None:
    ticket = anna.holding()
    desk.resolve(agent=anna.agent, epoch=anna.epoch, ticket_id=ticket.pk)
    credit(
        agent_id=anna.agent.pk,
        kind="payout",
        amount_cents=-400,
        currency="EUR",
        reference="payout:1",
        memo="",
    )  # type: ignore[arg-type]
    assert cards.earnings(anna.agent.pk, anna.agent.zone) == [
        {"currency": "EUR", "today_cents": 400, "week_cents": 400, "pending_cents": 0, "paid_cents": 400}
    ]


def test_an_offer_of_before_pays_as_it_did() -> None:
    assert Terms.of({}) == Terms()
    assert Terms.of({"bonus_cents": 5, "unknown": 1}) == Terms(bonus_cents=5)
