"""Practice: an applicant helps a scripted customer on the real desk, and is told how it went."""

from collections.abc import Callable

import pytest

from agents import onboarding
from agents.errors import NotAdmitted, NotYetPractising, OnShift, Practising
from agents.models import AgentSkill, AgentStatus, Decision, Shift, User
from dispatch import desk, passing, practice, presence, resolving, tasks
from dispatch.errors import NobodyThere, NothingToPractise, OnlyPractice
from dispatch.models import Escalation, Offer, Practice, PracticeScript, Transfer
from tests.cast import World
from tests.console import text_of
from tests.forcing import force_offline
from tests.practising import ASKS, HELPS, begin, browser, make_applicant, make_script, resolve, say, talk
from tests.untouched import nothing_changed
from tickets.models import Ticket, TicketState

pytestmark = pytest.mark.django_db(transaction=True)
NINA, PETER = "Nina", "Peter Practice"


@pytest.fixture
def script(world: World) -> PracticeScript:
    return make_script(world.refund)


def test_from_the_start_to_passed(
    world: World, script: PracticeScript, invariants_hold: Callable[[], None]
) -> None:
    nina = make_applicant(world)
    one = begin(nina)
    assert (one.ticket.state, one.ticket.channel, one.ticket.served_by) == ("held", "practice", "Nina")
    assert (one.shift.state, one.shift.practice) == ("finishing", True)
    invariants_hold()
    assert begin(nina) == one  # again: the same one

    say(one, "Hello Peter!", ASKS)
    desk.reply(agent=nina, epoch=1, ticket_id=one.ticket_id, body=HELPS)
    assert (practice.look(), practice.look()) == (1, 0)
    assert talk(one) == [
        (PETER, "I sent my parcel back and still get bills."),
        (NINA, "Hello Peter!"),
        (PETER, "Sorry, I do not understand."),
        (NINA, ASKS),
        (PETER, "It is K-7731."),
        (NINA, HELPS),
        (PETER, "Thank you, that is all!"),
    ]
    resolve(one)
    one.refresh_from_db()
    nina.refresh_from_db()
    assert (one.replied, one.resolved, one.passed) == (True, True, True)
    assert [(point["en"], point["met"]) for point in one.points] == [
        ("Asked for the order number", True),
        ("Paused the bill", True),
        ("Did not ask for a card number", True),
    ]
    first = nina.practised_at
    assert first is not None
    assert nina.status == AgentStatus.APPLIED  # practice decides nothing
    assert Shift.objects.get().ended_at is not None
    invariants_hold()

    again = begin(nina)
    say(again, "You have to be patient.")
    resolve(again)
    again.refresh_from_db()
    nina.refresh_from_db()
    assert (again.passed, nina.practised_at) == (False, first)


def test_in_german(world: World, script: PracticeScript) -> None:
    one = begin(make_applicant(world), "de-AT")
    say(one, "Wie ist Ihre Bestellnummer?")
    assert one.ticket.language == "de"
    assert talk(one)[0][1].startswith("Ich habe mein Paket")
    assert talk(one)[-1][1] == "It is K-7731."


def test_send_and_resolve_is_not_undone_by_the_script(world: World, script: PracticeScript) -> None:
    one = begin(make_applicant(world))
    say(one, ASKS)
    desk.reply(agent=one.agent, epoch=1, ticket_id=one.ticket_id, body=HELPS, then_resolve=True)
    assert practice.look() == 0
    Offer.objects.update(resolves_at="2026-01-01T00:00:00Z")
    assert resolving.look() == 1
    assert practice.look() == 1
    one.refresh_from_db()
    assert one.passed
    assert talk(one)[-1] == (PETER, "Thank you, that is all!")  # said all the same


@pytest.mark.parametrize("end", ["hand_back", "go_offline", "force", "lost"])
def test_every_other_end_closes_it_and_is_not_passed(
    world: World, script: PracticeScript, invariants_hold: Callable[[], None], end: str
) -> None:
    nina = make_applicant(world)
    one = begin(nina)
    say(one, ASKS, HELPS)
    if end == "hand_back":
        desk.hand_back(agent=nina, epoch=1, ticket_id=one.ticket_id)
    elif end == "go_offline":
        presence.go_offline(agent_id=nina.pk, epoch=1)
    elif end == "force":
        force_offline(shift_id=one.shift_id)
    else:
        Shift.objects.get().lease.delete()
        Shift.objects.update(lost_at="2026-01-01T00:00:00Z")
        assert presence.graces_end() == 1
    assert Ticket.objects.get().state == TicketState.CLOSED
    tasks.tick()
    one.refresh_from_db()
    nina.refresh_from_db()
    assert (one.resolved, one.passed, nina.practised_at) == (False, False, None)
    assert not Shift.objects.filter(ended_at__isnull=True).exists()
    invariants_hold()
    assert begin(nina) != one


def test_who_may(world: World, script: PracticeScript) -> None:
    fresh = make_applicant(world, "Fritz", certified=False)
    expired = make_applicant(world, "Ede")
    AgentSkill.objects.filter(agent=expired).update(certified_until="2020-01-01")
    rejected = make_applicant(world, "Rosa")
    boss = User.objects.create_superuser("boss@staff.example", "x")
    onboarding.reject(agent_id=rejected.pk, by=boss, reason="No.")
    for agent in (fresh, expired, rejected):
        with nothing_changed(), pytest.raises(NotYetPractising):
            begin(agent)
    anna = world.agent("Anna")
    presence.go_online(agent_id=anna.pk)
    with nothing_changed(), pytest.raises(OnShift):
        begin(anna)
    presence.go_offline(agent_id=anna.pk, epoch=1)
    assert begin(anna).shift.practice
    with pytest.raises(NothingToPractise):
        practice.start(agent=anna, script_key="other", language="en")
    PracticeScript.objects.update(active=False)
    with pytest.raises(NothingToPractise):
        begin(make_applicant(world))


