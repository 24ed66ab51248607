"""Reviews, a contest and questions of Later & Co, so that each page of rights and of team leads has something to show."""

from agents import rights
from agents.models import Agent, InquiryKind, User
from dispatch import contests, quality, reviews
from dispatch.demo.brand import DOMAIN
from dispatch.demo.people import ADMIN, LEAD, NEWCOMERS
from dispatch.models import Review

WRITTEN = (
    (
        {"solved": 4, "correct": 4, "clear": 3, "kind": 4},
        "Clear steps, and the date was named without being asked for.",
    ),
    (
        {"solved": 3, "correct": 4, "clear": 2, "kind": 3},
        "Right, but the second message has three matters in one sentence.",
    ),
    (
        {"solved": 4, "correct": 3, "clear": 4, "kind": 4},
        "Good. The fee could have been explained in a word.",
    ),
)


def make_rights() -> None:
    """Does nothing when there is a review already. Outermost."""
    staff = {user.email: user for user in User.objects.filter(is_staff=True)}
    lead, admin = (staff.get(f"{login}@{DOMAIN}") for login, _name in (LEAD, ADMIN))
    if lead is None or admin is None or Review.objects.exists():
        return
    reviews.draw()
    agent = Agent.objects.filter(user__email=NEWCOMERS[0].email).first()
    if agent is None:
        return
    waiting = reviews.open_for_lead(lead)
    about_newcomer = list(waiting.filter(agent=agent)[:1]) + list(waiting.exclude(agent=agent)[:2])
    for review, (points, text) in zip(about_newcomer, WRITTEN, strict=False):
        reviews.write(review_id=review.pk, by=lead, by_peer=False, points=points, text=text)
    if about := [review for review in about_newcomer if review.agent_id == agent.pk][:1]:
        contests.contest_review(
            agent_id=agent.pk,
            review_id=about[0].pk,
            text="I did name the next step, in my last message. It seems that it was read only up to the one before.",
        )
    asked = rights.inquiry_ask(
        agent_id=agent.pk,
        kind=InquiryKind.DECISION,
        text="Why am I offered so few tickets about payment plans?",
    )
    rights.inquiry_answer(
        inquiry_id=asked.pk,
        by=admin,
        answer="They need the skill “Payment plans” at level 2. You can learn it on the page “Learn”.",
    )
    rights.inquiry_ask(agent_id=agent.pk, kind=InquiryKind.PAY, text="When is the next payout?")
    quality.standings_refresh()
