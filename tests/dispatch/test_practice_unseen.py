"""Practice is never seen by the real world: each place that looks at tickets, people or money sees the same before a practice,
while it is under way and after it; and something else as soon as the same is done with a customer."""

import re
from collections.abc import Callable
from datetime import UTC, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.db.models import F
from django.test import Client, override_settings
from django.utils import timezone

from agents.models import Agent, LedgerEntry, Shift, User
from dispatch import alerts, answers, cards, desk, forecasting, practice, presence, promise, queue, routes
from dispatch.members import online
from dispatch.models import Alert, Offer, PoolStanding, Practice, Run, Standing
from dispatch.offers import offer_accept
from dispatch.runs import match_pool
from dispatch.sight import queue_of
from dispatch.yesterday import case_of_day
from tests.callers import agent_of, customer_of
from tests.cast import World
from tests.practising import ASKS, HELPS, begin, make_applicant, make_script, resolve, say
from tickets import away, mail, reading
from tickets.access import token_of
from tickets.assistant import measures
from tickets.models import Rating, Ticket

pytestmark = pytest.mark.django_db(transaction=True)

Look = Callable[[World], Any]


def standings(_world: World) -> Any:
    Standing.objects.all().delete()
    queue.standings_refresh()
    return list(Standing.objects.order_by("agent").values_list("agent", "accept_rate", "answered"))


def pool_standings(_world: World) -> Any:
    queue.pool_standings_refresh()
    return list(PoolStanding.objects.values_list("ended", "rescinded", "parallel"))


def alerted(_world: World) -> Any:
    alerts.nobody_left_refresh()
    return list(Alert.objects.values_list("subject", "closed_at"))


def places(_world: World) -> Any:
    queue.places_write()
    return list(Ticket.objects.filter(place__isnull=False).values_list("pk", "place"))


def matched(world: World) -> Any:
    match_pool(world.pool.pk)
    return [Run.objects.count(), list(Offer.objects.exclude(run=None).values_list("pk", "state"))]


def yesterday(world: World) -> Any:
    case = case_of_day(timezone.localdate(), world.pool.pk)
    assert case.coming is not None
    return case.agents, len(case.coming.at), case.accept


def promised(_world: World) -> Any:
    found = promise.count(timezone.localdate(), timezone.now().timestamp())
    return {topic: tally.asked for topic, tally in found.items()}


def away_now(_world: World) -> Any:
    with override_settings(MAIL_AWAY_SECONDS=0):
        return list(away._unread().values_list("pk", flat=True))  # whatever address a customer has


def boss() -> Client:
    client = Client()
    client.force_login(User.objects.get(email="boss@staff.example"))
    return client


def page(path: str) -> Look:
    """Numbers of tickets that a page shows."""

    def look(_world: World) -> Any:
        # The example in a search field may be somebody's number.
        text = re.sub(r'placeholder="[^"]*"', "", boss().get(path).content.decode())
        return sorted(set(re.findall(r"S-\d+", text)))

    return look


def logged_runs(_world: World) -> Any:
    return [run.pk for run in boss().get("/lead/runs").context["runs"]]


def rows(path: str) -> Look:
    """How many an admin's list says that there are."""

    def look(_world: World) -> Any:
        return boss().get(path).context["cl"].result_count  # type: ignore[index]

    return look