def test_a_practising_person_cannot_go_online(world: World, script: PracticeScript) -> None:
    nina, anna = make_applicant(world), world.agent("Anna")
    begin(nina)
    begin(anna)
    for agent, refusal in ((nina, NotAdmitted), (anna, Practising)):
        with nothing_changed(), pytest.raises(refusal):
            presence.go_online(agent_id=agent.pk)
        for choose in (presence.pause, presence.finish):
            with nothing_changed(), pytest.raises(Practising):
                choose(agent_id=agent.pk, epoch=1)
    # Admitted meanwhile: still not while the practice is open.
    boss = User.objects.create_superuser("boss@staff.example", "x")
    onboarding.admit(agent_id=nina.pk, by=boss, reason="Good.", pool_ids=[world.pool.pk])
    with pytest.raises(Practising):
        presence.go_online(agent_id=nina.pk)
    presence.go_offline(agent_id=nina.pk, epoch=1)
    assert presence.go_online(agent_id=nina.pk).state == "online"


def test_nobody_is_asked_or_passed_on_to(world: World, script: PracticeScript) -> None:
    presence.go_online(agent_id=world.agent("Anna").pk)
    one = begin(make_applicant(world))
    assert passing.targets(agent=one.agent, ticket_id=one.ticket_id) == ([], [])
    common = {"agent": one.agent, "epoch": 1, "ticket_id": one.ticket_id}
    with nothing_changed(), pytest.raises(OnlyPractice):
        passing.escalate(**common, reason="Please look")  # type: ignore[arg-type]
    with nothing_changed(), pytest.raises(NobodyThere):
        passing.transfer(**common, note="Please", pool_id=world.pool.pk)  # type: ignore[arg-type]
    assert not Escalation.objects.exists()
    assert not Transfer.objects.exists()


def test_the_pages(world: World, script: PracticeScript) -> None:
    nina = make_applicant(world)
    client = browser(nina)
    assert client.get("/console/").url == "/learn/"  # type: ignore[attr-defined]
    assert "To the practice" in text_of(client.get("/learn/"))  # type: ignore[arg-type]
    assert "A parcel sent back" in text_of(client.get("/learn/practice/"))  # type: ignore[arg-type]
    page = client.post("/learn/practice/parcel/start", follow=True)
    text = text_of(page)  # type: ignore[arg-type]
    assert page.request["PATH_INFO"] == "/console/"
    assert "This is practice." in text
    assert "none: this is practice" in text
    for absent in ("switch-online", "console_auto_accept", "Pass on", "auto-accept"):
        assert absent not in text
    one = Practice.objects.get()
    say(one, "Your card number?")
    resolve(one)
    result = text_of(client.get("/learn/practice/latest", follow=True))  # type: ignore[arg-type]
    assert "Not passed yet" in result
    assert "2 of 5 points met." in result
    assert "Without it nobody finds the purchase." in result
    assert "I would rather not write that." in result
    # Whoever is not admitted while they practise is not let on to the desk any more.
    begin(nina)
    assert client.get("/console/").status_code == 200
    boss = User.objects.create_superuser("boss@staff.example", "x")
    onboarding.reject(agent_id=nina.pk, by=boss, reason="No.")
    assert client.get("/console/").url == "/learn/"  # type: ignore[attr-defined]
    other = browser(make_applicant(world, "Otto"))
    assert other.get(f"/learn/practice/{one.pk}").status_code == 404
    assert "practised" not in text_of(other.get("/learn/practice/"))  # type: ignore[arg-type]


def test_whoever_admits_sees_it(world: World, script: PracticeScript) -> None:
    nina = make_applicant(world)
    filed = onboarding.apply(
        key="k", email="n@home.example", name="Nina", real_name="Nina N", language="en", languages=["en"]
    )
    type(filed).objects.filter(pk=filed.pk).update(agent=nina, confirmed_at="2026-01-01T00:00:00Z")
    client = browser(nina)
    client.force_login(User.objects.create_superuser("boss@staff.example", "x"))
    lists = {step: f"/admin/agents/application/?step={step}" for step in ("practice", "admit")}
    assert "Nina N" in text_of(client.get(lists["practice"]))  # type: ignore[arg-type]
    one = begin(nina)
    say(one, ASKS, HELPS)
    resolve(one)
    assert "Nina N" not in text_of(client.get(lists["practice"]))  # type: ignore[arg-type]
    assert "Nina N" in text_of(client.get(lists["admit"]))  # type: ignore[arg-type]
    text = text_of(client.get(f"/admin/agents/application/{filed.pk}/change/"))  # type: ignore[arg-type]
    assert f"/admin/dispatch/practice/{one.pk}/change/" in text
    detail = text_of(client.get(f"/admin/dispatch/practice/{one.pk}/change/"))  # type: ignore[arg-type]
    assert "✓ Asked for the order number" in detail
    assert "It is K-7731." in detail
    assert not Decision.objects.exists()
