"""The wallboard's figures are those of the timelines, and a look costs the same on any day."""

import random
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone

import agents.errors
import tickets.errors
from agents.models import Agent, User
from dispatch import desk, presence, queue, snooze
from dispatch.models import FeedEvent, HalfHour, Offer, OfferState, Route
from dispatch.offers import due_offer_ids, offer_accept, offer_decline, offer_expire, offers_cancel
from dispatch.runs import match_pool
from dispatch.wall import figures, halves
from dispatch.wall.charts import chart, round_up
from tests.cast import PASSWORD, World
from tests.practising import begin, make_applicant, make_script
from tests.tickets.assistant.scenes import assisted, switch_on
from tickets import kept
from tickets.assistant.turns import answer_judge
from tickets.lifecycle import ticket_close, ticket_rate, ticket_reopen, ticket_request_human
from tickets.models import Customer, Ticket, TicketEvent

pytestmark = pytest.mark.django_db
Refusal = (tickets.errors.Refusal, agents.errors.Refusal)


@pytest.fixture(autouse=True)
def looked_at_anew() -> None:
    figures.forget()


class Day:
    """Somebody does something at random, through the services; what is not possible just then is refused, as in life."""

    def __init__(self, world: World, seed: int) -> None:
        self.world, self.chance = world, random.Random(seed)
        self.people = [world.agent(name, cards=0 if name == "Ben" else 3) for name in ("Anna", "Ben", "Cleo")]
        for one in self.people:
            presence.go_online(agent_id=one.pk)

    def play(self, steps: int) -> None:
        acts: list[Callable[[], Any]] = [
            self.opens,
            self.opens,
            lambda: match_pool(self.world.pool.pk),
            lambda: match_pool(self.world.pool.pk),
            self.accepts,
            self.accepts,
            self.declines,
            self.expires,
            self.leaves,
            self.asks_again,
            self.works,
            self.works,
            self.comes_back,
            self.changes_shift,
        ]
        for _step in range(steps):
            with suppress(*Refusal):
                self.chance.choice(acts)()
        for ticket_id in queue.closed_with_live_offers():  # as the tick does
            offers_cancel(ticket_id=ticket_id)

    def one(self, rows: Any) -> Any:
        found = list(rows.order_by("pk"))
        if not found:
            raise tickets.errors.TicketNotFound
        return self.chance.choice(found)

    def opens(self) -> None:
        kind = self.chance.random()
        if kind < 0.25:
            ticket = assisted(self.world)
            if self.chance.random() < 0.7:
                answer_judge(ticket=ticket, helped=self.chance.random() < 0.5)
        else:
            self.world.ticket(topic=self.chance.choice([self.world.refund, self.world.card]))

    def offer(self) -> Offer:
        return self.one(Offer.objects.filter(state=OfferState.PENDING, run__isnull=False))

    def accepts(self) -> None:
        offer = self.offer()
        offer_accept(offer_id=offer.pk, agent_id=offer.agent_id, epoch=offer.shift.epoch)

    def declines(self) -> None:
        offer = self.offer()
        offer_decline(offer_id=offer.pk, agent_id=offer.agent_id, epoch=offer.shift.epoch)

    def expires(self) -> None:
        Offer.objects.filter(pk=self.offer().pk).update(expires_at=timezone.now() - timedelta(seconds=1))
        for offer_id, shift_id in due_offer_ids():
            offer_expire(offer_id=offer_id, shift_id=shift_id)

    def leaves(self) -> None:
        ticket_close(ticket=self.one(Ticket.objects.filter(Ticket.REAL, state__in=Ticket.OPEN)))

    def asks_again(self) -> None:
        ticket_request_human(ticket=self.one(Ticket.objects.filter(Ticket.REAL, state__in=Ticket.OPEN)))

    def works(self) -> None:
        offer = self.one(Offer.objects.filter(state=OfferState.ACCEPTED, run__isnull=False))
        holder: dict[str, Any] = {
            "agent": offer.agent,
            "epoch": offer.shift.epoch,
            "ticket_id": offer.ticket_id,
        }
        act = self.chance.choice(("resolve", "resolve", "hand_back", "snooze", "soon"))
        if act == "resolve":
            desk.reply(**holder, body="Done.")
            desk.resolve(**holder)
        elif act == "hand_back":
            desk.hand_back(**holder)
        elif act == "snooze":
            snooze.snooze(**holder, until=timezone.now() + timedelta(hours=2))
        else:
            Ticket.objects.filter(wakes_at__isnull=False).update(
                wakes_at=timezone.now() - timedelta(seconds=1)
            )
            snooze.wake_due()

    def comes_back(self) -> None:
        ticket = self.one(Ticket.objects.filter(Ticket.REAL, state__in=("resolved", "closed"), ended_as=""))
        if self.chance.random() < 0.5:
            ticket_rate(ticket=ticket, score=self.chance.randint(1, 5), solved=True)
        else:
            ticket_reopen(ticket=ticket)

    def changes_shift(self) -> None:
        agent = self.chance.choice(self.people)
        shift = agent.shifts.filter(ended_at__isnull=True).first()
        act = self.chance.choice(("pause", "finish", "offline", "online", "online"))
        if shift is None or act == "online":
            presence.go_online(agent_id=agent.pk)
        elif act == "pause":
            presence.pause(agent_id=agent.pk, epoch=shift.epoch)
        elif act == "finish":
            presence.finish(agent_id=agent.pk, epoch=shift.epoch)
        else:
            presence.go_offline(agent_id=agent.pk, epoch=shift.epoch)


