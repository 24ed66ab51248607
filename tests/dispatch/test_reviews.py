"""Reviews of a sample, and contests: who may, what is masked, what is shown, in time, by somebody else, for good."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.core import mail as outbox
from django.db import IntegrityError, transaction
from django.test import Client

from agents.errors import AlreadyAnswered, OwnCase, SamePerson, TextMissing
from agents.models import Notice, User
from agents.tasks import letters_due
from dispatch import contests, quality, reviews, tasks
from dispatch.errors import AlreadyContested, NotContestable, NotToReview, ReviewIncomplete, ScoreMissing
from dispatch.models import Alert, Contest, Policy, Review
from tests.cast import PASSWORD, World
from tests.console import Person
from tests.dispatch.scenes import earlier, rated, resolved

pytestmark = pytest.mark.django_db

GOOD = {"solved": 4, "correct": 4, "clear": 3, "kind": 3}


def lead(name: str) -> User:
    user = User.objects.create_user(f"{name}@leads.example", PASSWORD, name=name.title())
    rights = ("change_review", "view_review", "view_contest", "answer_contest", "be_alerted")
    user.user_permissions.add(*Permission.objects.filter(codename__in=rights))
    return user


@pytest.fixture
def lea(world: World) -> User:
    Policy.objects.create(pool=world.pool, version=1, review_percent=100, peer_level=4)
    return lead("leandra")


@pytest.fixture
def anna(world: World, lea: User) -> Person:
    return Person(world, "Anna").online()


@pytest.fixture
def drawn(anna: Person) -> Review:
    resolved(anna, "Hello, Carla here.", "Dear Carla, Anna speaking. Write to carla@customers.example.")
    assert (reviews.draw(), reviews.draw()) == (1, 0)
    return Review.objects.get()


class TestDrawing:
    def test_only_by_the_share_of_the_pool_and_what_was_resolved(self, world: World, anna: Person) -> None:
        anna.holding()
        assert reviews.draw() == 0
        Policy.objects.update(review_percent=0)
        resolved(anna)
        assert reviews.draw() == 0
        Policy.objects.update(review_percent=100)
        assert reviews.draw() == 1


class TestWhoMay:
    def test_an_experienced_colleague_and_not_the_agent(
        self, world: World, anna: Person, drawn: Review
    ) -> None:
        bernd, greta = world.agent("Bernd", payments=4), world.agent("Greta", payments=3)
        assert [one.pk for one in reviews.open_for_peer(bernd)] == [drawn.pk]
        assert reviews.open_for_peer(greta) == []
        anna.agent.agent_skills.update(level=5)
        assert reviews.open_for_peer(anna.agent) == []
        for user in (greta.user, anna.agent.user):
            with pytest.raises(NotToReview):
                reviews.write(review_id=drawn.pk, by=user, by_peer=True, points=GOOD, text="Fine.")
            with pytest.raises(NotToReview):
                reviews.write(review_id=drawn.pk, by=user, by_peer=False, points=GOOD, text="Fine.")
        drawn.refresh_from_db()
        assert drawn.written_at is None
        Policy.objects.update(peer_level=0)
        assert reviews.open_for_peer(bernd) == []

    def test_a_lead_who_is_an_agent_too_does_not_review_themselves(self, anna: Person, drawn: Review) -> None:
        anna.agent.user.user_permissions.add(
            *Permission.objects.filter(codename__in=("change_review", "view_review"))
        )
        assert not reviews.may_write(drawn.pk, User.objects.get(pk=anna.agent.user_id), by_peer=False)


class TestWriting:
    def test_whole_or_not_at_all_and_once(self, lea: User, drawn: Review) -> None:
        for points, text in (({}, "Fine."), (GOOD, " "), ({**GOOD, "kind": 5}, "Fine.")):
            with pytest.raises(ReviewIncomplete):
                reviews.write(review_id=drawn.pk, by=lea, by_peer=False, points=points, text=text)
        reviews.write(review_id=drawn.pk, by=lea, by_peer=False, points=GOOD, text="Fine.")
        with pytest.raises(NotToReview):
            reviews.write(review_id=drawn.pk, by=lea, by_peer=False, points=GOOD, text="Again.")
        drawn.refresh_from_db()
        assert (drawn.score, drawn.text, drawn.reviewer) == (0.9, "Fine.", lea)
        assert [one.kind for one in Notice.objects.all()] == ["review"]
        with pytest.raises(IntegrityError, match="written once"), transaction.atomic():
            Review.objects.update(score=0.1)

    def test_names_are_masked(self, anna: Person, drawn: Review) -> None:
        said = reviews.thread(drawn.offer.ticket, anna.agent)
        assert [one["body"] for one in said] == ["Hello, […] here.", "Dear […], […] speaking. Write to […]."]
        assert [one["mine"] for one in said] == [False, True]

    def test_it_counts_as_two_ratings(self, lea: User, anna: Person, drawn: Review) -> None:
        reviews.write(review_id=drawn.pk, by=lea, by_peer=False, points=GOOD, text="Fine.")
        tasks.qualities()
        usual = (2 * 0.9 + 10 * 0.8) / 12
        found = quality.figures(anna.agent.pk)
        assert (found.reviews, found.review_mean) == (1, 0.9)
        assert found.term == pytest.approx(((2 * 0.9 + 10 * usual) / 12 - usual) / 0.25)


class TestThePages:
    def test_a_lead_writes_and_the_agent_reads_the_role_only(
        self, lea: User, anna: Person, drawn: Review
    ) -> None:
        client = Client(headers={"accept-language": "en"})
        client.force_login(lea)
        assert anna.agent.name in client.get("/lead/reviews").content.decode()
        page = client.get(f"/lead/reviews/{drawn.pk}").content.decode()
        assert "Carla" not in page
        refused = client.post(f"/lead/reviews/{drawn.pk}", {"solved": "4", "text": "Half done"})
        assert refused.status_code == 422
        assert "Half done" in refused.content.decode()
        sent = {key: str(value) for key, value in GOOD.items()} | {"text": "Well explained."}
        assert client.post(f"/lead/reviews/{drawn.pk}", sent).status_code == 303
        page = anna.get("/rights/").content.decode()
        assert "Well explained." in page
        assert "by a team lead" in page
        assert "Leandra" not in page

    def test_a_colleague_too(self, world: World, anna: Person, drawn: Review) -> None:
        bernd = Person(world, "Bernd", payments=4)
        assert "Review a colleague" in bernd.get("/rights/").content.decode()
        assert f"/rights/reviews/{drawn.pk}" in bernd.get("/rights/reviews").content.decode()
        sent = {key: str(value) for key, value in GOOD.items()} | {"text": "Well explained."}
        assert bernd.client.post(f"/rights/reviews/{drawn.pk}", sent).status_code == 303
        page = anna.get("/rights/").content.decode()
        assert "by a colleague" in page
        assert "Bernd" not in page
        assert bernd.get(f"/rights/reviews/{drawn.pk}").status_code == 404

    def test_nobody_else(self, anna: Person, drawn: Review) -> None:
        assert anna.get("/lead/reviews").status_code == 403
        assert anna.get("/lead/contests").status_code == 403
        assert anna.get(f"/rights/reviews/{drawn.pk}").status_code == 404
        assert Client().get("/lead/contests").status_code == 302


class TestContests:
    def test_only_ones_own_and_once(self, world: World, anna: Person) -> None:
        rating = rated(anna, 1)
        bernd = world.agent("Bernd")
        with pytest.raises(NotContestable):
            contests.contest_rating(agent_id=bernd.pk, rating_id=rating.pk, text="No.")
        with pytest.raises(TextMissing):
            contests.contest_rating(agent_id=anna.agent.pk, rating_id=rating.pk, text=" ")
        contests.contest_rating(agent_id=anna.agent.pk, rating_id=rating.pk, text="No.")
        with pytest.raises(AlreadyContested):
            contests.contest_rating(agent_id=anna.agent.pk, rating_id=rating.pk, text="No!")
        assert Contest.objects.count() == 1

    def test_somebody_else_answers_once_and_for_good(self, lea: User, anna: Person, drawn: Review) -> None:
        reviews.write(review_id=drawn.pk, by=lea, by_peer=False, points=dict.fromkeys(GOOD, 0), text="Bad.")
        with pytest.raises(NotContestable):
            contests.contest_review(agent_id=anna.agent.pk + 1, review_id=drawn.pk, text="No.")
        made = contests.contest_review(agent_id=anna.agent.pk, review_id=drawn.pk, text="It was solved.")
        ned = lead("ned")
        refused = [
            (lea, "stands", "No.", SamePerson),
            (anna.agent.user, "struck", "Yes.", OwnCase),
            (ned, "stands", " ", TextMissing),
            (ned, "corrected", "So it was.", ScoreMissing),
        ]
        for by, outcome, answer, error in refused:
            with pytest.raises(error):
                contests.answer(contest_id=made.pk, by=by, outcome=outcome, answer=answer)
        assert Contest.objects.get().answered_at is None
        contests.answer(contest_id=made.pk, by=ned, outcome="struck", answer="It was solved.")
        with pytest.raises(AlreadyAnswered):
            contests.answer(contest_id=made.pk, by=ned, outcome="stands", answer="Or not.")
        assert quality.figures(anna.agent.pk).reviews == 0
        for change in ({"outcome": "stands"}, {"text": "x"}, {"answer": "x"}):
            with pytest.raises(IntegrityError, match="answered once"), transaction.atomic():
                Contest.objects.update(**change)
        with pytest.raises(IntegrityError, match="answered once"), transaction.atomic():
            Contest.objects.all().delete()

    def test_the_database_refuses_the_reviewer(self, lea: User, anna: Person, drawn: Review) -> None:
        reviews.write(review_id=drawn.pk, by=lea, by_peer=False, points=GOOD, text="Fine.")
        made = contests.contest_review(agent_id=anna.agent.pk, review_id=drawn.pk, text="No.")
        with pytest.raises(IntegrityError, match="contest_answered_by_another"), transaction.atomic():
            Contest.objects.filter(pk=made.pk).update(
                answered_by=lea, answered_at="2026-01-01T00:00Z", outcome="stands", answer="x"
            )

    def test_from_the_page_to_the_answer_by_mail(self, lea: User, anna: Person) -> None:
        rating = rated(anna, 1, "The shop was rude.")
        path = f"/rights/contest/rating/{rating.pk}"
        assert "The shop was rude." in anna.get(path).content.decode()
        assert anna.client.post(path, {"text": ""}).status_code == 422
        assert anna.client.post(path, {"text": "It is about the shop."}).status_code == 303
        assert anna.get("/rights/contest/rating/999999").status_code == 404
        made = Contest.objects.get()
        earlier(Contest, "due_at", timedelta(0))
        client = Client(headers={"accept-language": "en"})
        client.force_login(lea)
        page = client.get("/lead/contests").content.decode()
        assert "It is about the shop." in page
        assert "overdue" not in page
        answer = {"outcome": "corrected", "answer": "Not about you."}
        refused = client.post(f"/lead/contests/{made.pk}/answer", answer)
        assert (refused.status_code, Contest.objects.get().answered_at) == (422, None)
        assert "Not about you." in refused.content.decode()
        assert client.post(f"/lead/contests/{made.pk}/answer", answer | {"score": "4"}).status_code == 303
        assert "counts as 4 of 5" in anna.get("/rights/").content.decode()
        outbox.outbox.clear()
        letters_due()
        [mail] = outbox.outbox
        assert mail.to == ["anna@agents.example"]
        assert "Not about you." in mail.body


def test_overdue_contests_show_to_leads_and_are_mailed(lea: User, anna: Person) -> None:
    rating = rated(anna, 1)
    with transaction.atomic():
        Contest.objects.create(
            agent=anna.agent, rating=rating, text="No.", due_at=rating.created_at - timedelta(minutes=1)
        )
    client = Client(headers={"accept-language": "en"})
    client.force_login(lea)
    assert "overdue" in client.get("/lead/contests").content.decode()
    outbox.outbox.clear()
    tasks.alerts_mail()
    assert sorted(mail.subject for mail in outbox.outbox) == [
        "A contest should have been answered by now",
        "A rating or review was contested",
    ]
    assert {alert.kind for alert in Alert.objects.filter(closed_at__isnull=True)} == {"contest", "overdue"}
