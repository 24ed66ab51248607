"""Lists for team leads and other systems: filters, pages, masking; API tokens from their making to their end."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.utils import timezone

from agents import tokens
from agents.errors import ScopeNotYours
from agents.models import ApiToken, User
from agents.tokens import token_make, token_of, token_revoke
from dispatch import presence
from dispatch.models import Offer, Route
from dispatch.offers import offer_accept
from dispatch.runs import match_pool
from tests.callers import Caller, account, problem
from tests.cast import World
from tests.dispatch.scenes import earlier
from tests.untouched import nothing_changed
from tickets.conversation import customer_reply
from tickets.models import Customer, Ticket, TicketEvent

pytestmark = pytest.mark.django_db

Assert = Callable[[int], AbstractContextManager[Any]]


@pytest.fixture
def boss(db: None) -> User:
    return User.objects.create_superuser("boss@staff.example", "secret")


def system(boss: User, *scopes: str) -> Caller:
    return Caller(f"Bearer {token_make(by=boss, name='Warehouse', scopes=scopes).secret}")


def held(world: World, text: str = "Where is my refund?") -> Ticket:
    """A ticket that Anna holds."""
    anna = world.agents.get("Anna") or world.agent("Anna")
    epoch = presence.go_online(agent_id=anna.pk).epoch
    ticket = world.ticket(text)
    match_pool(world.pool.pk)
    offer_accept(offer_id=Offer.objects.get(ticket=ticket).pk, agent_id=anna.pk, epoch=epoch)
    return Ticket.objects.select_related("customer").get(pk=ticket.pk)


class TestTickets:
    def test_a_row(self, world: World, boss: User) -> None:
        ticket = held(world, "I am Lindqvist, call +49 171 2345617")
        Customer.objects.filter(pk=ticket.customer_id).update(name="Carla Lindqvist")
        [row] = system(boss, "tickets:read").ask("staff/tickets").json()["results"]
        last = TicketEvent.objects.filter(ticket=ticket).latest("seq")
        assert row["updated_at"] == timezone.localtime(last.created_at).isoformat()
        assert {name: row[name] for name in ("id", "state", "topic", "holder", "last_seq", "number")} == {
            "id": ticket.public_id,
            "state": "held",
            "topic": "refund",
            "holder": world.agents["Anna"].pk,
            "last_seq": ticket.last_seq,
            "number": ticket.number,
        }
        assert row["customer"] == {
            "id": ticket.customer_id,
            "name": "Carla L…",
            "email": "c…@…",
        }
        assert "2345617" not in row["summary"]
        assert "Lindqvist" not in row["summary"]

    def test_one_with_its_messages_and_events(self, world: World, boss: User) -> None:
        ticket = held(world)
        customer_reply(ticket=ticket, body="Call +49 171 2345617")
        caller = system(boss, "tickets:read")
        one = caller.ask(f"staff/tickets/{ticket.public_id}").json()
        assert [message["author"] for message in one["messages"]] == ["customer", "customer"]
        assert one["messages"][1]["masked"] == ["phone"]
        frames = caller.ask(f"staff/tickets/{ticket.public_id}/events", after=ticket.last_seq).json()[
            "frames"
        ]
        assert [frame["type"] for frame in frames] == ["message.posted"]
        assert "2345617" not in str(one) + str(frames)
        problem(caller.ask("staff/tickets/nothing"), 404, "ticket_not_found")

    def test_filters(self, world: World, boss: User) -> None:
        mine = held(world)
        old = world.ticket("Old", topic=world.card, language="de")
        earlier(Ticket, "created_at", timedelta(days=2), pk=old.pk)
        other = world.ticket("Another")
        caller = system(boss, "tickets:read")

        def found(**query: Any) -> set[str]:
            return {row["id"] for row in caller.ask("staff/tickets", **query).json()["results"]}

        day_ago = (timezone.now() - timedelta(days=1)).isoformat()
        assert found() == {old.public_id, mine.public_id, other.public_id}
        assert found(state="held") == {mine.public_id}
        assert found(topic="card") == {old.public_id}
        assert found(language="de") == {old.public_id}
        assert found(holder=world.agents["Anna"].pk) == {mine.public_id}
        assert found(customer=other.customer_id) == {other.public_id}
        assert found(created_since=day_ago) == {mine.public_id, other.public_id}
        assert found(created_before=day_ago) == {old.public_id}
        assert found(pool="first") == found()
        assert found(updated_since=(timezone.now() + timedelta(hours=1)).isoformat()) == set()
        assert found(updated_since=day_ago) == found()  # all of their events are of today
        Route.objects.filter(topic__isnull=True).delete()
        for query in ({"topic": "nothing"}, {"pool": "\x00"}, {"state": "gone"}, {"created_since": "today"}):
            body = problem(caller.ask("staff/tickets", **query), 400, "invalid")
            assert list(body["errors"]) == list(query)

    def test_pages_are_stable_while_tickets_come(self, world: World, boss: User) -> None:
        first = [world.ticket(f"Number {number}").public_id for number in range(5)]
        caller = system(boss, "tickets:read")
        page = caller.ask("staff/tickets", limit=2).json()
        seen = [row["id"] for row in page["results"]]
        world.ticket("Comes in between")
        while page["next"]:
            page = caller.get("?".join(urlsplit(page["next"])[2:4])).json()
            seen += [row["id"] for row in page["results"]]
        assert seen == first[::-1]
        assert set(page) == {"next", "previous", "results"}
        for limit in ("0", "201", "many", "-1", ""):
            problem(caller.ask("staff/tickets", limit=limit), 400, "invalid")

    def test_one_is_opened_for_a_customer_once_a_key(self, world: World, boss: User) -> None:
        caller = system(boss, "tickets:write")
        said = {"text": "Where is my refund?", "email": "carla@customers.example", "topic": "refund"}
        answer = caller.tell("staff/tickets", said, key="one")
        again = caller.tell("staff/tickets", said, key="one")
        assert (answer.status_code, again.status_code) == (201, 200)
        assert again.json() == answer.json()
        assert Ticket.objects.get().channel == "api"
        problem(
            caller.tell("staff/tickets", {**said, "text": "Else"}, key="one"), 422, "idempotency_key_reused"
        )
        # Another system's same key is another ticket.
        assert system(boss, "tickets:write").tell("staff/tickets", said, key="one").status_code == 201
        assert Ticket.objects.count() == 2


class TestOthers:
    def test_offers_agents_shifts_pools_skills(self, world: World, boss: User) -> None:
        ticket = held(world)
        anna = world.agents["Anna"]
        world.agent("Greta", payments=0)
        caller = system(boss, "offers:read", "agents:read")

        def rows(path: str, **query: Any) -> list[dict[str, Any]]:
            found: list[dict[str, Any]] = caller.ask(f"staff/{path}", **query).json()["results"]
            return found

        [offer] = rows("offers", ticket=ticket.public_id, agent=anna.pk, state="accepted", pool="first")
        assert (offer["ticket"], offer["agent"], offer["pool"]) == (ticket.public_id, anna.pk, "first")
        assert rows("offers", state="pending") == []
        [row] = rows("agents", skill="payments", pool="first", shift="online", status="admitted")
        assert (row["name"], row["pools"], row["shift"]) == ("Anna", ["first"], "online")
        assert row["skills"] == [
            {"key": "cards", "level": 3, "certified_until": None},
            {"key": "payments", "level": 3, "certified_until": None},
        ]
        assert [one["name"] for one in rows("agents")] == ["Greta", "Anna"]
        [shift] = rows("shifts", agent=anna.pk, state="online")
        assert (shift["agent"], shift["epoch"], shift["units_taken"]) == (anna.pk, 1, 30)
        assert [one["key"] for one in rows("pools")] == ["first"]
        assert [one["key"] for one in rows("skills")] == ["cards", "payments"]
        assert "agents.example" not in str(rows("agents"))

    @pytest.mark.parametrize(
        ("path", "queries"),
        [("tickets", 2), ("offers", 2), ("agents", 5), ("shifts", 2), ("pools", 2), ("skills", 2)],
    )
    def test_no_query_a_row(
        self, world: World, boss: User, django_assert_num_queries: Assert, path: str, queries: int
    ) -> None:
        """One of them is the token."""
        caller = system(boss, *tokens.SCOPES)
        caller.ask("staff/pools")  # its use is noted now
        for name in ("Anna", "Bernd", "Cleo"):
            presence.go_online(agent_id=world.agent(name).pk)
            world.ticket()
        match_pool(world.pool.pk)
        with django_assert_num_queries(queries):
            assert len(caller.ask(f"staff/{path}").json()["results"]) >= (1 if path == "pools" else 2)


class TestTokens:
    def test_from_its_making_to_its_end(self, world: World, boss: User) -> None:
        caller = account(boss)
        said = {"name": "Warehouse", "scopes": ["offers:read", "tickets:read"]}
        answer = caller.tell("staff/tokens", said, key="one")
        assert answer.status_code == 201
        secret = answer.json()["token"]
        assert secret.startswith("sbt_")
        row = ApiToken.objects.get()
        assert secret not in str(list(ApiToken.objects.values()))
        assert (row.scopes, row.made_by, row.used_at) == (["tickets:read", "offers:read"], boss, None)
        again = caller.tell("staff/tokens", said, key="one")
        assert (again.status_code, again.json()["token"]) == (200, None)
        problem(
            caller.tell("staff/tokens", {**said, "name": "Else"}, key="one"), 422, "idempotency_key_reused"
        )
        system = Caller(f"Bearer {secret}")
        assert system.ask("staff/tickets").status_code == 200
        problem(system.ask("staff/agents"), 403, "scope_missing")
        problem(system.ask("me"), 401, "not_authenticated")
        problem(system.ask("staff/tokens"), 401, "not_authenticated")
        [listed] = caller.ask("staff/tokens").json()["results"]
        assert listed["used_at"] is not None
        assert "token" not in listed
        assert caller.tell(f"staff/tokens/{row.pk}/revoke").json()["revoked_at"] is not None
        problem(system.ask("staff/tickets"), 401, "authentication_failed")
        problem(caller.tell("staff/tokens/0/revoke"), 404, "token_not_found")

    @pytest.mark.parametrize("secret", ["", "sbt_", "sbt_ü", "x" * 200, "sbt_" + "a" * 43, "sbt_\x00"])
    def test_what_is_no_token(self, db: None, secret: str) -> None:
        assert token_of(secret) is None

    def test_it_ends_by_the_databases_clock(self, boss: User) -> None:
        made = token_make(
            by=boss, name="A", scopes=["tickets:read"], expires_at=timezone.now() + timedelta(hours=1)
        )
        assert token_of(made.secret) == made.token
        ApiToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
        assert token_of(made.secret) is None

    def test_nobody_gives_what_they_may_not_do(self, world: World, boss: User) -> None:
        clerk = world.agent("Anna").user
        with nothing_changed(), pytest.raises(ScopeNotYours):
            token_make(by=clerk, name="A", scopes=["tickets:read"])
        with nothing_changed(), pytest.raises(ScopeNotYours):
            token_make(by=boss, name="A", scopes=["everything"])

    def test_twice_withdrawn_is_once(self, boss: User) -> None:
        token = token_make(by=boss, name="A", scopes=["tickets:read"]).token
        first = token_revoke(token_id=token.pk).revoked_at
        assert token_revoke(token_id=token.pk).revoked_at == first

    def test_the_admin_makes_shows_and_withdraws(self, client: Client, boss: User) -> None:
        client.force_login(boss)
        page = client.post("/admin/agents/apitoken/add/", {"name": "Warehouse", "scopes": ["tickets:read"]})
        token = ApiToken.objects.get()
        secret = page.context["secret"]
        assert secret in page.content.decode()
        assert "no-store" in page.headers["Cache-Control"]
        assert token_of(secret) == token
        assert secret not in client.get(f"/admin/agents/apitoken/{token.pk}/change/").content.decode()
        client.post("/admin/agents/apitoken/", {"action": "revoke", "_selected_action": [token.pk]})
        assert token_of(secret) is None

    def test_its_requests_are_limited_by_themselves(self, boss: User, settings: Any) -> None:
        from config.throttles import Scoped

        old = Scoped.THROTTLE_RATES
        Scoped.THROTTLE_RATES = {**old, "staff": "2/min"}
        try:
            one, other = system(boss, "agents:read"), system(boss, "agents:read")
            assert [one.ask("staff/pools").status_code for _ in range(3)] == [200, 200, 429]
            assert other.ask("staff/pools").status_code == 200
        finally:
            Scoped.THROTTLE_RATES = old