def told() -> dict[str, Any]:
    """The same figures from nothing but events: read one after the other, as somebody with a pencil would."""
    count: Counter[str] = Counter()
    for ticket in Ticket.objects.exclude(channel="practice"):
        target = Route.objects.get(topic=ticket.topic).target_seconds
        waits_since = None
        held = asleep = False
        pending = 0
        for event in ticket.events.order_by("seq"):
            kind = event.type.removeprefix("ticket.")
            begins = kind in ("handed_over", "reopened", "released", "restored")
            begins |= kind == "opened" and not event.data["assisted"]
            # Who asks the assistant for a person, and who was put aside by somebody who has gone since.
            begins |= kind == "human_requested" and not held and waits_since is None and not asleep
            begins |= kind == "woke" and not held
            if begins and waits_since is None:
                waits_since, held, asleep = event.created_at, False, False
                count["asked"] += 1
            elif kind in ("held", "closed", "resolved", "merged"):
                if waits_since is not None:
                    seconds = (event.created_at - waits_since).total_seconds()
                    count["missed" if seconds > target else "kept" if kind == "held" else "left"] += 1
                    count["abandoned"] += kind == "closed"
                waits_since, held, asleep = None, kind == "held", False
            elif kind == "snoozed":
                asleep = True
            elif kind == "woke":
                asleep = False
            elif kind == "left_asleep":
                held = False
            pending += len(event.data["agents"]) if kind == "offered" else 0
            pending -= kind in ("held", "offer_ended")
            count["offers"] += len(event.data["agents"]) if kind == "offered" else 0
            count["accepted"] += kind == "held"
            if kind == "offer_ended":
                state = event.data["state"]
                count["withdrawn" if state in ("revoked", "cancelled") else state] += 1
            count["opened"] += kind == "opened"
            count["reopened"] += kind == "reopened"
            count["resolved"] += kind == "resolved" and event.actor_id is not None
            count["assisted"] += kind == "resolved" and event.actor_id is None
            if kind == "rated":
                count["ratings"] += 1
                count["stars"] += event.data["score"]
        count["waiting"] += waits_since is not None
        count["unended"] += waits_since is not None
        count["chats"] += held and not asleep
        count["aside"] += held and asleep
        count["offers_open"] += pending
    for agent in Agent.objects.filter(shifts__practice=False).distinct():
        last = FeedEvent.objects.filter(agent=agent, type="shift.changed").order_by("seq").last()
        assert last is not None
        count[f"state_{last.data['state']}"] += 1
    return count


@pytest.mark.parametrize("seed", [1, 2])
def test_figures_are_those_of_the_timelines(world: World, seed: int) -> None:
    switch_on(world)
    make_script()
    begin(make_applicant(world))
    Day(world, seed).play(140)
    halves.halves_write()
    board = figures.board()
    expected = told()
    whole = board.day
    assert {
        name: getattr(whole, name)
        for name in halves.SUMS
        if name not in ("pending", "early", "off", "estimates")
    } == {
        name: expected[name] for name in halves.SUMS if name not in ("pending", "early", "off", "estimates")
    }
    assert whole.pending == expected["asked"] - expected["kept"] - expected["missed"] - expected["left"]
    now = (board.waiting, board.chats, board.aside, board.offers_open)
    assert now == tuple(expected[name] for name in ("waiting", "chats", "aside", "offers_open"))
    people = board.people
    assert (people.there, people.paused, people.finishing, people.offline, people.lost) == (
        expected["state_online"],
        expected["state_paused"],
        expected["state_finishing"],
        expected["state_ended"],
        0,
    )
    assert expected["asked"] > 10


