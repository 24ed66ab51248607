"""Who has the right to see reads the pages of team leads, without what one acts with: auditors above all."""

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.utils import timezone

from agents.models import User
from dispatch.backoffice.roles import roles_write
from dispatch.models import Simulation
from dispatch.wall import figures
from tests.cast import PASSWORD, World
from tests.dispatch.test_wallboard import signed_in
from tests.untouched import nothing_changed

pytestmark = pytest.mark.django_db


def test_who_may_read_tickets_opens_them_from_the_board(world: World) -> None:
    """On the page and in what comes after it; not on a screen on a wall."""
    ticket = world.ticket()
    link = f'href="/lead/tickets/{ticket.public_id}"'
    reads, sees = signed_in("view_halfhour", "view_ticket"), signed_in("view_halfhour")
    for client, there in ((reads, True), (sees, False)):
        figures.forget()
        page = client.get("/lead/").content.decode()
        news = client.get("/lead/news").json()["frames"][0]["html"]
        assert (link in page, link in news) == (there, there)
        assert ticket.number in page
    assert link not in reads.get("/lead/?wall=1").content.decode()
    assert reads.get(f"/lead/tickets/{ticket.public_id}").status_code == 200
    assert sees.get(f"/lead/tickets/{ticket.public_id}").status_code == 403


def test_an_auditor_reads_reviews_and_simulations(world: World) -> None:
    roles_write()
    kurt = User.objects.create_user("kurt@staff.example", PASSWORD, is_staff=True)
    kurt.groups.add(Group.objects.get(name="Auditors"))
    client = Client(headers={"accept-language": "en"})
    client.force_login(kurt)
    done = Simulation.objects.create(
        asked_by=kurt,
        inputs={"source": "model", "people": 4, "load": 80},
        state="failed",
        plays=1,
        ended_at=timezone.now(),
    )
    for path in ("reviews", "simulator", f"simulator/{done.pk}"):
        assert client.get(f"/lead/{path}").status_code == 200, path
    assert "Play it" not in client.get("/lead/simulator").content.decode()
    with nothing_changed():
        assert client.post("/lead/simulator", {}).status_code == 403
        assert client.post(f"/lead/simulator/{done.pk}/cancel").status_code == 403
        assert client.post("/lead/reviews/1", {}).status_code == 403