LOOKS: dict[str, Look] = {
    "queue of a pool": lambda world: list(queue_of(world.pool.pk, routes.routes()).values_list("pk")),
    "what a run sees and does": matched,
    "who may be asked": lambda world: [one.agent_id for one in online([world.pool.pk])],
    "pools that want a run": lambda _world: queue.pools_due(),
    "places": places,
    "expected wait": lambda world: queue._last_wait(world.pool.pk),
    "usual wait": lambda _world: reading.usual_wait(),
    "demand of the last hour": lambda _world: {
        key: one.means.tolist() for key, one in forecasting.outlooks(routes.routes()).items()
    },
    "demand of a day": lambda _world: {
        key: counted.tolist()
        for key, counted in forecasting.counts(
            timezone.localdate(), timezone.localdate() + timedelta(days=1)
        ).items()
    },
    "alerts": alerted,
    "standings": standings,
    "standings of pools": pool_standings,
    "the simulator's yesterday": yesterday,
    "the promise of a person": promised,
    "measures of the assistant": lambda _world: measures.counted(),
    "answers promised": lambda _world: answers.answers_promise(),
    "lines of pay": lambda _world: list(LedgerEntry.objects.values_list("reference", "amount_cents")),
    "earnings": lambda world: cards.earnings(world.agents["Bernd"].pk, UTC),
    "mail to customers": lambda _world: mail.due_ticket_ids(),
    "mail to customers who are away": away_now,
    "runs of leads": logged_runs,
    "reveals of leads": page("/lead/reveals"),
    "the admin's tickets": rows("/admin/tickets/ticket/"),
    "the admin's customers": rows("/admin/tickets/customer/"),
    "the admin's offers": rows("/admin/dispatch/offer/"),
}
# What a real ticket does not change either, or only by what the practice cannot do.
WITHOUT_CONTROL = {
    "alerts",
    "answers promised",
    "mail to customers who are away",
    "measures of the assistant",
    "reveals of leads",
    "standings of pools",
}


@pytest.fixture
def scene(world: World) -> World:
    """Three customers were helped by Anna, and one waits; she is online. Bernd is offline, Nina has applied."""
    make_script(world.refund)
    User.objects.create_superuser("boss@staff.example", "x")
    epoch = presence.go_online(agent_id=world.agent("Anna").pk).epoch
    for _ in range(3):
        help_with(world, world.agents["Anna"], epoch)
    waited(90, 100, 110)  # so that a wait of 0 moves the median
    world.agent("Bernd")
    world.agents["Nina"] = make_applicant(world)
    presence.pause(agent_id=world.agents["Anna"].pk, epoch=epoch)
    world.ticket()
    return world


def waited(*seconds: int) -> None:
    """So long did those wait who were helped."""
    helped = Ticket.objects.filter(first_held_at__isnull=False).order_by("pk")
    for ticket, wait in zip(helped, seconds, strict=True):
        Ticket.objects.filter(pk=ticket.pk).update(
            created_at=F("first_held_at") - timedelta(seconds=wait), waiting_since=F("created_at")
        )


def help_with(world: World, agent: Agent, epoch: int) -> None:
    ticket = world.ticket()
    match_pool(world.pool.pk)
    offer = Offer.objects.get(ticket=ticket, agent=agent)
    offer_accept(offer_id=offer.pk, agent_id=agent.pk, epoch=epoch)
    desk.resolve(agent=agent, epoch=epoch, ticket_id=ticket.pk)


@pytest.mark.parametrize("path", LOOKS)
def test_nothing_is_seen_of_it(scene: World, path: str, invariants_hold: Callable[[], None]) -> None:
    look = LOOKS[path]
    if path == "pools that want a run":  # else it is the one that wants it
        Ticket.objects.filter(state="waiting").update(state="closed")
    look(scene)  # what it changes itself, such as places, is changed
    before = look(scene)
    under_way = [begin(scene.agents[name]) for name in ("Nina", "Bernd")]
    assert look(scene) == before
    for one in under_way:
        say(one, ASKS, HELPS)
    assert look(scene) == before
    resolve(under_way[0])
    desk.hand_back(agent=scene.agents["Bernd"], epoch=1, ticket_id=under_way[1].ticket_id)
    practice.look()
    assert look(scene) == before
    assert Practice.objects.filter(finished_at__isnull=False).count() == 2
    invariants_hold()

    # The control: the same with customers is seen.
    if path in WITHOUT_CONTROL:
        return
    epoch = presence.go_online(agent_id=scene.agents["Bernd"].pk).epoch
    Ticket.objects.filter(state="waiting").update(state="closed")
    help_with(scene, scene.agents["Bernd"], epoch)
    waited(200, 200, 200, 200)
    scene.ticket()
    scene.ticket()
    assert look(scene) != before