def test_a_day_in_half_hours(world: World) -> None:
    """Kept, missed and abandoned land in the half hour in which the wait began, and what lasts is counted anew."""
    Route.objects.update(target_seconds=60)
    kept.forget()
    now = timezone.now()
    begin = halves.half_of(now - timedelta(hours=3))
    rows = (
        (timedelta(minutes=1), [("held", 30)]),
        (timedelta(minutes=29), [("held", 3600)]),
        (timedelta(minutes=31), [("closed", 20)]),
        (timedelta(minutes=31), []),
    )
    for after, more in rows:
        ticket = Ticket.objects.create(
            customer=Customer.objects.create(),
            topic=world.refund,
            language="en",
            channel="form",
            state="closed",
            access_expires_at=now,
        )
        for seq, (kind, seconds) in enumerate([("opened", 0), *more], start=1):
            TicketEvent.objects.create(
                ticket=ticket,
                seq=seq,
                type=f"ticket.{kind}",
                public=True,
                created_at=begin + after + timedelta(seconds=seconds),
            )
    assert halves.halves_write() >= 48
    assert halves.halves_write() == 3  # the last two, and the one in which somebody still waits
    of = {
        row.begins_at: (row.asked, row.kept, row.missed, row.left, row.abandoned, row.unended)
        for row in HalfHour.objects.filter(asked__gt=0)
    }
    second = halves.half_of(begin + timedelta(minutes=31))
    assert of == {begin: (2, 1, 1, 0, 0, 0), second: (2, 0, 1, 1, 1, 1)}
    board = figures.board()
    assert board.day.service_level == pytest.approx(1 / 3)
    assert [half.span.asked for half in board.halves if half.span.asked] == [2, 2]


def test_a_look_costs_so_many_queries(
    world: World, django_assert_num_queries: Callable[[int], AbstractContextManager[Any]]
) -> None:
    for name in ("Anna", "Ben"):
        presence.go_online(agent_id=world.agent(name).pk)
    for _ticket in range(5):
        world.ticket()
    match_pool(world.pool.pk)
    halves.halves_write()
    figures.board()  # what admins have set is kept from now on
    with django_assert_num_queries(13):
        board = figures.board()
    assert (board.waiting, board.people.online) == (5, 2)
    with django_assert_num_queries(13):  # whoever else looks within a second takes what was found
        assert figures.board_kept() is figures.board_kept()


# --- Who may see it ---------------------------------------------------------------------------------------------------


def signed_in(*rights: str, language: str = "en") -> Client:
    user = User.objects.create_user(f"lead{User.objects.count()}@team.example", PASSWORD, name="Lea")
    user.user_permissions.add(*Permission.objects.filter(codename__in=rights))
    client = Client(headers={"accept-language": language})
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_the_page_is_for_who_may_see_it_and_buttons_for_who_may_act(world: World) -> None:
    ticket = world.ticket()
    for path in ("/lead/", "/lead/news"):
        assert Client().get(path).status_code == 302
        assert signed_in("view_run").get(path).status_code == 403
        assert signed_in("view_halfhour").get(path).status_code == 200
    link = f'href="/lead/tickets/{ticket.public_id}"'
    assert link not in signed_in("view_halfhour").get("/lead/").content.decode()
    assert link in signed_in("view_halfhour", "intervene", "view_ticket").get("/lead/").content.decode()
    news = signed_in("view_halfhour").get("/lead/news").json()["frames"]
    assert [(frame["stream"], frame["type"], frame["data"]["waiting"]) for frame in news] == [
        ("wall", "snapshot", 1)
    ]


def test_drawn_in_german(world: World) -> None:
    world.ticket()
    text = signed_in("view_halfhour", language="de").get("/lead/").content.decode()
    assert "Längste Wartezeit" in text
    assert "Erste Reihe" in text


# --- Charts -----------------------------------------------------------------------------------------------------------


def test_bars_stand_on_each_other_and_the_axis_ends_round() -> None:
    drawn = chart([[1, 3], [], [0, 2]], ["08:00", "", "09:00"], midnight=1)
    assert [(bar.kind, bar.y, bar.height) for bar in drawn.bars] == [
        (0, "147.0", "45.0"),
        (1, "12.0", "135.0"),
        (1, "102.0", "90.0"),
    ]
    assert [mark.says for mark in drawn.rows] == ["0", "2", "4"]
    assert [mark.says for mark in drawn.columns] == ["08:00", "09:00"]
    assert [round_up(number) for number in (0, 2, 3, 11, 21, 99)] == [2, 2, 4, 20, 40, 100]
    assert chart([], [], midnight=None).bars == []