def test_practice_is_no_hour_online_and_no_answer(scene: World) -> None:
    bernd = scene.agents["Bernd"]
    one = begin(bernd)
    resolve(one)
    presence.go_online(agent_id=bernd.pk)
    queue.standings_refresh()
    fresh = Standing.objects.values_list("accept_rate", "answered").get(agent=bernd)
    share = Standing.objects.get(agent=bernd).share
    Shift.objects.filter(pk=one.shift_id).update(
        started_at=F("started_at") - timedelta(hours=50), online_seconds=50 * 3600
    )
    queue.standings_refresh()
    assert Standing.objects.values_list("accept_rate", "answered").get(agent=bernd) == fresh == (0.8, 0)
    assert Standing.objects.get(agent=bernd).share == pytest.approx(share, abs=0.01)
    Shift.objects.filter(pk=one.shift_id).update(practice=False)  # the control
    queue.standings_refresh()
    assert Standing.objects.get(agent=bernd).share != pytest.approx(share, abs=0.01)


def test_its_private_link_opens_nothing(scene: World) -> None:
    one = begin(scene.agents["Nina"])
    ticket = Ticket.objects.get(pk=one.ticket_id)
    Ticket.objects.filter(pk=ticket.pk).update(access_expires_at="2100-01-01T00:00:00Z")
    ticket.refresh_from_db()
    real = Ticket.objects.filter(channel="form").latest("pk")
    assert customer_of(ticket).ask(f"tickets/{ticket.public_id}").status_code == 404
    assert (
        customer_of(ticket)
        .tell(f"tickets/{ticket.public_id}/rating", {"score": 5, "solved": True})
        .status_code
        == 404
    )
    for entered, status in ((ticket, 404), (real, 204)):
        door = Client().post(
            f"/t/{entered.public_id}/enter",
            {"token": token_of(entered)},
            headers={"accept": "application/json"},
        )
        assert door.status_code == status
    assert not Rating.objects.exists()
    assert customer_of(real).ask(f"tickets/{real.public_id}").status_code == 200


def test_no_ticket_waits_and_no_shift_is_online_by_the_database_itself(scene: World) -> None:

    one = begin(scene.agents["Nina"])
    for change in (
        lambda: Ticket.objects.filter(pk=one.ticket_id).update(state="waiting", held_at=None),
        lambda: type(one.shift).objects.filter(pk=one.shift_id).update(state="online"),
        lambda: Offer.objects.filter(ticket=one.ticket_id).update(pay_cents=1),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            change()


def test_the_applicant_sees_no_real_ticket_by_the_api(scene: World) -> None:
    one = begin(scene.agents["Nina"])
    nina = agent_of(scene.agents["Nina"])
    real = Ticket.objects.filter(state="waiting").get()
    others = begin(scene.agents["Bernd"]).ticket
    (held,) = nina.ask("desk").json()["tickets"]
    assert held["number"] == one.ticket.number
    assert nina.ask("offers").json() == {"offers": []}
    for ticket in (real, others):
        assert nina.ask(f"desk/{ticket.public_id}").status_code == 404
        for command, body in (("reply", {"body": "Hi"}), ("note", {"body": "Hi"}), ("resolve", {})):
            answer = nina.tell(f"desk/{ticket.public_id}/{command}", {"epoch": 1, **body})
            assert (answer.status_code, answer.json()["code"]) == (404, "ticket_not_found")
    assert nina.tell("shift/online").json()["code"] == "not_admitted"
    for action in ("pause", "finish"):
        assert nina.tell(f"shift/{action}", {"epoch": 1}).json()["code"] == "practising"
    assert nina.tell(f"desk/{one.ticket.public_id}/escalate", {"epoch": 1, "reason": "Hi"}).json()[
        "code"
    ] == ("only_practice")
    assert nina.ask(f"desk/{one.ticket.public_id}/targets").json() == {"pools": [], "colleagues": []}
    assert nina.tell(f"desk/{one.ticket.public_id}/reply", {"epoch": 1, "body": ASKS}).status_code == 201
    back = nina.tell(f"desk/{one.ticket.public_id}/hand-back", {"epoch": 1})
    assert (back.status_code, back.json()) == (200, {"state": "closed"})
